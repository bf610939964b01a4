import type { StepCost } from '../obey.ts'
import type { NamedValues } from '../values.ts'

/** A library with one variant prepared. */
export interface Runner {
  /** Its version and how it computes. */
  readonly about: string
  /** Does the work once and lets go of what it made. */
  run(): void | Promise<void>
  /** Does the work once and hands out what it made. */
  result(): Promise<NamedValues>
  /** What all of its work so far asked of a GPU, if it counts that. */
  spent?(): StepCost
}
