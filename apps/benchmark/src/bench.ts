import { mkdtempSync, rmSync } from 'node:fs'
import { cpus, release, tmpdir, totalmem, type } from 'node:os'
import { join } from 'node:path'
import { type CellResult, gapOf, measureCell, PACE, type Pace } from './cell.ts'
import { type CellContext, type Note, openSides } from './open.ts'
import type { Participant, PeerName, Place } from './participants.ts'
import type { Cell } from './plan.ts'
import { progressLine } from './progress.ts'
import type { Pages } from './protocol.ts'
import type { Adapter, Gap, Machine, Results, Row } from './results.ts'
import { measureSpecial } from './special.ts'

export interface BenchOptions {
  readonly place: Place
  readonly cells: readonly Cell[]
  /** Given if a GPU is measured. */
  readonly adapter?: Adapter | undefined
  /** A Python that imports torch. */
  readonly python?: string | undefined
  /** When the run must end, on the clock of `performance.now()`. */
  readonly deadline: number
  readonly signal: AbortSignal
  /** A line about the run, for people who wait. */
  readonly say: (line: string) => void
  /** What was measured, as it comes. */
  readonly found: (row: Row) => void
}

/** Measures cell after cell until all are done, the time is over, or somebody stops it. */
export async function bench(options: BenchOptions): Promise<Results> {
  const { place, adapter, deadline, signal, say, found } = options
  const began = performance.now()
  const started = new Date().toISOString()
  const participants: Record<string, string> = {}
  const rows: Row[] = []
  const gaps: Gap[] = []
  const folder = mkdtempSync(join(tmpdir(), 'heed-bench-'))
  let wideFailed = false
  try {
    const { cells, pages } =
      place !== 'node' ? await withPages(options, folder, gaps) : { cells: options.cells }
    for (const [i, cell] of cells.entries()) {
      if (signal.aborted) break
      const left = deadline - performance.now()
      const subject = { workload: cell.workload.name, variant: cell.variant.name, threads: cell.threads }
      if (left < 5000) {
        gaps.push(gapOf(subject, 'all', 'not measured: the time of this run was over'))
        continue
      }
      say(
        progressLine({
          cell,
          done: i,
          total: cells.length,
          elapsedMs: performance.now() - began,
          leftMs: left,
        }),
      )
      const taking = cell.participants.filter(
        one => !(wideFailed && one.kind === 'heed' && one.engine === 'wide'),
      )
      const context: CellContext = {
        cell: { ...cell, participants: taking },
        folder,
        capMs: Math.min(cell.variant.longMs ?? PACE.capMs, left),
        python: options.python,
        pages,
        signal,
      }
      const note: Note = about => Object.assign(participants, about)
      // What is left of the time is shared out, so that a busy machine does not keep the last cells from their turn.
      const cellMs = left / (cells.length - i)
      const made = await (cell.variant.kind
        ? measureSpecial(context, note)
        : measureVariant(context, { ...PACE, cellMs: Math.min(PACE.cellMs, cellMs) }, note))
      if (signal.aborted && made.rows.length === 0) break // its gaps are those of the stop
      rows.push(...made.rows)
      if (place === 'gpu')
        made.gaps.push(...cell.unable.map(peer => gapOf(subject, peer, WHY_UNABLE[peer] ?? 'has no version')))
      gaps.push(...made.gaps)
      for (const row of made.rows) found(row)
      for (const { participant, reason } of made.gaps) {
        wideFailed ||= participant === 'heed (wide)' && reason.startsWith('no wide SIMD')
        say(`  ${participant}: ${reason}`)
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 }) // Chromium may still be ending
  }
  const seconds = Math.round((performance.now() - began) / 1000)
  return {
    machine: describeMachine(),
    node: process.version,
    ...(adapter ? { adapter } : {}),
    began: started,
    seconds,
    participants,
    rows,
    gaps,
  }
}

const WHY_UNABLE: Readonly<Partial<Record<PeerName, string>>> = {
  'ort-webgpu': 'only infers: it has no gradients',
}

/** Bundles what pages run; a peer that cannot be bundled leaves its cells, and a gap says why. */
async function withPages(
  { place, cells, say }: BenchOptions,
  folder: string,
  gaps: Gap[],
): Promise<{ cells: readonly Cell[]; pages: Pages }> {
  const peers = new Set(
    cells.flatMap(cell => cell.participants.flatMap(one => (one.kind === 'peer' ? [one.peer] : []))),
  )
  const { bundlePages } = await import('./chromium/bundle.ts')
  const { GPU_FLAGS } = await import('./chromium/adapter.ts')
  const { pages, failed } = await bundlePages(join(folder, 'pages'), [...peers])
  for (const [peer, reason] of failed) {
    say(`${peer}: ${reason}`)
    gaps.push(gapOf({ workload: 'all', variant: 'all', threads: 1 }, peer, reason))
  }
  const bundled = (one: Participant): boolean => one.kind === 'heed' || !failed.has(one.peer)
  return {
    cells: cells.map(cell => ({ ...cell, participants: cell.participants.filter(bundled) })),
    pages: { ...pages, ...(place === 'gpu' ? { gpuFlags: GPU_FLAGS } : {}) },
  }
}

/** Opens all sides of a cell, on the same data, and lets them take turns. */
async function measureVariant(context: CellContext, pace: Pace, note: Note): Promise<CellResult> {
  const { cell, signal } = context
  const subject = {
    place: cell.place,
    workload: cell.workload.name,
    variant: cell.variant.name,
    threads: cell.threads,
    tolerance: cell.variant.tolerance,
    calls: cell.variant.calls ?? 1,
    compared: cell.variant.compared ?? 1,
  }
  const { sides, failed } = await openSides(context, note)
  try {
    const { rows, gaps } = await measureCell(subject, sides, pace, signal)
    return { rows, gaps: [...failed, ...gaps] }
  } finally {
    for (const side of sides) side.close()
  }
}

export function describeMachine(): Machine {
  return {
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryGB: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release()}`,
  }
}
