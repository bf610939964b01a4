import { ConfigError } from '@heed/core-tensor'
import type { Memory } from './callbacks.ts'

/** The learning rate of a step, counted from 0. */
export type Schedule = (step: number) => number

/** The same rate always. */
export function constant(rate: number): Schedule {
  return () => rate
}

/** Multiplied by `gamma` every `size` steps. PyTorch's StepLR. */
export function stepDecay(
  rate: number,
  { size, gamma = 0.1 }: { readonly size: number; readonly gamma?: number },
): Schedule {
  if (!(size >= 1)) throw new ConfigError(`stepDecay: size is ${size}; use a number of steps of 1 or more`)
  return step => rate * gamma ** Math.floor(step / size)
}

/** Multiplied by `gamma` at each milestone. PyTorch's MultiStepLR. */
export function multiStep(
  rate: number,
  { milestones, gamma = 0.1 }: { readonly milestones: readonly number[]; readonly gamma?: number },
): Schedule {
  return step => rate * gamma ** milestones.filter(milestone => step >= milestone).length
}

/** Multiplied by `gamma` every step. PyTorch's ExponentialLR. */
export function exponential(rate: number, { gamma }: { readonly gamma: number }): Schedule {
  return step => rate * gamma ** step
}

/** From `start · rate` to `end · rate` in even steps, then constant. PyTorch's LinearLR, with its defaults. */
export function linearWarmup(
  rate: number,
  {
    start = 1 / 3,
    end = 1,
    total,
  }: { readonly start?: number; readonly end?: number; readonly total: number },
): Schedule {
  return step => rate * (start + (end - start) * Math.min(1, step / total))
}

/** Down along half a cosine to `final` at step `total`, and up again behind it. Loshchilov and Hutter 2017, eq. 5, arXiv:1608.03983. */
export function cosine(
  rate: number,
  { total, final = 0 }: { readonly total: number; readonly final?: number },
): Schedule {
  return step => final + ((rate - final) * (1 + Math.cos((Math.PI * step) / total))) / 2
}

/** {@link cosine} that starts anew after `first` steps, and then each time after `factor` times as many. */
export function warmRestarts(
  rate: number,
  {
    first,
    factor = 1,
    final = 0,
  }: { readonly first: number; readonly factor?: number; readonly final?: number },
): Schedule {
  if (!(first >= 1 && factor >= 1))
    throw new ConfigError(`warmRestarts: first ${first} and factor ${factor}; use numbers of 1 or more`)
  return step => {
    let [at, length] = [step, first]
    while (at >= length) {
      at -= length
      length *= factor
    }
    return cosine(rate, { total: length, final })(at)
  }
}

/**
 * Rises evenly to `rate` in `warmup` steps, then falls along half a cosine to `final` at step `total`.
 *
 * @throws ConfigError unless 0 ≤ warmup < total
 */
export function warmupCosine(
  rate: number,
  { warmup, total, final = 0 }: { readonly warmup: number; readonly total: number; readonly final?: number },
): Schedule {
  if (!(warmup >= 0 && warmup < total))
    throw new ConfigError(`warmupCosine: warmup ${warmup} and total ${total}; use 0 ≤ warmup < total`)
  const fall = cosine(rate, { total: total - warmup, final })
  return step => (step < warmup ? (rate * (step + 1)) / warmup : fall(Math.min(total, step) - warmup))
}

/** Rises evenly to `rate` in `warmup` steps, then falls with the root of the step: `rate · min(s / w, √(w / s))`, s = step + 1. */
export function inverseSqrt(rate: number, { warmup }: { readonly warmup: number }): Schedule {
  return step => rate * Math.min((step + 1) / warmup, Math.sqrt(warmup / (step + 1)))
}

/** The Transformer's: `factor · modelSize^−½ · min(s^−½, s · warmup^−3⁄2)`, s = step + 1. Vaswani et al. 2017, eq. 3, arXiv:1706.03762. */
export function noam({
  modelSize,
  warmup,
  factor = 1,
}: {
  readonly modelSize: number
  readonly warmup: number
  readonly factor?: number
}): Schedule {
  return step => factor * modelSize ** -0.5 * Math.min((step + 1) ** -0.5, (step + 1) * warmup ** -1.5)
}

export interface OneCycleOptions {
  readonly total: number
  /** The share of the steps that rise. */
  readonly rising?: number
  readonly shape?: 'cosine' | 'linear'
  /** The first rate is the highest over this. */
  readonly divide?: number
  /** The last rate is the first over this. */
  readonly divideFinal?: number
  /** Falls to the first rate as it rose, then on to the last. */
  readonly threePhase?: boolean
}

