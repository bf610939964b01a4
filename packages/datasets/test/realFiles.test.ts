import { readFile } from 'node:fs/promises'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it, type TestContext } from 'vitest'
import { countTokens, pairFormat, readPairs, splitBySource, Vocabulary, words } from '../src/index.ts'
import { dataFolder } from './data.ts'

function load(path: string, ctx: TestContext): Promise<Buffer> {
  return readFile(dataFolder(ctx, path))
}

describe('real files', () => {
  it('of Tatoeba are read whole, and split without a common English sentence', async ctx => {
    const bytes = await load('tatoeba-eng-fra/fra.tsv.gz', ctx)
    const pairs = await readPairs(bytes, pairFormat('fra.tsv.gz'))
    expect(pairs).toHaveLength(142_787)
    expect(pairs[0]).toEqual({ source: 'Go.', target: 'Va !', line: 1 })
    const { train, validation, test } = splitBySource(pairs, { seed: 1, validation: 2000, test: 2000 })
    expect(train.length + validation.length + test.length).toBe(pairs.length)
    const trained = new Set(train.map(pair => pair.source))
    expect(test.filter(pair => trained.has(pair.source))).toEqual([])
    const french = words()
    const vocabulary = Vocabulary.fromCounts(countTokens(train.map(pair => french.encode(pair.target))), {
      minCount: 2,
    })
    expect(vocabulary.size).toBeGreaterThan(10_000)
    const known = test.flatMap(pair => french.encode(pair.target)).map(token => vocabulary.id(token))
    expect(known.filter(id => id === 1).length / known.length).toBeLessThan(0.03)
  })

  it('of Multi30k go through every format', async ctx => {
    const [english, german] = (await Promise.all(
      ['val.en.gz', 'val.de.gz'].map(async name =>
        gunzipSync(await load(`multi30k/${name}`, ctx))
          .toString('utf8')
          .trimEnd()
          .split('\n'),
      ),
    )) as [string[], string[]]
    const rows = english.map((en, i) => ({ en, de: german[i] as string }))
    const quote = (text: string): string => `"${text.replaceAll('"', '""')}"`
    const read = await Promise.all([
      readPairs(rows.map(row => `${row.en}\t${row.de}\n`).join(''), { format: 'tsv' }),
      readPairs(rows.map(row => `${quote(row.en)},${quote(row.de)}\r\n`).join(''), { format: 'csv' }),
      readPairs(rows.map(row => `${JSON.stringify(row)}\n`).join(''), {
        format: 'jsonl',
        columns: ['en', 'de'],
      }),
    ])
    expect(read[0]).toHaveLength(1014)
    expect(read[1]).toEqual(read[0])
    expect(read[2]).toEqual(read[0])
  })
})
