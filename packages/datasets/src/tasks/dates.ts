import { ConfigError, Rng } from '@heed/core-tensor'
import { type Dataset, generated, type Split, type TextPair } from '../dataset.ts'
import { DATE_DAYS, DATE_FORMS, type DateTableOptions, dateTable, icuVersion, isoDate } from './dateTable.ts'

/** A line of dates as people write them, and the same dates in ISO form. */
export interface DateLine extends TextPair {
  /** How many dates the line holds. */
  readonly dates: number
  readonly locale: string
  /** A name of {@link DATE_FORMS}. */
  readonly form: string
  /** How `source` is read; it holds no direction marks of ours. */
  readonly direction: 'ltr' | 'rtl'
}

/** Settings of {@link dates}, plain JSON. */
export interface DatesOptions extends DateTableOptions {
  readonly seed: number
  readonly split: Split
  /** Number of lines. */
  readonly size: number
  /** The fewest dates of a line; 1 unless given. */
  readonly minDates?: number
  /** The most dates of a line; 3 unless given. */
  readonly maxDates?: number
}

/**
 * Dates as people write them, to be written as ISO dates: `'3 mars 2024 et 17 mai 1998'` → `'2024-03-03 1998-05-17'`.
 *
 * A line holds dates of one locale and form, joined as that language joins a list. One, two and three dates come in
 * equal parts. Every text means one date only ({@link dateTable}). A day between 1950 and 2049 belongs to one split,
 * for all languages: 80 % of the days are for training, 10 % each for validation and test. Seed and number of a line
 * decide on its days, locale and form; the text comes from the engine's language data, so it differs in details
 * between engines ({@link icuVersion}).
 *
 * @example
 * const train = dates({ seed: 1, split: 'train', size: 30_000 })
 * train.at(0).target // '1987-11-02'
 *
 * @throws ConfigError if the engine lacks a locale, a form is unknown, or a number makes no sense
 */
export function dates(options: DatesOptions): Dataset<DateLine> {
  const { seed, split, size, locales, forms, minDates = 1, maxDates = 3 } = options
  if (!Number.isInteger(minDates) || !Number.isInteger(maxDates) || minDates < 1 || maxDates < minDates)
    throw new ConfigError(
      `dates: a line of ${minDates} to ${maxDates} dates makes no sense; use for example minDates 1, maxDates 3`,
    )
  const { writers, refused } = dateTable({ ...(locales && { locales }), ...(forms && { forms }) })
  if (!writers.length)
    throw new ConfigError(
      `dates: no form shows its year in four digits once: ${refused.map(r => r.text).join(' | ')}; choose others`,
    )
  const days = daysOf(seed, split)
  const lines = new Rng(seed).split('lines').split(split)
  const card = {
    name: 'dates',
    task: 'read dates as people write them in many languages, write ISO dates',
    source: `generated from the language data of the engine, ICU ${icuVersion()}`,
    licence: 'Unicode-3.0 (the language data of CLDR); no text is stored here',
    sizes: {
      lines: size,
      days: days.length,
      locales: new Set(writers.map(w => w.locale)).size,
      writers: writers.length,
    },
  }
  return generated(card, size, index => {
    const rng = lines.split(index)
    const count = minDates + (index % (maxDates - minDates + 1))
    const { locale, form, direction, ...writer } = rng.pick(writers)
    const chosen = Array.from({ length: count }, () => clearDay(rng, days, writer.isClear))
    return {
      source: writer.join(chosen.map(writer.render)),
      target: chosen.map(isoDate).join(' '),
      dates: count,
      locale,
      form,
      direction,
    }
  })
}

/** The days of a split: the same for every language, and no day in two splits. */
function daysOf(seed: number, split: Split): Uint32Array {
  const order = new Rng(seed).split('days').permutation(DATE_DAYS)
  const part = Math.round(DATE_DAYS / 10)
  switch (split) {
    case 'test':
      return order.subarray(0, part)
    case 'validation':
      return order.subarray(part, 2 * part)
    case 'train':
      return order.subarray(2 * part)
    default:
      throw new ConfigError(`dates: unknown split ${String(split)}; use train, validation or test`)
  }
}

/** A day of the split whose text means one date only; at least every second one does, whatever the form. */
function clearDay(rng: Rng, days: Uint32Array, isClear: (day: number) => boolean): number {
  for (let tries = 0; tries < 1000; tries++) {
    const day = days[rng.int(days.length)] as number
    if (isClear(day)) return day
  }
  throw new Error('internal: a form of dates with hardly a clear day')
}
