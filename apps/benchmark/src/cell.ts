import { disagreement, emptiness } from './agreement.ts'
import { coreTimes, isDisturbed, type Stretch } from './disturbance.ts'
import type { StepCost } from './obey.ts'
import { nameOf, type Place } from './participants.ts'
import type { Burst } from './protocol.ts'
import type { Gap, Row } from './results.ts'
import { Capped, type Side } from './side.ts'
import { quantile, type Summary, summarize } from './statistics.ts'
import type { NamedValues } from './values.ts'

/** How long and how often is measured. */
export interface Pace {
  /** Milliseconds of a turn before anything counts. */
  readonly warmUpMs: number
  /** Such turns at most: none follows two that were no faster. Engines compile while they run. */
  readonly warmUps: number
  /** Milliseconds of one participant's turn. */
  readonly burstMs: number
  /** Steady turns that are wanted of each. */
  readonly turns: number
  /** Turns of each at most: those that were disturbed, or slower than others, are repeated. */
  readonly mostTurns: number
  /** Milliseconds of the whole cell from which no disturbed turn is repeated. */
  readonly cellMs: number
  /** Milliseconds that one participant may be at work, from its start on. */
  readonly capMs: number
  /** Milliseconds between turns, in which the last one's threads come to rest. */
  readonly restMs: number
}

export const PACE: Pace = {
  warmUpMs: 400,
  warmUps: 8,
  burstMs: 250,
  turns: 5,
  mostTurns: 12,
  cellMs: 60_000,
  capMs: 60_000,
  restMs: 25,
}

/** What a cell is about. */
export interface CellSubject {
  readonly place: Place
  readonly workload: string
  readonly variant: string
  readonly threads: number
  readonly tolerance: number
  readonly calls: number
  readonly compared: number
}

/** One side's turns so far. */
interface Turns {
  readonly side: Side
  /** Milliseconds that it has been at work. */
  spent: number
  /** Times of each turn in which nothing seemed to disturb. */
  readonly quiet: (readonly number[])[]
  /** All times of the other turns. */
  readonly loud: number[]
  turns: number
  /** Milliseconds of its last turn. */
  lastMs: number
  peakMB: number
  cost: StepCost | undefined
  capped: boolean
}

/** What a side's turns come to. */
export interface Measured extends Summary {
  readonly side: Side
  readonly disturbed: boolean
  readonly capped: boolean
  readonly peakMB: number
  readonly cost?: StepCost | undefined
}

export interface CellResult {
  readonly rows: Row[]
  readonly gaps: Gap[]
}

/**
 * Measures one variant with all its participants: their results are compared, then they take turns.
 *
 * The first side is Heed, which all others are compared with; sides that fail or disagree become gaps.
 */
export async function measureCell(
  subject: CellSubject,
  opened: readonly Side[],
  pace: Pace = PACE,
  signal?: AbortSignal,
): Promise<CellResult> {
  const gaps: Gap[] = []
  const drop = (side: Side, reason: string): void => {
    gaps.push(gapOf(subject, nameOf(side.participant), reason))
    side.close()
  }
  const agreed = await agreeing(subject, opened, drop)
  const turns = agreed.map(
    ({ side, resultMs }): Turns => ({
      side,
      spent: resultMs,
      quiet: [],
      loud: [],
      turns: 0,
      lastMs: resultMs / subject.compared,
      peakMB: 0,
      cost: undefined,
      capped: false,
    }),
  )
  await takeTurns(turns, subject.place, pace, drop, signal)
  const measured = turns.flatMap(one => summarized(one, subject.calls, pace))
  return { rows: rowsOf(subject, measured), gaps }
}

/** The sides that compute what Heed computes; the first one must be Heed. */
async function agreeing(
  { compared, tolerance }: CellSubject,
  sides: readonly Side[],
  drop: (side: Side, reason: string) => void,
): Promise<{ side: Side; resultMs: number }[]> {
  const agreed: { side: Side; resultMs: number }[] = []
  let ours: NamedValues | undefined
  for (const side of sides) {
    try {
      const began = performance.now()
      const made = await side.result(compared)
      const resultMs = performance.now() - began
      const problem = emptiness(made) || (ours ? disagreement(ours, made, tolerance) : '')
      if (problem) drop(side, `not timed: ${problem}`)
      else {
        ours ??= made
        agreed.push({ side, resultMs })
      }
    } catch (error) {
      drop(side, reasonOf(error))
    }
    if (!ours) {
      for (const rest of sides.slice(1)) drop(rest, 'Heed itself gave nothing to compare with')
      return []
    }
  }
  return agreed
}

/** A turn's best time is faster if it is below this share of the best before. */
const STILL_FALLING = 0.95

