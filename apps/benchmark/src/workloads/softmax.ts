import { noGrad, softmax as softmaxOf } from '@heed/core-tensor'
import { variant, type Workload } from '../workload.ts'

// (b) Softmax over the last axis: memory and eˣ.

export const softmax: Workload = {
  name: 'softmax',
  letter: 'b',
  title: 'Softmax',
  variants: [
    variant({
      name: '4096x1024',
      gpu: 'any',
      inputs: draw => ({ x: draw.normal([4096, 1024]) }),
      tolerance: 1e-4, // the largest is 50 times the root mean square
      heed:
        ({ x }) =>
        () => ({ y: noGrad(() => softmaxOf(x)) }),
      peers: {
        tfjs: (tf, { x }) => {
          return () => ({ y: tf.softmax(x) })
        },
        // Without jit: under it this is slower.
        jax: ({ nn }, { x }) => {
          return () => ({ y: nn.softmax(x.ref, -1) })
        },
        jsPytorch: (torch, { x }) => {
          const layer = new torch.nn.Softmax()
          return () => ({ y: layer.forward(x, -1) })
        },
        ort: {
          feeds: ['x'],
          build: graph => ({ y: graph.op('Softmax', ['x'], { axis: -1 }) }),
        },
        torch: `
def make(a):
    x = a['x']
    return torch.no_grad()(lambda: dict(y=torch.softmax(x, -1)))`,
      },
    }),
  ],
}
