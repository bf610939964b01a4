import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Rng, setBackend } from '@heed/core-tensor'
import { referenceBackend } from '@heed/core-tensor/testing'
import { countTokens, Vocabulary } from '@heed/datasets'
import { Seq2Seq, seq2seqConfig } from '@heed/models'
import { saveCheckpoint } from '@heed/training/node'
import type { Page } from 'playwright'
import { afterAll, describe, expect, it } from 'vitest'
import { checkNumbers, readAttention } from '../.vitepress/theme/live/viewer/bytes.ts'
import {
  AttentionFileError,
  type Described,
  describe as describeFile,
} from '../.vitepress/theme/live/viewer/format.ts'
import { openRun } from '../.vitepress/theme/live/viewer/run.ts'
import { sampleFile } from '../.vitepress/theme/live/viewer/samples.ts'
import { looking, served } from './site.ts'

const small = {
  format: 'heed-attention/1',
  tokens: ['he', 'plays', 'football'],
  weights: [
    [
      [
        [0.8, 0.1, 0.1],
        [0.3, 0.5, 0.2],
        [0.1, 0.2, 0.7],
      ],
    ],
  ],
}

/** Reads a file as the viewer does. */
function opened(text: string | Uint8Array): { described: Described; layers: Float32Array[] } {
  const layers: Float32Array[] = []
  const bytes = typeof text === 'string' ? new TextEncoder().encode(text) : text
  const { head, size } = readAttention(bytes, 'a.json', (layer, weights, shape) => {
    checkNumbers(layer, weights, shape, 'a.json')
    layers.push(weights)
  })
  return { described: describeFile(head, size, 'a.json', []), layers }
}
const rounded = (numbers: ArrayLike<number>, digits: number): number[] =>
  Array.from(numbers, x => Number(x.toFixed(digits)))

describe('the format', () => {
  it('is read as JSON.parse reads it, numbers of every form included', () => {
    const { described, layers } = opened(JSON.stringify(small))
    expect(described).toMatchObject({
      layers: 1,
      heads: 1,
      queries: 3,
      keys: 3,
      queryWords: small.tokens,
      title: 'a.json',
    })
    expect(layers).toEqual([Float32Array.from(small.weights.flat(3))])
    const forms = [
      '0',
      '1',
      '0.5',
      '1e-3',
      '2.5E-1',
      '0.333333333333333333333',
      '9.999999e-1',
      '1.0E+0',
      '0.1250',
    ]
    const [layer] = opened(
      `{"format":"heed-attention/1", "queries": ["q"],\n "keys": ${JSON.stringify(forms)},"weights": [ [ ${forms.join(' , ')} ] ] }`,
    ).layers
    expect(layer).toEqual(Float32Array.from(forms, Number))
  })

  it('takes two, three or four brackets, in any place of the file, with anything else beside', () => {
    const { weights, ...rest } = small
    for (const nested of [weights, weights[0], weights[0]?.[0]])
      expect(
        opened(JSON.stringify({ made: { by: ['some', { tool: '}]"' }] }, weights: nested, ...rest })).layers,
      ).toHaveLength(1)
  })

  it.each(['float32', 'float16', 'uint8'] as const)('reads %s packed as base64', encoding => {
    const numbers = [0.75, 0.25, 0.5, 0.5]
    const halves: Record<number, number> = { 0.75: 0x3a00, 0.25: 0x3400, 0.5: 0x3800 }
    const raw = {
      float32: Float32Array.from(numbers),
      float16: Uint16Array.from(numbers, x => halves[x] as number),
      uint8: Uint8Array.from(numbers, x => x * 255),
    }[encoding]
    const weights = Buffer.from(raw.buffer).toString('base64')
    const { layers, described } = opened(
      JSON.stringify({ weights, format: 'heed-attention/1', tokens: ['a', 'b'], shape: [2, 2], encoding }),
    )
    expect(rounded(layers[0] ?? [], encoding === 'uint8' ? 2 : 6)).toEqual(numbers)
    expect(described).toMatchObject({ layers: 1, heads: 1, queries: 2, keys: 2 })
  })

  it('samples are the same as numbers and packed', async () => {
    const settings = { tokens: 9, layers: 2, heads: 3 }
    const [one, other] = await Promise.all(
      (['numbers', 'float16'] as const).map(async as => opened(await sampleFile({ ...settings, as }).text())),
    )
    expect(one?.described).toEqual(other?.described)
    for (const [l, layer] of (one?.layers ?? []).entries())
      for (const [i, weight] of layer.entries())
        expect(Math.abs(weight - (other?.layers[l]?.[i] ?? 9))).toBeLessThan(0.001)
  })

  it.each<[string, unknown, string]>([
    ['is of another kind', { ...small, format: 'x' }, 'a.json: format: use "heed-attention/1"'],
    [
      'has no words',
      { ...small, tokens: undefined },
      'a.json: tokens: missing; give tokens, or both queries and keys',
    ],
    ['has too few words', { ...small, tokens: ['he', 'plays'] }, 'tokens are 2, the weights have 3 rows'],
    ['has no weights', { ...small, weights: undefined }, 'there are no weights; give "weights"'],
    [
      'has a short row',
      {
        ...small,
        weights: [
          [0.5, 0.5, 0],
          [1, 0],
          [1, 0, 0],
        ],
      },
      'a row of 2 weights, the first has 3',
    ],
    [
      'has logits',
      {
        ...small,
        weights: [
          [3.5, 0, 0],
          [1, 0, 0],
          [1, 0, 0],
        ],
      },
      'weights[0][0][0][0] is 3.5; weights are from 0 to 1, behind the softmax',
    ],
    [
      'has nulls',
      { ...small, weights: [[null, 0, 0]] },
      'where a number should be; weights must be numbers, not null or NaN',
    ],
    ['has a batch', { ...small, weights: [small.weights] }, 'weights are 5 brackets deep'],
    [
      'is packed without a shape',
      { ...small, weights: 'AAAA', encoding: 'uint8' },
      'weights are text, and shape is undefined; give [layers, heads, queries, keys]',
    ],
    [
      'is packed too short',
      { ...small, weights: 'AAAA', encoding: 'uint8', shape: [3, 3] },
      'weights hold 3 bytes, 3 × 3 of uint8 are 9',
    ],
    [
      'has another shape',
      { ...small, shape: [2, 1, 3, 3] },
      'shape is [2,1,3,3], the weights are [1, 1, 3, 3]',
    ],
  ])('a file that %s says what to do', (_, file, message) => {
    expect(() => opened(JSON.stringify(file))).toThrow(AttentionFileError)
    expect(() => opened(JSON.stringify(file))).toThrow(message)
  })

  it('a file that ends early, or is no JSON, names line and character', () => {
    expect(() => opened('{\n"format": "heed-attention/1",\n"weights": [[0.5, 0.5],')).toThrow(
      'a.json, line 3, character 24: found the end of the file',
    )
    expect(() => opened('hello')).toThrow(
      'a.json, line 1, character 1: found "hello" where { of an object should be',
    )
    expect(() => opened('{"a": tru}')).toThrow('"tru" is not JSON')
    expect(() => opened('')).toThrow('found the end of the file')
  })
})