async function takeTurns(
  all: readonly Turns[],
  place: Place,
  pace: Pace,
  drop: (side: Side, reason: string) => void,
  signal?: AbortSignal,
): Promise<void> {
  const out = new Set<Turns>()
  const turn = async (one: Turns, ms: number): Promise<{ burst: Burst; stretch: Stretch } | undefined> => {
    try {
      const ours = process.cpuUsage()
      const before = coreTimes()
      const burst = await one.side.measure(ms, 20_000)
      const after = coreTimes()
      const used = process.cpuUsage(ours)
      one.lastMs = after.at - before.at
      one.spent += after.at - before.at
      one.peakMB = burst.peakMB
      one.cost = burst.cost
      const own = burst.cpuMs + (used.user + used.system) / 1000
      return { burst, stretch: { before, after, own } }
    } catch (error) {
      out.add(one)
      if (error instanceof Capped && one.turns > 0) one.capped = true
      else drop(one.side, reasonOf(error))
      return undefined
    }
  }
  const began = performance.now()
  // Work of more than a second was warmed up by its first result.
  for (const one of all) {
    let best = Number.POSITIVE_INFINITY
    let steady = 0 // turns in a row that were no faster
    for (let i = 0; i < pace.warmUps && steady < 2 && one.lastMs < 1000 && !signal?.aborted; i++) {
      const made = await turn(one, pace.warmUpMs)
      if (!made) break
      const fastest = Math.min(...made.burst.times)
      if (fastest < STILL_FALLING * best) steady = 0
      else steady++
      best = Math.min(best, fastest)
    }
  }
  for (let round = 0; round < pace.mostTurns && !signal?.aborted; round++) {
    for (const one of all) {
      const patient = one.turns < turnsWanted(one, pace) || performance.now() - began < pace.cellMs
      const done = steadyTurns(one).length >= turnsWanted(one, pace) || !patient
      if (out.has(one) || done || signal?.aborted) continue
      if (one.spent + one.lastMs > pace.capMs && one.turns > 0) {
        one.capped = true
        continue
      }
      await new Promise(resolve => setTimeout(resolve, pace.restMs))
      const made = await turn(one, pace.burstMs)
      if (!made) continue
      one.turns++
      if (isDisturbed(made.stretch, made.burst, place)) one.loud.push(...made.burst.times)
      else one.quiet.push(made.burst.times)
    }
  }
}

/** Slow work gets fewer turns: a step of 2 s three, of 8 s two. */
function turnsWanted({ lastMs }: Turns, { turns }: Pace): number {
  if (lastMs > 8000) return Math.min(turns, 2)
  return lastMs > 2000 ? Math.min(turns, 3) : turns
}

/** How much slower than a participant's best turn another one may be. */
const STEADY = 1.15

/**
 * The quiet turns that took about as long as the best of them. Whoever shares a core with this machine from outside makes
 * all that runs on it up to 1.6 times slower, for seconds at a time, and nothing inside shows it.
 */
function steadyTurns({ quiet }: Turns): (readonly number[])[] {
  const medians = quiet.map(times => quantile(times, 0.5))
  const best = Math.min(...medians)
  return quiet.filter((_, i) => (medians[i] as number) <= STEADY * best)
}

/** Steady turns alone count if there are two of them or more; else all count, and the row says that it was disturbed. */
function summarized(one: Turns, calls: number, pace: Pace): Measured[] {
  const { side, quiet, loud, capped, peakMB, cost } = one
  const steady = steadyTurns(one)
  const disturbed = steady.length < Math.min(2, turnsWanted(one, pace))
  const times = disturbed ? [...quiet.flat(), ...loud] : steady.flat()
  if (times.length === 0) return []
  return [{ ...summarize(times.map(ms => ms / calls)), side, disturbed, capped, peakMB, cost }]
}

/** A row for each engine and peer; Heed alone where no peer is left. */
export function rowsOf(subject: CellSubject, measured: readonly Measured[]): Row[] {
  const peers = measured.filter(one => one.side.participant.kind === 'peer')
  return measured.flatMap(heed =>
    heed.side.participant.kind === 'heed'
      ? (peers.length ? peers : [undefined]).map(peer => rowOf(subject, heed, peer))
      : [],
  )
}

function rowOf({ place, workload, variant, threads }: CellSubject, heed: Measured, peer?: Measured): Row {
  const { participant } = heed.side
  const other = peer?.side.participant
  return {
    place,
    workload,
    variant,
    threads,
    engine: participant.kind === 'heed' ? participant.engine : 'stock',
    peer: other?.kind === 'peer' ? other.peer : null,
    heedMs: heed.median,
    peerMs: peer?.median ?? null,
    ratio: peer ? peer.median / heed.median : null,
    disturbed: heed.disturbed || (peer?.disturbed ?? false),
    heedMinMs: heed.min,
    peerMinMs: peer?.min ?? null,
    heedSpread: heed.spread,
    peerSpread: peer?.spread ?? null,
    heedRuns: heed.count,
    peerRuns: peer?.count ?? null,
    ...(heed.cost ? { heedCost: heed.cost } : {}),
    heedPeakMB: heed.peakMB,
    peerPeakMB: peer?.peakMB ?? null,
    capped: heed.capped || (peer?.capped ?? false),
  }
}

export function gapOf(
  { workload, variant, threads }: Pick<CellSubject, 'workload' | 'variant' | 'threads'>,
  participant: string,
  reason: string,
): Gap {
  return { workload, variant, threads, participant, reason }
}

export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
