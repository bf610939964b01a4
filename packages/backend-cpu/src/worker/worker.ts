// A thread of the team: gets the compiled module and the memory, says that it is there, and works until it is dismissed.
// Bundled into a string by scripts/codegen.mjs.

/** What the main thread sends. */
export interface Assignment {
  readonly module: WebAssembly.Module
  readonly memory: WebAssembly.Memory
  /** Which thread of the team this is, from 1 on. */
  readonly thread: number
}

interface Member {
  work(thread: number): void
  collapse(): void
}

interface Port {
  postMessage(message: unknown): void
}

async function begin({ module, memory, thread }: Assignment, port: Port): Promise<void> {
  const failed = (): never => {
    throw new Error('internal: a worker cannot begin a job')
  }
  const instance = await WebAssembly.instantiate(module, { env: { memory, failed } })
  const member = instance.exports as unknown as Member
  port.postMessage('ready')
  try {
    member.work(thread)
  } catch (error) {
    member.collapse()
    throw error
  }
}

const node = globalThis.process?.getBuiltinModule?.('node:worker_threads')
if (node?.parentPort) {
  const port = node.parentPort
  port.on('message', (assignment: Assignment) => begin(assignment, port))
} else {
  const port = globalThis as unknown as Port & { onmessage: (event: { data: Assignment }) => void }
  port.onmessage = ({ data }) => void begin(data, port)
}
