import { softmax, type Tensor } from '@heed/core-tensor'
import { dot } from './scores.ts'

/** How well queries fit keys. */
export interface Score {
  /** The part that depends on the keys alone; made once for a sequence. */
  prepare(keys: Tensor): Tensor
  /** `[batch, query, querySize]` and what {@link prepare} made → `[batch, query, key]`. */
  score(query: Tensor, prepared: Tensor): Tensor
}

/** What attending yields. */
export interface Attended {
  /** The values, weighted and summed: `[batch, query, valueSize]`. */
  readonly context: Tensor
  /** How much each query looks at each key: `[batch, query, key]`, 0 or more; they sum to 1, or to 0 where nothing may be looked at. */
  readonly weights: Tensor
  /** What the weights were made of: `[batch, query, key]`. */
  readonly scores: Tensor
}

export interface AttendOptions {
  /** {@link dot} unless given. */
  readonly score?: Score
  /** What may be looked at, bool, true = may; stretches to `[batch, query, key]`. */
  readonly mask?: Tensor | undefined
  /** From scores to weights along the last axis; softmax unless given. */
  readonly normalize?: (scores: Tensor) => Tensor
  /** What `score.prepare(keys)` made, where one sequence of keys serves many calls. */
  readonly prepared?: Tensor | undefined
}

/** A score that no softmax lets through; finite, so that a query that may look nowhere gets zeros in place of NaN. */
export const NEVER = -1e30

/**
 * Score, normalise, mix: all of attention.
 *
 * `e = score(q, k)`, `α = normalize(e)`, `c = α v`. With dot scores and softmax: Luong et al. 2015, §3.1, arXiv:1508.04025.
 *
 * @param query `[batch, query, querySize]`
 * @param keys `[batch, key, keySize]`
 * @param values `[batch, key, valueSize]`; the keys unless given
 * @throws ShapeError where sizes do not fit
 */
export function attend(
  query: Tensor,
  keys: Tensor,
  values: Tensor = keys,
  options: AttendOptions = {},
): Attended {
  const { score = dot, mask, normalize = softmax, prepared = score.prepare(keys) } = options
  const raw = score.score(query, prepared) // [batch, query, key]
  const scores = mask ? raw.where(mask, NEVER) : raw
  const open = normalize(scores)
  const weights = mask ? open.where(mask, 0) : open
  return { context: weights.matmul(values), weights, scores }
}
