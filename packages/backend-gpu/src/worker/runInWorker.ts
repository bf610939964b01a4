import { BackendError } from '@heed/core-tensor'
import { DeviceLostError, GpuUnavailableError, OutOfMemoryError, ShaderError } from '../errors.ts'
import type { End, Reply, Request } from './messages.ts'
import type { Calls } from './serve.ts'

/** A worker as {@link runInWorker} needs it: what `new Worker(url, { type: 'module' })` gives. */
export interface WorkerLike extends End {
  terminate(): void
}

/** The functions that a worker offers, as the page calls them: each returns at once. */
export type Remote<C extends Calls> = {
  readonly [Name in keyof C]: C[Name] extends (...given: infer Given) => infer Made
    ? (
        ...given: Given
      ) => Made extends AsyncGenerator<infer Value>
        ? AsyncGenerator<Value, void, void>
        : Promise<Awaited<Made>>
    : never
} & { /** Ends the worker; calls under way fail. */ readonly terminate: () => void }

/** Errors that keep their class on the way. */
const classes: Readonly<Record<string, new (message: string) => Error>> = {
  BackendError,
  DeviceLostError,
  GpuUnavailableError,
  OutOfMemoryError,
  ShaderError,
}

interface Waiting {
  resolve(reply: Reply): void
  reject(error: Error): void
}

/**
 * A model that lives in a worker, where it trains and infers while the page stays responsive. The worker's module ends with
 * {@link serve} of some functions; each is here under its name. Async generators are read with `for await`, and leaving the loop stops
 * them.
 *
 * @example
 * const model = runInWorker<Model>(new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' }))
 * for await (const loss of model.train(1000)) show(loss)
 */
export function runInWorker<C extends Calls>(worker: WorkerLike): Remote<C> {
  const waiting = new Map<number, Waiting>()
  let last = 0
  let broken: Error | undefined
  let begin: () => void = () => {}
  const ready = new Promise<void>(resolve => {
    begin = resolve
  })
  const fail = (error: Error): void => {
    broken = error
    for (const { reject } of waiting.values()) reject(error)
    waiting.clear()
    begin()
  }
  worker.addEventListener('message', event => {
    const reply = (event as MessageEvent<Reply>).data
    if (reply.kind === 'ready') return begin()
    const one = waiting.get(reply.id)
    waiting.delete(reply.id)
    if (reply.kind === 'error') one?.reject(revived(reply))
    else one?.resolve(reply)
  })
  worker.addEventListener('error', event => {
    const reason = (event as ErrorEvent).message || 'its script does not load'
    fail(
      new BackendError(
        `runInWorker: the worker ended (${reason}); check its module, and that it calls serve()`,
      ),
    )
  })
  /** Sends a request once the worker listens. */
  const ask = async (request: Request): Promise<Reply> => {
    await ready
    if (broken) throw broken
    return new Promise((resolve, reject) => {
      waiting.set(request.id, { resolve, reject })
      worker.postMessage(request)
    })
  }
  const call = (name: string, given: readonly unknown[]): AsyncGenerator & Promise<unknown> => {
    const id = ++last
    const reply = ask({ id, kind: 'call', name, given })
    const value = reply.then(made => (made as { value?: unknown }).value)
    async function* stream(): AsyncGenerator {
      await reply
      let open = true
      try {
        for (;;) {
          const next = await ask({ id, kind: 'next' }).catch((error: Error) => {
            open = false
            throw error
          })
          open = next.kind === 'value'
          if (next.kind !== 'value') return
          yield next.value
        }
      } finally {
        if (open) await ask({ id, kind: 'stop' })
      }
    }
    value.catch(() => {}) // whoever awaits it, or reads the stream, hears of it
    return Object.assign(stream(), {
      // biome-ignore lint/suspicious/noThenProperty: a promise to those who await, a generator to those who loop
      then: value.then.bind(value),
      catch: value.catch.bind(value),
      finally: value.finally.bind(value),
    }) as AsyncGenerator & Promise<unknown>
  }
  const terminate = (): void => {
    worker.terminate()
    fail(new BackendError('runInWorker: the worker was terminated; make a new one'))
  }
  return new Proxy({} as Remote<C>, {
    get(_, name) {
      if (name === 'terminate') return terminate
      if (typeof name !== 'string' || name === 'then') return undefined
      return (...given: unknown[]) => call(name, given)
    },
  })
}

function revived({ name, message }: { readonly name: string; readonly message: string }): Error {
  const Known = Object.hasOwn(classes, name) ? classes[name] : undefined
  return Known ? new Known(message) : Object.assign(new Error(message), { name })
}
