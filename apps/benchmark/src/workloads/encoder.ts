import { noGrad, type Tensor } from '@heed/core-tensor'
import { mseLoss, TransformerEncoderLayer } from '@heed/layers'
import { Adam } from '@heed/training'
import type { Draw, NamedValues, Values } from '../values.ts'
import { type Untyped, type Variant, variant, type Workload } from '../workload.ts'
import { adamStep, jaxTrainer } from './adam.ts'

// (e) One Transformer encoder layer, post-norm, ReLU: width 256, 8 heads, 1024 units in between, batch 16, 128 places.

const BATCH = 16
const TIME = 128
const HEADS = 8

type Weights = Record<
  | 'self_attn.in_proj_weight'
  | 'self_attn.in_proj_bias'
  | 'self_attn.out_proj.weight'
  | 'self_attn.out_proj.bias'
  | 'linear1.weight'
  | 'linear1.bias'
  | 'linear2.weight'
  | 'linear2.bias'
  | 'norm1.weight'
  | 'norm1.bias'
  | 'norm2.weight'
  | 'norm2.bias',
  Values
>

const weightsOf = (draw: Draw, d: number): Weights => ({
  'self_attn.in_proj_weight': draw.normal([3 * d, d], 0.06),
  'self_attn.in_proj_bias': draw.normal([3 * d], 0.02),
  'self_attn.out_proj.weight': draw.normal([d, d], 0.06),
  'self_attn.out_proj.bias': draw.normal([d], 0.02),
  'linear1.weight': draw.normal([4 * d, d], 0.06),
  'linear1.bias': draw.normal([4 * d], 0.02),
  'linear2.weight': draw.normal([d, 4 * d], 0.03),
  'linear2.bias': draw.normal([d], 0.02),
  'norm1.weight': draw.normal([d], 0.1, 1),
  'norm1.bias': draw.normal([d], 0.1),
  'norm2.weight': draw.normal([d], 0.1, 1),
  'norm2.bias': draw.normal([d], 0.1),
})

function heedLayer(d: number, weights: Readonly<Record<string, Tensor>>): TransformerEncoderLayer {
  const layer = new TransformerEncoderLayer(d, HEADS, { feedforwardSize: 4 * d, dropout: 0 })
  layer.loadStateDict(weights)
  return layer
}

/** A layer in the words that tfjs and jax-js share, given weights `[in, out]` by short names. */
interface Words {
  matmul(a: Untyped, b: Untyped): Untyped
  add(a: Untyped, b: Untyped): Untyped
  split(x: Untyped): Untyped[]
  transpose(x: Untyped, axes: number[]): Untyped
  attend(q: Untyped, k: Untyped, v: Untyped): Untyped
  relu(x: Untyped): Untyped
  norm(x: Untyped, weight: Untyped, bias: Untyped): Untyped
  /** A second use of a value; jax-js wants to know. */
  again(x: Untyped): Untyped
}

function layerIn(words: Words, d: number, p: Readonly<Record<string, Untyped>>, x: Untyped): Untyped {
  const { matmul, add, split, transpose, attend, relu, norm, again } = words
  const batch = x.shape[0] / TIME
  const heads = (z: Untyped): Untyped => transpose(z.reshape([batch, TIME, HEADS, d / HEADS]), [0, 2, 1, 3])
  const [q, k, v] = split(add(matmul(again(x), p.wqkv), p.bqkv)).map(heads)
  const joined = transpose(attend(q, k, v), [0, 2, 1, 3]).reshape([batch * TIME, d])
  const h = norm(add(x, add(matmul(joined, p.wo), p.bo)), p.g1, p.e1)
  const inner = relu(add(matmul(again(h), p.w1), p.b1))
  return norm(add(h, add(matmul(inner, p.w2), p.b2)), p.g2, p.e2)
}

