import type { Place } from './place.ts'
import type { OptionsOf, ProgressOf, Reply, Request, ResultOf, TaskName } from './protocol.ts'

interface Call {
  readonly progress: ((progress: unknown) => void) | undefined
  readonly resolve: (result: unknown) => void
  readonly reject: (error: Error) => void
}

/** A task under way. */
export interface Running<Name extends TaskName> {
  readonly done: Promise<ResultOf<Name>>
  /** Ends it after the step under way; what it yields then says so itself. */
  stop(): void
}

/** A worker that runs Heed, made when first asked for something. */
export class HeedWorker {
  #worker: Worker | undefined
  readonly #calls = new Map<number, Call>()
  readonly #onBuild: (build: string) => void
  readonly #place: () => Place
  #next = 0

  /** @param place where to compute, asked whenever a worker starts */
  constructor(onBuild: (build: string) => void, place: () => Place) {
    this.#onBuild = onBuild
    this.#place = place
  }

  run<Name extends TaskName>(
    task: Name,
    options: OptionsOf<Name>,
    onProgress?: (progress: ProgressOf<Name>) => void,
  ): Running<Name> {
    const id = this.#next++
    const worker = this.#started()
    const done = new Promise<ResultOf<Name>>((resolve, reject) => {
      this.#calls.set(id, {
        progress: onProgress as ((progress: unknown) => void) | undefined,
        resolve: resolve as (result: unknown) => void,
        reject,
      })
    })
    const send = (request: Request): void => worker.postMessage(request)
    send({ kind: 'run', id, task, options: JSON.parse(JSON.stringify(options)) }) // reactive objects cannot be cloned
    return { done, stop: () => send({ kind: 'stop', id }) }
  }

  /** Ends the worker and everything in it. Calls under way never come back. */
  dispose(): void {
    this.#worker?.terminate()
    this.#worker = undefined
    this.#calls.clear()
  }

  #started(): Worker {
    if (this.#worker) return this.#worker
    const worker = new Worker(new URL('./heed.worker.ts', import.meta.url), { type: 'module', name: 'heed' })
    worker.addEventListener('message', ({ data }: MessageEvent<Reply>) => this.#receive(data))
    worker.addEventListener('error', event => {
      for (const call of this.#calls.values())
        call.reject(new Error(event.message || 'the worker could not be loaded; reload the page'))
      this.dispose()
    })
    this.#worker = worker
    const begin: Request = { kind: 'begin', place: this.#place() }
    worker.postMessage(begin)
    return worker
  }

  #receive(reply: Reply): void {
    if (reply.kind === 'ready') {
      this.#onBuild(reply.build)
      return
    }
    const call = this.#calls.get(reply.id)
    if (reply.kind === 'progress') {
      call?.progress?.(reply.progress)
      return
    }
    this.#calls.delete(reply.id)
    if (reply.kind === 'done') call?.resolve(reply.result)
    else call?.reject(new Error(reply.message))
  }
}
