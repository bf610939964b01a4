import type { ColorDepth } from '@heed/viz'
import { SingleBar } from 'cli-progress'

/** Where a command writes: words to stdout, progress to stderr, so that a pipe gets the words alone. */
export interface Screen {
  print(line?: string): void
  /** A bar for a number of steps; `words` stand behind it. */
  bar(title: string, total: number): Bar
  readonly color: ColorDepth
  readonly dark: boolean
  /** Columns of the terminal; 100 where there is none. */
  readonly width: number
}

export interface Bar {
  update(done: number, words: string): void
  stop(): void
}

/** The terminal, or the pipe, that this process writes to. */
export function terminal(): Screen {
  const depth = process.stdout.isTTY && !process.env.NO_COLOR ? process.stdout.getColorDepth() : 1
  return {
    print: (line = '') => void process.stdout.write(`${line}\n`),
    bar: progressBar,
    color: depth >= 24 ? 'truecolor' : depth >= 8 ? 'ansi256' : 'none',
    dark: !/;(7|15)$/.test(process.env.COLORFGBG ?? ''),
    width: Math.min(process.stdout.columns ?? 100, 120),
  }
}

function progressBar(title: string, total: number): Bar {
  const began = performance.now()
  let first: number | undefined
  const bar = new SingleBar({
    format: '{title} {bar} {percentage} %  {words}  {left}',
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: 24,
    stream: process.stderr,
    hideCursor: true,
    noTTYOutput: true,
    notTTYSchedule: 10_000,
    emptyOnZero: true,
    etaBuffer: 1,
    gracefulExit: false, // Ctrl-C is ours: it saves a checkpoint
  })
  bar.start(total, 0, { title, words: '', left: '' })
  return {
    update(done, words) {
      first ??= done
      const seconds = (performance.now() - began) / 1000
      const made = done - first
      const left = made > 0 ? duration(((total - done) * seconds) / made) : ''
      bar.update(done, { title, words, left: left && `${left} left` })
    },
    stop: () => bar.stop(),
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
