import { buffersOf, type End, type Reply, type Request } from './messages.ts'

/** What a worker offers: functions of plain values, and generators that yield as they go. */
export type Calls = Readonly<Record<string, (...given: never[]) => unknown>>

/**
 * Offers functions of this worker to the page that made it: see {@link runInWorker}. Arguments and results are plain values and typed
 * arrays, the latter handed over and not copied; tensors stay here.
 *
 * An async generator runs as far as the page asks, and ends when the page leaves its loop.
 *
 * @example
 * serve({ answer: async (question: string) => infer(model, question) })
 */
export function serve(calls: Calls, end: End = globalThis as unknown as End): void {
  const streams = new Map<number, AsyncGenerator>()
  const send = (reply: Reply): void => end.postMessage(reply, { transfer: buffersOf('value' in reply ? reply.value : null) }) // biome-ignore format: one line reads best
  const answer = async (request: Request): Promise<void> => {
    const { id } = request
    try {
      if (request.kind === 'call') {
        const call = Object.hasOwn(calls, request.name) ? calls[request.name] : undefined
        if (!call)
          throw new Error(`serve: there is no ${request.name} here; use ${Object.keys(calls).join(', ')}`)
        const made = call(...(request.given as never[]))
        if (isStream(made)) {
          streams.set(id, made)
          send({ id, kind: 'stream' })
        } else send({ id, kind: 'value', value: await made })
        return
      }
      const stream = streams.get(id)
      const step = request.kind === 'stop' ? await stream?.return(undefined) : await stream?.next()
      if (step && !step.done) send({ id, kind: 'value', value: step.value })
      else {
        streams.delete(id)
        send({ id, kind: 'done' })
      }
    } catch (error) {
      streams.delete(id)
      const { name, message } = error instanceof Error ? error : new Error(String(error))
      send({ id, kind: 'error', name, message })
    }
  }
  end.addEventListener('message', event => void answer((event as MessageEvent<Request>).data))
  send({ kind: 'ready', names: Object.keys(calls) })
}

function isStream(value: unknown): value is AsyncGenerator {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value && 'next' in value
}