const tfWords = (tf: Untyped, d: number): Words => ({
  matmul: (a, b) => tf.matMul(a, b),
  add: (a, b) => tf.add(a, b),
  split: x => tf.split(x, 3, 1),
  transpose: (x, axes) => tf.transpose(x, axes),
  relu: x => tf.relu(x),
  again: x => x,
  attend: (q, k, v) => tf.matMul(tf.softmax(tf.mul(tf.matMul(q, k, false, true), Math.sqrt(HEADS / d))), v),
  norm(x, weight, bias) {
    const { mean, variance } = tf.moments(x, -1, true)
    return tf.add(tf.mul(tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, 1e-5))), weight), bias)
  },
})

const jaxWords = ({ numpy: np, nn }: Untyped, d: number): Words => ({
  matmul: (a, b) => np.matmul(a, b),
  add: (a, b) => a.add(b),
  split: x => np.split(x, 3, 1),
  transpose: (x, axes) => np.transpose(x, axes),
  relu: x => nn.relu(x),
  again: x => x.ref,
  attend: (q, k, v) =>
    np.matmul(nn.softmax(np.matmul(q, np.swapaxes(k, -1, -2)).mul(Math.sqrt(HEADS / d)), -1), v),
  norm(x, weight, bias) {
    const away = x.sub(np.mean(x.ref, -1, { keepdims: true }))
    const variance = np.mean(np.square(away.ref), -1, { keepdims: true })
    return away
      .mul(np.reciprocal(np.sqrt(variance.add(1e-5))))
      .mul(weight)
      .add(bias)
  },
})

/** Short names, and weights as tfjs and jax-js multiply by them. */
function shortNames(a: Untyped, transpose: (x: Untyped) => Untyped): Record<string, Untyped> {
  return {
    wqkv: transpose(a['self_attn.in_proj_weight']),
    bqkv: a['self_attn.in_proj_bias'],
    wo: transpose(a['self_attn.out_proj.weight']),
    bo: a['self_attn.out_proj.bias'],
    w1: transpose(a['linear1.weight']),
    b1: a['linear1.bias'],
    w2: transpose(a['linear2.weight']),
    b2: a['linear2.bias'],
    g1: a['norm1.weight'],
    e1: a['norm1.bias'],
    g2: a['norm2.weight'],
    e2: a['norm2.bias'],
  }
}

const TORCH = (d: number): string => `
def layer(a):
    m = nn.TransformerEncoderLayer(${d}, ${HEADS}, ${4 * d}, dropout=0.0, activation='relu', batch_first=True)
    m.load_state_dict({k: a[k] for k in m.state_dict()})
    return m
`

function forward(name: string, d: number, more: Partial<Variant> = {}, batch: number = BATCH): Variant {
  return {
    ...variant({
      name,
      inputs: draw => ({ x: draw.normal([batch, TIME, d]), ...weightsOf(draw, d) }),
      tolerance: 1e-4,
      flops: 2 * batch * TIME * (12 * d * d + 2 * TIME * d),
      heed({ x, ...weights }) {
        const layer = heedLayer(d, weights).eval()
        return () => ({ y: noGrad(() => layer.forward(x)) })
      },
      peers: {
        tfjs: (tf, a) => {
          const p = shortNames(a, x => tf.transpose(x))
          const x = a.x.reshape([batch * TIME, d])
          return () => ({ y: layerIn(tfWords(tf, d), d, p, x) })
        },
        jax: (jax, a) => {
          const p = shortNames(a, x => jax.numpy.transpose(x))
          const x = a.x.reshape([batch * TIME, d])
          const f = jax.jit((q: Untyped, z: Untyped) => layerIn(jaxWords(jax, d), d, q, z))
          return () => ({ y: f(jax.tree.ref(p), x.ref) })
        },
        ort: {
          feeds: ['x'],
          build(graph) {
            const packed = graph.linear('x', 'self_attn.in_proj_weight', 'self_attn.in_proj_bias')
            const parts = graph.many('Split', [packed, graph.integers(d, d, d)], 3, { axis: 2 })
            const shape = graph.integers(batch, TIME, HEADS, d / HEADS)
            const [q = '', k = '', v = ''] = parts.map(part =>
              graph.op('Transpose', [graph.op('Reshape', [part, shape])], { perm: [0, 2, 1, 3] }),
            )
            const seen = graph.op('Transpose', [graph.attention(q, k, v, d / HEADS)], { perm: [0, 2, 1, 3] })
            const joined = graph.op('Reshape', [seen, graph.integers(batch, TIME, d)])
            const out = graph.linear(joined, 'self_attn.out_proj.weight', 'self_attn.out_proj.bias')
            const h = graph.layerNorm(graph.op('Add', ['x', out]), 'norm1.weight', 'norm1.bias')
            const inner = graph.op('Relu', [graph.linear(h, 'linear1.weight', 'linear1.bias')])
            const last = graph.linear(inner, 'linear2.weight', 'linear2.bias')
            return { y: graph.layerNorm(graph.op('Add', [h, last]), 'norm2.weight', 'norm2.bias') }
          },
        },
        torch: `${TORCH(d)}
def make(a):
    m = layer(a).eval()  # its fast path
    return torch.no_grad()(lambda: dict(y=m(a['x'])))`,
      },
    }),
    ...more,
  }
}

