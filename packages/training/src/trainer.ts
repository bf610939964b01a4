import { ConfigError, Rng, scope, type Tensor, withRng } from '@heed/core-tensor'
import type { Module } from '@heed/layers'
import type { Callback, Memory, Metrics, Verdict } from './callbacks.ts'
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
  /** How many batches make one step: their gradients are averaged, so that k of them weigh as one k times as large. The last step of an epoch takes what is left. */
  readonly accumulate?: number
  /** What is made small; `model.loss(batch)` unless given. Told where training stands, so that terms can grow and fade. */
  readonly loss?: (batch: Batch, position: TrainingPosition) => Tensor
  /** What dropout and the like draw from: each step from its own stream. */
  readonly seed?: number
  /** Who is told of steps, epochs and validations; what they remember is part of {@link Trainer.state}. */
  readonly callbacks?: readonly Callback<Batch>[]
  /** Called when the loss stops being a number. */
  readonly onDiverged?: (report: StepReport<Batch>) => void
}

/** Where training stands: plain JSON. */
export interface TrainingPosition {
  /** The epoch under way, from 0. */
  readonly epoch: number
  /** Batches done in it. */
  readonly step: number
  /** Steps of the optimiser in all. */
  readonly total: number
}

/** One step as callbacks see it. */
export interface StepReport<Batch> extends TrainingPosition {
  /** The mean over the step's batches. */
  readonly loss: number
  readonly learningRate: number
  /** Of all gradients before clipping; NaN without clipping. */
  readonly gradNorm: number
  /** The last batch of the step. */
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
  /** Looks at data that is not learned from; callbacks are told what it found. The model is in use meanwhile, dropout off. */
  readonly validate?: () => Metrics | Promise<Metrics>
  /** After how many steps; after each epoch unless given. */
  readonly validateEvery?: number
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
  #stopped: string | undefined

  /** @throws ConfigError unless `accumulate` is a whole number of 1 or more, and callbacks that remember have names of their own */
  constructor(model: Trainable<Batch>, options: TrainerOptions<Batch>) {
    this.model = model
    this.optimizer = options.optimizer
    this.#options = options
    this.#schedule = options.schedule ?? constant(options.optimizer.learningRate)
    this.#rng = new Rng(options.seed ?? 0).split('trainer')
    const { accumulate = 1 } = options
    if (!(Number.isInteger(accumulate) && accumulate > 0))
      throw new ConfigError(`Trainer: accumulate is ${accumulate}; use a whole number of 1 or more`)
    const names = this.#remembering().map(([name]) => name)
    if (new Set(names).size < names.length)
      throw new ConfigError(`Trainer: callbacks are named ${names.join(', ')}; give each a name of its own`)
  }

  get position(): TrainingPosition {
    return this.#position
  }

  /** Why a callback ended training before the last epoch; undefined if none did. */
  get stopped(): string | undefined {
    return this.#stopped
  }

