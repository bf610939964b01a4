import { Rng, setBackend, type Tensor, tensor } from '@heed/core-tensor'
import { referenceBackend } from '@heed/core-tensor/testing'
import { beforeAll, describe, expect, it } from 'vitest'
import * as layers from '../src/index.ts'
import { attend, causal, causalFromEnd, maskWhere, padding, window } from '../src/index.ts'

beforeAll(() => setBackend(referenceBackend()))

const rng = (): Rng => new Rng(5)
const lengths = (): Tensor => tensor([4, 5], { dtype: 'int32' })
/** True but for the last key of the first row. */
const dense = (...lead: number[]): Tensor =>
  tensor([1, 1, 1, 1, 0, 1, 1, 1, 1, 1], { shape: [2, ...lead, 5], dtype: 'bool' })

/** Random numbers; those of the last place of the first row are given. */
function numbers(seed: number, shape: readonly [number, number, number], hidden?: number): Tensor {
  const own = new Rng(seed)
  const [batch, time, size] = shape
  const data = Float32Array.from({ length: batch * time * size }, () => own.normal())
  if (hidden !== undefined) data.fill(hidden, (time - 1) * size, time * size)
  const x = tensor(data, { shape })
  x.requiresGrad = true
  return x
}

type Call = (q: Tensor, k: Tensor, v: Tensor) => Tensor
/** What is called, and the module that holds its parameters. */
type Made = readonly [call: Call, module?: layers.Module | undefined]

const plain =
  (options: () => layers.AttendOptions): (() => Made) =>
  () => {
    const made = options()
    return [(q, k, v) => attend(q, k, v, made).context, made.score instanceof layers.Module ? made.score : undefined] // biome-ignore format: one line reads best
  }
const scored = (score: () => layers.Score): (() => Made) => plain(() => ({ score: score(), mask: padding(lengths()) })) // biome-ignore format: one line reads best
const of =
  <M extends layers.Module>(make: () => M, call: (m: M, q: Tensor, k: Tensor, v: Tensor) => Tensor) =>
  (): Made => {
    const module = make()
    return [(q, k, v) => call(module, q, k, v), module]
  }
const heads = (options: layers.MultiHeadOptions = {}): layers.MultiHeadAttention =>
  new layers.MultiHeadAttention(4, 2, { rng: rng(), ...options })
const split = (x: Tensor): Tensor => x.reshape([2, -1, 2, 2]).transpose(1, 2)
/** Both rows as one graph of 10 nodes, in which node 4 has no edge. */
const graph = (): layers.Graph =>
  new layers.Graph(10, [0, 1, 2, 3, 5, 6, 7, 8].map(from => ({ from, to: (from + 1) % 4 })), { selfLoops: false }) // biome-ignore format: one line
const adjacent = (): Tensor => graph().mask(lengths())

