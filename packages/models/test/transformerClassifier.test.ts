import { noGrad, Rng, setBackend, tensor } from '@heed/core-tensor'
import { referenceBackend } from '@heed/core-tensor/testing'
import { beforeAll, describe, expect, it } from 'vitest'
import { type PositionKind, TransformerClassifier, transformerClassifierConfig } from '../src/index.ts'
import { apart, ids, learn, values } from './pairs.ts'

beforeAll(() => setBackend(referenceBackend()))

const KINDS: readonly PositionKind[] = ['none', 'sinusoidal', 'learned', 'relative', 'alibi', 'two-sided alibi', 'rotary'] // biome-ignore format: one line
const small = (positions: PositionKind, seed = 1): TransformerClassifier =>
  new TransformerClassifier(
    transformerClassifierConfig({ vocab: 9, classes: 2, positions, maxLength: 8, embedding: 8, heads: 2 }),
    { rng: new Rng(seed) },
  ).eval()
const lengths = (...counts: number[]) => tensor(counts, { dtype: 'int32' })
const logits = (model: TransformerClassifier, rows: readonly (readonly number[])[]): number[] =>
  values(noGrad(() => model.forward(ids(rows), lengths(...rows.map(row => row.length)))))

describe('a Transformer that classifies', () => {
  it.each(KINDS)('with positions %s gives padded rows what they get alone', kind => {
    const model = small(kind)
    const together = logits(model, [
      [4, 5, 6, 7, 8],
      [6, 4],
    ])
    expect(apart(together, [...logits(model, [[4, 5, 6, 7, 8]]), ...logits(model, [[6, 4]])])).toBeLessThan(1e-5) // biome-ignore format: one line
  })

  it.each(KINDS)('with positions %s tells a text from its mirror image, or cannot', kind => {
    const model = small(kind)
    const difference = apart(logits(model, [[4, 5, 6, 7, 8]]), logits(model, [[8, 7, 6, 5, 4]]))
    // A bag of words, and distances that count alike on both sides, are their own mirror images.
    if (kind === 'none' || kind === 'alibi') expect(difference).toBeLessThan(1e-5)
    else expect(difference).toBeGreaterThan(1e-4)
  })

  it.each(KINDS.filter(kind => kind !== 'learned'))('with positions %s has no longest length', kind => {
    expect(logits(small(kind), [new Array<number>(20).fill(5)]).every(Number.isFinite)).toBe(true)
  })

  it('learns which of two words comes first', () => {
    const model = small('rotary', 2).train()
    const rng = new Rng(5)
    const draw = () => Array.from({ length: 8 }, () => (rng.uniform() < 0.5 ? [4, 6, 7, 5] : [5, 7, 6, 4]))
    const batch = (rows: number[][]) => ({ ids: ids(rows), lengths: lengths(...rows.map(() => 4)), labels: lengths(...rows.map(row => (row[0] as number) - 4)) }) // biome-ignore format: one line
    learn(model, () => model.loss(batch(draw())), 25, 0.02)
    const test = draw()
    const said = values(noGrad(() => model.eval().forward(ids(test), lengths(...test.map(() => 4))).argmax(-1))) // biome-ignore format: one line
    expect(said).toEqual(test.map(row => (row[0] as number) - 4))
  })

  it.each<[Partial<Parameters<typeof transformerClassifierConfig>[0]>, string]>([
    [{ positions: 'relativ' as 'relative' }, 'positions are relativ, use none, sinusoidal'],
    [{ embedding: 10, heads: 4 }, '4 heads do not divide the embedding, 10; use a divisor'],
    [{ embedding: 12, heads: 4, positions: 'rotary' }, 'rotary turns pairs of numbers, heads have 3'],
    [{ layers: 0, classes: 1.5 }, 'classes is 1.5, use a whole number of 1 or more; layers is 0'],
  ])('refuses %j', (given, message) => {
    expect(() => new TransformerClassifier(transformerClassifierConfig({ vocab: 9, classes: 2, ...given }))).toThrow(message) // biome-ignore format: one line
  })

  it('says which places learned positions lack', () => {
    expect(() => logits(small('learned'), [new Array<number>(9).fill(5)])).toThrow('place 8 of at most 8')
  })
})
