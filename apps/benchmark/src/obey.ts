import type { Runner } from './peers/runner.ts'
import type { Answer, Ask } from './protocol.ts'
import type { NamedValues } from './values.ts'

/** What a step asks of a GPU, on average. */
export interface StepCost {
  /** Kernels launched. */
  readonly launches: number
  /** Times that launches were handed over, many at once; absent where each goes alone. */
  readonly submissions?: number | undefined
  /** Bytes that went to the device. */
  readonly uploaded: number
  /** Bytes that came back from it. */
  readonly downloaded: number
}

/** Times of steps, by the clock of whoever did them. */
export interface Timing {
  /** Milliseconds of each step, or of a step on average where several had to be timed at once. */
  readonly times: readonly number[]
  readonly wallMs: number
  readonly cost?: StepCost
}

/** What a participant's processes have used. */
export interface Usage {
  /** Processor time so far. */
  readonly cpuMs: number
  /** The most memory that was resident so far. */
  readonly peakMB: number
  /** What is resident now. */
  readonly residentMB: number
}

/** A prepared participant, in this process or in a page. */
export interface Participating {
  readonly about: string
  /** Does so many steps and writes what they gave, for `readValues`. */
  result(steps: number, into: string): Promise<void>
  time(ms: number, most: number): Promise<Timing>
  usage(): Usage
}

/** Does what is asked. */
export async function obey(one: Participating, ask: Ask): Promise<Answer> {
  switch (ask.do) {
    case 'result':
      await one.result(ask.steps, ask.into)
      return { done: true }
    case 'measure': {
      const before = one.usage()
      const timing = await one.time(ask.ms, ask.most)
      const after = one.usage()
      return { ...timing, ...after, cpuMs: after.cpuMs - before.cpuMs }
    }
  }
}

/** What so many steps give; names are numbered if there are several steps. */
export async function resultOf(runner: Runner, steps: number): Promise<NamedValues> {
  const made: [string, NamedValues[string]][] = []
  for (let i = 1; i <= steps; i++)
    for (const [name, values] of Object.entries(await runner.result()))
      made.push([steps === 1 ? name : `${name} ${i}`, values])
  return Object.fromEntries(made)
}

/** Ticks of a clock that make a time: its error is half a percent at most. */
const TICKS = 200

/**
 * Does steps until the milliseconds are over, at least one and `most` at most.
 *
 * Steps that are too short for the clock are timed several at once, twice as many until they are long enough.
 */
export async function timesOf(runner: Runner, ms: number, most: number, tickMs: number): Promise<Timing> {
  const times: number[] = []
  const before = runner.spent?.()
  const began = performance.now()
  let [now, done, group] = [began, 0, 1]
  while (done < most && (times.length === 0 || now - began < ms)) {
    const steps = Math.min(group, most - done)
    const start = performance.now()
    for (let i = 0; i < steps; i++) {
      const waiting = runner.run()
      if (waiting) await waiting
    }
    now = performance.now()
    done += steps
    if (now - start < TICKS * tickMs && done < most) group *= 2
    else times.push((now - start) / steps)
  }
  const after = runner.spent?.()
  return { times, wallMs: now - began, ...(before && after ? { cost: perStep(before, after, done) } : {}) }
}

function perStep(before: StepCost, after: StepCost, steps: number): StepCost {
  const mean = (from: number, to: number): number => (to - from) / steps
  return {
    launches: mean(before.launches, after.launches),
    ...(before.submissions !== undefined && after.submissions !== undefined
      ? { submissions: mean(before.submissions, after.submissions) }
      : {}),
    uploaded: mean(before.uploaded, after.uploaded),
    downloaded: mean(before.downloaded, after.downloaded),
  }
}

/** Milliseconds between two times that this clock can tell apart: browsers make it coarse on purpose. */
export function clockTick(now: () => number = () => performance.now()): number {
  let tick = Number.POSITIVE_INFINITY
  for (let i = 0; i < 20; i++) {
    const start = now()
    let next = now()
    while (next === start) next = now()
    tick = Math.min(tick, next - start)
  }
  return tick
}
