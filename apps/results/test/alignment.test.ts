import { existsSync } from 'node:fs'
import { Rng } from '@heed/core-tensor'
import type { Links } from '@heed/datasets'
import { beforeAll, describe, expect, it } from 'vitest'
import { alignmentErrors, generatedTask } from '../src/alignment/aer.ts'
import { alignByAttention } from '../src/alignment/attention.ts'
import { diagonal, ibmModel1 } from '../src/alignment/baselines.ts'
import { errorRate } from '../src/alignment/rates.ts'
import { corpusAlignmentError, referenceDifference, referenceRows } from '../src/alignment/reference.ts'
import { sitting, temporary, useCpu } from './places.ts'

beforeAll(useCpu)

const gold = '../shared/data/word-alignments'

describe('the error rate of a corpus', () => {
  it.skipIf(!existsSync(gold))(`equals what is printed of published aligners (needs ${gold})`, () => {
    const rows = referenceRows(gold)
    expect(rows).toHaveLength(8)
    expect(referenceDifference(rows)).toBeLessThan(1e-6)
  })

  it('counts links of all sentences together, with and without an interval', () => {
    const sentences = [
      { found: [[0, 0], [1, 1]], sure: [[0, 0]], possible: [[0, 0], [1, 1]] },
      { found: [[0, 1]], sure: [[0, 0], [1, 0]], possible: [[0, 0], [1, 0]] },
    ] as const // biome-ignore format: a line each
    // A∩S = 1, A∩P = 2, |A| = 3, |S| = 3
    expect(corpusAlignmentError(sentences).rate).toBeCloseTo(0.5)
    const { value, low, high } = errorRate([sentences])
    expect(value).toBeCloseTo(0.5)
    expect(low).toBeLessThan(high)
  })
})

describe('baselines', () => {
  it('the diagonal goes from corner to corner', () => {
    expect(diagonal({ source: 'a b', target: 'x y z w' })).toEqual([
      [0, 0],
      [0, 1],
      [1, 2],
      [1, 3],
    ])
  })

  it('model 1 finds words by what they occur with, not by where they stand', () => {
    const pairs = [
      { source: 'the house', target: 'haus das' },
      { source: 'the book', target: 'das buch' },
      { source: 'a book', target: 'buch ein' },
    ]
    expect(ibmModel1(pairs)[0]).toEqual([
      [1, 0],
      [0, 1],
    ])
  })
})

describe('attention as an aligner', () => {
  it('finds words of a language that is written backwards, where the diagonal cannot, and says what it knows', async () => {
    const rng = new Rng(1)
    const pairs = Array.from({ length: 360 }, () => {
      const words = Array.from({ length: 3 + rng.int(4) }, () => rng.int(12))
      const links = words.map((_, i) => [i, words.length - 1 - i] as const)
      return {
        source: words.map(w => `s${w}`).join(' '),
        target: words
          .map(w => `t${w}`)
          .reverse()
          .join(' '),
        links,
      }
    })
    const [train, test] = [pairs.slice(0, 320), pairs.slice(320)]
    const aligner = {
      hidden: 32,
      embedding: 16,
      dropout: 0,
      epochs: 10,
      batchSize: 16,
      learningRate: 0.01,
      minCount: 1,
    }
    const { links, coverage } = await alignByAttention(
      train,
      test,
      1,
      { ...aligner, attention: 'bahdanau', inputFeeding: true },
      { signal: new AbortController().signal },
    )
    const rateOf = (found: readonly Links[]) =>
      errorRate([
        test.map((pair, i) => ({ sure: pair.links, possible: pair.links, found: found[i] as Links })),
      ]).value
    expect(rateOf(links)).toBeLessThan(0.3)
    expect(rateOf(test.map(diagonal))).toBeGreaterThan(0.6)
    expect(coverage).toEqual({ source: 1, target: 1 })
  })

  it('makes a row for each kind, and goes on from what is kept', async () => {
    const folder = temporary()
    const task = generatedTask(40, 8)
    const aligner = {
      hidden: 8,
      embedding: 8,
      dropout: 0,
      epochs: 1,
      batchSize: 20,
      learningRate: 0.01,
      minCount: 1,
    }
    const rows = await alignmentErrors(task, { seeds: 1, aligner }, sitting(folder))
    expect(rows.map(({ title }) => title)).toEqual([
      'diagonal',
      'IBM model 1',
      'Bahdanau attention',
      'Luong general, input feeding',
      'Luong dot, input feeding',
    ])
    const again = await alignmentErrors(task, { seeds: 1, aligner }, sitting(folder, { resume: true }))
    expect(again).toEqual(rows)
    await expect(alignmentErrors(task, { seeds: 1, aligner }, sitting(folder))).rejects.toThrow(
      'add --resume',
    )
  })
})
