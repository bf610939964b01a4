import { ConfigError } from '@heed/core-tensor'
import { describe, expect, it } from 'vitest'
import {
  DATE_LOCALES,
  type DateLine,
  dates,
  dateTable,
  examples,
  foldDate,
  graphemes,
  icuVersion,
  isoDate,
} from '../src/index.ts'

const seed = 1
const train = examples(dates({ seed, split: 'train', size: 20_000 }))
const heldOut = (['validation', 'test'] as const).map(split => examples(dates({ seed, split, size: 6_000 })))

const daysOf = (lines: readonly DateLine[]): Set<string> =>
  new Set(lines.flatMap(line => line.target.split(' ')))

describe('dates', () => {
  it('gives each line as many ISO dates as it says, from 1950 to 2049', () => {
    for (const { target, dates } of train) {
      expect(target).toMatch(/^(19[5-9]|20[0-4])\d-\d\d-\d\d( (19[5-9]|20[0-4])\d-\d\d-\d\d)*$/)
      expect(target.split(' ')).toHaveLength(dates)
    }
  })

  it('shows the years of the target in the source, in this order and nothing else of four digits', () => {
    for (const { source, target } of train) {
      const years = target.split(' ').map(date => date.slice(0, 4))
      expect(source.match(/\d{3,}/g)).toEqual(years)
    }
  })

  it('has lines of one, two and three dates in equal parts, of all 28 locales and all 9 forms', () => {
    for (const wanted of [1, 2, 3])
      expect(train.filter(line => line.dates === wanted).length / train.length).toBeCloseTo(1 / 3, 3)
    expect(new Set(train.map(line => line.locale))).toEqual(new Set(DATE_LOCALES))
    expect(DATE_LOCALES).toHaveLength(28)
    expect(new Set(train.map(line => line.form)).size).toBe(9)
  })

  it('has no date of the test or validation lines in a training line, in any language', () => {
    const [validation, test] = heldOut.map(daysOf) as [Set<string>, Set<string>]
    const trained = daysOf(train)
    expect([test.size > 3000, validation.size > 3000, trained.size > 20_000]).toEqual([true, true, true])
    expect([...test].filter(day => trained.has(day) || validation.has(day))).toEqual([])
    expect([...validation].filter(day => trained.has(day))).toEqual([])
  })

  it('never asks the same question with two answers', () => {
    const answers = new Map<string, string>()
    for (const { source, target } of [train, ...heldOut].flat()) {
      const question = foldDate(source)
      expect(answers.get(question) ?? target).toBe(target)
      answers.set(question, target)
    }
  })

  it('is the same for the same seed, whatever the order of asking, and another for another', () => {
    const again = dates({ seed, split: 'train', size: 20_000 })
    expect([again.at(77), again.at(3), again.at(77)]).toEqual([train[77], train[3], train[77]])
    const other = examples(dates({ seed: 2, split: 'train', size: 100 }))
    expect(other.filter((line, i) => line.target === train[i]?.target).length).toBeLessThan(5)
  })

  it('reads from right to left in Hebrew and Arabic and holds no marks but those of the engine', () => {
    for (const { locale, direction, source } of train) {
      expect(direction).toBe(locale === 'he' || locale === 'ar' ? 'rtl' : 'ltr')
      if (locale !== 'ar') expect(source).not.toMatch(/[\u200e\u200f\u2066-\u2069]/)
    }
  })

  it('keeps to the locales, forms and numbers of dates that were asked for', () => {
    const lines = examples(
      dates({
        seed,
        split: 'test',
        size: 50,
        locales: ['fr', 'ja'],
        forms: ['long'],
        minDates: 2,
        maxDates: 5,
      }),
    )
    expect(new Set(lines.map(line => `${line.locale} ${line.form}`))).toEqual(new Set(['fr long', 'ja long']))
    expect(new Set(lines.map(line => line.dates))).toEqual(new Set([2, 3, 4, 5]))
    expect(lines.find(line => line.locale === 'ja')?.source).toMatch(/^\d{4}年\d{1,2}月\d{1,2}日/)
  })

  it('has a card that tells the version of the language data', () => {
    const { card } = dates({ seed, split: 'test', size: 10 })
    expect(card.sizes).toEqual({ lines: 10, days: 3653, locales: 28, writers: 252 })
    expect(card.source).toContain(icuVersion())
  })

  it('has few enough different characters, and short enough lines, to be learned quickly', () => {
    const { encode } = graphemes()
    const tokens = train.map(line => encode(line.source))
    expect(new Set(tokens.flat()).size).toBeLessThan(600)
    expect(Math.max(...tokens.map(line => line.length))).toBeLessThan(160)
  })

  it.each([
    [{ locales: ['de', 'tlh', 'x'] }, /no language data for tlh, x .*full ICU/],
    [{ forms: ['long', 'iso'] }, /unknown form iso; choose from full, long/],
    [{ locales: [] }, /no locale/],
    [{ minDates: 2, maxDates: 1 }, /2 to 1 dates/],
    [{ size: 0 }, /size must be a whole number from 1, got 0/],
    [{ split: 'dev' as 'test' }, /unknown split dev/],
  ])('refuses %j in one clear line', (wrong, message) => {
    const make = () => dates({ seed, split: 'test', size: 10, ...wrong })
    expect(make).toThrow(ConfigError)
    expect(make).toThrow(message)
  })

  it('says which numbers there are when asked for another', () => {
    expect(() => dates({ seed, split: 'test', size: 10 }).at(10)).toThrow('dates: index 10 is outside 0 to 9')
  })
})

