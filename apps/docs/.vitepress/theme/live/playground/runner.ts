import type { Output, RunReply, RunRequest } from './protocol.ts'

/** How a program ended. */
export type Ended =
  | { readonly how: 'done'; readonly ms: number; readonly result: string }
  | { readonly how: 'failed'; readonly message: string; readonly line: number | null }
  | { readonly how: 'stopped' }
  | { readonly how: 'late'; readonly seconds: number }

/** A program under way. */
export interface Program {
  readonly ended: Promise<Ended>
  /** Ends it at once, whatever it does: also a loop without end. */
  stop(): void
}

/** Runs a program in a worker of its own, which ends with it, or when its time is over. */
export function runProgram(
  source: string,
  { seconds, onOutput }: { readonly seconds: number; readonly onOutput: (output: Output) => void },
): Program {
  const worker = new Worker(new URL('./run.worker.ts', import.meta.url), {
    type: 'module',
    name: 'playground',
  })
  let stop = (): void => {}
  const ended = new Promise<Ended>(resolve => {
    let clock: ReturnType<typeof setTimeout> | undefined
    const end = (how: Ended): void => {
      clearTimeout(clock)
      worker.terminate()
      resolve(how)
    }
    stop = () => end({ how: 'stopped' })
    worker.addEventListener('error', event =>
      end({
        how: 'failed',
        message: event.message || 'the worker could not be loaded; reload the page',
        line: null,
      }),
    )
    worker.addEventListener('message', ({ data }: MessageEvent<RunReply>) => {
      if (data.kind === 'ready') {
        // Time counts from here: fetching the packages is not the program's fault.
        clock = setTimeout(() => end({ how: 'late', seconds }), 1000 * seconds)
        const request: RunRequest = { source }
        worker.postMessage(request)
      } else if (data.kind === 'output') onOutput(data.output)
      else if (data.kind === 'done') end({ how: 'done', ms: data.ms, result: data.result })
      else end({ how: 'failed', message: data.message, line: data.line })
    })
  })
  return { ended, stop: () => stop() }
}
