import type { StepCost } from './obey.ts'
import type { Engine, PeerName } from './participants.ts'

/** What a JavaScript participant is started with. */
export interface ChildSpec {
  readonly peer: 'heed' | PeerName
  readonly engine?: Engine
  readonly workload: string
  readonly variant: string
  readonly threads: number
  /** Where the inputs are, for `readValues`. */
  readonly data: string
  /** Given for participants in Chromium. */
  readonly pages?: Pages | undefined
}

/** What a page of Chromium is made of. */
export interface Pages {
  /** The folder of what esbuild bundled: Heed with all workloads, and each peer. */
  readonly folder: string
  /** The browser's program. */
  readonly chromium: string
  /** How the browser is started if pages compute on a GPU. */
  readonly gpuFlags?: readonly string[]
}

/** What a participant is asked. */
export type Ask =
  /** Do so many steps and write what they gave. */
  | { readonly do: 'result'; readonly steps: number; readonly into: string }
  /** Do steps until the milliseconds are over, at least one and `most` at most. */
  | { readonly do: 'measure'; readonly ms: number; readonly most: number }

export interface Burst {
  /** Milliseconds of each step, or of a step on average where several had to be timed at once. */
  readonly times: readonly number[]
  /** Processor time of the whole process meanwhile; in Chromium of all its processes. */
  readonly cpuMs: number
  readonly wallMs: number
  /** What a step asked of a GPU, for those who count it. */
  readonly cost?: StepCost | undefined
  /** The most memory that was resident so far. */
  readonly peakMB: number
  /** What is resident now. */
  readonly residentMB: number
}

export type Answer =
  | { readonly opened: true; readonly about: string }
  | { readonly done: true }
  | Burst
  | { readonly error: string }
