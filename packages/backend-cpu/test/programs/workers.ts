// What happens to workers, each scene in a process of its own. Prints what came of it, one line each.

import type { MessagePort } from 'node:worker_threads'
import { type Backend, gruSequence, normal, Rng, scope, tensor } from '@heed/core-tensor'
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

/** A job of two chunks, each a recurrence through many times: a tenth of a second for 400 of them, more or less. */
function long(backend: Backend, ...times: [number, number]): string {
  return scope(() => {
    const [batch, time, hidden] = [2, Math.max(...times), 512]
    const draw = (...shape: number[]) => normal(shape, { rng: new Rng(1), backend }).mul(0.02)
    const states = gruSequence(draw(batch, time, 3 * hidden), {
      state: draw(batch, hidden),
      weight: draw(3 * hidden, hidden),
      bias: draw(3 * hidden),
      lengths: tensor(times, { dtype: 'int32', backend }),
    })
    return String(states.last.sum().dataSync()[0])
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

/** What a scene in a thread tells the main thread. */
interface Sent {
  readonly print?: unknown
  readonly hire?: { readonly url: string; readonly port: MessagePort }
}

/**
 * Runs a scene in a thread whose first worker this one starts for it, and ends in the middle of a chunk, while that thread is
 * blocked. Again, if the worker was quicker.
 */
async function withoutFirstWorker(name: string): Promise<void> {
  for (let inside = false; !inside; ) {
    const scene = new threads.Worker(process.argv[1] as string, { argv: [name] })
    const lines: unknown[] = []
    scene.on('message', async ({ print: line, hire }: Sent) => {
      if (!hire) lines.push(line)
      else if (!(await endInside(hire.url, hire.port))) await scene.terminate()
      else inside = true
    })
    await new Promise(resolve => scene.once('exit', resolve))
    if (inside) for (const line of lines) print(line)
  }
}

/** Where a bit says that a worker is inside a job: ACTIVE of assembly/team.as. */
const ACTIVE = 192 / 4

/** Starts a worker, and ends it when it computes; whether it did so to its end. */
async function endInside(url: string, port: MessagePort): Promise<boolean> {
  const worker = new threads.Worker(new URL(url))
  worker.on('message', message => port.postMessage(message))
  const words = await new Promise<Int32Array>(resolve => {
    port.once('message', message => {
      worker.postMessage(message, [message.lifeline])
      resolve(new Int32Array(message.memory.buffer))
    })
  })
  while (!Atomics.load(words, ACTIVE)) await new Promise(resolve => setTimeout(resolve, 1))
  await worker.terminate()
  port.close()
  return Atomics.load(words, ACTIVE) !== 0
}

/** The next worker is started by the main thread of the process. */
function hireThere(): void {
  const { Worker } = threads
  threads.Worker = class {
    readonly #port: MessagePort
    constructor(url: URL) {
      threads.Worker = Worker
      const { port1, port2 } = new threads.MessageChannel()
      this.#port = port1
      threads.parentPort?.postMessage({ hire: { url: String(url), port: port2 } } satisfies Sent, [port2])
    }
    postMessage(message: unknown, list: readonly MessagePort[]): void {
      this.#port.postMessage(message, list)
    }
    once(event: string, listener: (message: unknown) => void): void {
      if (event === 'message') this.#port.once('message', listener)
    }
    on(): void {}
    off(): void {}
    unref(): void {
      this.#port.unref()
    }
    terminate(): void {}
  } as unknown as typeof threads.Worker
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
  'a worker ends in the middle of a chunk': () => withoutFirstWorker('computes'),
  async computes() {
    hireThere()
    const backend = await cpu({ threads: 2 })
    const tell = (line: unknown): void => threads.parentPort?.postMessage({ print: line } satisfies Sent)
    const alone = await cpu({ threads: 1 })
    const expected = long(alone, 1200, 1200)
    let [last, began] = [expected, 0]
    while (last === expected) {
      began = performance.now()
      last = outcome(() => long(backend, 1200, 1200))
    }
    tell(last)
    const took = performance.now() - began
    tell(took < 15_000 || `${took} ms`) // on the busiest machine
    tell(outcome(() => product(backend)))
    tell(outcome(() => scope(() => normal([3], { rng: new Rng(1), backend }).dataSync().length)))
    tell(product(await cpu({ threads: 2 })) === product(alone))
  },
  async 'a worker takes long'() {
    hireBy(() => {})
    const [backend, alone] = [await cpu({ threads: 2 }), await cpu({ threads: 1 })]
    const job = (of: Backend, i: number) => (i % 2 ? long(of, 1800, 600) : long(of, 600, 1800))
    const expected = [job(alone, 0), job(alone, 1)]
    let same = true
    // Until it was the worker that took the longer chunk, and another thread was started to watch it.
    for (let i = 0; i < 6 && hired.length < 2; i++)
      same &&= outcome(() => job(backend, i)) === expected[i % 2]
    print(same)
    print(hired.length)
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