/** A folder such as `heed train translate` writes, of a small model with first weights. */
async function runFolder(): Promise<string> {
  setBackend(referenceBackend())
  const path = join(folder, 'run')
  mkdirSync(path)
  const letters = Vocabulary.fromCounts(countTokens([[...'abc']]))
  const sizes = { attention: 'bahdanau', embedding: 4, hidden: 6, dropout: 0 } as const
  const config = seq2seqConfig({ sourceVocab: letters.size, targetVocab: letters.size, padding: 0, ...sizes })
  const model = new Seq2Seq(config, { rng: new Rng(3) })
  const tensors = Object.fromEntries(
    Object.entries(model.stateDict()).map(([name, x]) => [`model.${name}`, x]),
  )
  await saveCheckpoint(path, { tensors, facts: {} })
  const about = {
    schema: 'heed-run/1',
    task: 'translate',
    data: { kind: 'dates', lines: 1 },
    tokens: 'characters',
    lowercase: false,
  }
  writeFileSync(
    join(path, 'config.json'),
    JSON.stringify({ ...about, ...sizes, reverseSource: false, maxOutput: 5, seed: 1 }),
  )
  writeFileSync(join(path, 'vocabulary.json'), JSON.stringify({ source: letters, target: letters }))
  writeFileSync(join(path, 'metrics.jsonl'), '{"step":1,"loss":2}\n{"step":2,"loss":1.5}\n{"step":3,"lo')
  return path
}
const filesOf = (path: string): Map<string, File> =>
  new Map(readdirSync(path).map(name => [name, new File([readFileSync(join(path, name))], name)]))

const folder = mkdtempSync(join(tmpdir(), 'heed-viewer-'))
afterAll(() => rmSync(folder, { recursive: true }))
const site = served()
const look = (viewer: (page: Page) => Promise<void>): Promise<void> => site.read('/viewer.html', viewer)

