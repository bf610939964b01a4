import { ConfigError, noGrad, scope } from '@heed/core-tensor'
import { type Callback, Watch, type WatchOptions } from '../callbacks.ts'
import type { Trainer, TrainingPosition } from '../trainer.ts'
import type { Checkpoint } from './format.ts'

/** What is saved beside the tensors of a training. */
export interface TrainingFacts {
  readonly position: TrainingPosition
  readonly memories: Readonly<Record<string, unknown>>
}

export interface CheckpointsOptions extends WatchOptions {
  /** Saves after so many steps; after each epoch and at the end unless given. */
  readonly every?: number
}

/** Where the two checkpoints of a training go. */
export type SaveCheckpoint = (checkpoint: Checkpoint<TrainingFacts>, name: 'last' | 'best') => Promise<void>

/** The callback that saves `last`, to go on from, and `best`, by a metric of the validation. */
export function keeping<Batch>(
  save: SaveCheckpoint,
  { every, ...watched }: CheckpointsOptions = {},
): Callback<Batch> {
  const watch = new Watch(watched)
  const keep = async (trainer: Trainer<Batch>, name: 'last' | 'best'): Promise<void> => {
    const { tensors, position, memories = {} } = trainer.state()
    await scope(() => noGrad(() => save({ tensors, facts: { position, memories } }, name)))
  }
  return {
    name: 'checkpoints',
    memory: watch,
    async onStep({ total }, trainer) {
      if (every && total % every === 0) await keep(trainer, 'last')
    },
    async onValidation(report, trainer) {
      if (watch.better(report)) await keep(trainer, 'best')
    },
    async onEpoch(_, trainer) {
      if (!every) await keep(trainer, 'last')
    },
    async onEnd(_, trainer) {
      await keep(trainer, 'last')
    },
  }
}

/** @throws ConfigError if it is not what {@link keeping} saved */
export function factsOf(json: unknown): TrainingFacts {
  const { position, memories } = (json ?? {}) as Partial<TrainingFacts>
  const counts = [position?.epoch, position?.step, position?.total]
  if (!counts.every(n => Number.isInteger(n)) || typeof memories !== 'object' || memories === null)
    throw new ConfigError(
      `restore: ${JSON.stringify(json)} is not where a training stands; use a folder that checkpoints() wrote`,
    )
  return { position: position as TrainingPosition, memories }
}