describe('the table of dates', () => {
  const clear = (locale: string, form: string, date: string): boolean | undefined => {
    const day = Math.round((Date.parse(date) - Date.parse('1950-01-01')) / 86_400_000)
    return dateTable()
      .writers.find(writer => writer.locale === locale && writer.form === form)
      ?.isClear(day)
  }

  it('drops day and month in figures where they could be exchanged, and only there', () => {
    expect(clear('en-US', 'padded', '2024-03-04')).toBe(false)
    expect(clear('en-GB', 'padded', '2024-04-03')).toBe(false)
    expect(clear('en-US', 'padded', '2024-03-13')).toBe(true)
    expect(clear('en-GB', 'padded', '2024-03-03')).toBe(true)
    expect(clear('sv', 'padded', '2024-03-04')).toBe(true)
    expect(clear('de', 'padded', '2024-03-04')).toBe(true)
  })

  it('drops what only leading zeros, spaces, case or invisible marks tell apart', () => {
    expect(foldDate('03\u200f/09\u200f/2024')).toBe(foldDate('3/9/2024'))
    expect(foldDate('3\u202fMÄR\u00a02000')).toBe('3 mär 2000')
    expect(clear('ar', 'numeric', '2024-03-04')).toBe(false)
  })

  it('drops what only the calendar tells apart: 5/9 and 9/5 fall on the same weekday every year', () => {
    expect(clear('en-US', 'weekdayNumeric', '2022-05-09')).toBe(false)
    expect(clear('en-US', 'weekdayNumeric', '2022-05-23')).toBe(true)
  })

  it('keeps every locale in every form on this engine, and names what is ambiguous', () => {
    const { writers, refused, ambiguous } = dateTable()
    expect(refused).toEqual([])
    expect(writers).toHaveLength(28 * 9)
    expect(ambiguous).toContain('3/4/#')
    expect(ambiguous.length).toBeGreaterThan(66)
  })

  it('counts days from the first of January 1950', () => {
    expect([isoDate(0), isoDate(59), isoDate(36_524)]).toEqual(['1950-01-01', '1950-03-01', '2049-12-31'])
  })

  it('tells the version of the Unicode data, or that it is unknown', () => {
    expect(icuVersion()).toMatch(/^(\d+(\.\d+)*|unknown)$/)
  })
})
