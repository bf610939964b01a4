import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { decide, type Experiment, estimate, Results } from '../src/experiments/experiment.ts'
import { experiments } from '../src/experiments/index.ts'
import { runExperiment } from '../src/experiments/run.ts'
import { Interrupted } from '../src/failure.ts'
import { bundleHeed, heed, inFolder } from './heed.ts'

beforeAll(bundleHeed, 60_000)

/** Measures nothing but its own arguments. */
const toy = (onMeasure: () => void = () => {}): Experiment<{ readonly places: readonly number[] }> => ({
  id: 'T1',
  title: 'Is b more than a?',
  claim: 'b is more than a.',
  setup: 'Both are told.',
  rule: 'Holds if so.',
  settings: quick => ({ places: quick ? [1, 2] : [1, 2, 3] }),
  arms: () => ['a', 'b'],
  measures: [{ key: 'y', title: 'y', unit: 'one' }],
  xLabel: 'x',
  async measure(arm, { seed, settings }) {
    onMeasure()
    return settings.places.map(x => ({ x, values: { y: x + seed / 10 + (arm === 'b' ? 1 : 0) } }))
  },
  judge: results => ({
    verdict: decide([(results.difference('b', 'a', 2, 'y')?.low ?? 0) > 0]),
    because: 'so it is',
  }),
})

const screen = {
  print: () => {},
  bar: () => ({ update: () => {}, stop: () => {} }),
  color: 'none',
  dark: false,
  width: 100,
} as const

describe('an experiment', () => {
  it('writes raw numbers, a manifest, plots and a page', () =>
    inFolder(async out => {
      const { signal } = new AbortController()
      const { judgement } = await runExperiment(toy(), { seeds: 3, quick: true, out, backend: 'none', screen, signal }) // biome-ignore format: one line
      expect(judgement.verdict).toBe('holds')
      expect(readdirSync(join(out, 'T1')).sort()).toEqual([
        'index.html',
        'manifest.json',
        'raw.json',
        'y.svg',
      ])
      const raw = JSON.parse(readFileSync(join(out, 'T1/raw.json'), 'utf8'))
      expect([raw.finished, raw.rows.length]).toEqual([true, 12])
      const manifest = JSON.parse(readFileSync(join(out, 'T1/manifest.json'), 'utf8'))
      expect(manifest).toMatchObject({ verdict: 'holds', seeds: [1, 2, 3], environment: { node: process.version } }) // biome-ignore format: one line
      expect(readFileSync(join(out, 'T1/index.html'), 'utf8')).toMatch(
        /The claim holds: so it is\.[\s\S]*<svg/,
      )
    }))

  it('that was stopped keeps what was measured, and goes on', () =>
    inFolder(async out => {
      const stop = new AbortController()
      let measured = 0
      const stopping = toy(() => {
        if (++measured === 3) stop.abort()
      })
      const options = { seeds: 3, quick: true, out, backend: 'none', screen } as const
      await expect(runExperiment(stopping, { ...options, signal: stop.signal })).rejects.toThrow(Interrupted)
      const { results } = await runExperiment(stopping, { ...options, signal: new AbortController().signal })
      expect([measured, results.rows.length]).toEqual([6, 12])
    }))

  it('takes Student’s interval over seeds', () => {
    // t.interval(0.95, 2, 2, sem([1, 2, 3])) of SciPy: -0.484, 4.484
    const { mean, low, high } = estimate([1, 2, 3])
    expect([mean, low, high].map(x => Number(x.toFixed(3)))).toEqual([2, -0.484, 4.484])
  })

  it('compares arms seed by seed', () => {
    const rows = [1, 2, 3].flatMap(seed => [
      { arm: 'a', seed, x: 0, values: { y: seed } },
      { arm: 'b', seed, x: 0, values: { y: seed + 0.5 } },
    ])
    expect(new Results(rows).difference('b', 'a', 0, 'y')).toEqual({
      mean: 0.5,
      low: 0.5,
      high: 0.5,
      seeds: 3,
    })
  })

  it.each(experiments)('$id says its claim, its test and its rule', ({ claim, setup, rule }) => {
    for (const text of [claim, setup, rule]) expect(text).toMatch(/^\S[\s\S]{40,}\.$/)
  })
})

describe('heed experiment', () => {
  it('lists all claims', () =>
    inFolder(async cwd => {
      const { code, stdout } = await heed(['experiment', 'list'], { cwd })
      expect([code, stdout.trim().split('\n').length]).toEqual([0, experiments.length])
    }))

  it.each(['X3'])('%s holds, being arithmetic', id =>
    inFolder(async cwd => {
      const { code, stdout } = await heed(['experiment', id, '--quick', '--seeds', '2'], { cwd })
      expect([code, stdout.trimEnd().split('\n').at(-1)]).toEqual([0, expect.stringMatching(new RegExp(`^holds: .*, page results/${id}/index\\.html$`))]) // biome-ignore format: one line
    }),
  )

  it('stopped by Ctrl-C saves and exits 130', () =>
    inFolder(async cwd => {
      const { code, stderr } = await heed(['experiment', 'X2', '--quick'], {
        cwd,
        during: child => {
          const timer = setInterval(() => {
            if (!existsSync(join(cwd, 'results/X2'))) return
            clearInterval(timer)
            setTimeout(() => child.kill('SIGINT'), 300)
          }, 5)
        },
      })
      expect([code, stderr]).toEqual([130, expect.stringMatching(/stopped after \d+ of 18 measurements; the same command goes on\n$/)]) // biome-ignore format: one line
      expect(JSON.parse(readFileSync(join(cwd, 'results/X2/raw.json'), 'utf8')).finished).toBe(false)
    }))

  it.each([
    [['experiment', 'X99'], /experiment X99: there is none of that name; use X1, X2/],
    [['experiment', 'X3', '--seeds', '0'], /Give a whole number of 1 or more/],
  ])('%j is one clear line and exit code 2', (args, message) =>
    inFolder(async cwd => {
      const { code, stderr } = await heed(args, { cwd })
      expect([code, stderr]).toEqual([2, expect.stringMatching(message)])
      expect([stderr.includes('\n    at '), existsSync(join(cwd, 'results'))]).toEqual([false, false])
    }),
  )
})
