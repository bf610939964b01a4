import { gradients, noGrad } from '@heed/core-tensor'
import { scaledDotProductAttention } from '@heed/layers'
import type { Graph } from '../onnx/graph.ts'
import type { Draw, Values } from '../values.ts'
import { type Untyped, type Variant, variant, type Workload } from '../workload.ts'

// (c) Scaled dot-product attention, batch 8, 8 heads of 64, 512 places; then how it grows with the length, batch 1.

const HEADS = 8
const SIZE = 64
const SCALE = 1 / Math.sqrt(SIZE)

type Shape = readonly number[]
const shapeOf = (batch: number, time: number): Shape => [batch, HEADS, time, SIZE]
const threeInputs = (draw: Draw, shape: Shape): Record<'q' | 'k' | 'v', Values> => ({
  q: draw.normal(shape),
  k: draw.normal(shape),
  v: draw.normal(shape),
})

/** What peers add to the scores, since none of them skips what is masked: `[time, time]`. */
function futureMask(time: number): Float32Array {
  return Float32Array.from({ length: time * time }, (_, i) => (i % time > Math.floor(i / time) ? -1e9 : 0))
}

const tfAttention = (tf: Untyped, q: Untyped, k: Untyped, v: Untyped, mask?: Untyped): Untyped => {
  const scores = tf.mul(tf.matMul(q, k, false, true), SCALE)
  return tf.matMul(tf.softmax(mask ? tf.add(scores, mask) : scores), v)
}

const jaxAttention = (
  { numpy: np, nn }: Untyped,
  q: Untyped,
  k: Untyped,
  v: Untyped,
  mask?: Untyped,
): Untyped => {
  const scores = np.matmul(q, np.swapaxes(k, -1, -2)).mul(SCALE)
  return np.matmul(nn.softmax(mask ? scores.add(mask) : scores, -1), v)
}

// 1.13 has no scaled_dot_product_attention; where there is one, it is faster.
const TORCH = `
def attention(q, k, v, causal=False):
    if hasattr(F, 'scaled_dot_product_attention'):
        return F.scaled_dot_product_attention(q, k, v, is_causal=causal)
    s = (q @ k.transpose(-1, -2)) * ${SCALE}
    if causal:
        s = s + mask
    return torch.softmax(s, -1) @ v
`

function forward(
  name: string,
  batch: number,
  time: number,
  causal: boolean,
  more: Partial<Variant> = {},
): Variant {
  const shape = shapeOf(batch, time)
  return {
    ...variant({
      name,
      inputs: draw => threeInputs(draw, shape),
      tolerance: 2e-5,
      flops: 4 * batch * HEADS * time * time * SIZE * (causal ? 0.5 : 1),
      heed:
        ({ q, k, v }) =>
        () => ({ y: noGrad(() => scaledDotProductAttention(q, k, v, { causal }).context) }),
      peers: {
        tfjs: (tf, { q, k, v }) => {
          const mask = causal ? tf.tensor(futureMask(time), [time, time]) : undefined
          return () => ({ y: tfAttention(tf, q, k, v, mask) })
        },
        jax: (jax, { q, k, v }) => {
          const mask = causal ? jax.numpy.array(futureMask(time)).reshape([time, time]) : undefined
          const f = jax.jit((...all: Untyped[]) => jaxAttention(jax, all[0], all[1], all[2], all[3]))
          return () => ({ y: f(q.ref, k.ref, v.ref, ...(mask ? [mask.ref] : [])) })
        },
        ort: {
          feeds: ['q', 'k', 'v'],
          build(graph: Graph) {
            const mask = causal ? graph.constant({ shape: [time, time], data: futureMask(time) }) : undefined
            return { y: graph.attention('q', 'k', 'v', SIZE, mask) }
          },
        },
        torch: `${TORCH}
def make(a):
    global mask
    mask = torch.full((${time}, ${time}), float('-inf')).triu(1) if ${causal ? 'True' : 'False'} else None
    q, k, v = a['q'], a['k'], a['v']
    return torch.no_grad()(lambda: dict(y=attention(q, k, v, ${causal ? 'True' : 'False'})))`,
      },
    }),
    ...more,
  }
}

