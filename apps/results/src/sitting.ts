/** Somebody pressed Ctrl-C, and everything worth keeping was kept. */
export class Interrupted extends Error {
  override readonly name: string = 'Interrupted'
}

/** What a recipe is given to work with: where words go, and whether it should stop. */
export interface Sitting {
  /** The folder of the recipe's results. */
  readonly folder: string
  /** Goes on from what the folder holds. */
  readonly resume: boolean
  readonly signal: AbortSignal
  /** A line that stays. */
  say(line: string): void
  /** How far the work is; the last line of a terminal, a line now and then elsewhere. */
  progress: Progress
}

/** Work of a known size, some of it done before. */
export interface Progress {
  /** Begins to count: `done` of `total` were done in an earlier sitting. */
  begin(total: number, done?: number): void
  update(done: number, words: string): void
}

/** Writes lines to a stream: rewritten in a terminal, every twenty seconds elsewhere. */
export function progressTo(
  stream: { write(text: string): unknown; readonly isTTY?: boolean; readonly columns?: number },
  now: () => number = () => performance.now(),
): Progress {
  const every = stream.isTTY ? 250 : 20_000
  let total = 0
  let first = 0
  let began = 0
  let last = Number.NEGATIVE_INFINITY
  return {
    begin(all, done = 0) {
      total = all
      first = done
      began = now()
      last = Number.NEGATIVE_INFINITY
    },
    update(done, words) {
      const time = now()
      if (time - last < every && done < total) return
      last = time
      const made = done - first
      const left = made > 0 ? ((total - done) * (time - began)) / made / 1000 : undefined
      const line = `${((100 * done) / total).toFixed(1)} %  ${words}${left === undefined ? '' : `  ${duration(left)} left`}`
      if (!stream.isTTY) stream.write(`${line}\n`)
      else stream.write(`\r\u001b[K${line.slice(0, (stream.columns ?? 80) - 1)}${done < total ? '' : '\n'}`)
    },
  }
}

/** `1 h 02 min`, `3 min 05 s`, `12 s` */
export function duration(seconds: number): string {
  const s = Math.round(seconds)
  const two = (n: number): string => String(n).padStart(2, '0')
  if (s < 60) return `${s} s`
  return s < 3600
    ? `${Math.floor(s / 60)} min ${two(s % 60)} s`
    : `${Math.floor(s / 3600)} h ${two(Math.floor((s % 3600) / 60))} min`
}

/** Seconds of this process's processors: a pause of the process does not count. */
export function cpuSeconds(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

/** Seconds spent, on the processor and on the wall. */
export interface Spent {
  readonly cpuSeconds: number
  readonly wallSeconds: number
}

/** Counts on from what was spent before. */
export function stopwatch(before: Spent = { cpuSeconds: 0, wallSeconds: 0 }): () => Spent {
  const [cpu, wall] = [cpuSeconds(), performance.now()]
  return () => ({
    cpuSeconds: before.cpuSeconds + cpuSeconds() - cpu,
    wallSeconds: before.wallSeconds + (performance.now() - wall) / 1000,
  })
}
