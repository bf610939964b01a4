import { cpu } from '@heed/backend-cpu'
import { scope, setBackend } from '@heed/core-tensor'
import { beforeAll, describe, expect, it } from 'vitest'
import { type Experiment, Results, type Row } from '../src/experiments/experiment.ts'
import { experiments } from '../src/experiments/index.ts'

beforeAll(async () => setBackend(await cpu()))

const byId = (id: string): Experiment => {
  const found = experiments.find(one => one.id === id)
  if (!found) throw new Error(`no experiment ${id}`)
  return found
}

/** Measurements of three seeds that differ a little. */
const rows = (arm: string, at: Readonly<Record<number, Readonly<Record<string, number>>>>): Row[] =>
  Object.entries(at).flatMap(([x, values]) =>
    [1, 2, 3].map(seed => ({
      arm,
      seed,
      x: Number(x),
      values: Object.fromEntries(Object.entries(values).map(([key, value]) => [key, value * (1 + (seed - 2) / 500)])), // biome-ignore format: one line
    })),
  )

/** What is made up so that a rule can be put to the test, and its verdict. */
const CASES: readonly (readonly [id: string, what: string, verdict: string, made: () => Row[]])[] = [
  ['X9', 'additive better at small d and slower', 'holds', () => scores(0.5, 0.3, 2, 1)],
  ['X9', 'additive no better, but slower', 'holds under conditions', () => scores(0.3, 0.5, 2, 1)],
  ['X9', 'additive no better and no slower', 'does not hold', () => scores(0.3, 0.5, 1, 2)],
  ['X11', 'soft cheaper in everything', 'holds', () => readings({ soft: [50, 1, 100], hard: [200, 4, 900] })],
  ['X11', 'soft cheaper in training only', 'holds under conditions', () => readings({ soft: [50, 1, 900], hard: [200, 4, 0] })],
  ['X11', 'soft dearer in everything', 'does not hold', () => readings({ soft: [200, 4, 900], hard: [50, 1, 0] })],
  ['X18', 'less repetition at the same ROUGE', 'holds', () => summaries(0.02, 0.8, 0.2, 0.79)],
  ['X18', 'less repetition at the price of ROUGE', 'holds under conditions', () => summaries(0.02, 0.5, 0.2, 0.8)],
  ['X18', 'more repetition and less ROUGE', 'does not hold', () => summaries(0.3, 0.5, 0.2, 0.8)],
  ['X20', 'the same order for all sources', 'holds', () => sources([[0.5, 0.8, 1], [0.5, 0.8, 1], [0.5, 1, 1]])],
  ['X20', 'another order for one source', 'holds under conditions', () => sources([[0.5, 0.8, 1], [0.9, 0.5, 0.5], [0.5, 0.8, 1]])],
  ['X20', 'another order for all', 'does not hold', () => sources([[1, 0.8, 0.5], [1, 0.8, 0.5], [1, 0.8, 0.5]])],
  ['X21', 'chance without positions, all others right', 'holds', () => positions(0.5, 0.99)],
  ['X21', 'right without positions too', 'holds under conditions', () => positions(0.99, 0.99)],
  ['X21', 'right without positions only', 'does not hold', () => positions(0.99, 0.5)],
  ['X22', 'all kinds fall', 'holds', () => lengths(() => [0.98, 0.5, 0.3])],
  ['X22', 'all but one fall', 'holds under conditions', () => lengths(arm => (arm === 'local-m' ? [0.98, 0.97, 0.96] : [0.98, 0.5, 0.3]))],
  ['X22', 'nobody falls', 'does not hold', () => lengths(() => [0.98, 0.98, 0.98])],
  ['X22', 'nobody learned anything', 'does not hold', () => lengths(() => [0.3, 0.1, 0.1])],
] // biome-ignore format: a table

function scores(additive: number, others: number, slow: number, fast: number): Row[] {
  return ['additive', 'dot', 'scaled dot', 'general'].flatMap(arm =>
    rows(arm, {
      4: { tokens: arm === 'additive' ? additive : others, ms: 1, flops: 1 },
      256: { ms: arm === 'additive' ? slow : fast, flops: 1 },
    }),
  )
}

function readings({
  soft,
  hard,
}: Readonly<Record<'soft' | 'hard', readonly [number, number, number]>>): Row[] {
  // biome-ignore format: one line
  return ['soft', 'hard, REINFORCE', 'hard, Gumbel'].flatMap(arm => {
    const [steps, seconds, macs] = arm === 'soft' ? soft : hard
    return rows(arm, { 80: { steps, seconds, macs, accuracy: 1 } })
  })
}

