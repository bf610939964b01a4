import { Rng, setBackend, type Tensor, tensor } from '@heed/core-tensor'
import { referenceBackend } from '@heed/core-tensor/testing'
import { beforeAll, describe, expect, it } from 'vitest'
import * as layers from '../src/index.ts'
import { attend, captureAttention, causal, type Module, padding, type Score, window } from '../src/index.ts'

beforeAll(() => setBackend(referenceBackend()))

const random = (seed: number, ...shape: number[]): Tensor => {
  const rng = new Rng(seed)
  const x = tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => rng.normal()),
    { shape },
  )
  x.requiresGrad = true
  return x
}
const rng = (): Rng => new Rng(5)
const lengths = (): Tensor => tensor([3, 5], { dtype: 'int32' })

/** A module, and how it is called on query, keys and values. */
interface Row {
  readonly module: Module & { readonly captured?: true }
  readonly call: (q: Tensor, k: Tensor, v: Tensor) => Tensor
}

class Attends extends layers.Module {
  readonly score: (layers.Module & Score) | undefined
  readonly options: layers.AttendOptions
  constructor(options: layers.AttendOptions, score?: layers.Module & Score) {
    super()
    this.score = score
    this.options = options
  }
  forward(q: Tensor, k: Tensor, v: Tensor): Tensor {
    return attend(q, k, v, { ...(this.score ? { score: this.score } : {}), ...this.options, owner: this })
      .context
  }
}
const plain = (options: layers.AttendOptions, score?: layers.Module & Score): Row => {
  const module = new Attends(options, score)
  return { module, call: (q, k, v) => module.forward(q, k, v) }
}
const self = <M extends Module>(module: M, call: (module: M, x: Tensor) => Tensor): Row => ({
  module,
  call: (_, k) => call(module, k),
})

