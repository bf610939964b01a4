import { join } from 'node:path'
import { type CellResult, gapOf, reasonOf } from './cell.ts'
import { nameOf, type Participant } from './participants.ts'
import type { Cell } from './plan.ts'
import type { Pages } from './protocol.ts'
import { openSide, type Side } from './side.ts'
import { writeValues } from './valueFiles.ts'
import { drawFrom } from './values.ts'

/** What one cell needs to open its sides. */
export interface CellContext {
  readonly cell: Cell
  readonly folder: string
  readonly capMs: number
  readonly python?: string | undefined
  /** Given if the cell is measured in Chromium. */
  readonly pages?: Pages | undefined
  readonly signal: AbortSignal
}

/** Where the versions and builds of participants are noted. */
export type Note = (about: Readonly<Record<string, string>>) => void

/** Writes the inputs and opens every participant of a cell; nothing is timed yet, so all at once. */
export async function openSides(
  { cell, folder, capMs, python, pages, signal }: CellContext,
  note: Note,
): Promise<{ sides: Side[]; failed: CellResult['gaps'] }> {
  const { workload, variant, threads, participants } = cell
  writeValues(join(folder, 'inputs'), variant.inputs(drawFrom(workload.letter.charCodeAt(0))))
  const code = variant.peers.torch
  const open = (participant: Participant): Promise<Side> =>
    openSide({
      participant,
      workload: workload.name,
      variant: variant.name,
      threads,
      folder,
      capMs,
      signal,
      pages,
      torch: python && code ? { python, code } : undefined,
    })
  const opened = await Promise.allSettled(participants.map(open))
  const sides: Side[] = []
  const failed: CellResult['gaps'] = []
  for (const [i, one] of opened.entries()) {
    const name = nameOf(participants[i] as Participant)
    if (one.status === 'rejected') {
      failed.push(
        gapOf({ workload: workload.name, variant: variant.name, threads }, name, reasonOf(one.reason)),
      )
      continue
    }
    sides.push(one.value)
    if (threads === 1) note({ [name]: one.value.about })
  }
  return { sides, failed }
}
