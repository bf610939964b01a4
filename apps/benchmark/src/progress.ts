import type { StepCost } from './obey.ts'
import type { Place } from './participants.ts'
import type { Cell } from './plan.ts'
import type { Row } from './results.ts'

/** Where a run stands, and for how long it may still go on. */
export function progressLine({
  cell,
  done,
  total,
  elapsedMs,
  leftMs,
}: {
  readonly cell: Cell
  readonly done: number
  readonly total: number
  readonly elapsedMs: number
  readonly leftMs: number
}): string {
  const rest = done > 1 ? Math.min(leftMs, (elapsedMs / done) * (total - done)) : undefined
  const { place, workload, variant, threads } = cell
  const left = rest === undefined ? '' : `, about ${duration(rest)} left`
  return `[${done + 1}/${total}${left}] ${workload.name}/${variant.name}, ${place === 'gpu' ? 'on a GPU' : `${threadWord(threads)}${placeWord(place)}`}`
}

/** Nothing for Node, where all is measured unless somebody asks for another place. */
export function placeWord(place: Place): string {
  if (place === 'gpu') return ', on a GPU'
  return place === 'node' ? '' : ', in Chromium'
}

export function duration(ms: number): string {
  const seconds = Math.round(ms / 1000)
  return seconds < 90 ? `${seconds} s` : `${Math.round(seconds / 60)} min`
}

export function threadWord(threads: number): string {
  return threads === 1 ? '1 thread' : `${threads} threads`
}

/** A time in the unit that suits it. */
export function time(ms: number): string {
  if (ms >= 999.5) return `${(ms / 1000).toPrecision(3)} s`
  if (ms >= 1) return `${ms.toPrecision(3)} ms`
  return ms >= 0.001 ? `${(ms * 1000).toPrecision(3)} µs` : `${(ms * 1e6).toPrecision(3)} ns`
}

/** `12 launches in 1 submission, 4.0 KB up, 4 bytes down`: of one step. */
export function costWords({ launches, submissions, uploaded, downloaded }: StepCost): string {
  const count = (x: number, one: string, many: string): string =>
    `${Number(x.toFixed(1))} ${x.toFixed(1) === '1.0' ? one : many}`
  const handed = submissions === undefined ? '' : ` in ${count(submissions, 'submission', 'submissions')}`
  return `${count(launches, 'launch', 'launches')}${handed}, ${bytes(uploaded)} up, ${bytes(downloaded)} down`
}

function bytes(count: number): string {
  if (count >= 2 ** 20) return `${(count / 2 ** 20).toFixed(1)} MB`
  return count >= 2 ** 10 ? `${(count / 2 ** 10).toFixed(1)} KB` : `${Number(count.toFixed(1))} bytes`
}

/** A row in one line: `gemm/512, 1 thread: heed 4.94 ms, torch 2.6 ms, ratio 0.53`. */
export function rowLine(row: Row): string {
  const heed = row.engine === 'stock' ? 'heed' : `heed (${row.engine})`
  const cost = row.heedCost ? ` (${costWords(row.heedCost)})` : ''
  const where = row.place === 'gpu' ? 'on a GPU' : `${threadWord(row.threads)}${placeWord(row.place)}`
  const head = `${row.workload}/${row.variant}, ${where}: ${heed} ${time(row.heedMs)}${cost}`
  const peer =
    row.peer && row.peerMs && row.ratio
      ? `, ${row.peer} ${time(row.peerMs)}, ratio ${row.ratio.toFixed(2)}`
      : ''
  const doubts = [...(row.disturbed ? ['disturbed'] : []), ...(row.capped ? ['cut short'] : [])]
  return `${head}${peer}${doubts.length ? ` (${doubts.join(', ')})` : ''}`
}