/** Forward, mean squared error, backward, Adam with a rate of 0.001. */
const training = (name: string, batch: number, gpu: 'full' | 'small'): Variant =>
  variant({
    name,
    gpu,
    inputs: draw => ({
      x: draw.normal([batch, TIME, 256]),
      y: draw.normal([batch, TIME, 256]),
      ...(weightsOf(draw, 256) as Record<string, NamedValues[string]>),
    }),
    tolerance: 5e-4, // tfjs and jax-js sum half a million squares one after the other, 1.5e-4 too low
    compared: 3,
    flops: 6 * batch * TIME * (12 * 256 * 256 + 2 * TIME * 256),
    heed({ x, y, ...weights }: Readonly<Record<string, Tensor>>) {
      const layer = heedLayer(256, weights)
      const adam = new Adam(layer.namedParameters())
      return () => {
        layer.zeroGrad()
        const loss = mseLoss(layer.forward(x as Tensor), y as Tensor)
        loss.backward()
        adam.step()
        return { loss }
      }
    },
    peers: {
      tfjs: (tf, a) => {
        const p = Object.fromEntries(
          Object.entries(shortNames(a, x => tf.transpose(x))).map(([name, x]) => [name, tf.variable(x)]),
        )
        const [x, y] = [a.x.reshape([batch * TIME, 256]), a.y.reshape([batch * TIME, 256])]
        return adamStep(tf, Object.values(p), () =>
          tf.mean(tf.square(tf.sub(layerIn(tfWords(tf, 256), 256, p, x), y))),
        )
      },
      jax: (jax, a) => {
        const { numpy: np } = jax
        const [x, y] = [a.x.reshape([batch * TIME, 256]), a.y.reshape([batch * TIME, 256])]
        return jaxTrainer(
          jax,
          shortNames(a, z => np.transpose(z)),
          [x, y],
          (p, z, w) => np.mean(np.square(layerIn(jaxWords(jax, 256), 256, p, z).sub(w))),
        )
      },
      torch: `${TORCH(256)}
def make(a):
    m = layer(a).train()
    adam = torch.optim.Adam(m.parameters(), 1e-3)
    def step():
        adam.zero_grad(set_to_none=True)
        loss = F.mse_loss(m(a['x']), a['y'])
        loss.backward()
        adam.step()
        return dict(loss=loss)
    return step`,
    },
  })

export const trainingStep: Variant = training('training-step', BATCH, 'full')

export const encoder: Workload = {
  name: 'encoder',
  letter: 'e',
  title: 'Transformer encoder layer, batch 16, 128 places',
  variants: [
    forward('forward', 256, {
      gpu: 'full',
      along: { chart: 'Encoder layer forward', axis: 'width', at: 256 },
    }),
    trainingStep,
    forward('forward-batch-2', 256, { gpu: 'small' }, 2),
    training('training-step-batch-2', 2, 'small'),
    ...[64, 128, 512].map(d => {
      const point = forward(`width-${d}`, d, {
        along: { chart: 'Encoder layer forward', axis: 'width', at: d },
        threads: 'one',
        gpu: 'full',
      })
      const { tfjs: _slow, ...peers } = point.peers
      return { ...point, peers }
    }),
  ],
}