describe('a run', () => {
  it('is opened from its folder, asked, and tells how each letter looked', async () => {
    const path = await runFolder()
    const run = await openRun(filesOf(path))
    expect(run.curves).toEqual([
      {
        name: 'loss',
        points: [
          { x: 1, y: 2 },
          { x: 2, y: 1.5 },
        ],
      },
    ])
    const { described, weights } = await run.ask('abca')
    expect(described.keyWords).toEqual(['a', 'b', 'c', 'a', '⏎'])
    expect(described.queryWords.length).toBeGreaterThan(0)
    for (let row = 0; row < described.queries; row++)
      expect(weights.subarray(row * 5, row * 5 + 5).reduce((a, b) => a + b, 0)).toBeCloseTo(1, 5)
    const without = filesOf(path)
    without.delete('vocabulary.json')
    await expect(openRun(without)).rejects.toThrow('vocabulary.json is missing; drop the whole folder')
  })

  looking('can be dropped on the page', () =>
    look(async page => {
      await page.locator('[data-folder]').setInputFiles(join(folder, 'run'))
      await page.getByText('A translator with bahdanau attention, characters, 6 hidden units').waitFor()
      await page.getByLabel('A text for the model').fill('abca')
      await page.locator('[data-ask]').click()
      await page.locator('[data-answer]').waitFor()
      const { text } = await (await openRun(filesOf(join(folder, 'run')))).ask('abca')
      expect(await page.locator('[data-answer]').textContent()).toBe(text)
      await page.locator('[data-map]').waitFor()
    }),
  )
})

describe('the viewer', () => {
  looking('opens a file, and shows the row that is chosen', () =>
    look(async page => {
      const path = join(folder, 'small.json')
      writeFileSync(path, JSON.stringify(small))
      await page.locator('[data-file]').setInputFiles(path)
      await page.getByText(/1 layer of 1 head, 3 × 3 weights/).waitFor()
      const map = page.locator('[data-map]')
      await map.press('ArrowDown')
      await map.press('ArrowDown')
      expect(await page.locator('[data-query]').textContent()).toBe('football')
      expect(await page.locator('.most li').first().textContent()).toMatch(/football[\s\S]*0\.700/)
      const box = await map.boundingBox()
      await map.click({ position: { x: 5, y: (box?.height ?? 0) / 2 } })
      expect(await page.locator('[data-query]').textContent()).toBe('plays')
      expect(await map.getAttribute('aria-valuetext')).toBe('row 1, plays')
    }),
  )

  looking('says what is wrong with a file, and takes the next one', () =>
    look(async page => {
      const path = join(folder, 'bad.json')
      writeFileSync(path, JSON.stringify({ ...small, tokens: ['he'] }))
      await page.locator('[data-file]').setInputFiles(path)
      await page.locator('[data-failure]').waitFor()
      expect(await page.locator('[data-failure]').textContent()).toContain(
        'bad.json: tokens are 1, the weights have 3 rows',
      )
      await page.locator('[data-sample]').click()
      await page.getByText(/4 layers of 6 heads, 24 × 24 weights/).waitFor()
      expect(await page.locator('[data-failure]').count()).toBe(0)
    }),
  )

  looking('stays smooth with 512 tokens, 12 layers and 12 heads', () =>
    look(async page => {
      const clock = page.evaluate(
        () =>
          new Promise<number>(resolve => {
            new PerformanceObserver((list, observer) => {
              observer.disconnect()
              resolve(list.getEntries()[0]?.duration ?? 0)
            }).observe({ entryTypes: ['measure'] })
          }),
      )
      await page.locator('[data-large]').click()
      const firstPicture = await clock
      await page.getByText(/12 layers of 12 heads, 512 × 512 weights/).waitFor({ timeout: 60_000 })
      // Heads are switched, one a frame; what counts is the time from a click to the picture drawn.
      const frames = await page.evaluate(async () => {
        const heads = Array.from(document.querySelectorAll<HTMLElement>('[data-head]'))
        const times: number[] = []
        for (let i = 0; i < 36; i++) {
          const began = performance.now()
          heads[i % heads.length]?.click()
          await Promise.resolve() // the page draws before the next task
          await new Promise(resolve => setTimeout(resolve))
          times.push(performance.now() - began)
          await new Promise(resolve => requestAnimationFrame(resolve))
        }
        return times.sort((a, b) => a - b)
      })
      const [median, slow] = [frames[18] as number, frames[34] as number]
      process.stdout.write(
        `viewer, 512 tokens × 12 × 12: first picture ${firstPicture.toFixed(0)} ms, switching heads ${median.toFixed(1)} ms (95 %: ${slow.toFixed(1)} ms)\n`,
      )
      expect(firstPicture).toBeLessThan(15_000)
      expect(median).toBeLessThan(50)
    }),
  )
})
