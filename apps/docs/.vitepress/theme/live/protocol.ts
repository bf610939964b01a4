import type { Place } from './place.ts'
import type { Tasks } from './tasks/index.ts'
import type { Live } from './tasks/task.ts'

export type TaskName = keyof Tasks
export type OptionsOf<Name extends TaskName> = Tasks[Name] extends (
  options: infer O,
  ...rest: never[]
) => unknown
  ? unknown extends O
    ? Record<string, never>
    : O
  : never
export type ResultOf<Name extends TaskName> = Awaited<ReturnType<Tasks[Name]>>
export type ProgressOf<Name extends TaskName> = Tasks[Name] extends (
  options: never,
  live: Live<infer P>,
) => unknown
  ? P
  : never

/** From the page to the worker: first of all, where to compute. */
export type Request =
  | { readonly kind: 'begin'; readonly place: Place }
  | { readonly kind: 'run'; readonly id: number; readonly task: TaskName; readonly options: unknown }
  | { readonly kind: 'stop'; readonly id: number }

/** From the worker to the page. */
export type Reply =
  | { readonly kind: 'ready'; readonly build: string }
  | { readonly kind: 'progress'; readonly id: number; readonly progress: unknown }
  | { readonly kind: 'done'; readonly id: number; readonly result: unknown }
  | { readonly kind: 'failed'; readonly id: number; readonly message: string }
