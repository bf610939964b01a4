import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { writeLengths } from '../src/recipes.ts'
import { Interrupted } from '../src/sitting.ts'
import { longer } from '../src/translation/corpus.ts'
import { climb, type LadderSettings, ladderSettings, readRows } from '../src/translation/ladder.ts'
import { rungs } from '../src/translation/models.ts'
import { sitting, temporary, toyCorpus, useCpu } from './places.ts'

beforeAll(useCpu)

const tiny: LadderSettings = {
  ...ladderSettings,
  epochs: 2,
  batchSize: 16,
  hidden: 8,
  embedding: 8,
  bpe: 300,
  warmup: 4,
  maxLength: 12,
}

describe('the ladder', () => {
  it('trains all rungs for the same number of steps, and keeps every translation', async () => {
    const folder = temporary()
    const { rungs: found } = await climb(toyCorpus(48), rungs, tiny, sitting(folder))
    expect(found.map(({ rung }) => rung)).toEqual(rungs)
    expect(new Set(found.map(({ training }) => training.steps))).toEqual(new Set([6]))
    for (const { rung, validation, test, long } of found) {
      expect(validation.map(({ epoch }) => epoch)).toEqual([1, 2])
      expect(validation[1]?.wordPerplexity).toBeLessThan(validation[0]?.wordPerplexity as number)
      expect(test?.pairs).toBe(12)
      expect(long?.pairs).toBe(6)
      const { test: rows } = readRows(folder, rung)
      const nll = rows.reduce((sum, row) => sum + row.nll, 0)
      const tokens = rows.reduce((sum, row) => sum + row.tokens, 0)
      expect(test?.tokenPerplexity.value).toBeCloseTo(Math.exp(nll / tokens), 6)
    }
    expect(writeLengths(folder, rungs)).toContain('source words')
    expect(readFileSync(join(folder, 'lengths-test.svg'), 'utf8')).toContain('BLEU')
  })

  it('goes on after a stop with the same numbers as if it had never stopped', async () => {
    const [whole, parted] = [temporary(), temporary()]
    const corpus = toyCorpus(64)
    const once = await climb(corpus, ['bahdanau'], tiny, sitting(whole))
    const stop = new AbortController()
    const progress = { begin: () => {}, update: (done: number) => void (done === 5 && stop.abort()) }
    const first = climb(corpus, ['bahdanau'], tiny, sitting(parted, { signal: stop.signal, progress }))
    await expect(first).rejects.toThrow(Interrupted)
    const twice = await climb(corpus, ['bahdanau'], tiny, sitting(parted, { resume: true }))
    expect(twice.rungs[0]?.validation.map(look => look.wordPerplexity)).toEqual(
      once.rungs[0]?.validation.map(look => look.wordPerplexity),
    )
    expect(readRows(parted, 'bahdanau')).toEqual(readRows(whole, 'bahdanau'))
  })

  it('looks at the test set once: not again after more epochs, nor over what is there', async () => {
    const folder = temporary()
    const one = { ...tiny, epochs: 1 }
    await climb(toyCorpus(32), ['plain'], one, sitting(folder))
    const again = (settings: LadderSettings, resume: boolean) =>
      climb(toyCorpus(32), ['plain'], settings, sitting(folder, { resume }))
    await expect(again(one, false)).rejects.toThrow('add --resume')
    await expect(again(tiny, true)).rejects.toThrow('the test set was looked at after 1 epochs')
    await expect(again({ ...one, hidden: 10 }, true)).rejects.toThrow(
      'made with hidden 8, asked for hidden 10',
    )
  })

  it('puts one to four pairs behind each other, as many pairs an epoch', () => {
    const { train } = longer(toyCorpus(100), 1)
    expect(train.length).toBe(40)
    const words = Array.from({ length: 40 }, (_, i) => train.at(i).source.split(' ').length)
    expect(Math.max(...words)).toBeGreaterThan(2 * Math.min(...words))
  })
})
