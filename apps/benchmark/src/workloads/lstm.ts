import { gradients, noGrad, type Tensor } from '@heed/core-tensor'
import { LSTM } from '@heed/layers'
import type { Draw, NamedValues } from '../values.ts'
import { type Untyped, type Variant, variant, type Workload } from '../workload.ts'

// (d) One LSTM layer over a sequence: batch 64, 50 steps, 256 → 256. Gates i, f, g, o as in PyTorch.

const TIME = 50
const INPUT = 256
const HIDDEN = 256
const WEIGHTS = ['weight_ih_l0', 'weight_hh_l0', 'bias_ih_l0', 'bias_hh_l0'] as const
type Weight = (typeof WEIGHTS)[number]

const inputsOf = (draw: Draw, batch: number): Record<'x' | Weight, NamedValues[string]> => ({
  x: draw.normal([batch, TIME, INPUT]),
  weight_ih_l0: draw.normal([4 * HIDDEN, INPUT], 0.06),
  weight_hh_l0: draw.normal([4 * HIDDEN, HIDDEN], 0.06),
  bias_ih_l0: draw.normal([4 * HIDDEN], 0.1),
  bias_hh_l0: draw.normal([4 * HIDDEN], 0.1),
})

function heedLayer(inputs: Readonly<Record<Weight, Tensor>>): LSTM {
  const layer = new LSTM(INPUT, HIDDEN)
  layer.loadStateDict(Object.fromEntries(WEIGHTS.map(name => [name, inputs[name]])))
  return layer
}

/** By hand, unrolled: tfjs's own layer is no faster. Weights `[input, gates]`, one bias. */
const tfLstm = (tf: Untyped, x: Untyped, w: Untyped, u: Untyped, b: Untyped): Untyped => {
  const [batch] = x.shape
  let h = tf.zeros([batch, HIDDEN])
  let c = tf.zeros([batch, HIDDEN])
  const gates = tf.add(tf.matMul(x.reshape([batch * TIME, INPUT]), w), b)
  const states: Untyped[] = []
  for (const step of tf.unstack(gates.reshape([batch, TIME, 4 * HIDDEN]), 1)) {
    const [i, f, g, o] = tf.split(tf.add(step, tf.matMul(h, u)), 4, 1)
    c = tf.add(tf.mul(tf.sigmoid(f), c), tf.mul(tf.sigmoid(i), tf.tanh(g)))
    h = tf.mul(tf.sigmoid(o), tf.tanh(c))
    states.push(h)
  }
  return tf.stack(states, 1)
}

/** Unrolled under jit: there is no scan. Time first, which saves it a transposition at each step. */
const jaxLstm = ({ numpy: np, nn }: Untyped, x: Untyped, w: Untyped, u: Untyped, b: Untyped): Untyped => {
  const batch = x.shape[1]
  let h = np.zeros([batch, HIDDEN])
  let c = np.zeros([batch, HIDDEN])
  const steps = np.split(np.matmul(x.reshape([TIME * batch, INPUT]), w).add(b), TIME, 0)
  const states: Untyped[] = []
  for (const step of steps) {
    const [i, f, g, o] = np.split(step.add(np.matmul(h, u.ref)), 4, 1)
    c = nn
      .sigmoid(f)
      .mul(c)
      .add(nn.sigmoid(i).mul(np.tanh(g)))
    h = nn.sigmoid(o).mul(np.tanh(c.ref))
    states.push(h.ref)
  }
  for (const last of [h, c, u]) last.dispose()
  return np.stack(states, 0)
}

function jaxInputs({ numpy: np }: Untyped, a: Untyped): Untyped[] {
  return [
    np.transpose(a.x, [1, 0, 2]),
    np.transpose(a.weight_ih_l0),
    np.transpose(a.weight_hh_l0),
    a.bias_ih_l0.add(a.bias_hh_l0),
  ]
}

const tfInputs = (tf: Untyped, a: Untyped): Untyped[] => [
  a.x,
  tf.transpose(a.weight_ih_l0),
  tf.transpose(a.weight_hh_l0),
  tf.add(a.bias_ih_l0, a.bias_hh_l0),
]

