import type { NamedValues } from '../values.ts'

/** A library with one variant prepared. */
export interface Runner {
  /** Its version and how it computes. */
  readonly about: string
  /** Does the work once and lets go of what it made. */
  run(): void | Promise<void>
  /** Does the work once and hands out what it made. */
  result(): Promise<NamedValues>
}
