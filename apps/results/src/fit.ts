import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { ConfigError, noGrad, scope } from '@heed/core-tensor'
import {
  Adam,
  type BatchSource,
  type Schedule,
  type Trainable,
  Trainer,
  type TrainingPosition,
} from '@heed/training'
import { loadCheckpoint, saveCheckpoint } from '@heed/training/node'
import { Interrupted, type Sitting, type Spent, stopwatch } from './sitting.ts'

/** One model to be trained. */
export interface Lesson<Batch> {
  /** Names its checkpoint. */
  readonly name: string
  readonly model: Trainable<Batch>
  readonly batches: BatchSource<Batch>
  /** Until so many are done. */
  readonly epochs: number
  readonly schedule: Schedule
  readonly clipNorm: number
  readonly seed: number
  /** Told after each step: of the whole work, for the progress. */
  readonly onStep?: (step: number, loss: number) => void
}

/** What a checkpoint says beside its tensors. */
export interface FitFacts extends Spent {
  readonly position: TrainingPosition
  /** Mean training loss of each 50 steps. */
  readonly losses: readonly number[]
}

const SAVE_EVERY = 60_000 // ms
const MEAN_OF = 50 // steps

/**
 * Trains from the checkpoint in the sitting's folder on, if there is one, and saves there.
 *
 * @returns what training took in all sittings, the saving included
 * @throws Interrupted after saving, if the signal says so
 */
export async function fit<Batch>(
  lesson: Lesson<Batch>,
  { folder, signal }: Pick<Sitting, 'folder' | 'signal'>,
): Promise<FitFacts> {
  const { name, model, batches, epochs, schedule, clipNorm, seed, onStep } = lesson
  const trainer = new Trainer(model, {
    optimizer: new Adam(model.namedParameters()),
    schedule,
    clipNorm,
    seed,
  })
  const before = trained(folder, name)
  if (before)
    trainer.load({ tensors: loadCheckpoint(folder, factsOf, { name }).tensors, position: before.position })
  const spent = stopwatch(before)
  const losses = [...(before?.losses ?? [])]
  let sum = 0
  let count = 0
  const facts = (): FitFacts => ({ position: trainer.position, losses, ...spent() })
  const save = (): Promise<void> =>
    scope(() =>
      noGrad(() => saveCheckpoint(folder, { tensors: trainer.state().tensors, facts: facts() }, name)),
    )
  let saved = performance.now()
  const whole = await trainer.fit(batches, {
    epochs,
    signal,
    onStep: async ({ total, loss }) => {
      sum += loss
      count++
      if (total % MEAN_OF === 0) {
        losses.push(Number((sum / count).toFixed(4)))
        sum = 0
        count = 0
      }
      onStep?.(total, loss)
      if (performance.now() - saved > SAVE_EVERY) {
        await save()
        saved = performance.now()
      }
    },
  })
  await save()
  if (!whole) throw new Interrupted(`stopped after step ${trainer.position.total} of ${name}`)
  return facts()
}

/** Where the training of a checkpoint stands; undefined if there is none. @throws FormatError if it is damaged */
export function trained(folder: string, name: string): FitFacts | undefined {
  return existsSync(join(folder, `${name}.json`))
    ? loadCheckpoint(folder, factsOf, { name }).facts
    : undefined
}

/** Gives a model the weights of a checkpoint. @throws FormatError if it is missing or damaged, ConfigError if it is of other sizes */
export function loadWeights<Batch>(model: Trainable<Batch>, folder: string, name: string): void {
  const { tensors } = loadCheckpoint(folder, factsOf, { name })
  const own = Object.entries(tensors).flatMap(([key, x]) =>
    key.startsWith('model.') ? [[key.slice(6), x]] : [],
  )
  model.loadStateDict(Object.fromEntries(own))
}

function factsOf(json: unknown): FitFacts {
  const facts = json as FitFacts
  if (!Number.isInteger(facts?.position?.total) || !Array.isArray(facts.losses))
    throw new ConfigError(
      `fit: ${JSON.stringify(json)} is not where a training stands; use a folder of this recipe`,
    )
  return facts
}
