/** What a task of the worker is given beside its options. */
export interface Live<Progress = never> {
  /** Sends something to the page, and lets a wish to stop come in. */
  report(progress: Progress): Promise<void>
  /** Whether the reader has pressed stop. */
  readonly signal: AbortSignal
}

/** Whether a step of so many is one of the few at which a watched training is looked at. */
export function every(step: number, steps: number, looks: number): boolean {
  return step === steps || step % Math.max(1, Math.round(steps / looks)) === 0
}
