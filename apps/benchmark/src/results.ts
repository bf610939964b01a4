import { z } from 'zod'
import type { StepCost } from './obey.ts'
import { type Engine, engines, type PeerName, type Place, peerNames, places } from './participants.ts'

/** Resident memory after a number of steps. */
export interface MemoryPoint {
  readonly step: number
  readonly mb: number
}

/** The GPU that computed. */
export interface Adapter {
  /** As it names itself. */
  readonly name: string
  readonly driver: string
  /** Whether it is a program that computes on the processor: ratios hold for it alone, and times for nothing. */
  readonly software: boolean
}

/** One peer beside Heed on one piece of work. */
export interface Row {
  /** Where Heed and the peer computed. */
  readonly place: Place
  readonly workload: string
  readonly variant: string
  readonly threads: number
  readonly engine: Engine
  /** Null where Heed was measured alone. */
  readonly peer: PeerName | null
  /** Median milliseconds of one call. */
  readonly heedMs: number
  readonly peerMs: number | null
  /** The peer's time over Heed's: above 1, Heed is faster. */
  readonly ratio: number | null
  /** Whether other processes got in the way: then the figures are not to be trusted. */
  readonly disturbed: boolean
  readonly heedMinMs: number
  readonly peerMinMs: number | null
  /** From the lower to the upper quartile, as a share of the median. */
  readonly heedSpread: number
  readonly peerSpread: number | null
  /** How many steps were timed. */
  readonly heedRuns: number
  readonly peerRuns: number | null
  /** The most memory that the process had resident; in Chromium the sum over its processes. */
  readonly heedPeakMB: number
  readonly peerPeakMB: number | null
  /** Resident memory on the way, for the workload about memory. */
  readonly heedMemory?: readonly MemoryPoint[] | undefined
  readonly peerMemory?: readonly MemoryPoint[] | undefined
  /** What a step of Heed's asked of the GPU. */
  readonly heedCost?: StepCost | undefined
  /** Whether a time limit cut the measurement short: fewer repetitions than wanted. */
  readonly capped: boolean
}

/** What could not be measured, and why. */
export interface Gap {
  readonly workload: string
  readonly variant: string
  readonly threads: number
  readonly participant: string
  readonly reason: string
}

export interface Machine {
  readonly processor: string
  readonly cores: number
  readonly memoryGB: number
  readonly system: string
}

/** Everything one run found out: the file of `--json`. */
export interface Results {
  readonly machine: Machine
  readonly node: string
  /** Given if a GPU was measured. */
  readonly adapter?: Adapter | undefined
  /** ISO 8601. */
  readonly began: string
  readonly seconds: number
  /** Who was measured: versions and builds. */
  readonly participants: Readonly<Record<string, string>>
  readonly rows: readonly Row[]
  readonly gaps: readonly Gap[]
}

const count = z.int().positive()
const ms = z.number().positive()
const share = z.number().nonnegative()
const memory = z.array(z.strictObject({ step: count, mb: share })).optional()

/** The shape of that file, checked before it is written and when it is read. */
export const resultsSchema: z.ZodType<Results> = z.strictObject({
  machine: z.strictObject({
    processor: z.string(),
    cores: count,
    memoryGB: z.number(),
    system: z.string(),
  }),
  node: z.string(),
  adapter: z.strictObject({ name: z.string(), driver: z.string(), software: z.boolean() }).optional(),
  began: z.iso.datetime(),
  seconds: share,
  participants: z.record(z.string(), z.string()),
  rows: z.array(
    z.strictObject({
      place: z.enum(places),
      workload: z.string(),
      variant: z.string(),
      threads: count,
      engine: z.enum(engines),
      peer: z.enum(peerNames).nullable(),
      heedMs: ms,
      peerMs: ms.nullable(),
      ratio: ms.nullable(),
      disturbed: z.boolean(),
      heedMinMs: ms,
      peerMinMs: ms.nullable(),
      heedSpread: share,
      peerSpread: share.nullable(),
      heedRuns: count,
      peerRuns: count.nullable(),
      heedPeakMB: share,
      peerPeakMB: share.nullable(),
      heedMemory: memory,
      peerMemory: memory,
      heedCost: z
        .strictObject({
          launches: share,
          submissions: share.optional(),
          uploaded: share,
          downloaded: share,
        })
        .optional(),
      capped: z.boolean(),
    }),
  ),
  gaps: z.array(
    z.strictObject({
      workload: z.string(),
      variant: z.string(),
      threads: count,
      participant: z.string(),
      reason: z.string(),
    }),
  ),
})
