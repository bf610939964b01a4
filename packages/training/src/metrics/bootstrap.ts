import { ConfigError, Rng } from '@heed/core-tensor'

export interface BootstrapOptions {
  /** How often rows are drawn anew. */
  readonly samples?: number
  /** The share of samples that the interval holds. */
  readonly level?: number
  readonly seed?: number
}

/** A number, and how far it moves when other rows of the same kind are drawn. */
export interface Interval {
  /** Of all rows as they are. */
  readonly value: number
  readonly low: number
  readonly high: number
  readonly level: number
  readonly samples: number
  readonly seed: number
}

/**
 * The percentile interval of a statistic: rows are drawn with replacement, and the statistic made of each draw.
 *
 * Efron and Tibshirani 1993, §13.3. The same seed gives the same interval on every machine.
 *
 * @param rows how many there are
 * @param statistic from numbers of rows, some more than once, to a number
 * @example
 * const counts = bleuCounts(hypotheses, references)
 * bootstrap(counts.length, rows => bleuOf(Array.from(rows, i => counts[i])).score)
 * @throws ConfigError if there are no rows, or the level is not between 0 and 1
 */
export function bootstrap(
  rows: number,
  statistic: (rows: Uint32Array) => number,
  options: BootstrapOptions = {},
): Interval {
  return interval(statistic(every(rows)), resample(rows, statistic, options), options)
}

/** The mean of numbers, with its {@link bootstrap} interval. */
export function bootstrapMean(values: ArrayLike<number>, options: BootstrapOptions = {}): Interval {
  return bootstrap(values.length, rows => meanOf(values, rows), options)
}

/** Two systems on the same rows. */
export interface PairedInterval {
  /** How much better the first is. */
  readonly difference: Interval
  /** The share of samples in which the first is not better (or, where it is worse, not worse): one-sided. */
  readonly pValue: number
}

/** The difference of two systems on the same draws of rows. Koehn 2004, §3, "Statistical significance tests for machine translation evaluation". */
export function pairedBootstrap(
  rows: number,
  first: (rows: Uint32Array) => number,
  second: (rows: Uint32Array) => number,
  options: BootstrapOptions = {},
): PairedInterval {
  const gain = (drawn: Uint32Array): number => first(drawn) - second(drawn)
  const value = gain(every(rows))
  const drawn = resample(rows, gain, options)
  const against = drawn.filter(x => (value >= 0 ? x <= 0 : x >= 0)).length
  return { difference: interval(value, drawn, options), pValue: against / drawn.length }
}

function resample(
  rows: number,
  statistic: (rows: Uint32Array) => number,
  { samples = 1000, level = 0.95, seed = 0 }: BootstrapOptions,
): number[] {
  if (!(rows > 0)) throw new ConfigError(`bootstrap: ${rows} rows; give one at least`)
  if (!(level > 0 && level < 1))
    throw new ConfigError(`bootstrap: level is ${level}; use a share between 0 and 1, such as 0.95`)
  if (!(Number.isInteger(samples) && samples > 0))
    throw new ConfigError(`bootstrap: samples is ${samples}; use a whole number, such as 1000`)
  const rng = new Rng(seed).split('bootstrap')
  const drawn = new Uint32Array(rows)
  return Array.from({ length: samples }, () => {
    for (let i = 0; i < rows; i++) drawn[i] = rng.int(rows)
    return statistic(drawn)
  })
}

function interval(
  value: number,
  drawn: readonly number[],
  { level = 0.95, samples = 1000, seed = 0 }: BootstrapOptions,
): Interval {
  const sorted = Float64Array.from(drawn).sort()
  const tail = (1 - level) / 2
  return { value, low: quantile(sorted, tail), high: quantile(sorted, 1 - tail), level, samples, seed }
}

/** Between the two nearest values, as NumPy does by default. */
function quantile(sorted: Float64Array, share: number): number {
  const at = share * (sorted.length - 1)
  const [below, above] = [sorted[Math.floor(at)] as number, sorted[Math.ceil(at)] as number]
  return below === above ? below : below + (above - below) * (at - Math.floor(at))
}

const every = (rows: number): Uint32Array => Uint32Array.from({ length: Math.max(0, rows) }, (_, i) => i)

function meanOf(values: ArrayLike<number>, rows: Uint32Array): number {
  let sum = 0
  for (const i of rows) sum += values[i] as number
  return sum / rows.length
}
