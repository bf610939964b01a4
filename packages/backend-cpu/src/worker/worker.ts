// A thread of the team: gets the compiled module and the memory, says that it is there, and works until it is dismissed.
// Or one that watches the others. Bundled into a string by scripts/codegen.mjs.

import type { MessagePort } from 'node:worker_threads'

/** What the main thread sends. */
export interface Assignment {
  readonly module: WebAssembly.Module
  readonly memory: WebAssembly.Memory
  /** Which thread of the team this is, from 1 on. */
  readonly thread: number
  /** Closes when this thread ends, however it ends: in Node. */
  readonly lifeline?: MessagePort
}

/** What a thread is sent that watches: the other ends of the workers' lifelines, the first worker's first. */
export interface Watch {
  readonly memory: WebAssembly.Memory
  /** Where to set a bit for each worker that ended: see reportLoss of assembly/team.as. */
  readonly lossAddress: number
  readonly lifelines: readonly MessagePort[]
}

interface Member {
  work(thread: number): void
  collapse(thread: number): void
}

interface Port {
  postMessage(message: unknown): void
}

async function begin({ module, memory, thread }: Assignment, port: Port): Promise<void> {
  const failed = (): never => {
    throw new Error('internal: a worker cannot begin a job')
  }
  const instance = await WebAssembly.instantiate(module, { env: { memory, failed, doubt: failed } })
  const member = instance.exports as unknown as Member
  port.postMessage('ready')
  try {
    member.work(thread)
  } catch (error) {
    member.collapse(thread)
    throw error
  }
}

function watch({ memory, lossAddress, lifelines }: Watch): void {
  const words = new Int32Array(memory.buffer)
  for (const [i, lifeline] of lifelines.entries())
    lifeline.on('close', () => Atomics.or(words, lossAddress / 4, 1 << (i + 1)))
}

const node = globalThis.process?.getBuiltinModule?.('node:worker_threads')
if (node?.parentPort) {
  const port = node.parentPort
  port.on('message', (sent: Assignment & Partial<Watch>) =>
    sent.lifelines ? watch(sent as Watch) : begin(sent, port),
  )
} else {
  const port = globalThis as unknown as Port & { onmessage: (event: { data: Assignment }) => void }
  port.onmessage = ({ data }) => void begin(data, port)
}
