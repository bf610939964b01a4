import type { Interval } from '@heed/training'
import { type CurveSeries, curve } from '@heed/viz'
import { binned } from '../lengths.ts'
import { type Rung, titles } from './models.ts'
import { bleuInterval, type PairRow } from './score.ts'

/** One rung on sentences of similar length. */
export interface LengthPoint {
  readonly rung: Rung
  readonly bin: string
  /** The mean number of source words. */
  readonly length: number
  readonly pairs: number
  readonly bleu: Interval
}

/** Where source lengths are parted, in words: of single captions, and of up to four behind each other. */
export const lengthBounds = { test: [8, 10, 12, 14, 17], long: [10, 20, 30, 40, 50] } as const

/** BLEU by the length of the source: Bahdanau et al. 2015, figure 2. */
export function bleuByLength(rung: Rung, rows: readonly PairRow[], bounds: readonly number[]): LengthPoint[] {
  return binned(rows, row => row.sourceWords, bounds).map(({ title, length, rows: within }) => ({
    rung,
    bin: title,
    length,
    pairs: within.length,
    bleu: bleuInterval(within).bleu,
  }))
}

/** The curves of all rungs, with their intervals. */
export function lengthCurve(points: readonly LengthPoint[], title: string): string {
  const rungs = [...new Set(points.map(({ rung }) => rung))]
  const series: CurveSeries[] = rungs.map(rung => ({
    name: titles[rung],
    points: points
      .filter(point => point.rung === rung)
      .map(({ length, bleu: { value, low, high } }) => ({ x: length, y: value, lower: Math.min(low, value), upper: Math.max(high, value) })), // biome-ignore format: one line
  }))
  return curve(series, { title, xLabel: 'words of the source', yLabel: 'BLEU', yRange: [0, 10] })
}
