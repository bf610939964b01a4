import { ones, Rng, setBackend, softmax, type Tensor, tensor } from '@heed/core-tensor'
import { referenceBackend } from '@heed/core-tensor/testing'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  Additive,
  attend,
  Concat,
  Cosine,
  cosine,
  dot,
  General,
  GroupedQueryAttention,
  Location,
  LowRank,
  MultiHeadAttention,
  paddingMask,
  type Score,
  scaledDot,
} from '../src/index.ts'

beforeAll(() => setBackend(referenceBackend()))

const rng = new Rng(11)
const random = (...shape: number[]): Tensor =>
  tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => rng.normal()),
    { shape },
  )
const close = (x: Tensor, want: readonly number[]): void => {
  const got = x.dataSync()
  for (const [i, w] of want.entries()) expect(got[i]).toBeCloseTo(w, 6)
}

const scores: [string, () => Score][] = [
  ['dot', () => dot],
  ['scaledDot', () => scaledDot],
  ['General', () => new General(4, 4, { bias: true })],
  ['Additive', () => new Additive(4, 4, 5, { bias: true })],
  ['Concat', () => new Concat(4, 4, 5)],
  ['LowRank', () => new LowRank(4, 4, 2)],
  ['cosine', () => cosine],
  ['Cosine', () => new Cosine({ scale: 3 })],
  ['Location', () => new Location(4, 5)],
]

describe.each(scores)('attend with %s', (_, make) => {
  it('yields weights that sum to 1, and exactly 0 for padded keys', () => {
    const mask = paddingMask(tensor([2, 5], { dtype: 'int32' }), 5)
    const { weights, context } = attend(random(2, 3, 4), random(2, 5, 4), random(2, 5, 6), {
      score: make(),
      mask,
    })
    expect([weights.shape, context.shape]).toEqual([[2, 3, 5], [2, 3, 6]]) // biome-ignore format: shapes
    close(weights.sum(-1), new Array(6).fill(1))
    expect([...weights.slice([{ stop: 1 }, {}, { start: 2 }]).dataSync()]).toEqual(new Array(9).fill(0))
  })

  it('gives zeros, not NaN, to a query that may look nowhere', () => {
    const mask = paddingMask(tensor([0, 1], { dtype: 'int32' }), 3)
    const query = random(2, 2, 4)
    query.requiresGrad = true
    const { context, weights } = attend(query, random(2, 3, 4), undefined, { score: make(), mask })
    expect(
      [...context.slice([{ stop: 1 }]).dataSync(), ...weights.slice([{ stop: 1 }]).dataSync()].every(
        v => v === 0,
      ),
    ).toBe(true)
    context.sum().backward()
    expect([...(query.grad as Tensor).dataSync()].every(Number.isFinite)).toBe(true)
  })
})

