import { ConfigError } from '@heed/core-tensor'
import type { Plateau } from './schedules.ts'
import type { StepReport, Trainer, TrainingPosition } from './trainer.ts'

/** What a validation found, by name: `loss`, `bleu`, … */
export type Metrics = Readonly<Record<string, number>>

/** Metrics, and where they were taken. */
export interface ValidationReport extends TrainingPosition {
  readonly metrics: Metrics
}

/** Nothing, or the reason to stop training. */
// biome-ignore lint/suspicious/noConfusingVoidType: callbacks that have no opinion return nothing
export type Verdict = void | { readonly stop: string }

type Answer = Verdict | Promise<Verdict>

/** What a callback must not forget when training stops: plain JSON. */
export interface Memory {
  save(): unknown
  /** @throws ConfigError if it is not what {@link save} made */
  load(saved: unknown): void
}

/** Is told what happens in training; may be async, and may say to stop. */
export interface Callback<Batch> {
  /** Names what it remembers. */
  readonly name: string
  readonly memory?: Memory
  onStart?(trainer: Trainer<Batch>): Answer
  /** After each step of the optimiser. */
  onStep?(report: StepReport<Batch>, trainer: Trainer<Batch>): Answer
  onValidation?(report: ValidationReport, trainer: Trainer<Batch>): Answer
  onEpoch?(position: TrainingPosition, trainer: Trainer<Batch>): Answer
  /** @param finished false if the signal stopped it */
  onEnd?(finished: boolean, trainer: Trainer<Batch>): Answer
}

export interface WatchOptions {
  /** Which metric of the validation. */
  readonly metric?: string
  /** Whether smaller is better. */
  readonly mode?: 'min' | 'max'
  /** How much better counts as better. */
  readonly minDelta?: number
}

/** Remembers the best value of a metric so far, and when it was. */
export class Watch implements Memory {
  readonly metric: string
  readonly #sign: number
  readonly #minDelta: number
  #best: number | null = null
  #at = 0
  #since = 0

  constructor({ metric = 'loss', mode = 'min', minDelta = 0 }: WatchOptions = {}) {
    this.metric = metric
    this.#sign = mode === 'min' ? -1 : 1
    this.#minDelta = minDelta
  }

  /** Null before the first look. */
  get best(): number | null {
    return this.#best
  }

  /** The step of the best. */
  get at(): number {
    return this.#at
  }

  /** How many looks since were not better. */
  get since(): number {
    return this.#since
  }

  /** Whether this is the best so far; NaN never is. @throws ConfigError if the metric is not there */
  better({ metrics, total }: ValidationReport): boolean {
    const value = metricOf(metrics, this.metric)
    const gain = this.#best === null ? Number.POSITIVE_INFINITY : this.#sign * (value - this.#best)
    if (gain > this.#minDelta && !Number.isNaN(value)) {
      this.#best = value
      this.#at = total
      this.#since = 0
      return true
    }
    this.#since++
    return false
  }

  save(): unknown {
    return { best: this.#best, at: this.#at, since: this.#since }
  }

  load(saved: unknown): void {
    const { best, at, since } = (saved ?? {}) as Record<string, unknown>
    if ((best !== null && typeof best !== 'number') || typeof at !== 'number' || typeof since !== 'number')
      throw new ConfigError(
        `Watch: ${JSON.stringify(saved)} is not what a watch remembers; use the state of the same training`,
      )
    this.#best = best
    this.#at = at
    this.#since = since
  }
}

function metricOf(metrics: Metrics, name: string): number {
  const value = metrics[name]
  if (value === undefined)
    throw new ConfigError(
      `Watch: the validation has ${Object.keys(metrics).join(', ') || 'nothing'}, not ${name}; name one of these`,
    )
  return value
}

export interface EarlyStoppingOptions extends WatchOptions {
  /** How many validations without getting better are waited for. */
  readonly patience?: number
}

/** Stops when a metric has not become better for a while. Prechelt 1998, "Early stopping — but when?", criterion UP. */
export function earlyStopping<Batch>({
  patience = 3,
  ...options
}: EarlyStoppingOptions = {}): Callback<Batch> {
  if (!(Number.isInteger(patience) && patience > 0))
    throw new ConfigError(`earlyStopping: patience is ${patience}; use a whole number of 1 or more`)
  const watch = new Watch(options)
  const verdict = (): Verdict => {
    if (watch.since >= patience)
      return { stop: `${watch.metric} has not become better than ${watch.best} (step ${watch.at}) in ${watch.since} looks` } // biome-ignore format: one line
  }
  return {
    name: 'earlyStopping',
    memory: watch,
    onStart: verdict,
    onValidation(report) {
      watch.better(report)
      return verdict()
    },
  }
}

/** Shows a metric of each validation to a {@link Plateau}, whose `rate` is the trainer's schedule. */
export function onPlateau<Batch>(plateau: Plateau, metric = 'loss'): Callback<Batch> {
  return {
    name: 'plateau',
    memory: plateau,
    onValidation({ metrics }) {
      plateau.observe(metricOf(metrics, metric))
    },
  }
}

export interface JsonLinesOptions {
  /** Every how many steps; validations are always told. */
  readonly every?: number
  /** Goes into each line. */
  readonly facts?: Readonly<Record<string, string | number | boolean>>
}

/**
 * Tells a writer of steps and validations, an object of JSON a line: `{"step":10,"epoch":0,"loss":1.25,…}`. Numbers have six
 * digits, those that are not finite are null.
 *
 * @param write takes a line, without its end
 */
export function jsonLines<Batch>(
  write: (line: string) => void,
  { every = 1, facts = {} }: JsonLinesOptions = {},
): Callback<Batch> {
  const line = (entries: Readonly<Record<string, unknown>>): void =>
    write(JSON.stringify({ ...facts, ...entries }, (_, x) => (typeof x === 'number' ? short(x) : x)))
  return {
    name: 'jsonLines',
    onStep({ total, epoch, loss, learningRate, gradNorm }) {
      if (total % every === 0 || total === 1) line({ step: total, epoch, loss, learningRate, gradNorm })
    },
    onValidation({ total, epoch, metrics }) {
      line({ step: total, epoch, validation: metrics })
    },
    onEnd(finished, trainer) {
      line({
        step: trainer.position.total,
        finished,
        ...(trainer.stopped ? { stopped: trainer.stopped } : {}),
      })
    },
  }
}

/** Six significant digits: enough for a log. */
function short(value: number): number | null {
  return Number.isFinite(value) ? Number(value.toPrecision(6)) : null
}
