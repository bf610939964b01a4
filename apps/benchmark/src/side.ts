import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { nameOf, type Participant } from './participants.ts'
import { childScript, torchScript } from './places.ts'
import type { Answer, Ask, Burst, ChildSpec, Pages } from './protocol.ts'
import { readValues } from './valueFiles.ts'
import type { NamedValues } from './values.ts'

/** One participant of a cell: a library in a process of its own, or whatever a test puts in its place. */
export interface Side {
  readonly participant: Participant
  /** Version and build, once it is open. */
  readonly about: string
  result(steps: number): Promise<NamedValues>
  measure(ms: number, most: number): Promise<Burst>
  close(): void
}

/** A participant that took longer than its cell may take. */
export class Capped extends Error {
  override readonly name: string = 'Capped'
}

/** A participant that failed: what it said last. */
export class SideFailed extends Error {
  override readonly name: string = 'SideFailed'
}

export interface SideOptions {
  readonly participant: Participant
  readonly workload: string
  readonly variant: string
  readonly threads: number
  /** Where inputs are, and results go. */
  readonly folder: string
  /** Milliseconds that it may be at work in all, before what it still does is given up. */
  readonly capMs: number
  /** Ends it at once. */
  readonly signal?: AbortSignal | undefined
  readonly torch?: { readonly python: string; readonly code: string } | undefined
  /** Given if it computes in a page of Chromium. */
  readonly pages?: Pages | undefined
}

/** Starts a participant in a process of its own. @throws SideFailed, Capped */
export async function openSide(options: SideOptions): Promise<Side> {
  const process_ = new SideProcess(options)
  try {
    const { about } = (await process_.next()) as { about: string } // the first answer
    return {
      participant: options.participant,
      about,
      async result(steps) {
        const into = join(options.folder, `out-${nameOf(options.participant).replaceAll(/\W+/g, '-')}`)
        await process_.ask({ do: 'result', steps, into })
        return readValues(into)
      },
      measure: async (ms, most) => (await process_.ask({ do: 'measure', ms, most })) as Burst,
      close: () => process_.end(),
    }
  } catch (error) {
    process_.end()
    throw error
  }
}

/** Questions and answers over pipes, one at a time, until the time is over. */
class SideProcess {
  readonly #child: ChildProcess
  readonly #name: string
  /** Milliseconds that it may still use: waiting for its turn costs nothing. */
  #left: number
  readonly #capMs: number
  #stderr = ''
  #waiting: { resolve(answer: Answer): void; reject(error: Error): void } | undefined
  #over: Error | undefined
  readonly #signal: AbortSignal | undefined
  readonly #stop = (): void => this.end()

  constructor(options: SideOptions) {
    this.#name = nameOf(options.participant)
    this.#capMs = options.capMs
    this.#left = options.capMs
    this.#signal = options.signal
    this.#signal?.addEventListener('abort', this.#stop)
    const { command, args, env } = commandOf(options)
    this.#child = spawn(command, args, { env, stdio: ['pipe', 'ignore', 'pipe', 'pipe'] })
    this.#child.stdin?.on('error', () => {}) // it ended; `close` says why
    this.#child.stderr?.on('data', chunk => {
      this.#stderr = `${this.#stderr}${chunk}`.slice(-4000)
    })
    createInterface({ input: this.#child.stdio[3] as Readable }).on('line', line => {
      const answer = JSON.parse(line) as Answer
      const waiting = this.#waiting
      this.#waiting = undefined
      if ('error' in answer) waiting?.reject(new SideFailed(answer.error))
      else waiting?.resolve(answer)
    })
    this.#child.on('error', error => this.#fail(new SideFailed(`cannot start: ${error.message}`)))
    this.#child.on('close', (code, signal) => this.#fail(new SideFailed(this.#lastWords(code, signal))))
  }

  #fail(error: Error): void {
    this.#over ??= error
    this.#waiting?.reject(this.#over)
    this.#waiting = undefined
  }

  #lastWords(code: number | null, signal: string | null): string {
    const told = this.#stderr.split('\n').find(line => /error|memory|abort/i.test(line)) ?? ''
    return `ended with ${signal ?? `code ${code}`}${told && `: ${told.trim().slice(0, 200)}`}`
  }

  async ask(what: Ask): Promise<Answer> {
    const answer = this.next()
    this.#child.stdin?.write(`${JSON.stringify(what)}\n`)
    return await answer
  }

  /** The next answer, or what went wrong. */
  next(): Promise<Answer> {
    const asked = performance.now()
    const timer = setTimeout(() => {
      this.#fail(new Capped(`${this.#name}: took more than ${Math.round(this.#capMs / 1000)} s`))
      this.end()
    }, this.#left)
    return new Promise<Answer>((resolve, reject) => {
      if (this.#over) reject(this.#over)
      else this.#waiting = { resolve, reject }
    }).finally(() => {
      clearTimeout(timer)
      this.#left = Math.max(0, this.#left - (performance.now() - asked))
    })
  }

  end(): void {
    this.#signal?.removeEventListener('abort', this.#stop)
    this.#fail(new SideFailed(`${this.#name}: was ended`))
    this.#child.kill('SIGKILL')
  }
}

function commandOf({ participant, workload, variant, threads, folder, torch, pages }: SideOptions): {
  command: string
  args: string[]
  env: NodeJS.ProcessEnv
} {
  const data = join(folder, 'inputs')
  if (participant.kind === 'peer' && participant.peer === 'torch') {
    if (!torch) throw new SideFailed('no Python that imports torch')
    const spec = { threads, data, code: torch.code }
    return {
      command: torch.python,
      args: [torchScript, JSON.stringify(spec)],
      env: torchEnvironment(threads),
    }
  }
  const spec: ChildSpec = {
    ...(participant.kind === 'heed'
      ? { peer: 'heed', engine: participant.engine }
      : { peer: participant.peer }),
    workload,
    variant,
    threads,
    data,
    pages,
  }
  // Chromium leaves its profile behind when it is killed: so in a folder that the run removes.
  const env = pages ? { ...process.env, TMPDIR: pages.folder } : process.env
  return { command: process.execPath, args: [childScript, JSON.stringify(spec)], env }
}

/**
 * PyTorch at its best: as many threads in every pool, held to their cores if there are several, and memory that malloc keeps
 * (by default glibc hands large blocks back after each step, which doubles the time of attention).
 */
export function torchEnvironment(threads: number): NodeJS.ProcessEnv {
  return {
    ...process.env,
    OMP_NUM_THREADS: String(threads),
    OPENBLAS_NUM_THREADS: String(threads),
    MKL_NUM_THREADS: String(threads),
    ...(threads > 1 ? { OMP_PROC_BIND: 'true' } : {}),
    MALLOC_MMAP_THRESHOLD_: '2000000000',
    MALLOC_TRIM_THRESHOLD_: '4000000000',
    PYTHONDONTWRITEBYTECODE: '1',
  }
}
