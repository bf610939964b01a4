import { BackendError } from '@heed/core-tensor'
import type { Exports } from '../generated/exports.ts'
import { workerSource } from '../generated/workerSource.ts'
import type { Assignment } from '../worker/worker.ts'
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
}

/**
 * Instantiates the kernels and starts workers. A worker never keeps a process alive; one that ends makes the next shared
 * job fail with a BackendError.
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
  const instance = await WebAssembly.instantiate(module, { env: { memory, failed } })
  const wasm = instance.exports as unknown as Exports
  const workers: Worker[] = []
  let disposed = false
  let lost = false
  const dispose = (): void => {
    disposed = true
    wasm.dismiss()
    for (const worker of workers) worker.terminate()
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
      if (disposed || lost) return
      lost = true
      loss = `worker ${i + 1} of ${workers.length} ended, ${why}`
      wasm.reportLoss()
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
    const url = new URL(`data:text/javascript,${encodeURIComponent(workerSource)}`)
    const worker = new node.Worker(url, { name: 'heed cpu', execArgv: [] })
    return {
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
          worker.postMessage(assignment)
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
