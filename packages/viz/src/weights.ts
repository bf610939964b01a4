import { VizError } from './errors.ts'

/** Weights of one target over all sources. */
export type WeightRow = readonly number[] | Float32Array

/** Attention weights, `[query, key]`: a row for each target word, a column for each source word. */
export type Weights = readonly WeightRow[]

// What float32 rounding may add to a softmax.
const slack = 1e-3
const reported = 4

/**
 * Checks weights against the words that name their rows and columns.
 *
 * @param where the function that was called, to begin the message
 * @throws VizError naming every mismatch: a wrong number of rows or columns, a weight that is not between 0 and 1
 */
export function checkWeights(where: string, weights: Weights, rows: number, columns: number): void {
  const problems: string[] = []
  if (rows === 0 || columns === 0) problems.push(`nothing to draw, ${rows} rows and ${columns} columns`)
  if (weights.length !== rows) problems.push(`${weights.length} rows of weights for ${rows} row words`)
  weights.forEach((row, r) => {
    if (row.length !== columns)
      problems.push(`row ${r} has ${row.length} weights for ${columns} column words`)
    problems.push(...outOfRange(row).map(c => `weight [${r}, ${c}] is ${row[c]}`))
  })
  raise(where, problems)
}

/**
 * Checks one row of weights against the words it lies over.
 *
 * @throws VizError naming every mismatch
 */
export function checkRow(where: string, weights: WeightRow, words: number): void {
  const problems: string[] = []
  if (words === 0) problems.push('nothing to draw, 0 words')
  if (weights.length !== words) problems.push(`${weights.length} weights for ${words} words`)
  problems.push(...outOfRange(weights).map(c => `weight ${c} is ${weights[c]}`))
  raise(where, problems)
}

/**
 * The positions that got most weight, the heaviest first; equal weights stand in reading order.
 *
 * Weights that would print as `0.00` are left out.
 */
export function mostFocused(row: WeightRow, count: number): number[] {
  return Array.from(row, (weight, index) => ({ weight, index }))
    .filter(({ weight }) => weight >= 0.005)
    .sort((a, b) => b.weight - a.weight || a.index - b.index)
    .slice(0, count)
    .map(({ index }) => index)
}

/** A number with a fixed count of decimals; zero has no sign. */
export function fixed(value: number, digits: number): string {
  const text = value.toFixed(digits)
  return /^-0(\.0*)?$/.test(text) ? text.slice(1) : text
}

function outOfRange(row: WeightRow): number[] {
  // Written so that NaN, which compares with nothing, is out of range.
  return Array.from(row).flatMap((weight, c) => (weight >= 0 && weight <= 1 + slack ? [] : [c]))
}

function raise(where: string, problems: readonly string[]): void {
  if (problems.length === 0) return
  const more = problems.length > reported ? `, and ${problems.length - reported} more` : ''
  throw new VizError(
    `${where}: ${problems.slice(0, reported).join(', ')}${more}; give one row per target word, one weight from 0 to 1 per source word`,
  )
}
