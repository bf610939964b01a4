import { ConfigError } from '@heed/core-tensor'

/** The languages that dates are written in by default: 28, in 11 scripts, two of them from right to left. */
export const DATE_LOCALES: readonly string[] =
  'en-US en-GB de fr es it pt-BR nl pl cs sv da fi tr ru uk el he ar hi th ja ko zh-CN vi id hu ro'.split(' ')

const year = 'numeric'

/** The ways to write a date, by name: arguments of `Intl.DateTimeFormat`, each with a year of four digits. */
export const DATE_FORMS: Readonly<Record<string, Intl.DateTimeFormatOptions>> = {
  full: { dateStyle: 'full' },
  long: { dateStyle: 'long' },
  medium: { dateStyle: 'medium' },
  short: { year, month: 'short', day: 'numeric' },
  numeric: { year, month: 'numeric', day: 'numeric' },
  padded: { year, month: '2-digit', day: '2-digit' },
  longPadded: { year, month: 'long', day: '2-digit' },
  weekdayShort: { year, month: 'short', day: 'numeric', weekday: 'short' },
  weekdayNumeric: { year, month: 'numeric', day: 'numeric', weekday: 'short' },
}

const FIRST_YEAR = 1950
const MS_PER_DAY = 86_400_000
const FIRST_DAY = Date.UTC(FIRST_YEAR, 0, 1) / MS_PER_DAY

/** Days that a date is drawn from, 1950-01-01 to 2049-12-31: day 0 is the first. */
export const DATE_DAYS: number = Date.UTC(FIRST_YEAR + 100, 0, 1) / MS_PER_DAY - FIRST_DAY

/** The ISO date of a day: `isoDate(0)` is `'1950-01-01'`. */
export function isoDate(day: number): string {
  return new Date((FIRST_DAY + day) * MS_PER_DAY).toISOString().slice(0, 10)
}

/** One locale with one form. */
export interface DateWriter {
  readonly locale: string
  /** A name of {@link DATE_FORMS}. */
  readonly form: string
  readonly direction: 'ltr' | 'rtl'
  /** The text of a day, as the engine writes it. */
  render(day: number): string
  /** Several dates as a list of this language: `'A, B and C'`. */
  join(texts: readonly string[]): string
  /** Whether the text of this day means no other date, in any form of the table. */
  isClear(day: number): boolean
}

/** All locales with all forms, and what had to be left out. */
export interface DateTable {
  readonly writers: readonly DateWriter[]
  /** Writers that do not show exactly one verbatim year of four digits, with an example. */
  readonly refused: readonly { readonly locale: string; readonly form: string; readonly text: string }[]
  /** Texts that can mean two dates, folded (see {@link dateTable}), their year replaced by `#`. */
  readonly ambiguous: readonly string[]
}

/** Which dates and languages a {@link dateTable} table covers. */
export interface DateTableOptions {
  readonly locales?: readonly string[]
  /** Names of {@link DATE_FORMS}. */
  readonly forms?: readonly string[]
}

/** The version of the Unicode data that writes the dates, where the engine tells (Node does); else `'unknown'`. */
export function icuVersion(): string {
  const { process } = globalThis as { process?: { versions?: { icu?: string } } }
  return process?.versions?.icu ?? 'unknown'
}

/**
 * Everyone who writes dates, one per locale and form, with the days whose text means one date only.
 *
 * Two texts count as the same if a reader could take them for the same: case, compatibility variants (NFKC), kinds of
 * space, invisible marks and leading zeros are folded. A text is dropped if, its year aside, it is written for two
 * different days of the year: `3/4/2024` and also `Mon, 5/9/2022`, where only the calendar tells May from September.
 *
 * Why this is quick: every form shows its four-digit year verbatim, exactly once, and no other number of more than two
 * digits (checked; other forms are refused), so texts of different years differ. Within a year a text depends
 * on month, day and weekday: 366 × 7 renderings cover the hundred years for a form with weekday, 366 for one without.
 *
 * @throws ConfigError if the engine has no data for a locale, or there is no form of such a name
 */
export function dateTable({
  locales = DATE_LOCALES,
  forms = Object.keys(DATE_FORMS),
}: DateTableOptions = {}): DateTable {
  const key = JSON.stringify([locales, forms])
  const known = tables.get(key)
  if (known) return known
  checkNames(locales, forms)
  const table = buildTable(locales, forms)
  tables.set(key, table)
  return table
}

/** Tables are pure functions of their options, and every split of a task needs the same one. */
const tables = /* @__PURE__ */ new Map<string, DateTable>()

function checkNames(locales: readonly string[], forms: readonly string[]): void {
  if (!locales.length || !forms.length)
    throw new ConfigError('dates: no locale or no form to write dates in; name at least one of each')
  const unknown = forms.filter(form => !Object.hasOwn(DATE_FORMS, form))
  if (unknown.length)
    throw new ConfigError(
      `dates: unknown form ${unknown.join(', ')}; choose from ${Object.keys(DATE_FORMS).join(', ')}`,
    )
  const missing = locales.filter(locale => !isSupported(locale))
  if (missing.length)
    throw new ConfigError(
      `dates: this engine has no language data for ${missing.join(', ')} (ICU ${icuVersion()}); ` +
        'install Node with full ICU (the official builds have it) or choose other locales',
    )
}

function isSupported(locale: string): boolean {
  try {
    return [Intl.DateTimeFormat, Intl.ListFormat].every(part => part.supportedLocalesOf(locale).length > 0)
  } catch {
    return false // not a language tag at all
  }
}

