import { cpu } from '@heed/backend-cpu'
import { setBackend } from '@heed/core-tensor'
import type { Place } from './place.ts'
import type { Reply, Request } from './protocol.ts'
import { tasks } from './tasks/index.ts'
import type { Live } from './tasks/task.ts'

let backend: Promise<void> = Promise.reject(new Error('heed.worker: no place to compute was chosen'))
const running = new Map<number, AbortController>()
let before: Promise<unknown> = backend.catch(() => {})

self.addEventListener('message', ({ data }: MessageEvent<Request>) => {
  if (data.kind === 'begin') {
    backend = open(data.place)
    before = backend.catch(() => {}) // whoever runs something is told
    return
  }
  if (data.kind === 'stop') return running.get(data.id)?.abort()
  running.set(data.id, new AbortController())
  // One after the other: tasks share models and memory.
  before = before.then(() => run(data))
})

/** Makes the backend, and says what it is. */
async function open(place: Place): Promise<void> {
  if (place === 'cpu') {
    // Models of lessons are small: more threads would wait for each other longer than they compute.
    const made = await cpu({ threads: 1 })
    setBackend(made)
    send({ kind: 'ready', build: made.build ?? made.name })
    return
  }
  const { gpu } = await import('@heed/backend-gpu') // only for those who choose it
  const made = await gpu({ mode: 'webgpu', software: place === 'software' })
  setBackend(made)
  const { adapter, software } = made.info()
  send({ kind: 'ready', build: `GPU: ${adapter}${software ? ', which computes on the CPU' : ''}` })
}

async function run({ id, task, options }: Extract<Request, { kind: 'run' }>): Promise<void> {
  const { signal } = running.get(id) as AbortController
  const live: Live<unknown> = {
    signal,
    async report(progress) {
      send({ kind: 'progress', id, progress })
      await breath()
    },
  }
  try {
    await backend
    const work = tasks[task] as (options: unknown, live: Live<unknown>) => Promise<unknown>
    send({ kind: 'done', id, result: await work(options, live) })
  } catch (error) {
    send({ kind: 'failed', id, message: error instanceof Error ? error.message : String(error) })
  } finally {
    running.delete(id)
  }
}

/** Lets messages in: a wish to stop is one. */
function breath(): Promise<void> {
  return new Promise(resolve => setTimeout(resolve))
}

function send(reply: Reply): void {
  self.postMessage(reply)
}