const mechanisms: [string, () => Row][] = [
  ['dot', () => plain({})],
  ['scaled dot, causal and window', () => plain({ score: layers.scaledDot, mask: causal.and(window(1)) })],
  ['dot, padding', () => plain({ mask: padding(lengths()) })],
  ['dot, a bias', () => plain({ bias: random(8, 5, 5).detach() })],
  [
    'dot, modified by place',
    () => plain({ modify: (scores, { query, key }) => scores.sub(query.sub(key).abs().cast('float32')) }),
  ],
  ['general', () => plain({}, new layers.General(4, 4, { rng: rng() }))],
  [
    'additive, padding',
    () => plain({ mask: padding(lengths()) }, new layers.Additive(4, 4, 6, { rng: rng() })),
  ],
  ['concat', () => plain({}, new layers.Concat(4, 4, 6, { rng: rng() }))],
  ['low rank', () => plain({}, new layers.LowRank(4, 4, 2, { rng: rng() }))],
  ['cosine', () => plain({}, new layers.Cosine({ scale: 2 }))],
  ['location', () => plain({}, new layers.Location(4, 5, { rng: rng() }))],
  ['sparsemax', () => plain({ normalize: s => layers.sparsemax(s), mask: causal })],
  ['entmax', () => plain({ normalize: s => layers.entmax15(s) })],
  ['entmax of any alpha', () => plain({ normalize: s => layers.entmax(s, 1.3), mask: causal })],
  ['top-k', () => plain({ normalize: s => layers.topKSoftmax(s, 2) })],
  ['a temperature', () => plain({ normalize: s => layers.temperatureSoftmax(s, 0.5) })],
  [
    'an adaptive span',
    () => plain({ mask: causal, ...new layers.AdaptiveSpan(1, 6, { ramp: 2, start: 2 }).forward() }),
  ],
  [
    'multi-head, causal',
    () =>
      self(
        new layers.MultiHeadAttention(4, 2, { rng: rng() }),
        (m, x) => m.forward(x, x, x, { causal: true }).context,
      ),
  ],
  [
    'multi-head, padding',
    () =>
      self(
        new layers.MultiHeadAttention(4, 2, { rng: rng() }),
        (m, x) => m.forward(x, x, x, { mask: padding(lengths()) }).context,
      ),
  ],
  [
    'grouped-query',
    () =>
      self(
        new layers.GroupedQueryAttention(4, 2, { numKvHeads: 1, rng: rng() }),
        (m, x) => m.forward(x).context,
      ),
  ],
  ['pool', () => self(new layers.AttentionPool(4, { size: 3, rng: rng() }), (m, x) => m.forward(x).context)],
  [
    'structured pool',
    () => self(new layers.StructuredSelfAttention(4, 3, 2, { rng: rng() }), (m, x) => m.forward(x).context),
  ],
  [
    'local-m',
    () =>
      self(
        new layers.Linear(1, 1),
        (_, x) => layers.localMonotonic(x, x, x, { window: 2, gaussian: true }).context,
      ),
  ],
  [
    'local-p',
    () => self(new layers.LocalPredictive(4, { window: 2, rng: rng() }), (m, x) => m.forward(x, x).context),
  ],
  ['Linformer', () => self(new layers.Linformer(5, 3, { rng: rng() }), (m, x) => m.forward(x, x, x).context)],
  [
    'relative',
    () => self(new layers.RelativeAttention(4, 2, { rng: rng() }), (m, x) => m.forward(x, x, x).context),
  ],
  [
    'squeeze and excitation',
    () =>
      self(
        new layers.SqueezeExcitation(5, { reduction: 2, rng: rng() }),
        (m, x) => m.forward(x.reshape([2, 5, 2, 2])).context,
      ),
  ],
  [
    'spatial attention',
    () =>
      self(
        new layers.SpatialAttention(3, { rng: rng() }),
        (m, x) => m.forward(x.reshape([2, 5, 2, 2])).context,
      ),
  ],
  [
    'captions',
    () => self(new layers.CaptionAttention(4, 4, 3, { rng: rng() }), (m, x) => m.forward(x, x).context),
  ],
  [
    'a graph',
    () =>
      self(
        new layers.GraphAttention(4, 2, { heads: 2, rng: rng() }),
        (m, x) => m.forward(x.reshape([10, 4]), new layers.Graph(10, [{ from: 1, to: 0 }])).context,
      ),
  ],
  [
    'a graph, along its edges',
    () =>
      self(
        new layers.GraphAttentionV2(4, 2, { heads: 2, rng: rng() }),
        (m, x) => m.along(x.reshape([10, 4]), new layers.Graph(10, [{ from: 1, to: 0 }])).context,
      ),
  ],
  [
    'a head that reads memory',
    () =>
      self(
        new layers.ReadHead(4, 4, { heads: 2, rng: rng() }),
        (m, x) => m.forward(x.mean(1), x, layers.firstSlot(2, 2, 5, x)).context,
      ),
  ],
  [
    'encoder layer',
    () =>
      self(new layers.TransformerEncoderLayer(4, 2, { feedforwardSize: 8, dropout: 0, rng: rng() }), (m, x) =>
        m.forward(x, { causal: true }),
      ),
  ],
  [
    'decoder layer',
    () =>
      self(new layers.TransformerDecoderLayer(4, 2, { feedforwardSize: 8, dropout: 0, rng: rng() }), (m, x) =>
        m.forward(x, x, { causal: true }),
      ),
  ],
]

/** Context and every gradient, as bits. */
function run(make: () => Row, look: boolean): { bits: number[][]; maps: readonly layers.AttentionMap[] } {
  const { module, call } = make()
  const [q, k, v] = [random(1, 2, 5, 4), random(2, 2, 5, 4), random(3, 2, 5, 4)]
  const { output, maps } = look
    ? captureAttention(module, () => call(q, k, v))
    : { output: call(q, k, v), maps: [] }
  for (const map of maps) map.weights().dataSync()
  const context = [...output.dataSync()]
  output.mul(output).sum().backward()
  const grads = [q, k, v, ...module.parameters()].map(x => [...(x.grad?.dataSync() ?? [])])
  return { bits: [context, ...grads], maps }
}

