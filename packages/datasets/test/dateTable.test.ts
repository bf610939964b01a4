import { expect, it, vi } from 'vitest'
import { DATE_DAYS, dates, dateTable, foldDate } from '../src/index.ts'

const SLOTS = 2 ** 24

/** {@link foldDate} for single UTF-16 units, 0 where nothing is left: ten times faster than folding nine million texts. */
const FOLDED = Uint16Array.from({ length: 2 ** 16 }, (_, unit) => {
  const folded = foldDate(String.fromCharCode(unit))
  return folded.length > 1 ? unit : folded.charCodeAt(0)
})

const ZERO = 0x30
const isDigit = (unit: number): boolean => unit >= ZERO && unit <= ZERO + 9

/** 53 bits of the folded text, in two halves; that some two of ten million agree by chance has a chance of 1 in 500. */
function hash(text: string): number {
  let high = 0x811c9dc5
  let low = 0x9e3779b9
  for (let i = 0; i < text.length; i++) {
    const unit = FOLDED[text.charCodeAt(i)] as number
    const leads = unit === ZERO && !isDigit(text.charCodeAt(i - 1)) && isDigit(text.charCodeAt(i + 1))
    if (unit === 0 || leads) continue
    high = Math.imul(high ^ unit, 0x01000193)
    low = Math.imul(low + unit, 0x85ebca6b)
    low ^= low >>> 13
  }
  return (high >>> 11) * 2 ** 32 + (low >>> 0) + 1
}

it('a text that the table calls clear means one day among all days, locales and forms', {
  timeout: 240_000,
}, () => {
  const { writers } = dateTable()
  const keys = new Float64Array(SLOTS)
  const days = new Uint16Array(SLOTS) // day + 1
  const isAmbiguous = new Uint8Array(SLOTS)
  const slots = new Int32Array(writers.length * DATE_DAYS)
  for (const [w, { render }] of writers.entries()) {
    for (let day = 0; day < DATE_DAYS; day++) {
      const key = hash(render(day))
      let slot = (key >>> 0) % SLOTS
      while (keys[slot] && keys[slot] !== key) slot = (slot + 1) % SLOTS
      keys[slot] = key
      if (days[slot] && days[slot] !== day + 1) isAmbiguous[slot] = 1
      days[slot] = day + 1
      slots[w * DATE_DAYS + day] = slot
    }
  }
  let ambiguous = 0
  let dropped = 0
  const mistakes: string[] = []
  for (const [w, { render, isClear, form }] of writers.entries()) {
    const hasWeekday = ['full', 'weekdayShort', 'weekdayNumeric'].includes(form)
    for (let day = 0; day < DATE_DAYS; day++) {
      const meansTwo = isAmbiguous[slots[w * DATE_DAYS + day] as number] === 1
      if (meansTwo) ambiguous++
      if (!isClear(day)) dropped++
      if (meansTwo && isClear(day)) mistakes.push(`${render(day)} means two days`)
      // Beyond that only texts are dropped which the calendar alone could tell apart.
      if (!meansTwo && !isClear(day) && !hasWeekday) mistakes.push(`${render(day)} means one day`)
    }
  }
  expect(mistakes.slice(0, 5)).toEqual([])
  expect(ambiguous).toBeGreaterThan(100_000)
  expect(dropped).toBeLessThan(0.1 * writers.length * DATE_DAYS)
})

it('a form that does not show its year in four digits, once, is refused with an example', () => {
  // No locale is known that does so; an engine that abbreviates years, or writes them twice, stands in.
  // `format` is a getter, which TypeScript declares as a method.
  const prototype = Intl.DateTimeFormat.prototype as { readonly format: unknown }
  const format = vi.spyOn(prototype, 'format', 'get')
  try {
    format.mockReturnValue((date: number) => new Date(date).toISOString().slice(2, 10))
    const { writers, refused } = dateTable({ locales: ['cy'], forms: ['long', 'medium'] })
    expect(writers).toEqual([])
    expect(refused.map(({ locale, form }) => `${locale} ${form}`)).toEqual(['cy long', 'cy medium'])
    expect(refused[0]?.text).toMatch(/^\d\d-01-01$/)
    const options = { seed: 1, split: 'test', size: 1, locales: ['cy'], forms: ['long', 'medium'] } as const
    expect(() => dates(options)).toThrow(/no form shows its year in four digits once: \d\d-01-01 \| /)
    format.mockReturnValue((date: number) => new Date(date).toISOString().slice(0, 10).repeat(2))
    expect(dateTable({ locales: ['cy'], forms: ['full'] }).refused).toHaveLength(1)
  } finally {
    format.mockRestore()
  }
})