const mechanisms: [string, () => Made][] = [
  ['dot', scored(() => layers.dot)],
  ['scaled dot', scored(() => layers.scaledDot)],
  ['cosine', scored(() => layers.cosine)],
  ['learned cosine', scored(() => new layers.Cosine({ scale: 2 }))],
  ['general', scored(() => new layers.General(4, 4, { bias: true, rng: rng() }))],
  ['additive', scored(() => new layers.Additive(4, 4, 6, { bias: true, rng: rng() }))],
  ['concat', scored(() => new layers.Concat(4, 4, 6, { rng: rng() }))],
  ['low rank', scored(() => new layers.LowRank(4, 4, 2, { rng: rng() }))],
  ['location', scored(() => new layers.Location(4, 5, { rng: rng() }))],
  ['a mask of numbers', plain(() => ({ mask: dense(1) }))],
  ['a function', plain(() => ({ mask: maskWhere((b, _h, _q, key) => b === 1 || key < 4, { batch: 2 }) }))],
  ['causal and padding', plain(() => ({ mask: causalFromEnd.and(padding(lengths())) }))],
  ['causal, fewer queries than keys', plain(() => ({ mask: causal.and(padding(tensor([4, 3], { dtype: 'int32' }))) }))], // biome-ignore format: one line
  ['a window that ends before', plain(() => ({ mask: window(1).and(padding(lengths())) }))],
  ['sparsemax', plain(() => ({ mask: dense(1), normalize: s => layers.sparsemax(s) }))],
  ['entmax', plain(() => ({ mask: dense(1), normalize: s => layers.entmax15(s) }))],
  ['entmax of any alpha', plain(() => ({ mask: dense(1), normalize: s => layers.entmax(s, 1.3) }))],
  ['Gumbel softmax', plain(() => ({ mask: dense(1), normalize: s => layers.gumbelSoftmax(s, { rng: rng() }) }))], // biome-ignore format: one line
  ['top-k', plain(() => ({ mask: dense(1), normalize: s => layers.topKSoftmax(s, 2) }))],
  ['adaptive span', of(() => new layers.AdaptiveSpan(1, 4), (m, q, k, v) => attend(q, k, v, { mask: dense(1), ...m.forward() }).context)], // biome-ignore format: one line
  ['keys prepared by the caller', plain(() => ({ mask: dense(1), prepared: numbers(2, [2, 5, 4], Number.NaN).detach() }))], // biome-ignore format: one line
  ['heads', () => [(q, k, v) => layers.scaledDotProductAttention(split(q), split(k), split(v), { mask: padding(lengths()) }).context]], // biome-ignore format: one line
  ['one head of keys for all', () => [(q, k, v) => layers.groupedQueryAttention(split(q), k.slice([{}, {}, { stop: 2 }]).unsqueeze(1), v.slice([{}, {}, { stop: 2 }]).unsqueeze(1), { mask: dense(1, 1) }).context]], // biome-ignore format: one line
  ['multi-head', of(heads, (m, q, k, v) => m.forward(q, k, v, { mask: padding(lengths()) }).context)],
  ['multi-head, a mask for each head', of(heads, (m, q, k, v) => m.forward(q, k, v, { mask: dense(1, 1).expand([2, 2, 3, 5]) }).context)], // biome-ignore format: one line
  ['multi-head, causal from the end', of(heads, (m, q, k, v) => m.forward(q, k, v, { mask: dense(1, 1), causal: 'end' }).context)], // biome-ignore format: one line
  ['multi-head, more keys for all', of(() => heads({ addBiasKv: true, addZeroAttention: true }), (m, q, k, v) => m.forward(q, k, v, { mask: dense(1, 1) }).context)], // biome-ignore format: one line
  ['multi-head, time first', of(() => heads({ timeFirst: true }), (m, q, k, v) => m.forward(q.transpose(0, 1), k.transpose(0, 1), v.transpose(0, 1), { mask: dense(1, 1) }).context)], // biome-ignore format: one line
  ['grouped-query', of(() => new layers.GroupedQueryAttention(4, 2, { numKvHeads: 1, rng: rng() }), (m, q, k, v) => m.forward(q, k, v, { mask: dense(1, 1) }).context)], // biome-ignore format: one line
  ['decoder layer', of(() => new layers.TransformerDecoderLayer(4, 2, { feedforwardSize: 8, dropout: 0, rng: rng() }), (m, q, k) => m.forward(q, k, { memoryMask: dense(1, 1) }))], // biome-ignore format: one line
  ['pool', of(() => new layers.AttentionPool(4, { rng: rng() }), (m, _, k) => m.forward(k, { mask: dense() }).context)], // biome-ignore format: one line
  ['structured pool', of(() => new layers.StructuredSelfAttention(4, 3, 2, { rng: rng() }), (m, _, k) => m.forward(k, { mask: dense() }).context)], // biome-ignore format: one line
  ['coverage', of(() => new layers.CoverageAttention(4, 4, 3, { rng: rng() }), (m, q, k) => layers.coverSequence(m, q, k, { mask: dense() }).context)], // biome-ignore format: one line
  ['captions', of(() => new layers.CaptionAttention(4, 4, 3, { rng: rng() }), (m, q, k) => m.forward(q, k, { mask: dense(1) }).context)], // biome-ignore format: one line
  ['pointing', of(() => new layers.Additive(4, 4, 3, { rng: rng() }), (m, q, k) => layers.pointTo(q, k, m, dense()))], // biome-ignore format: one line
  ['linear attention, looked at', () => [(q, k, v) => layers.linearAttentionWeights(q, k, layers.eluFeatures, padding(lengths())).matmul(v.where(dense().unsqueeze(-1), 0))]], // biome-ignore format: one line
  ['local-m, beyond the last window', () => [(q, k, v) => layers.localMonotonic(q, k, v, { window: 1, gaussian: true }).context]], // biome-ignore format: one line
  ['local-p, beyond the windows', of(() => new layers.LocalPredictive(4, { window: 1, rng: new Rng(1) }), (m, q, k, v) => m.forward(q.mul(0), k, v).context)], // biome-ignore format: one line
  ['local-m, padded keys', () => [(q, k, v) => layers.localMonotonic(q, k, v, { window: 4, gaussian: true, mask: padding(lengths()) }).context]], // biome-ignore format: one line
  ['local-m, padded keys and no cut', () => [(q, k, v) => layers.localMonotonic(q, k, v, { window: 4, cut: false, mask: dense(1) }).context]], // biome-ignore format: one line
  ['local-p, padded keys', of(() => new layers.LocalPredictive(4, { window: 4, rng: new Rng(1) }), (m, q, k, v) => m.forward(q, k, v, { lengths: lengths() }).context)], // biome-ignore format: one line
  ['a graph, a node without edges', of(() => new layers.GraphAttention(4, 2, { heads: 2, rng: rng() }), (m, _, k) => m.forward(k.reshape([10, 4]), adjacent()).context)], // biome-ignore format: one line
  ['a graph, along its edges', of(() => new layers.GraphAttentionV2(4, 2, { heads: 2, rng: rng() }), (m, _, k) => m.along(k.reshape([10, 4]), graph()).context)], // biome-ignore format: one line
  ['a recurrence, behind the end', of(() => new layers.GRU(4, 3, { bidirectional: true, rng: rng() }), (m, _, k) => m.forward(k, { lengths: lengths() }).outputs)], // biome-ignore format: one line
]

