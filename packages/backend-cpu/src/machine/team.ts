import type { MessagePort } from 'node:worker_threads'
import { BackendError } from '@heed/core-tensor'
import type { Exports } from '../generated/exports.ts'
import { workerSource } from '../generated/workerSource.ts'
import type { Assignment, Watch } from '../worker/worker.ts'
import type { Build } from './builds.ts'

/** Threads that share the work of kernels; the first is the one that JavaScript runs on. */
export interface Team {
  /** The kernels, for the first thread. */
  readonly wasm: Exports
  /** `2 threads`, or `1 thread: ` and why. */
  readonly description: string
  dispose(): void
}

/** What both kinds of workers have in common. */
interface Worker {
  /** @param lost is told why, if it ends by itself */
  watch(lost: (why: string) => void): void
  /** Resolves when the worker has said that it is ready. */
  begin(assignment: Assignment): Promise<void>
  terminate(): void
  /** Closes when the worker has ended: in Node, where others than the team can end it. */
  readonly lifeline?: MessagePort
}

/**
 * Instantiates the kernels and starts workers. A worker never keeps a process alive; one that ends makes the job that it was
 * in the middle of fail with a BackendError within a second, or the next shared one.
 *
 * @param wanted threads in all; as many as there are cores, 8 at most, unless given
 * @throws BackendError if the workers do not start
 */
export async function assemble(
  { module }: Build,
  memory: WebAssembly.Memory,
  wanted: number | undefined,
): Promise<Team> {
  const { threads, note } = affordable(wanted)
  let loss = 'a worker has stopped in the middle of its work'
  const failed = (): never => {
    throw new BackendError(`cpu: ${loss}; make a new backend with await cpu()`)
  }
  const workers: Worker[] = []
  let watcher: Pick<Worker, 'terminate'> | undefined
  const doubt = (): void => {
    watcher ??= watchOver(workers, { memory, lossAddress: wasm.lossAddress() })
  }
  const instance = await WebAssembly.instantiate(module, { env: { memory, failed, doubt } })
  const wasm = instance.exports as unknown as Exports
  let disposed = false
  let lost = false
  const dispose = (): void => {
    disposed = true
    wasm.dismiss()
    for (const worker of workers) worker.terminate()
    watcher?.terminate()
  }
  try {
    while (workers.length < threads - 1) workers.push(hire())
    await Promise.all(workers.map((worker, i) => worker.begin({ module, memory, thread: i + 1 })))
  } catch (error) {
    dispose()
    const why = error instanceof Error ? error.message : String(error)
    throw new BackendError(`cpu: its workers do not start, ${why}; use cpu({ threads: 1 })`)
  }
  for (const [i, worker] of workers.entries())
    worker.watch(why => {
      if (disposed) return
      wasm.reportLoss(i + 1)
      if (!lost) loss = `worker ${i + 1} of ${workers.length} ended, ${why}`
      lost = true
    })
  wasm.assemble(threads, mayWait())
  return { wasm, description: `${threads} thread${threads === 1 ? '' : 's'}${note}`, dispose }
}

/** Shared memory reaches workers everywhere but in pages that are not cross-origin isolated. */
function affordable(wanted: number | undefined): { threads: number; note: string } {
  if (globalThis.crossOriginIsolated === false)
    return { threads: 1, note: wanted === 1 ? '' : ': page is not cross-origin isolated' }
  const os = globalThis.process?.getBuiltinModule?.('node:os')
  const cores = os ? os.availableParallelism() : (globalThis.navigator?.hardwareConcurrency ?? 1)
  return { threads: wanted ?? Math.min(cores, 8), note: '' }
}

/** Whether this thread may sleep: any but the main one of a browser. */
function mayWait(): boolean {
  return globalThis.process?.versions?.node !== undefined || 'WorkerGlobalScope' in globalThis
}

/** The worker's code is a string in this package: there is no file that a bundler could lose. */
function hire(): Worker {
  const node = globalThis.process?.getBuiltinModule?.('node:worker_threads')
  if (node) {
    const worker = new node.Worker(sourceUrl(), { name: 'heed cpu', execArgv: [] })
    const { port1: lifeline, port2: end } = new node.MessageChannel()
    return {
      lifeline,
      begin: assignment =>
        new Promise((resolve, reject) => {
          const ended = (code: number): void => reject(new Error(`one ended with exit code ${code}`))
          worker.once('error', reject)
          worker.once('exit', ended)
          worker.once('message', () => {
            worker.off('error', reject)
            worker.off('exit', ended)
            worker.unref()
            resolve()
          })
          worker.postMessage({ ...assignment, lifeline: end }, [end])
        }),
      watch(lost) {
        worker.on('error', error => lost(error.message))
        worker.on('exit', code => lost(`exit code ${code}`))
      },
      terminate: () => void worker.terminate(),
    }
  }
  const url = URL.createObjectURL(new Blob([workerSource], { type: 'text/javascript' }))
  const worker = new Worker(url, { type: 'module', name: 'heed cpu' })
  return {
    begin: assignment =>
      new Promise((resolve, reject) => {
        worker.onerror = event => reject(new Error(event.message || 'the page forbids workers from blobs'))
        worker.onmessage = () => {
          URL.revokeObjectURL(url)
          resolve()
        }
        worker.postMessage(assignment)
      }),
    watch(lost) {
      worker.onerror = event => lost(event.message)
    },
    terminate: () => worker.terminate(),
  }
}

function sourceUrl(): URL {
  return new URL(`data:text/javascript,${encodeURIComponent(workerSource)}`)
}

/**
 * Starts a thread that hears of the end of workers while this one is blocked: threads start and ports close without it. In
 * browsers there is nothing to hear of: only this team has its workers, and one that fails says so itself. Where the system
 * gives no more threads nobody watches, which is no reason to stop a job.
 */
function watchOver(workers: readonly Worker[], where: Omit<Watch, 'lifelines'>): Pick<Worker, 'terminate'> {
  const node = globalThis.process?.getBuiltinModule?.('node:worker_threads')
  const lifelines = workers.flatMap(({ lifeline }) => lifeline ?? [])
  if (!node || lifelines.length === 0) return { terminate() {} }
  try {
    const watcher = new node.Worker(sourceUrl(), { name: 'heed cpu watch', execArgv: [] })
    watcher.on('error', () => {})
    watcher.postMessage({ ...where, lifelines } satisfies Watch, lifelines)
    watcher.unref()
    return { terminate: () => void watcher.terminate() }
  } catch {
    return { terminate() {} }
  }
}