describe('looking', () => {
  it.each(mechanisms)('never changes a bit of %s', (_, make) => {
    const seen = run(make, true)
    expect(seen.maps.length).toBeGreaterThan(0)
    expect(seen.bits).toEqual(run(make, false).bits)
  })

  it.each(mechanisms)('at one row of %s gives that row of the matrix, bit for bit', (_, make) => {
    for (const map of run(make, true).maps) {
      const all = map.weights().dataSync()
      const keys = map.shape.at(-1) as number
      const [batches, queries] = [map.shape[0] as number, map.shape.at(-2) as number]
      const heads = map.shape.length === 4 ? (map.shape[1] as number) : undefined
      for (let batch = 0; batch < batches; batch++)
        for (let head = 0; head < (heads ?? 1); head++)
          for (let query = 0; query < queries; query++) {
            const row = map.row({ batch, query, ...(heads ? { head } : {}) }).dataSync()
            const start = ((batch * (heads ?? 1) + head) * queries + query) * keys
            expect([...row]).toEqual([...all.slice(start, start + keys)])
          }
    }
  })

  it('never changes a bit where so many look that the weights are never held', () => {
    for (const mask of [undefined, causal, padding(tensor([9, 12], { dtype: 'int32' }))]) {
      const long = (
        look: boolean,
      ): { bits: number[][]; seen: number[][]; maps: readonly layers.AttentionMap[] } => {
        const heads = new layers.MultiHeadAttention(4, 2, { rng: rng() })
        const x = random(1, 2, 12, 4)
        const call = (): layers.Attended => heads.forward(x, x, x, { mask })
        const { output, maps } = look ? captureAttention(heads, call) : { output: call(), maps: [] }
        const seen = [...maps.map(map => map.weights()), ...(look ? [output.weights] : [])].map(w => [
          ...w.dataSync(),
        ])
        const context = [...output.context.dataSync()]
        output.context.mul(output.context).sum().backward() // biome-ignore format: one line
        return {
          bits: [context, ...[x, ...heads.parameters()].map(p => [...(p.grad?.dataSync() ?? [])])],
          seen,
          maps,
        }
      }
      const looked = long(true)
      expect(looked.bits).toEqual(long(false).bits)
      expect(looked.seen[0]).toEqual(looked.seen[1])
      const row = looked.maps[0]?.row({ batch: 1, head: 1, query: 7 }).dataSync() ?? []
      expect([...row]).toEqual(looked.seen[0]?.slice(((1 * 2 + 1) * 12 + 7) * 12).slice(0, 12))
    }
  })

  it('names maps by the path of the module that attends', () => {
    const model = new layers.Transformer(4, 2, {
      numEncoderLayers: 1,
      numDecoderLayers: 1,
      feedforwardSize: 8,
      rng: rng(),
    })
    const x = random(1, 1, 3, 4)
    const { maps } = captureAttention(model, () => model.forward(x, x))
    expect(maps.map(map => map.path)).toEqual([
      'encoder.layers.0.selfAttention',
      'decoder.layers.0.selfAttention',
      'decoder.layers.0.crossAttention',
    ])
    expect(maps[0]?.shape).toEqual([1, 2, 3, 3])
  })

  it('works across await, nests, and ends with its body', async () => {
    const { module, call } = plain({})
    const [q, k] = [random(1, 1, 2, 4), random(2, 1, 3, 4)]
    const outer = await captureAttention(module, async () => {
      await null
      return captureAttention(module, () => call(q, k, k)).maps.length
    })
    call(q, k, k)
    expect([outer.output, outer.maps.length]).toEqual([1, 1])
  })

  it('says where there is no such row', () => {
    const { maps } = run(() => plain({}), true)
    expect(() => maps[0]?.row({ query: 5 })).toThrow(
      /no row \{"batch":0,"query":5\} in a map of \[2, 5, 5\]; count from 0/,
    )
    expect(() => maps[0]?.row({ query: 0, head: 1 })).toThrow(/no row/)
  })
})
