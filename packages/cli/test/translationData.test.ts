import { Rng, scope, setBackend } from '@heed/core-tensor'
import { referenceBackend } from '@heed/core-tensor/testing'
import { spaces, UNKNOWN, Vocabulary } from '@heed/datasets'
import { Seq2Seq, seq2seqConfig } from '@heed/models'
import { beforeAll, describe, expect, it } from 'vitest'
import { encodeLines, trainingBatches } from '../src/translate/data.ts'
import { alignmentScore } from '../src/translate/decode.ts'

beforeAll(() => setBackend(referenceBackend()))

const lines = [
  { source: 'red zolar', target: 'zolar rot', group: '', links: [[0, 1], [1, 0]] },
  { source: 'red old muvi', target: 'muvi', group: '', links: [[1, 0], [2, 0]] },
] as const // biome-ignore format: a list
const words = Vocabulary.fromCounts(new Map([['red', 1], ['old', 1], ['rot', 1]])) // biome-ignore format: one line
const tokenizers = { source: spaces(), target: spaces() }
const encode = (reverseSource: boolean) =>
  encodeLines(lines, { tokenizers }, { source: words, target: words }, { reverseSource, copy: true, guided: true }) // biome-ignore format: one line

describe('lines as a model is fed them', () => {
  it.each([false, true])('carry links and copies in the order of the source (reversed: %s)', reversed => {
    const [first] = encode(reversed)
    const own = [words.id('red'), UNKNOWN, 3]
    const copied = [words.id('red'), words.size, 3]
    expect(Array.from(first?.source ?? [])).toEqual(reversed ? own.reverse() : own)
    expect(first?.copied?.ids).toEqual(reversed ? copied.reverse() : copied)
    expect(Array.from(first?.target ?? [])).toEqual([2, words.size, words.id('rot'), 3]) // zolar is copied
    expect(first?.links).toEqual(reversed ? [[2, 2], [1, 1]] : [[0, 2], [1, 1]]) // biome-ignore format: one line
  })

  it('become batches whose alignment shares each target word among its source words', () =>
    scope(async () => {
      const { alignment, copy } = trainingBatches(encode(false), 2, 1).batch(0, 0)
      const [batch, target, source] = alignment?.shape ?? []
      expect([batch, target, source, copy?.extra]).toEqual([2, 4, 4, 1])
      const rows = (await alignment?.toArray()) as number[][][]
      const second = rows.find(row => (row[1] as number[])[2] === 0.5) ?? []
      expect(second[1]).toEqual([0, 0.5, 0.5, 0])
      expect(second[0]).toEqual([0, 0, 0, 0]) // the token that begins has no source
      for (const row of rows.flat()) expect([0, 1]).toContain(row.reduce((a, b) => a + b))
    }))

  it('make a loss in which the alignment counts as much as asked', () => {
    scope(() => {
      const model = new Seq2Seq(
        seq2seqConfig({
          sourceVocab: words.size,
          targetVocab: words.size,
          hidden: 6,
          embedding: 4,
          copy: true,
        }),
        { rng: new Rng(1) },
      )
      const batch = trainingBatches(encode(false), 2, 1).batch(0, 0)
      const of = (guidedWeight: number): number => model.loss(batch, { guidedWeight }).dataSync()[0] as number
      const [plain, one, two] = [0, 1, 2].map(of) as [number, number, number]
      expect(one).toBeGreaterThan(plain + 0.1)
      expect(two - one).toBeCloseTo(one - plain, 4)
    })
  })
})

describe('alignmentScore', () => {
  it('pools the links of lines that are right', () => {
    const weights = (...rows: number[][]) => rows.map(row => Float32Array.from(row))
    const translation = (...rows: number[][]) => ({ source: [], target: [], text: '', weights: weights(...rows) }) // biome-ignore format: one line
    const translations = [translation([0.1, 0.9], [0.8, 0.2]), translation([0.9, 0.1, 0])]
    // Line 1: both links found. Line 2: one link said, two known, none of them: 1 − (2 + 2) / (3 + 4).
    const { alignment } = alignmentScore(lines, translations, [true, true])
    expect([alignment?.lines, alignment?.errorRate.value]).toEqual([2, expect.closeTo(3 / 7, 6)])
    expect(alignmentScore(lines, translations, [true, false]).alignment?.errorRate.value).toBe(0)
    expect(alignmentScore(lines, translations, [false, false])).toEqual({})
  })
})
