import { type CurveSeries, curve } from '@heed/viz'
import { peerNames } from '../participants.ts'
import type { MemoryPoint, Results, Row } from '../results.ts'
import { fitGrowth } from '../statistics.ts'
import type { Along, Workload } from '../workload.ts'

interface Point {
  readonly x: number
  readonly y: number
}

/** A line with the exponent of its growth in its name; nothing where there are too few points. */
function fitted(name: string, points: readonly Point[]): CurveSeries[] {
  const sorted = [...points].sort((a, b) => a.x - b.x)
  if (sorted.length < 2) return []
  const { exponent } = fitGrowth(sorted)
  return [{ name: `${name} ∝ x^${exponent.toFixed(2)}`, points: sorted }]
}

/** How cost grows with length, width, size and batch: one chart of each kind of the workloads, in the fewest threads measured. */
export function growthCharts({ rows }: Results, workloads: readonly Workload[]): string[] {
  const threads = Math.min(...rows.map(row => row.threads))
  const points = workloads.flatMap(({ name, variants }) =>
    variants.flatMap(({ name: variant, along }) => {
      const own = rows.filter(
        row => row.workload === name && row.variant === variant && row.threads === threads,
      )
      return along ? own.map(row => ({ along, row })) : []
    }),
  )
  const charts = [...new Map(points.map(({ along }) => [along.chart, along])).values()]
  return charts.flatMap(({ chart, axis }) => {
    const own = points.filter(({ along }) => along.chart === chart)
    return draw(`${chart}: time`, axis, 'ms', linesOf(own, heedTime, peerTime)).concat(
      axis === 'length'
        ? draw(`${chart}: peak memory`, axis, 'MB', linesOf(own, heedMemory, peerMemory))
        : [],
    )
  })
}

/** Whether Heed computed as it does unless it is told. */
const isUsual = ({ engine }: Row): boolean => engine === 'stock' || engine === 'webgpu'

const heedTime = (row: Row): number => row.heedMs
const peerTime = (row: Row): number | null => row.peerMs
const heedMemory = (row: Row): number => row.heedPeakMB
const peerMemory = (row: Row): number | null => row.peerPeakMB

function linesOf(
  own: readonly { readonly along: Along; readonly row: Row }[],
  ours: (row: Row) => number,
  theirs: (row: Row) => number | null,
): CurveSeries[] {
  const heed = new Map(own.filter(({ row }) => isUsual(row)).map(({ along, row }) => [along.at, ours(row)]))
  const lines = fitted(
    'heed',
    [...heed].map(([x, y]) => ({ x, y })),
  )
  for (const peer of peerNames) {
    const points = own.flatMap(({ along, row }) => {
      const y = row.peer === peer && isUsual(row) ? theirs(row) : null
      return y ? [{ x: along.at, y }] : []
    })
    lines.push(...fitted(peer, points))
  }
  return lines
}

/** Heed's time by the number of threads: one line a workload. */
export function threadChart({ rows }: Results): string[] {
  const keys = [...new Set(rows.map(row => `${row.workload}/${row.variant}`))]
  const series = keys.flatMap(key => {
    const own = rows.filter(row => `${row.workload}/${row.variant}` === key && isUsual(row))
    const points = new Map(own.map(row => [row.threads, row.heedMs]))
    return points.size > 1
      ? fitted(
          key,
          [...points].map(([x, y]) => ({ x, y })),
        )
      : []
  })
  // More lines than colours are told apart by nobody.
  const charts: string[] = []
  for (let i = 0; i < series.length; i += 6)
    charts.push(...draw(`Heed by threads${i ? ', continued' : ''}`, 'threads', 'ms', series.slice(i, i + 6)))
  return charts
}

/** Resident memory on the way of many steps. */
export function memoryCharts({ rows }: Results): string[] {
  const keys = [...new Set(rows.filter(row => row.heedMemory).map(row => row.variant))]
  return keys.flatMap(key => {
    const own = rows.filter(row => row.variant === key && row.heedMemory && row.engine === 'stock')
    const line = (name: string, memory: readonly MemoryPoint[] = []): CurveSeries[] =>
      memory.length ? [{ name, points: memory.map(({ step, mb }) => ({ x: step, y: mb })) }] : []
    const series = [
      ...line('heed', own[0]?.heedMemory),
      ...own.flatMap(row => (row.peer ? line(row.peer, row.peerMemory) : [])),
    ]
    return series.length
      ? [curve(series, { title: `Resident memory, ${key}`, xLabel: 'training step', yLabel: 'MB' })]
      : []
  })
}

function draw(title: string, xLabel: string, yLabel: string, series: readonly CurveSeries[]): string[] {
  return series.length ? [curve(series, { title, xLabel, yLabel, log: 'both', height: 380 })] : []
}
