/** What the numbers say of a claim. */
export type Verdict = 'holds' | 'holds under conditions' | 'does not hold'

/** One measurement of an arm: at a place `x`, numbers by name. */
export interface Measurement {
  readonly x: number
  readonly values: Readonly<Record<string, number>>
}

/** A measurement, and what it belongs to. */
export interface Row extends Measurement {
  readonly arm: string
  readonly seed: number
}

/** A quantity that is measured. */
export interface Measure {
  readonly key: string
  readonly title: string
  readonly unit: string
  /** Shares are shown in percent. */
  readonly share?: boolean
  readonly log?: 'x' | 'y' | 'both'
}

/** What a measurement is given. */
export interface Trial<Settings> {
  readonly settings: Settings
  readonly seed: number
  readonly signal: AbortSignal
}

/** What a judge says: the verdict and the numbers that decided it. */
export interface Judgement {
  readonly verdict: Verdict
  readonly because: string
}

/** A picture that an experiment adds to its page. */
export interface ExperimentPicture {
  readonly caption: string
  readonly svg: string
}

/** What an experiment has to show beside its numbers. */
export interface Shown {
  /** On its page. */
  readonly pictures: readonly ExperimentPicture[]
  /** Pages of their own, whole HTML documents, by file name. */
  readonly pages?: Readonly<Record<string, string>>
}

/** One experiment: a claim, what is compared, what is measured, and the rule that decides. All settings are plain JSON. */
export interface Experiment<Settings = unknown> {
  readonly id: string
  readonly title: string
  /** What the texts say. */
  readonly claim: string
  /** How it is put to the test, and where this departs from the claim. */
  readonly setup: string
  /** The rule of the verdict, written down before the numbers. */
  readonly rule: string
  settings(quick: boolean): Settings
  /** How often everything is repeated unless the user says; 5, and 3 for a quick look. */
  seeds?(quick: boolean): number
  arms(settings: Settings): readonly string[]
  readonly measures: readonly Measure[]
  readonly xLabel: string
  /** Names of places that are no quantities. */
  readonly places?: readonly string[]
  measure(arm: string, trial: Trial<Settings>): Promise<readonly Measurement[]>
  judge(results: Results, settings: Settings): Judgement
  /** Pictures and pages of the first seed. */
  show?(trial: Trial<Settings>): Promise<Shown>
}

/** The mean of some seeds, and Student's 95 % interval; a single seed has none. */
export interface Estimate {
  readonly mean: number
  readonly low: number
  readonly high: number
  readonly seeds: number
}

/** All measurements of an experiment, to be asked. */
export class Results {
  readonly rows: readonly Row[]

  constructor(rows: readonly Row[]) {
    this.rows = rows
  }

  /** The places an arm was measured at, ascending; of all arms without one. */
  places(arm?: string): number[] {
    const found = this.rows.filter(row => arm === undefined || row.arm === arm).map(({ x }) => x)
    return [...new Set(found)].sort((a, b) => a - b)
  }

  /** An arm at a place; undefined where it was not measured. */
  at(arm: string, x: number, measure: string): Estimate | undefined {
    const values = this.#values(arm, x, measure).map(([, value]) => value)
    return values.length ? estimate(values) : undefined
  }

  /** The mean of an arm at a place, NaN where it was not measured. */
  mean(arm: string, x: number, measure: string): number {
    return this.at(arm, x, measure)?.mean ?? Number.NaN
  }

  /** How much more one arm has than another at a place, seed by seed. */
  difference(arm: string, other: string, x: number, measure: string): Estimate | undefined {
    const others = new Map(this.#values(other, x, measure))
    const gaps = this.#values(arm, x, measure).flatMap(([seed, value]) => {
      const against = others.get(seed)
      return against === undefined ? [] : [value - against]
    })
    return gaps.length ? estimate(gaps) : undefined
  }

  #values(arm: string, x: number, measure: string): [seed: number, value: number][] {
    return this.rows.flatMap((row): [number, number][] => {
      const value = row.values[measure]
      return row.arm === arm && row.x === x && value !== undefined ? [[row.seed, value]] : []
    })
  }
}

/** Student's t for 95 %, by degrees of freedom from 1. */
const STUDENT = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131] // biome-ignore format: a table

/** Mean and 95 % interval of values that are independent of each other. */
export function estimate(values: readonly number[]): Estimate {
  const n = values.length
  const mean = values.reduce((a, b) => a + b, 0) / n
  if (n < 2) return { mean, low: mean, high: mean, seeds: n }
  const variance = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (n - 1)
  const half = (STUDENT[n - 2] ?? 1.96) * Math.sqrt(variance / n)
  return { mean, low: mean - half, high: mean + half, seeds: n }
}

/** `holds` if all are met, `does not hold` if none is, else `holds under conditions`. */
export function decide(met: readonly boolean[]): Verdict {
  if (met.every(Boolean)) return 'holds'
  return met.some(Boolean) ? 'holds under conditions' : 'does not hold'
}