function summaries(withLoss: number, rougeWith: number, without: number, rougeWithout: number): Row[] {
  const at = (three: number, rougeL: number) => ({ 4800: { three, rougeL } })
  return [
    ...rows('without coverage', at(without, rougeWithout)),
    ...rows('coverage, no loss', at(without, rougeWithout)),
    ...rows('coverage and its loss', at(withLoss, rougeWith)),
    ...rows('the reference', at(0.01, 1)),
  ]
}

function sources(of: readonly (readonly number[])[]): Row[] {
  return ['last', 'mean', 'attention'].flatMap((arm, r) =>
    rows(arm, Object.fromEntries(of.map((accuracies, x) => [x, { accuracy: accuracies[r] as number }]))),
  )
}

function positions(none: number, others: number): Row[] {
  const arms = byId('X21').arms(byId('X21').settings(true))
  return arms.flatMap(arm => {
    const accuracy = arm === 'none' ? none : others
    return rows(arm, { 16: { accuracy }, 32: { accuracy } })
  })
}

function lengths(of: (arm: string) => readonly number[]): Row[] {
  const arms = byId('X22').arms(byId('X22').settings(true))
  return arms.flatMap(arm => {
    const [one, two, four] = of(arm) as [number, number, number]
    return rows(arm, Object.fromEntries([[10, one], [15, one], [20, two], [30, two], [40, four]].map(([x, tokens]) => [x, { tokens: tokens as number }]))) // biome-ignore format: one line
  })
}

describe('a judge', () => {
  it.each(CASES)('of %s, told of %s, says: %s', (id, _, verdict, made) => {
    const experiment = byId(id)
    const settings = { ...(experiment.settings(true) as object), ...(id === 'X9' ? { sizes: [4], timed: [4, 256] } : {}) } // biome-ignore format: one line
    const judgement = experiment.judge(new Results(made()), settings)
    expect(judgement.verdict).toBe(verdict)
    expect(judgement.because).toMatch(/\d/)
    expect(judgement.because).not.toMatch(/NaN|undefined/)
  })
})

/** So little of everything that an arm takes a second. */
const TINY: Readonly<Record<string, object>> = {
  X9: { sizes: [8], timed: [8], lines: 64, tests: 8, repeats: 3 },
  X11: { lengths: [6], lines: 64, tests: 16, every: 1, goal: 2 },
  X18: { lines: 64, tests: 4, hidden: 8, embedding: 8, looks: [32, 64] },
  X20: { lines: 64, tests: 16, hidden: 8, length: 12, texts: 200, size: 8 },
  X21: { lines: 64, tests: 16, length: 6, embedding: 8 },
  X22: { lines: 64, tests: 4, hidden: 8 },
}

describe('a measurement', () => {
  it.each(Object.keys(TINY))(
    'of %s gives every arm a finite number of every measure it promises',
    async id => {
      const experiment = byId(id)
      const settings = { ...(experiment.settings(true) as object), ...TINY[id] }
      const { signal } = new AbortController()
      const keys = new Set(experiment.measures.map(({ key }) => key))
      const given = new Set<string>()
      for (const arm of experiment.arms(settings)) {
        const found = await scope(() => experiment.measure(arm, { settings, seed: 1, signal }))
        expect(found.length).toBeGreaterThan(0)
        for (const [key, value] of found.flatMap(({ values }) => Object.entries(values))) {
          expect([arm, key, keys.has(key), Number.isFinite(value)]).toEqual([arm, key, true, true])
          given.add(key)
        }
      }
      expect(given).toEqual(keys)
    },
  )

  it('of X18 begins again with the same bits', async () => {
    const experiment = byId('X18')
    const settings = { ...(experiment.settings(true) as object), ...TINY.X18 }
    const trial = { settings, seed: 3, signal: new AbortController().signal }
    const once = () => scope(() => experiment.measure('coverage and its loss', trial))
    expect(await once()).toEqual(await once())
  })

  it('that is told to stop stops', async () => {
    const stop = new AbortController()
    stop.abort()
    const experiment = byId('X21')
    const settings = { ...(experiment.settings(true) as object), ...TINY.X21 }
    await expect(scope(() => experiment.measure('none', { settings, seed: 1, signal: stop.signal }))).rejects.toThrow('stopped') // biome-ignore format: one line
  })
})
