import { onBeforeUnmount, type Ref, ref, type ShallowRef, shallowRef } from 'vue'
import { HeedWorker, type Running } from './client.ts'
import { place } from './place.ts'
import type { OptionsOf, ProgressOf, ResultOf, TaskName } from './protocol.ts'

/** What a component knows of its worker. */
export interface Heed {
  /** Whether something runs. */
  readonly busy: Ref<boolean>
  /** What went wrong last; empty if nothing did. */
  readonly error: Ref<string>
  /** What computes, in words, once it does. */
  readonly build: ShallowRef<string>
  /** Runs a task; undefined if it failed, which `error` tells then. */
  run<Name extends TaskName>(
    task: Name,
    options: OptionsOf<Name>,
    onProgress?: (progress: ProgressOf<Name>) => void,
  ): Promise<ResultOf<Name> | undefined>
  /** Asks what runs to stop. */
  stop(): void
  /** Forgets everything: what was trained is gone. */
  reset(): void
}

/** A worker of a component's own, which ends with it. What trains does so where the reader chose; all else on the CPU. */
export function useHeed({ trains = false }: { readonly trains?: boolean } = {}): Heed {
  const [busy, error, build] = [ref(false), ref(''), shallowRef('')]
  const worker = new HeedWorker(
    text => {
      build.value = text
    },
    () => (trains ? place.value : 'cpu'),
  )
  let running: Running<TaskName> | undefined
  let turn = 0
  onBeforeUnmount(() => worker.dispose())
  return {
    busy,
    error,
    build,
    async run(task, options, onProgress) {
      const mine = ++turn
      busy.value = true
      error.value = ''
      try {
        const started = worker.run(task, options, onProgress)
        running = started as Running<TaskName>
        // TypeScript cannot see that what is awaited is no promise itself.
        return (await started.done) as ResultOf<typeof task>
      } catch (reason) {
        error.value = reason instanceof Error ? reason.message : String(reason)
        return undefined
      } finally {
        if (mine === turn) busy.value = false
      }
    },
    stop: () => running?.stop(),
    reset() {
      turn++
      worker.dispose()
      busy.value = false
      error.value = ''
      build.value = ''
    },
  }
}
