import { noGrad, scope, type Tensor } from '@heed/core-tensor'
import {
  Adam,
  type BatchSource,
  type Trainable,
  Trainer,
  type TrainingPosition,
  warmupCosine,
} from '@heed/training'
import { loadCheckpoint, saveCheckpoint } from '@heed/training/node'
import { z } from 'zod'
import { Interrupted } from './failure.ts'
import type { RunFolder } from './run.ts'
import type { Screen } from './screen.ts'

/** What a checkpoint says beside its tensors. */
const factsSchema = z.object({
  position: z.object({ epoch: z.number(), step: z.number(), total: z.number() }),
  seconds: z.number(),
  backend: z.string(),
})
type Facts = z.infer<typeof factsSchema>

/** What training of one model needs to be told. */
export interface Lesson<Batch> {
  /** Names its checkpoint and its lines in the log. */
  readonly name: string
  readonly title: string
  readonly model: Trainable<Batch>
  readonly batches: BatchSource<Batch>
  /** What is made small; `model.loss(batch)` unless given. */
  readonly loss?: ((batch: Batch) => Tensor) | undefined
  readonly config: {
    readonly epochs: number
    readonly learningRate: number
    readonly clipNorm: number
    readonly seed: number
  }
  /** Looks at the validation examples: what is logged, and the words behind the bar. */
  readonly look: (() => Promise<{ readonly found: Readonly<Record<string, number>>; readonly words: string }>) | undefined // biome-ignore format: one line
  /** The command that goes on with the run. */
  readonly command: string
}

/** Where and how a lesson takes place. */
export interface Classroom {
  readonly screen: Screen
  readonly signal: AbortSignal
  readonly resume: boolean
  readonly backend: string
}

const SAVE_EVERY = 15_000 // ms
const LOOKS = 12 // at the validation examples, in all

/**
 * Trains one model of a run, from its checkpoint on if there is one, and saves it.
 *
 * @returns seconds of training alone, all sittings together, looks left out
 * @throws Interrupted after saving, if the signal says so
 */
export async function teach<Batch>(
  run: Pick<RunFolder, 'path' | 'has' | 'log'>,
  { name, title, model, batches, loss, config, look, command }: Lesson<Batch>,
  { screen, signal, resume, backend }: Classroom,
): Promise<number> {
  const total = batches.steps(0) * config.epochs
  const trainer = new Trainer(model, {
    optimizer: new Adam(model.namedParameters()),
    schedule: warmupCosine(config.learningRate, {
      warmup: Math.min(100, Math.floor(total / 10)),
      total,
      final: config.learningRate / 50,
    }),
    clipNorm: config.clipNorm,
    seed: config.seed,
    ...(loss ? { loss } : {}),
  })
  let before = 0
  if (resume && run.has(`${name}.json`)) {
    const { tensors, facts } = readCheckpoint(run.path, name)
    trainer.load({ tensors, position: facts.position })
    before = facts.seconds
    if (facts.backend !== backend)
      screen.print(
        `note: this run was made with ${facts.backend}, now it is ${backend}: it will not be the same to the last bit`,
      )
  }
  const lap = stopwatch(before)
  const save = async (): Promise<void> => {
    const { tensors, position } = trainer.state()
    const facts: Facts = { position: position as TrainingPosition, seconds: lap.seconds(), backend }
    await scope(() => noGrad(() => saveCheckpoint(run.path, { tensors, facts }, name)))
  }
  const bar = screen.bar(title.padEnd(19), total)
  let saved = performance.now()
  let smooth = Number.NaN
  let seen = ''
  try {
    await trainer.fit(batches, {
      epochs: config.epochs,
      signal,
      onStep: async ({ total: step, loss, learningRate, gradNorm }) => {
        smooth = Number.isNaN(smooth) ? loss : 0.95 * smooth + 0.05 * loss
        if (step % 10 === 0 || step === 1)
          run.log({
            arm: name,
            step,
            loss: round(loss),
            learningRate: round(learningRate),
            gradNorm: round(gradNorm),
            seconds: round(lap.seconds()),
          })
        if (step % Math.ceil(total / LOOKS) === 0 && step < total && look) {
          lap.pause()
          const { found, words } = await look()
          model.train()
          const validation = Object.fromEntries(Object.entries(found).map(([key, x]) => [key, round(x)]))
          run.log({ arm: name, step, validation })
          seen = `  ${words}`
          lap.resume()
        }
        if (performance.now() - saved > SAVE_EVERY) {
          await save()
          saved = performance.now()
        }
        bar.update(step, `loss ${smooth.toFixed(3)}${seen}`)
      },
    })
  } finally {
    bar.stop()
  }
  await save()
  if (signal.aborted)
    throw new Interrupted(
      `stopped after step ${trainer.position.total} of ${total}; go on with: heed train ${command} --resume ${run.path}`,
    )
  return lap.seconds()
}

/** Gives a model the weights of a checkpoint. @throws FormatError if it is missing or damaged, ConfigError if it is of other sizes */
export function loadWeights(
  model: { loadStateDict(state: Readonly<Record<string, Tensor>>): void },
  path: string,
  name: string,
): void {
  const { tensors } = readCheckpoint(path, name)
  model.loadStateDict(
    Object.fromEntries(
      Object.entries(tensors).flatMap(([key, x]) => (key.startsWith('model.') ? [[key.slice(6), x]] : [])),
    ),
  )
}

function readCheckpoint(path: string, name: string): ReturnType<typeof loadCheckpoint<Facts>> {
  return loadCheckpoint(path, json => factsSchema.parse(json), { name })
}

/** Seconds that passed, pauses left out. */
function stopwatch(before: number): { seconds(): number; pause(): void; resume(): void } {
  let sum = before * 1000
  let began: number | undefined = performance.now()
  return {
    seconds: () => (sum + (began === undefined ? 0 : performance.now() - began)) / 1000,
    pause() {
      if (began !== undefined) sum += performance.now() - began
      began = undefined
    },
    resume() {
      began ??= performance.now()
    },
  }
}

/** Six significant digits: enough for a log. */
function round(value: number): number | null {
  return Number.isFinite(value) ? Number(value.toPrecision(6)) : null
}