describe('attend', () => {
  it('computes the worked example at full precision, and with the weights rounded first', () => {
    // Trap T1: rounding each weight to 4 decimals before the sum gives another context in the fourth decimal.
    const states = tensor([[[1, 0], [0.5, 0.5], [0, 1]]], { dtype: 'float64' }) // biome-ignore format: a matrix
    const query = tensor([[[0.7, 0.3]]], { dtype: 'float64' })
    const { scores, weights, context } = attend(query, states)
    for (const [x, want] of [
      [scores, [0.7, 0.5, 0.3]],
      [context, [0.5662260396778087, 0.4337739603221912]],
    ] as const) {
      // biome-ignore format: rows
      const got = x.dataSync()
      for (const [i, w] of want.entries()) expect(Math.abs((got[i] as number) - w)).toBeLessThan(1e-12)
    }
    expect([...weights.dataSync()].map(w => Number(w.toFixed(4)))).toEqual([0.4018, 0.3289, 0.2693])
    const rounded = attend(query, states, states, {
      normalize: s =>
        tensor([[[...softmax(s).dataSync()].map(w => Number(w.toFixed(4)))]], { dtype: 'float64' }),
    })
    expect([...rounded.context.dataSync()].map(v => Number(v.toFixed(4)))).toEqual([0.5663, 0.4337])
  })

  it('takes values apart from keys', () => {
    const [query, keys] = [random(1, 1, 4), random(1, 3, 4)]
    const a = attend(query, keys, random(1, 3, 2))
    const b = attend(query, keys, random(1, 3, 2))
    expect([...a.weights.dataSync()]).toEqual([...b.weights.dataSync()])
    expect([...a.context.dataSync()]).not.toEqual([...b.context.dataSync()])
  })

  it('says what a mask must be, in words of the mask', () => {
    const [query, keys] = [random(2, 3, 4), random(2, 5, 4)]
    const bool = (...shape: number[]): Tensor => ones(shape, { dtype: 'bool' })
    const look = (mask: Tensor) => () => attend(query, keys, keys, { mask })
    expect(look(bool(2, 5))).toThrow(
      'attend: the mask is [2, 5], the scores are [2, 3, 5], [batch, query, key]; make it stretch to them, for padded keys with padding(lengths)',
    )
    expect(look(ones([2, 1, 5]))).toThrow('attend: the mask is float32; make it bool, true where a query may look') // biome-ignore format: one line
    for (const fine of [bool(2, 1, 5), bool(3, 5), bool(5), bool(1)]) expect(look(fine)).not.toThrow()
    const heads = new MultiHeadAttention(4, 2)
    for (const causal of [false, true]) {
      const call = (mask: Tensor) => () => heads.forward(query, keys, keys, { mask, causal })
      expect(call(bool(2, 5))).toThrow(
        'MultiHeadAttention: the mask is [2, 5], the scores are [2, 2, 3, 5], [batch, heads, query, key]',
      )
      expect(call(bool(2, 1, 1, 5))).not.toThrow()
    }
    const grouped = new GroupedQueryAttention(4, 2, { numKvHeads: 1 })
    expect(() => grouped.forward(query, keys, keys, { mask: bool(4, 5) })).toThrow(
      /^GroupedQueryAttention: the mask is \[4, 5\]/,
    )
  })

  it('names both sizes where dot cannot compare, and the way out', () => {
    expect(() => attend(random(1, 1, 64), random(1, 3, 128))).toThrow(
      'attend: dot needs equal sizes, query 64 and key 128; use new General(64, 128)',
    )
  })

  it('makes general with the identity equal to dot', () => {
    const general = new General(3, 3)
    general.weight.assign(tensor([[1, 0, 0], [0, 1, 0], [0, 0, 1]])) // biome-ignore format: a matrix
    const [query, keys] = [random(2, 2, 3), random(2, 4, 3)]
    expect([...attend(query, keys, keys, { score: general }).scores.dataSync()]).toEqual([
      ...attend(query, keys).scores.dataSync(),
    ])
  })

  it('makes concat equal to additive with its matrix cut in two', () => {
    const [concat, additive] = [new Concat(2, 3, 4), new Additive(2, 3, 4)]
    additive.wQuery.assign(concat.weight.slice([{}, { stop: 2 }]))
    additive.wKey.assign(concat.weight.slice([{}, { start: 2 }]))
    additive.v.assign(concat.v)
    const [query, keys] = [random(2, 2, 2), random(2, 5, 3)]
    close(concat.forward(query, keys), [...additive.forward(query, keys).dataSync()])
  })

  it('finds parallel vectors at cosine 1, whatever their lengths, and zeros at 0', () => {
    const { scores } = attend(tensor([[[1, 2]]]), tensor([[[10, 20], [-1, -2], [2, -1], [0, 0]]]), undefined, { score: cosine }) // biome-ignore format: one line
    close(scores, [1, -1, 0, 0])
  })

  it('looks by location at the first places of short sequences, and says how many it has', () => {
    const location = new Location(4, 5)
    const query = random(1, 2, 4)
    close(location.forward(query, random(1, 3, 7)), [
      ...location
        .forward(query, random(1, 5, 7))
        .slice([{}, {}, { stop: 3 }])
        .dataSync(),
    ])
    expect(() => attend(query, random(1, 6, 4), undefined, { score: location })).toThrow(
      'attend: Location has places for 5 keys, there are 6; use new Location(4, 6)',
    )
  })
})
