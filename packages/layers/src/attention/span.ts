import { type Backend, ConfigError, full, Parameter, softmax, type Tensor } from '@heed/core-tensor'
import { Module } from '../module.ts'
import { type AttendOptions, type Change, NEVER } from './attend.ts'

/** How spans of an {@link AdaptiveSpan} begin and end. */
export interface AdaptiveSpanOptions {
  /** R: over so many places the weights fade out. */
  readonly ramp?: number
  /** The first span of every head, in places, between 0 and the longest. */
  readonly start?: number
  readonly backend?: Backend | undefined
}

/**
 * How far back each head looks, learned: `m(d) = clamp((R + z − d) / R, 0, 1)` for keys d places away,
 * `α = m e^score / Σ m e^score`.
 *
 * Sukhbaatar et al. 2019, §2.2, eq. 3-4, arXiv:1905.07799. Their z is clamped to 0 … S after each step; ours is
 * `S σ(logit)`, which needs no clamping. Queries are the last of the keys. Without a {@link penalty} spans only grow.
 *
 * @example
 * const span = new AdaptiveSpan(8, 256)
 * attend(query, keys, values, { mask: causal, ...span.forward() })
 * @throws ConfigError if a setting makes no sense
 */
export class AdaptiveSpan extends Module {
  /** `[heads, 1, 1]` */
  readonly logit: Parameter
  readonly maxSpan: number
  readonly ramp: number

  constructor(numHeads: number, maxSpan: number, options: AdaptiveSpanOptions = {}) {
    super()
    const { ramp = 32, start = maxSpan / 4, backend } = options
    if (
      !(maxSpan > 0 && ramp > 0 && start > 0 && start < maxSpan && Number.isInteger(numHeads) && numHeads > 0)
    )
      throw new ConfigError(
        `AdaptiveSpan: ${numHeads} heads, spans up to ${maxSpan} from ${start} on, fading over ${ramp}; use positive numbers, and a start below the longest`,
      )
    this.maxSpan = maxSpan
    this.ramp = ramp
    const logit = Math.log(start / (maxSpan - start))
    this.logit = new Parameter(full([numHeads, 1, 1], logit, backend ? { backend } : {}))
  }

  /** z, in places: `[heads, 1, 1]`. */
  spans(): Tensor {
    return this.logit.sigmoid().mul(this.maxSpan)
  }

  /** What `attend` takes, for scores `[batch, heads, query, key]` (or `[batch, query, key]` with one head). */
  forward(): Pick<AttendOptions, 'normalize' | 'uses'> {
    return { normalize: this.#fade, uses: [this.spans()] }
  }

  /** The mean span as a share of the longest, 0 to 1: times a number, to be added to the loss (eq. 5). */
  penalty(): Tensor {
    return this.logit.sigmoid().mean()
  }

  readonly #fade: Change = (scores, { query, key, queries, keys, head }, [spans]) => {
    const own = head === undefined ? (spans as Tensor) : (spans as Tensor).slice([{ start: head, stop: head + 1 }]) // biome-ignore format: one line reads best
    const distance = query
      .add(keys - queries)
      .sub(key)
      .abs()
      .cast(scores.dtype) // [query, key]
    const share = own.sub(distance).mul(1 / this.ramp).add(1) // biome-ignore format: one line reads best
    const near = share.greater(0)
    const fading = share.minimum(1).where(near, 0)
    const weights = softmax(scores.where(near, NEVER)).mul(fading)
    const sum = weights.sum(-1, { keepDims: true })
    return weights.div(sum.where(sum.greater(0), 1))
  }
}