  /**
   * Trains until the given number of epochs is done or a callback says to stop, from where it stands.
   *
   * @returns whether it came to the end; false if the signal stopped it
   * @throws DivergenceError if the loss becomes NaN or infinite; the parameters are then those before the step. ConfigError
   * if epochs are no number of 0 or more
   */
  async fit(source: BatchSource<Batch>, options: FitOptions<Batch>): Promise<boolean> {
    const { epochs, signal, onStep, onEpoch, validate, validateEvery } = options
    if (!(epochs >= 0)) throw new ConfigError(`Trainer: epochs is ${epochs}; use a number of 0 or more`)
    this.model.train()
    await this.#tell(callback => callback.onStart?.(this))
    while (this.#position.epoch < epochs && this.#stopped === undefined) {
      const { epoch } = this.#position
      const steps = source.steps(epoch)
      if (!(steps > 0)) throw new ConfigError(`Trainer: epoch ${epoch} has ${steps} batches; give some data`)
      while (this.#position.step < steps && this.#stopped === undefined) {
        if (signal?.aborted) return this.#end(false)
        await scope(async () => {
          const report = await this.#step(source, steps)
          await this.#tell(callback => callback.onStep?.(report, this))
          await onStep?.(report)
        })
        if (validateEvery && this.#position.total % validateEvery === 0) await this.#validate(validate)
      }
      if (this.#stopped !== undefined) break
      this.#position = { ...this.#position, epoch: epoch + 1, step: 0 }
      if (!validateEvery) await this.#validate(validate)
      await this.#tell(callback => callback.onEpoch?.(this.#position, this))
      await onEpoch?.(this.#position)
      this.model.train()
    }
    return this.#end(true)
  }

  /** Gradients of the step's batches, one change of the parameters. */
  async #step(source: BatchSource<Batch>, steps: number): Promise<StepReport<Batch>> {
    const { optimizer } = this
    const { clipNorm, accumulate = 1 } = this.#options
    const { epoch, step, total } = this.#position
    const learningRate = this.#schedule(total)
    optimizer.learningRate = learningRate
    optimizer.zeroGrad()
    const count = Math.min(accumulate, steps - step)
    const rng = this.#rng.split(total)
    let batch = source.batch(epoch, step)
    let loss = await this.#learn(batch, rng, count)
    for (let i = 1; i < count; i++) {
      batch = source.batch(epoch, step + i)
      loss += await this.#learn(batch, rng.split(i), count)
    }
    const norm = clipNorm ? clipGradNorm(optimizer.parameters.values(), clipNorm) : undefined
    const report: StepReport<Batch> = {
      epoch,
      step: step + count,
      total: total + 1,
      loss: loss / count,
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
    this.#position = { epoch, step: step + count, total: total + 1 }
    return report
  }

  /** Adds one batch's share of the gradients. @returns its loss */
  #learn(batch: Batch, rng: Rng, count: number): Promise<number> {
    const { loss } = this.#options
    return scope(async () => {
      const whole = withRng(rng, () => (loss ? loss(batch, this.#position) : this.model.loss(batch)))
      const share = count === 1 ? whole : whole.mul(1 / count)
      share.backward()
      return (await share.item()) * count
    })
  }

  async #validate(validate: FitOptions<Batch>['validate']): Promise<void> {
    if (!validate) return
    this.model.eval()
    const metrics = await validate()
    this.model.train()
    await this.#tell(callback => callback.onValidation?.({ ...this.#position, metrics }, this))
  }

  /** One after the other, in order; the first reason to stop counts. */
  async #tell(tell: (callback: Callback<Batch>) => Verdict | Promise<Verdict>): Promise<void> {
    for (const callback of this.#options.callbacks ?? []) {
      const verdict = await tell(callback)
      if (verdict) this.#stopped ??= verdict.stop
    }
  }

  async #end(finished: boolean): Promise<boolean> {
    await this.#tell(callback => callback.onEnd?.(finished, this))
    return finished
  }

  #remembering(): (readonly [name: string, memory: Memory])[] {
    return (this.#options.callbacks ?? []).flatMap(({ name, memory }) =>
      memory ? [[name, memory] as const] : [],
    )
  }

  /** Everything needed to go on: tensors by name, the position, and what callbacks remember. */
  state(): TrainerState {
    return {
      tensors: {
        ...prefixed('model.', this.model.stateDict()),
        ...prefixed('optimizer.', this.optimizer.stateDict()),
      },
      position: this.#position,
      memories: Object.fromEntries(this.#remembering().map(([name, memory]) => [name, memory.save()])),
    }
  }

  /** Goes on from a saved state. @throws ConfigError if it belongs to another model */
  load({ tensors, position, memories = {} }: TrainerState): void {
    this.model.loadStateDict(under('model.', tensors))
    this.optimizer.loadStateDict(under('optimizer.', tensors), position.total)
    this.#position = position
    this.#stopped = undefined
    for (const [name, memory] of this.#remembering())
      if (Object.hasOwn(memories, name)) memory.load(memories[name])
  }
}

/** What a {@link Trainer} needs to go on. */
export interface TrainerState {
  readonly tensors: Readonly<Record<string, Tensor>>
  readonly position: TrainingPosition
  /** Plain JSON, by the callbacks' names. */
  readonly memories?: Readonly<Record<string, unknown>>
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
