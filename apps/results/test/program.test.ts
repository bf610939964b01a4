import { describe, expect, it } from 'vitest'
import { percent, table, withInterval } from '../src/output.ts'
import { results } from '../src/program.ts'
import { duration, progressTo } from '../src/sitting.ts'

async function said(
  ...argv: string[]
): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  const out: string[] = []
  const err: string[] = []
  const code = await results(argv, {
    out: { write: text => out.push(text) },
    err: { write: text => err.push(text) },
  })
  return { code, out: out.join(''), err: err.join('') }
}

describe('npm run results', () => {
  it('lists the recipes', async () => {
    const { code, out } = await said('--help')
    expect(code).toBe(0)
    for (const name of ['multi30k', 'long', 'lengths', 'aer', 'sentiment', 'forgetting'])
      expect(out).toContain(`  ${name}`)
    expect((await said()).code).toBe(2)
  })

  it('says in one line what is wrong with what it was asked', async () => {
    const wrong: [string[], string][] = [
      [['wmt14'], 'results: wmt14: give one recipe of multi30k, long, lengths, aer, sentiment, forgetting'],
      [['aer', '--epochs', '3'], 'results: --epochs: aer has no such option; it has --set'],
      [['multi30k', '--epochs', 'many'], 'results: --epochs many: give a whole number from 1'],
      [['multi30k', '--data', 'nowhere/at/all'], 'there is no such folder; give the data sets by --data FOLDER, or --download'],
      [['multi30k', '--speed', 'high'], "Unknown option '--speed'"],
    ] // biome-ignore format: a line each
    for (const [argv, words] of wrong) {
      const { code, err } = await said(...argv)
      expect(err).toContain(words)
      expect(err.trim()).not.toContain('\n')
      expect(code).toBe(2)
    }
  })
})

describe('progress', () => {
  it('tells how long the rest takes by what this sitting has done', () => {
    let now = 0
    const lines: string[] = []
    const progress = progressTo({ write: text => void lines.push(text) }, () => now)
    progress.begin(100, 50)
    now = 60_000
    progress.update(60, 'half')
    expect(lines).toEqual(['60.0 %  half  4 min 00 s left\n'])
    now = 61_000
    progress.update(61, 'too soon')
    expect(lines).toHaveLength(1)
  })

  it('says durations as people do', () => {
    expect([4.6, 65, 3720].map(duration)).toEqual(['5 s', '1 min 05 s', '1 h 02 min'])
  })
})

describe('tables', () => {
  it('are Markdown, with intervals', () => {
    const interval = { value: 0.761, low: 0.74, high: 0.7834, level: 0.95, samples: 1000, seed: 0 }
    expect(percent(interval)).toBe('76.1 % (74.0 to 78.3)')
    expect(withInterval(interval, 2)).toBe('0.76 (0.74 to 0.78)')
    expect(table(['a', 'bc'], [['xyz', '1']])).toBe('| a   | bc |\n| --- | -- |\n| xyz | 1  |')
  })
})