/** Context and every gradient, as bits. */
function run(make: () => Made, hidden: number): number[][] {
  const [call, module] = make()
  const [q, k, v] = [numbers(1, [2, 3, 4]), numbers(2, [2, 5, 4], hidden), numbers(3, [2, 5, 4], hidden)]
  const output = call(q, k, v)
  const bits = [...output.dataSync()]
  output.mul(output).sum().backward()
  return [bits, ...[q, k, v, ...(module?.parameters() ?? [])].map(x => [...(x.grad?.dataSync() ?? [])])]
}

describe('what no query may look at', () => {
  it.each(mechanisms)('never reaches the result or a gradient of %s, even as NaN', (_, make) => {
    const want = run(make, 0)
    expect(want.flat().every(Number.isFinite)).toBe(true)
    for (const hidden of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e30])
      expect(run(make, hidden)).toEqual(want)
  })

  it('reaches them where it may be looked at, and where the caller says that it is finite', () => {
    expect(run(() => [(q, k, v) => attend(q, k, v).context], Number.NaN)[0]?.[0]).toBeNaN()
    const trusting = run(plain(() => ({ mask: dense(1), finite: true })), Number.NaN) // biome-ignore format: one line
    expect(trusting[0]?.[0]).toBeNaN()
  })

  it.each([Number.NaN, Number.POSITIVE_INFINITY])(
    'nor where so many look that the weights are never held: %d',
    hidden => {
      const lengths = tensor([11, 12], { dtype: 'int32' })
      const many = (value: number): number[][] => {
        const q = numbers(1, [2, 9, 4])
        const [k, v] = [numbers(2, [2, 12, 4], value), numbers(3, [2, 12, 4], value)]
        const { context } = attend(q, k, v, { score: layers.scaledDot, mask: padding(lengths) })
        const heads = new layers.MultiHeadAttention(4, 2, { rng: rng() })
        const joined = heads.forward(q, k, v, { mask: padding(lengths) }).context
        const results = [context, joined].map(x => [...x.dataSync()])
        context.add(joined).mul(2).sum().backward() // biome-ignore format: one line
        return [...results, ...[q, k, v, ...heads.parameters()].map(x => [...(x.grad as Tensor).dataSync()])]
      }
      expect(many(hidden)).toEqual(many(0))
      expect(many(hidden).flat().every(Number.isFinite)).toBe(true)
    },
  )

  it('nor does a query that may look nowhere reach the gradient of keys', () => {
    const mask = tensor([0, 0, 1, 1], { shape: [1, 2, 2], dtype: 'bool' })
    const [q, k] = [tensor([[[Number.NaN, 1], [1, 2]]]), tensor([[[1, 0], [0, 1]]])] // biome-ignore format: matrices
    for (const x of [q, k]) x.requiresGrad = true
    const { context } = attend(q, k, k, { mask })
    expect([...context.dataSync()].slice(0, 2)).toEqual([0, 0])
    context.sum().backward()
    expect([q, k].flatMap(x => [...(x.grad as Tensor).dataSync()]).every(Number.isFinite)).toBe(true)
  })

  it('is left as it is, at no cost, where a mask surely hides nothing', () => {
    const open = (mask: layers.Mask, queries: number, keys: number): unknown => Object.values(mask.open(queries, keys)) // biome-ignore format: one line
    expect(open(causal, 5, 5)).toEqual([true, true])
    expect(open(causal, 3, 5)).toEqual([false, true])
    expect(open(causalFromEnd, 3, 5)).toEqual([true, true])
    expect(open(causalFromEnd, 5, 3)).toEqual([true, false])
    expect(open(causal.and(window(1)), 5, 5)).toEqual([true, true])
    expect(open(causalFromEnd.and(window(1)), 3, 5)).toEqual([false, true])
    expect(open(causal.and(padding(lengths())), 5, 5)).toEqual([false, false])
    expect(open(causal.or(padding(lengths())), 5, 5)).toEqual([true, true])
    expect(open(causal.not(), 5, 5)).toEqual([false, false])
  })

  it('is what masks say of every size', () => {
    for (const mask of [causal, causalFromEnd, window(1), window(2, { dilation: 2 }), layers.blocks(2), layers.strided(3), layers.global([0]), causal.and(window(1)), causalFromEnd.or(layers.blocks(3))]) // biome-ignore format: a list
      for (let queries = 1; queries < 6; queries++)
        for (let keys = 1; keys < 6; keys++) {
          const numbers = mask.tensor(queries, keys, lengths())
          const all = (x: Tensor): boolean => [...x.dataSync()].every(Boolean)
          const { keys: keysOpen, queries: queriesOpen } = mask.open(queries, keys)
          if (keysOpen) expect(all(numbers.max(-2)), `${mask.name} ${queries} ${keys}`).toBe(true)
          if (queriesOpen) expect(all(numbers.max(-1)), `${mask.name} ${queries} ${keys}`).toBe(true)
        }
  })
})
