import type { Adapter } from '../compare.ts'
import { attention } from './attention.ts'
import { convolutions } from './conv.ts'
import { graph } from './graph.ts'
import { layers } from './layers.ts'
import { local } from './local.ts'
import { losses } from './losses.ts'
import { memory } from './memory.ts'
import { metrics } from './metrics.ts'
import { models } from './models.ts'
import { optimizers } from './optimizers.ts'
import { pointer } from './pointer.ts'
import { schedules } from './schedules.ts'
import { tensor } from './tensor.ts'
import { transformers } from './transformers.ts'
import { vision } from './vision.ts'

type Table = Readonly<Record<string, Adapter>>

/** How each kind of case is called. Later groups add rows. */
const byOp: Table = {
  ...tensor,
  ...layers,
  ...attention,
  ...losses,
  ...models,
  ...transformers,
  ...local,
  ...pointer,
  ...convolutions,
  ...vision,
  ...graph,
  ...memory,
}

/** Groups whose names mean something of their own: their `linear` is a schedule. */
const byGroup: Readonly<Record<string, Table>> = { optimizers, lr_schedules: schedules, metrics }

/** The adapter of one kind of case, if Heed can do it. */
export function adapterOf(group: string, op: string): Adapter | undefined {
  const table = Object.hasOwn(byGroup, group) ? byGroup[group] : byOp
  return table && Object.hasOwn(table, op) ? table[op] : undefined
}