// Days of the year in a leap year × weekdays; a place of a table is `dayOfYear * 7 + weekday`.
const YEAR_DAYS = 366
const PLACES = YEAR_DAYS * 7

interface Calendar {
  /** The place of each day. */
  readonly placeOf: Uint16Array
  /** For each place a day that has it, and the year of that day. */
  readonly dayAt: Uint16Array
  readonly yearAt: Uint16Array
}

function makeCalendar(): Calendar {
  const placeOf = new Uint16Array(DATE_DAYS)
  const dayAt = new Uint16Array(PLACES)
  const yearAt = new Uint16Array(PLACES)
  for (let day = 0; day < DATE_DAYS; day++) {
    const date = new Date((FIRST_DAY + day) * MS_PER_DAY)
    const dayOfYear =
      (Date.UTC(2000, date.getUTCMonth(), date.getUTCDate()) - Date.UTC(2000, 0, 1)) / MS_PER_DAY
    const place = dayOfYear * 7 + date.getUTCDay()
    placeOf[day] = place
    dayAt[place] = day
    yearAt[place] = date.getUTCFullYear()
  }
  return { placeOf, dayAt, yearAt }
}

function buildTable(locales: readonly string[], forms: readonly string[]): DateTable {
  const calendar = makeCalendar()
  const meanings = new Meanings()
  const refused: { locale: string; form: string; text: string }[] = []
  const drafts = locales.flatMap(locale =>
    forms.flatMap(form => {
      const style = { ...DATE_FORMS[form], timeZone: 'UTC' }
      const format = new Intl.DateTimeFormat(`${locale}-u-ca-gregory-nu-latn`, style)
      const texts = numberTexts(format, calendar, meanings)
      if (typeof texts !== 'string') return [{ locale, form, format, texts }]
      refused.push({ locale, form, text: texts })
      return []
    }),
  )
  // Only now, when every text is known, is it known which of them are clear.
  const writers = drafts.map(({ locale, form, format, texts }) =>
    makeWriter(
      locale,
      form,
      format,
      calendar,
      Uint8Array.from(texts, text => (meanings.isClear(text) ? 1 : 0)),
    ),
  )
  return { writers, refused, ambiguous: meanings.ambiguous() }
}

function makeWriter(
  locale: string,
  form: string,
  format: Intl.DateTimeFormat,
  { placeOf }: Calendar,
  clearAt: Uint8Array,
): DateWriter {
  const list = new Intl.ListFormat(locale, { type: 'conjunction' })
  return {
    locale,
    form,
    direction: directionOf(locale),
    render: day => format.format((FIRST_DAY + day) * MS_PER_DAY),
    join: texts => list.format(texts),
    isClear: day => clearAt[placeOf[day] as number] === 1,
  }
}

/** All texts met so far, by number, and what each means. */
class Meanings {
  readonly #numberOf = new Map<string, number>()
  /** By number: the day of the year, −1 when there are two. */
  readonly #dayOfYear: number[] = []

  /** The number of a text that means this day of the year. */
  add(text: string, dayOfYear: number): number {
    const known = this.#numberOf.get(text)
    if (known === undefined) {
      this.#numberOf.set(text, this.#dayOfYear.length)
      return this.#dayOfYear.push(dayOfYear) - 1
    }
    if (this.#dayOfYear[known] !== dayOfYear) this.#dayOfYear[known] = -1
    return known
  }

  isClear(number: number): boolean {
    return this.#dayOfYear[number] !== -1
  }

  ambiguous(): string[] {
    return [...this.#numberOf].filter(([, number]) => !this.isClear(number)).map(([text]) => text)
  }
}

/** The number of the text at each place; a text itself if it does not show its year plainly. */
function numberTexts(
  format: Intl.DateTimeFormat,
  { dayAt, yearAt }: Calendar,
  meanings: Meanings,
): Int32Array | string {
  const numbers = new Int32Array(PLACES)
  const hasWeekday = format.formatToParts(0).some(({ type }) => type === 'weekday')
  for (let place = 0; place < PLACES; place += hasWeekday ? 1 : 7) {
    const text = format.format((FIRST_DAY + (dayAt[place] as number)) * MS_PER_DAY)
    const rest = withoutYear(text, yearAt[place] as number)
    if (rest === undefined) return text
    const number = meanings.add(rest, Math.floor(place / 7))
    numbers.fill(number, place, hasWeekday ? place + 1 : place + 7)
  }
  return numbers
}

/** The folded text with `#` for its year; undefined if it does not show the year once and plainly. */
function withoutYear(text: string, year: number): string | undefined {
  const rest = foldDate(text).replace(String(year), '#')
  return rest.includes('#') && !/\d{3}|\d#|#\d/.test(rest) ? rest : undefined
}

/** What a reader sees: without case, kinds of space, invisible marks, compatibility variants and leading zeros. */
export function foldDate(text: string): string {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/\p{Cf}/gu, '')
    .replace(/\s+/g, ' ')
    .replace(/(?<!\d)0(?=\d)/g, '')
}

const RIGHT_TO_LEFT = /^(Adlm|Arab|Hebr|Nkoo|Rohg|Syrc|Thaa)$/

function directionOf(locale: string): 'ltr' | 'rtl' {
  return RIGHT_TO_LEFT.test(new Intl.Locale(locale).maximize().script ?? '') ? 'rtl' : 'ltr'
}