const forward = (name: string, batch: number, gpu: 'full' | 'small'): Variant =>
  variant({
    name,
    gpu,
    inputs: draw => inputsOf(draw, batch),
    tolerance: 1e-4,
    flops: 2 * batch * TIME * 4 * HIDDEN * (INPUT + HIDDEN),
    heed({ x, ...weights }) {
      const layer = heedLayer(weights)
      return () => ({ y: noGrad(() => layer.forward(x).outputs) })
    },
    peers: {
      tfjs: (tf, a) => {
        const [x, w, u, b] = tfInputs(tf, a)
        return () => ({ y: tfLstm(tf, x, w, u, b) })
      },
      jax: (jax, a) => {
        const all = jaxInputs(jax, a)
        const f = jax.jit((x: Untyped, w: Untyped, u: Untyped, b: Untyped) =>
          jax.numpy.transpose(jaxLstm(jax, x, w, u, b), [1, 0, 2]),
        )
        return () => ({ y: f(...all.map(one => one.ref)) })
      },
      ort: {
        feeds: ['x'],
        build(graph, a) {
          // ONNX has the gates in the order i, o, f, g.
          const reordered = (name: Weight): Float32Array => {
            const data = a[name]?.data as Float32Array
            const part = data.length / 4
            const gate = (i: number): number[] => [...data.subarray(i * part, (i + 1) * part)]
            return Float32Array.from([0, 3, 1, 2].flatMap(gate))
          }
          const w = graph.constant({ shape: [1, 4 * HIDDEN, INPUT], data: reordered('weight_ih_l0') })
          const u = graph.constant({ shape: [1, 4 * HIDDEN, HIDDEN], data: reordered('weight_hh_l0') })
          const biases = [...reordered('bias_ih_l0'), ...reordered('bias_hh_l0')]
          const b = graph.constant({ shape: [1, 8 * HIDDEN], data: Float32Array.from(biases) })
          const x = graph.op('Transpose', ['x'], { perm: [1, 0, 2] })
          const [y = ''] = graph.many('LSTM', [x, w, u, b], 1, { hidden_size: HIDDEN }) // [time, 1, batch, hidden]
          const flat = graph.op('Squeeze', [y, graph.integers(1)])
          return { y: graph.op('Transpose', [flat], { perm: [1, 0, 2] }) }
        },
      },
      torch: `
def make(a):
    m = nn.LSTM(${INPUT}, ${HIDDEN}, batch_first=True)
    m.load_state_dict({k: a[k] for k in m.state_dict()})
    return torch.no_grad()(lambda: dict(y=m(a['x'])[0]))`,
    },
  })

const forwardBackward = (name: string, batch: number, gpu: 'full' | 'small'): Variant =>
  variant({
    name,
    gpu,
    inputs: draw => ({ ...inputsOf(draw, batch), dy: draw.normal([batch, TIME, HIDDEN]) }),
    tolerance: 1e-3,
    flops: 6 * batch * TIME * 4 * HIDDEN * (INPUT + HIDDEN),
    heed({ x, dy, ...weights }) {
      const layer = heedLayer(weights)
      x.requiresGrad = true
      const [layerWeights] = layer.weights
      const { weightIh, weightHh } = layerWeights as NonNullable<typeof layerWeights>
      const wanted = [x, ...layer.parameters()]
      return () => {
        const found = gradients(layer.forward(x).outputs.mul(dy).sum(), wanted)
        const of = (one: Tensor): Tensor => found[wanted.indexOf(one)] as Tensor
        return { dx: of(x), dw: of(weightIh), du: of(weightHh) }
      }
    },
    peers: {
      tfjs: (tf, { dy, ...a }) => {
        const all = tfInputs(tf, a)
        const f = tf.grads((x: Untyped, w: Untyped, u: Untyped, b: Untyped) => tfLstm(tf, x, w, u, b))
        return () => {
          const [dx, dw, du] = f(all, dy)
          return { dx, dw: tf.transpose(dw), du: tf.transpose(du) }
        }
      },
      jax: (jax, { dy, ...a }) => {
        const { jit, grad, numpy: np } = jax
        const all = jaxInputs(jax, a)
        const dyTimeFirst = np.transpose(dy, [1, 0, 2])
        const f = jit((x: Untyped, w: Untyped, u: Untyped, b: Untyped, d: Untyped) =>
          grad((...p: Untyped[]) => np.sum(jaxLstm(jax, p[0], p[1], p[2], p[3]).mul(d.ref)), {
            argnums: [0, 1, 2, 3],
          })(x, w, u, b),
        )
        return () => {
          const [dx, dw, du, db] = f(...all.map(one => one.ref), dyTimeFirst.ref)
          db.dispose()
          return { dx: np.transpose(dx, [1, 0, 2]), dw: np.transpose(dw), du: np.transpose(du) }
        }
      },
      torch: `
def make(a):
    m = nn.LSTM(${INPUT}, ${HIDDEN}, batch_first=True)
    m.load_state_dict({k: a[k] for k in m.state_dict()})
    x = a['x'].requires_grad_()
    wanted = [x, *m.parameters()]
    return lambda: dict(zip(('dx', 'dw', 'du'), torch.autograd.grad(m(x)[0], wanted, a['dy'])))`,
    },
  })

export const lstm: Workload = {
  name: 'lstm',
  letter: 'd',
  title: 'LSTM layer, batch 64, 50 steps, 256 → 256',
  variants: [
    forward('forward', 64, 'full'),
    forwardBackward('forward-backward', 64, 'full'),
    forward('forward-batch-8', 8, 'small'),
    forwardBackward('forward-backward-batch-8', 8, 'small'),
  ],
}
