import { readFileSync } from 'node:fs'
import { cpus } from 'node:os'
import type { Place } from './participants.ts'

/** What the machine's cores have done so far, in milliseconds. */
export interface CoreTimes {
  /** Of all processes together. */
  readonly busy: number
  /** Taken away by the machine below this one, if this one is virtual. */
  readonly stolen: number
  /** On the clock. */
  readonly at: number
}

export function coreTimes(): CoreTimes {
  const busy = cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0)
  return { busy, stolen: stolen(), at: performance.now() }
}

/** Linux alone tells; in hundredths of a second on every machine we know. */
function stolen(): number {
  try {
    const [total = ''] = readFileSync('/proc/stat', 'utf8').split('\n')
    return 10 * Number(total.trim().split(/\s+/)[8] ?? 0)
  } catch {
    return 0
  }
}

/** What one stretch of measuring went through. */
export interface Stretch {
  readonly before: CoreTimes
  readonly after: CoreTimes
  /** Milliseconds of processor time that our own processes used meanwhile. */
  readonly own: number
}

/** How many cores others kept busy, and how many were stolen. */
export function foreignCores({ before, after, own }: Stretch): number {
  const wall = after.at - before.at
  return (Math.max(0, after.busy - before.busy - own) + (after.stolen - before.stolen)) / wall
}

/**
 * Cores of foreign load from which a figure is not to be trusted.
 *
 * Core times are counted in steps of 10 ms, 0.04 cores of a stretch of 250 ms, and an idle desktop uses about 0.05.
 */
export const DISTURBED_FROM = 0.2

/**
 * Whether others got in the way of a measured process.
 *
 * Others must have kept a fifth of a core busy; or the process, which computes all the time unless a GPU does, got less than nine
 * tenths of one core.
 */
export function isDisturbed(
  stretch: Stretch,
  process: { readonly cpuMs: number; readonly wallMs: number },
  place: Place = 'node',
): boolean {
  return foreignCores(stretch) >= DISTURBED_FROM || (place !== 'gpu' && process.cpuMs < 0.9 * process.wallMs)
}
