// What happens to workers, each scene in a process of its own. Prints what came of it, one line each.

import { type Backend, normal, Rng, scope } from '@heed/core-tensor'
import { cpu } from '../../src/index.ts'
import { Storage } from '../../src/machine/heap.ts'

const threads = process.getBuiltinModule('node:worker_threads')
const hired: InstanceType<typeof threads.Worker>[] = []

/** From now on, workers are started in this way. */
function hireBy(change: (worker: InstanceType<typeof threads.Worker>) => void): void {
  threads.Worker = class extends threads.Worker {
    constructor(...given: ConstructorParameters<typeof threads.Worker>) {
      super(...given)
      hired.push(this)
      change(this)
    }
  }
}

/** Bytes that a thread computes at a time: BLOCK of assembly/lines.as. */
const CHUNK = 4 * 2 ** 14

/** A storage where no memory is. */
const nowhere = (pointer: number): Storage => new Storage(pointer, { bytes: 0, used: 0, holders: 1 })

function print(line: unknown): void {
  process.stdout.write(`${line}\n`)
}

/** The same numbers whenever all threads are sound. */
function product(backend: Backend): number {
  return scope(() => {
    const [a, b] = [1, 2].map(seed => normal([300, 300], { rng: new Rng(seed), backend }))
    return a?.matmul(b as NonNullable<typeof b>).sum().dataSync()[0] as number // biome-ignore format: one line reads best
  })
}

/** The result of something, or its error in words. */
function outcome(body: () => unknown): string {
  try {
    return String(body())
  } catch (error) {
    return String(error)
  }
}

const turns = async (count: number): Promise<void> => {
  for (let i = 0; i < count; i++) await new Promise(resolve => setImmediate(resolve))
}

async function ended(worker: (typeof hired)[number] | undefined): Promise<void> {
  await worker?.terminate()
  await turns(5)
}

const scenes: Readonly<Record<string, () => Promise<void>>> = {
  async idle() {
    await cpu({ threads: 3 })
    print('ready')
  },
  async used() {
    const backend = await cpu({ threads: 3 })
    for (let i = 0; i < 20; i++) product(backend)
    print('done')
  },
  async 'two at once'() {
    const [one, two, alone] = await Promise.all([2, 3, 1].map(n => cpu({ threads: n })))
    const results = new Set<number>()
    for (let i = 0; i < 20; i++)
      for (const backend of [one, two, alone]) results.add(product(backend as Backend))
    one?.dispose()
    results.add(product(two as Backend))
    print(results.size)
  },
  async fails() {
    await cpu({ threads: 2 })
    throw new Error('of the user')
  },
  async 'a worker ends'() {
    hireBy(() => {})
    const backend = await cpu({ threads: 3 })
    const before = product(backend)
    await ended(hired[1])
    print(outcome(() => product(backend)))
    print(outcome(() => product(backend)))
    print(
      outcome(() =>
        scope(
          () =>
            normal([3], { rng: new Rng(1), backend })
              .sum()
              .dataSync().length,
        ),
      ),
    )
    const next = await cpu({ threads: 3 })
    print(product(next) === before)
  },
  async 'a worker ends and nobody has heard of it'() {
    hireBy(() => {})
    const backend = await cpu({ threads: 2 })
    const before = product(backend)
    const ending = hired[0]?.terminate()
    const until = performance.now() + 200 // no turn of the event loop
    while (performance.now() < until) {}
    print(outcome(() => product(backend)) === String(before))
    await ending
    await turns(5)
    print(outcome(() => product(backend)))
  },
  async 'a kernel traps'() {
    const backend = await cpu({ threads: 2 })
    const before = product(backend)
    const spec = { shape: [400_000], dtype: 'float32' as const }
    const storage = nowhere(0xf000_0000)
    const wild = { ...spec, storage, offset: 0, strides: [1] }
    for (let i = 0; i < 3; i++) print(outcome(() => backend.kernels.exp([wild], [spec], {})))
    await turns(5)
    const after = outcome(() => product(backend))
    print(after === String(before) || after.startsWith('BackendError'))
  },
  async 'the main thread traps alone'() {
    let backend = await cpu({ threads: 2 })
    const before = product(backend)
    const spec = { shape: [2 ** 21], dtype: 'float32' as const }
    let [traps, wrong] = [0, 0]
    for (let i = 0; i < 20; i++) {
      // The first chunk lies where no memory is; the next ones, addresses having wrapped around, at its start.
      const storage = nowhere(2 ** 32 - CHUNK)
      const wild = { ...spec, storage, offset: 0, strides: [1] }
      if (outcome(() => backend.kernels.sin([wild], [spec], {})).startsWith('RuntimeError')) traps++
      const after = outcome(() => product(backend))
      if (after.startsWith('BackendError')) {
        backend.dispose() // it was the worker that trapped
        backend = await cpu({ threads: 2 })
      } else if (after !== String(before)) wrong++
    }
    print(traps > 0)
    print(wrong)
  },
  async 'workers do not start'() {
    threads.Worker = function Refused() {
      throw new Error('no more threads')
    } as unknown as typeof threads.Worker
    print(await cpu({ threads: 2 }).catch(String))
  },
  async 'workers end before they are ready'() {
    hireBy(worker => void worker.terminate())
    print(await cpu({ threads: 2 }).catch(String))
  },
  async 'workers fail before they are ready'() {
    hireBy(worker => worker.postMessage('nonsense'))
    print(await cpu({ threads: 2 }).catch(String))
  },
  async 'is disposed'() {
    const backend = await cpu({ threads: 3 })
    product(backend)
    backend.dispose()
    backend.dispose()
    print(outcome(() => product(backend)))
  },
}

const scene = scenes[process.argv[2] ?? '']
if (!scene) throw new Error(`no scene ${process.argv[2]}`)
await scene()
