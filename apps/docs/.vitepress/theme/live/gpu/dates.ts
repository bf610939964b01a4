import type { Rng } from '@heed/core-tensor'

/** A date as people write it, and in ISO. */
export interface DatePair {
  readonly source: string
  readonly target: string
}

const two = (n: number): string => String(n).padStart(2, '0')

/** A date of a hundred years in numbers, the day first, whatever stands between: `7.3.2024`, `07/03/2024`, `7-3-2024`. */
export function datePair(rng: Rng): DatePair {
  const [year, month, day] = [1950 + rng.int(100), 1 + rng.int(12), 1 + rng.int(28)]
  const padded = rng.int(2) === 0 ? two : String
  return {
    source: [padded(day), padded(month), year].join(rng.pick(['.', '/', '-'])),
    target: `${year}-${two(month)}-${two(day)}`,
  }
}

const CHARACTERS = '0123456789./-'
/** 0 fills rows, 1 stands for what is unknown. */
export const [BEGIN, END, FIRST] = [2, 3, 4]
export const VOCABULARY: number = FIRST + CHARACTERS.length

/** @throws Error for a character that no date has */
export function idsOf(text: string): number[] {
  return [...text].map(c => {
    const at = CHARACTERS.indexOf(c)
    if (at < 0)
      throw new Error(
        `a date here has digits and one of . / - between them; ${JSON.stringify(c)} is none of these`,
      )
    return FIRST + at
  })
}

export function textOf(ids: readonly number[]): string {
  return ids.map(id => CHARACTERS[id - FIRST] ?? '').join('')
}
