import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Backend, ConfigError, noGrad, scope } from '@heed/core-tensor'
import { type Callback, type JsonLinesOptions, jsonLines, Watch, type WatchOptions } from '../callbacks.ts'
import type { Trainer, TrainingPosition } from '../trainer.ts'
import { loadCheckpoint, saveCheckpoint } from './checkpoint.ts'

/** What is saved beside the tensors of a training. */
export interface TrainingFacts {
  readonly position: TrainingPosition
  readonly memories: Readonly<Record<string, unknown>>
}

export interface CheckpointsOptions extends WatchOptions {
  /** Saves after so many steps; after each epoch and at the end unless given. */
  readonly every?: number
}

/**
 * Keeps two checkpoints in a folder: `last`, to go on from, and `best`, by a metric of the validation.
 *
 * List it behind the callbacks that remember something, so that what they learned just now is saved too.
 *
 * @throws the system's error, in training, if a file cannot be written; the checkpoint before is untouched then
 */
export function checkpoints<Batch>(
  folder: string,
  { every, ...watched }: CheckpointsOptions = {},
): Callback<Batch> {
  const watch = new Watch(watched)
  const save = async (trainer: Trainer<Batch>, name: 'last' | 'best'): Promise<void> => {
    const { tensors, position, memories = {} } = trainer.state()
    const facts: TrainingFacts = { position, memories }
    await scope(() => noGrad(() => saveCheckpoint(folder, { tensors, facts }, name)))
  }
  return {
    name: 'checkpoints',
    memory: watch,
    async onStep({ total }, trainer) {
      if (every && total % every === 0) await save(trainer, 'last')
    },
    async onValidation(report, trainer) {
      if (watch.better(report)) await save(trainer, 'best')
    },
    async onEpoch(_, trainer) {
      if (!every) await save(trainer, 'last')
    },
    async onEnd(_, trainer) {
      await save(trainer, 'last')
    },
  }
}

/**
 * Goes on from a checkpoint of {@link checkpoints}.
 *
 * @throws FormatError if it is missing or damaged, ConfigError if it belongs to another model
 */
export function restore<Batch>(
  trainer: Trainer<Batch>,
  folder: string,
  { name = 'last', backend }: { readonly name?: 'last' | 'best'; readonly backend?: Backend } = {},
): void {
  const { tensors, facts } = loadCheckpoint(folder, factsOf, { name, ...(backend ? { backend } : {}) })
  trainer.load({ tensors, ...facts })
}

function factsOf(json: unknown): TrainingFacts {
  const { position, memories } = (json ?? {}) as Partial<TrainingFacts>
  const counts = [position?.epoch, position?.step, position?.total]
  if (!counts.every(n => Number.isInteger(n)) || typeof memories !== 'object' || memories === null)
    throw new ConfigError(
      `restore: ${JSON.stringify(json)} is not where a training stands; use a folder that checkpoints() wrote`,
    )
  return { position: position as TrainingPosition, memories }
}

/** {@link jsonLines} at the end of a file in a folder, `log.jsonl` unless named. */
export function logFile<Batch>(
  folder: string,
  { name = 'log.jsonl', ...options }: JsonLinesOptions & { readonly name?: string } = {},
): Callback<Batch> {
  return jsonLines(line => appendFileSync(join(folder, name), `${line}\n`), options)
}
