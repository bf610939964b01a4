import { type Untyped, variant, type Workload } from '../workload.ts'

// (g) What an operation costs beside its arithmetic: the sum of two tensors of 16 elements, and letting go of it
// (Heed: by the scope of the step).

const CALLS = 2000

export const add: Workload = {
  name: 'add',
  letter: 'g',
  title: 'Sum of two tensors of 16',
  variants: [
    variant({
      name: '16',
      inputs: draw => ({ x: draw.normal([16]), y: draw.normal([16]) }),
      tolerance: 0,
      calls: CALLS,
      threads: 'one',
      heed:
        ({ x, y }) =>
        () => {
          let z = x.add(y)
          for (let i = 1; i < CALLS; i++) z = x.add(y)
          return { z }
        },
      peers: {
        tfjs: (tf, { x, y }) => {
          return () => {
            for (let i = 1; i < CALLS; i++) tf.add(x, y).dispose()
            return { z: tf.add(x, y) }
          }
        },
        jax: ({ jit }, { x, y }) => {
          const f = jit((a: Untyped, b: Untyped) => a.add(b)) // six times faster than without
          return async () => {
            for (let i = 1; i < CALLS; i++) {
              const z = f(x.ref, y.ref)
              await z.blockUntilReady()
              z.dispose()
            }
            return { z: f(x.ref, y.ref) }
          }
        },
        jsPytorch: (torch, { x, y }) => {
          return () => {
            let z = torch.add(x, y)
            for (let i = 1; i < CALLS; i++) z = torch.add(x, y)
            return { z }
          }
        },
        ort: {
          feeds: ['x', 'y'],
          build(graph) {
            const z = graph.op('Add', ['x', 'y'])
            graph.output(z)
            return { z }
          },
          run: (ort, session, { x, y }) => {
            const feeds = {
              x: new ort.Tensor('float32', x?.data, [16]),
              y: new ort.Tensor('float32', y?.data, [16]),
            }
            return async () => {
              for (let i = 1; i < CALLS; i++) await session.run(feeds)
              const [z] = Object.values(await session.run(feeds))
              return { z }
            }
          },
        },
        torch: `
def make(a):
    x, y = a['x'], a['y']
    def step():
        with torch.no_grad():
            for _ in range(${CALLS}):
                z = x + y
        return dict(z=z)
    return step`,
      },
    }),
  ],
}
