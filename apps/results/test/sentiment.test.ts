import { examples, tweets } from '@heed/datasets'
import { beforeAll, describe, expect, it } from 'vitest'
import { binned } from '../src/lengths.ts'
import type { Judged, JudgedParts } from '../src/sentiment/classify.ts'
import { forgetting, forgettingSettings } from '../src/sentiment/forgetting.ts'
import { compareReadouts, readoutSettings } from '../src/sentiment/readouts.ts'
import { type SentimentSet, sentimentSets } from '../src/sentiment/sets.ts'
import { Interrupted } from '../src/sitting.ts'
import { sitting, temporary, useCpu } from './places.ts'

beforeAll(useCpu)

function toyParts(size: number): JudgedParts {
  const part = (split: 'train' | 'validation' | 'test', count: number): Judged[] =>
    examples(tweets({ seed: 1, split, size: count, length: 12 })).map(({ text, label }) => ({
      text,
      positive: label === 'positive',
    }))
  return { train: part('train', size), validation: part('validation', 40), test: part('test', 60) }
}

const toy: SentimentSet = {
  ...(sentimentSets[0] as SentimentSet),
  name: 'toy',
  maxWords: 16,
  bounds: [11, 13],
  parts: async () => toyParts(300),
}
const nowhere = async () => undefined
const small = { ...readoutSettings, hidden: 16, embedding: 16, epochs: 3, batchSize: 20, learningRate: 0.01 }

describe('read-outs', () => {
  it('are trained, judged once, and compared with the last state', async () => {
    const { table, svg } = await compareReadouts(toy, nowhere, 1, small, sitting(temporary()), ['last', 'concat', 'attention']) // biome-ignore format: one line
    expect(table.rows.map(({ readout }) => readout)).toEqual(['last', 'concat', 'attention'])
    const [last, , attention] = table.rows
    expect(attention?.accuracy.value).toBeGreaterThan(0.8)
    expect(last?.gain).toBeUndefined()
    expect(attention?.gain?.value).toBeCloseTo((attention?.accuracy.value ?? 0) - (last?.accuracy.value ?? 0))
    expect(attention?.byLength.reduce((sum, { texts }) => sum + texts, 0)).toBe(60)
    expect(svg).toContain('<svg')
  })

  it('go on behind the last whole trial after a stop', async () => {
    const folder = temporary()
    const quick = { ...small, epochs: 1 }
    const stop = new AbortController()
    const progress = { begin: () => {}, update: (done: number) => void (done >= 1 && stop.abort()) }
    await expect(
      compareReadouts(toy, nowhere, 1, quick, sitting(folder, { signal: stop.signal, progress }), [
        'last',
        'mean',
      ]),
    ).rejects.toThrow(Interrupted)
    const { table } = await compareReadouts(toy, nowhere, 1, quick, sitting(folder, { resume: true }), [
      'last',
      'mean',
    ])
    const { table: whole } = await compareReadouts(toy, nowhere, 1, quick, sitting(temporary()), [
      'last',
      'mean',
    ])
    expect(table.rows.map(({ accuracy }) => accuracy)).toEqual(whole.rows.map(({ accuracy }) => accuracy))
  })
})

describe('forgetting', () => {
  it('has a point for each read-out and number of words, over all folds', async () => {
    const settings = {
      ...forgettingSettings,
      given: [4, 8],
      folds: 2,
      epochs: 1,
      hidden: 8,
      embedding: 8,
      minCount: 1,
    }
    const cut = async (given: number): Promise<JudgedParts> => {
      const { train, validation, test } = toyParts(80)
      const short = (part: readonly Judged[]) => part.map(one => ({ ...one, text: one.text.split(' ').slice(0, given).join(' ') })) // biome-ignore format: one line
      return { train: short(train), validation: short(validation), test: short(test) }
    }
    const { points } = await forgetting(cut, settings, sitting(temporary()))
    expect(points.map(({ readout, given }) => `${readout} ${given}`)).toEqual(
      ['last', 'mean', 'attention'].flatMap(readout => [4, 8].map(given => `${readout} ${given}`)),
    )
    for (const { accuracy, byFold } of points) {
      expect(byFold).toHaveLength(2)
      expect(accuracy.value).toBeCloseTo(((byFold[0] as number) + (byFold[1] as number)) / 2)
    }
  })
})

describe('binned', () => {
  it('parts rows by length and leaves out bins without any', () => {
    const bins = binned([3, 9, 10, 30], length => length, [5, 10, 20])
    expect(bins.map(({ title, rows }) => [title, rows.length])).toEqual([
      ['up to 5', 1],
      ['6 to 10', 2],
      ['21 or more', 1],
    ])
  })
})