/** Up to `highest`, then down far below the start. Smith and Topin 2019, arXiv:1708.07120; PyTorch's OneCycleLR, with its defaults. */
export function oneCycle(highest: number, options: OneCycleOptions): Schedule {
  const {
    total,
    rising = 0.3,
    shape = 'cosine',
    divide = 25,
    divideFinal = 1e4,
    threePhase = false,
  } = options
  if (!(total >= 2 && rising > 0 && rising < 1))
    throw new ConfigError(
      `oneCycle: total ${total} and rising ${rising}; use 2 steps or more, and a share between 0 and 1`,
    )
  const first = highest / divide
  const last = first / divideFinal
  const top = rising * total - 1
  const phases: [end: number, from: number, to: number][] = threePhase
    ? [[top, first, highest], [2 * rising * total - 2, highest, first], [total - 1, first, last]] // biome-ignore format: a table
    : [[top, first, highest], [total - 1, highest, last]] // biome-ignore format: a table
  return step => {
    let begin = 0
    for (const [end, from, to] of phases) {
      if (step <= end || end === total - 1) {
        const share = Math.min(1, (step - begin) / (end - begin))
        return shape === 'linear'
          ? from + (to - from) * share
          : to + ((from - to) * (1 + Math.cos(Math.PI * share))) / 2
      }
      begin = end
    }
    return last
  }
}

export interface PlateauOptions {
  /** Whether smaller metrics are better. */
  readonly mode?: 'min' | 'max'
  readonly factor?: number
  /** How many looks without getting better are waited for. */
  readonly patience?: number
  /** How much better counts: a share of the best, or an amount. */
  readonly threshold?: number
  readonly thresholdMode?: 'rel' | 'abs'
  /** Looks after a fall that do not count. */
  readonly cooldown?: number
  readonly minRate?: number
}

/**
 * Multiplies the rate by `factor` when a metric stops getting better. PyTorch's ReduceLROnPlateau, with its defaults.
 *
 * In a trainer: `schedule: () => plateau.rate`, and the callback `onPlateau(plateau)`.
 */
export class Plateau implements Memory {
  rate: number
  readonly #options: Required<PlateauOptions>
  #best: number
  #bad = 0
  #cooling = 0

  constructor(rate: number, options: PlateauOptions = {}) {
    this.rate = rate
    this.#options = {
      mode: 'min',
      factor: 0.1,
      patience: 10,
      threshold: 1e-4,
      thresholdMode: 'rel',
      cooldown: 0,
      minRate: 0,
      ...options,
    }
    this.#best = this.#options.mode === 'min' ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY
  }

  /** Looks at a metric. @returns the rate from now on */
  observe(metric: number): number {
    const { factor, patience, cooldown, minRate } = this.#options
    if (this.#better(metric)) {
      this.#best = metric
      this.#bad = 0
    } else this.#bad++
    if (this.#cooling > 0) {
      this.#cooling--
      this.#bad = 0
    }
    if (this.#bad > patience) {
      const next = Math.max(this.rate * factor, minRate)
      if (this.rate - next > 1e-8) this.rate = next
      this.#cooling = cooldown
      this.#bad = 0
    }
    return this.rate
  }

  save(): unknown {
    // The first best is infinite, which JSON cannot say.
    const best = Number.isFinite(this.#best) ? this.#best : null
    return { rate: this.rate, best, bad: this.#bad, cooling: this.#cooling }
  }

  load(saved: unknown): void {
    const { rate, best, bad, cooling } = (saved ?? {}) as Record<string, unknown>
    if (![rate, bad, cooling].every(Number.isFinite) || (best !== null && typeof best !== 'number'))
      throw new ConfigError(
        `Plateau: ${JSON.stringify(saved)} is not what a plateau remembers; use the state of the same training`,
      )
    this.rate = rate as number
    if (best !== null) this.#best = best
    this.#bad = bad as number
    this.#cooling = cooling as number
  }

  #better(metric: number): boolean {
    const { mode, threshold, thresholdMode } = this.#options
    const down = mode === 'min'
    if (thresholdMode === 'abs')
      return down ? metric < this.#best - threshold : metric > this.#best + threshold
    return down ? metric < this.#best * (1 - threshold) : metric > this.#best * (1 + threshold)
  }
}