function withGradients(name: string, batch: number, time: number, gpu: 'full' | 'small'): Variant {
  const shape = shapeOf(batch, time)
  return variant({
    name,
    gpu,
    inputs: draw => ({ ...threeInputs(draw, shape), dy: draw.normal(shape) }),
    tolerance: 1e-4,
    flops: 12 * batch * HEADS * time * time * SIZE,
    heed({ q, k, v, dy }) {
      for (const x of [q, k, v]) x.requiresGrad = true
      return () => {
        const y = scaledDotProductAttention(q, k, v).context
        const [dq, dk, dv] = gradients(y.mul(dy).sum(), [q, k, v])
        return { dq, dk, dv } as Record<'dq' | 'dk' | 'dv', typeof q> // as many as were asked for
      }
    },
    peers: {
      tfjs: (tf, { q, k, v, dy }) => {
        const f = tf.grads((a: Untyped, b: Untyped, c: Untyped) => tfAttention(tf, a, b, c))
        return () => {
          const [dq, dk, dv] = f([q, k, v], dy)
          return { dq, dk, dv }
        }
      },
      jax: (jax, { q, k, v, dy }) => {
        const { jit, grad, numpy: np } = jax
        const f = jit((a: Untyped, b: Untyped, c: Untyped, d: Untyped) =>
          grad((x: Untyped, y: Untyped, z: Untyped) => np.sum(jaxAttention(jax, x, y, z).mul(d.ref)), {
            argnums: [0, 1, 2],
          })(a, b, c),
        )
        return () => {
          const [dq, dk, dv] = f(q.ref, k.ref, v.ref, dy.ref)
          return { dq, dk, dv }
        }
      },
      torch: `${TORCH}
def make(a):
    q, k, v = [a[n].requires_grad_() for n in 'qkv']
    return lambda: dict(zip(('dq', 'dk', 'dv'), torch.autograd.grad(attention(q, k, v), (q, k, v), a['dy'])))`,
    },
  })
}

/** One point of the growth with the length: batch 1, since the peers' matrices of 8192² must fit. */
function atLength(time: number): Variant {
  const point = forward(`length-${time}`, 1, time, false, {
    along: { chart: 'Attention forward, batch 1', axis: 'length', at: time },
    threads: 'one',
    gpu: 'full',
  })
  const { tfjs: _slow, jax, ort, ...peers } = point.peers
  // All scores of 8192 places are 2 GB, and WebAssembly has 4 for all that jax-js and onnxruntime-web make of them.
  return { ...point, peers: time <= 2048 ? { ...peers, ...(jax && { jax }), ...(ort && { ort }) } : peers }
}

/** The same, along the batch. */
function atBatch(batch: number): Variant {
  const point = forward(`batch-${batch}`, batch, 256, false, {
    along: { chart: 'Attention forward, length 256', axis: 'batch', at: batch },
    threads: 'one',
  })
  const { tfjs: _slow, ...peers } = point.peers
  return { ...point, peers }
}

export const attention: Workload = {
  name: 'attention',
  letter: 'c',
  title: 'Attention, batch 8, 8 heads of 64',
  variants: [
    forward('forward', 8, 512, false, { gpu: 'full' }),
    forward('causal', 8, 512, true, { gpu: 'full' }),
    withGradients('forward-backward', 8, 512, 'full'),
    forward('forward-1x8x512x64', 1, 512, false, { gpu: 'small' }),
    forward('causal-1x8x512x64', 1, 512, true, { gpu: 'small' }),
    withGradients('forward-backward-1x8x512x64', 1, 512, 'small'),
    ...[128, 256, 512, 1024, 2048, 4096, 8192].map(atLength),
    ...[1, 4, 16].map(atBatch),
  ],
}
