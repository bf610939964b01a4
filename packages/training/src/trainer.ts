import { ConfigError, Rng, scope, type Tensor, withRng } from '@heed/core-tensor'
import type { Module } from '@heed/layers'
import { clipGradNorm } from './clip.ts'
import type { Optimizer } from './optimizer.ts'
import { constant, type Schedule } from './schedules.ts'

/** A model the trainer can train: one batch in, one number out. */
export interface Trainable<Batch> extends Module {
  loss(batch: Batch): Tensor
}

/** Batches by number: any of them can be made without those before, so that training resumes where it stopped. */
export interface BatchSource<Batch> {
  /** How many batches an epoch has. */
  steps(epoch: number): number
  /** One of them. Called inside the step's scope, so its tensors are freed after the step. */
  batch(epoch: number, step: number): Batch
}

export interface TrainerOptions<Batch> {
  readonly optimizer: Optimizer
  /** The learning rate of each step; the optimiser's own, always, unless given. */
  readonly schedule?: Schedule
  /** The norm that gradients are scaled down to; not at all unless given. */
  readonly clipNorm?: number
  /** What dropout and the like draw from: each step from its own stream. */
  readonly seed?: number
  /** Called when the loss stops being a number. */
  readonly onDiverged?: (report: StepReport<Batch>) => void
}

/** Where training stands: plain JSON. */
export interface TrainingPosition {
  /** The epoch under way, from 0. */
  readonly epoch: number
  /** Steps done in it. */
  readonly step: number
  /** Steps done in all. */
  readonly total: number
}

/** One step as callbacks see it. */
export interface StepReport<Batch> extends TrainingPosition {
  readonly loss: number
  readonly learningRate: number
  /** Of all gradients before clipping; NaN without clipping. */
  readonly gradNorm: number
  readonly batch: Batch
}

export interface FitOptions<Batch> {
  readonly epochs: number
  /** Stops after the step under way. */
  readonly signal?: AbortSignal
  /** After each step; may be async. */
  readonly onStep?: (report: StepReport<Batch>) => void | Promise<void>
  /** After each epoch; may be async. */
  readonly onEpoch?: (position: TrainingPosition) => void | Promise<void>
}

/** Training ran away: the loss is no longer a number. */
export class DivergenceError extends Error {
  override readonly name: string = 'DivergenceError'
}

/**
 * Trains a model on batches: each step is a scope, so memory stays flat, and reads nothing but its position, the model and
 * the optimiser, so that training stopped and resumed gives the same bits as training never stopped.
 *
 * @example
 * const trainer = new Trainer(model, { optimizer: new Adam(model.namedParameters()), clipNorm: 1 })
 * await trainer.fit(batches, { epochs: 3, onStep: ({ total, loss }) => console.log(total, loss) })
 */
export class Trainer<Batch> {
  readonly model: Trainable<Batch>
  readonly optimizer: Optimizer
  readonly #options: TrainerOptions<Batch>
  readonly #schedule: Schedule
  readonly #rng: Rng
  #position: TrainingPosition = { epoch: 0, step: 0, total: 0 }

  constructor(model: Trainable<Batch>, options: TrainerOptions<Batch>) {
    this.model = model
    this.optimizer = options.optimizer
    this.#options = options
    this.#schedule = options.schedule ?? constant(options.optimizer.learningRate)
    this.#rng = new Rng(options.seed ?? 0).split('trainer')
  }

  get position(): TrainingPosition {
    return this.#position
  }

  /**
   * Trains until the given number of epochs is done, from where it stands.
   *
   * @returns whether it came to the end; false if the signal stopped it
   * @throws DivergenceError if the loss becomes NaN or infinite; the parameters are then those before the step
   */
  async fit(
    source: BatchSource<Batch>,
    { epochs, signal, onStep, onEpoch }: FitOptions<Batch>,
  ): Promise<boolean> {
    this.model.train()
    while (this.#position.epoch < epochs) {
      const { epoch } = this.#position
      const steps = source.steps(epoch)
      if (!(steps > 0)) throw new ConfigError(`Trainer: epoch ${epoch} has ${steps} batches; give some data`)
      while (this.#position.step < steps) {
        if (signal?.aborted) return false
        await scope(async () => {
          const report = await this.#step(source.batch(epoch, this.#position.step))
          await onStep?.(report)
        })
      }
      this.#position = { ...this.#position, epoch: epoch + 1, step: 0 }
      await onEpoch?.(this.#position)
      this.model.train()
    }
    return true
  }

  async #step(batch: Batch): Promise<StepReport<Batch>> {
    const { optimizer, model } = this
    const { clipNorm } = this.#options
    const { epoch, step, total } = this.#position
    const learningRate = this.#schedule(total)
    optimizer.learningRate = learningRate
    optimizer.zeroGrad()
    const loss = withRng(this.#rng.split(total), () => model.loss(batch))
    loss.backward()
    const norm = clipNorm ? clipGradNorm(optimizer.parameters.values(), clipNorm) : undefined
    const report = {
      epoch,
      step: step + 1,
      total: total + 1,
      loss: await loss.item(),
      learningRate,
      gradNorm: (await norm?.item()) ?? Number.NaN,
      batch,
    }
    if (!Number.isFinite(report.loss)) {
      this.#options.onDiverged?.(report)
      throw new DivergenceError(
        `Trainer: the loss is ${report.loss} at step ${total + 1}; lower the learning rate (${learningRate}) or clip the gradients`,
      )
    }
    optimizer.step()
    optimizer.zeroGrad()
    this.#position = { epoch, step: step + 1, total: total + 1 }
    return report
  }

  /** Everything needed to go on: tensors by name, and the position. */
  state(): TrainerState {
    return {
      tensors: {
        ...prefixed('model.', this.model.stateDict()),
        ...prefixed('optimizer.', this.optimizer.stateDict()),
      },
      position: this.#position,
    }
  }

  /** Goes on from a saved state. @throws ConfigError if it belongs to another model */
  load({ tensors, position }: TrainerState): void {
    this.model.loadStateDict(under('model.', tensors))
    this.optimizer.loadStateDict(under('optimizer.', tensors), position.total)
    this.#position = position
  }
}

/** What a {@link Trainer} needs to go on. */
export interface TrainerState {
  readonly tensors: Readonly<Record<string, Tensor>>
  readonly position: TrainingPosition
}

function prefixed(prefix: string, tensors: Readonly<Record<string, Tensor>>): Record<string, Tensor> {
  return Object.fromEntries(Object.entries(tensors).map(([name, x]) => [prefix + name, x]))
}

/** The entries whose name begins with a prefix, without it. */
export function under(prefix: string, tensors: Readonly<Record<string, Tensor>>): Record<string, Tensor> {
  return Object.fromEntries(
    Object.entries(tensors).flatMap(([name, x]) =>
      name.startsWith(prefix) ? [[name.slice(prefix.length), x]] : [],
    ),
  )
}
