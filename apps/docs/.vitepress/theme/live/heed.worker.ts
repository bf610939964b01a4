import { cpu } from '@heed/backend-cpu'
import { setBackend } from '@heed/core-tensor'
import type { Reply, Request } from './protocol.ts'
import { tasks } from './tasks/index.ts'
import type { Live } from './tasks/task.ts'

// Models of lessons are small: more threads would wait for each other longer than they compute.
const backend = cpu({ threads: 1 }).then(made => {
  setBackend(made)
  send({ kind: 'ready', build: made.build ?? made.name })
})
const running = new Map<number, AbortController>()
let before: Promise<unknown> = backend

self.addEventListener('message', ({ data }: MessageEvent<Request>) => {
  if (data.kind === 'stop') return running.get(data.id)?.abort()
  running.set(data.id, new AbortController())
  // One after the other: tasks share models and memory.
  before = before.then(() => run(data))
})

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
