import { softmax, type Tensor } from '@heed/core-tensor'
import { Mask } from '../masks.ts'
import { dot } from './scores.ts'

/** How well queries fit keys. */
export interface Score {
  /** The part that depends on the keys alone; made once for a sequence. */
  prepare(keys: Tensor): Tensor
  /** `[..., query, querySize]` and what {@link prepare} made → `[..., query, key]`. */
  score(query: Tensor, prepared: Tensor): Tensor
}

/** What attending yields. */
export interface Attended {
  /** The values, weighted and summed: `[..., query, valueSize]`. */
  readonly context: Tensor
  /** How much each query looks at each key: `[..., query, key]`, 0 or more; they sum to 1, or to 0 where nothing may be looked at. */
  readonly weights: Tensor
  /** What the weights were made of: `[..., query, key]`. */
  readonly scores: Tensor
}

export interface AttendOptions {
  /** {@link dot} unless given. */
  readonly score?: Score
  /** What may be looked at: a {@link Mask}, or bool numbers, true = may, that stretch to the scores. */
  readonly mask?: Tensor | Mask | undefined
  /** Changes the scores before they become weights, to add a bias by place for example. */
  readonly modify?: ((scores: Tensor) => Tensor) | undefined
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
 * @param query `[batch, query, querySize]`, or with heads `[batch, heads, query, querySize]`
 * @param keys `[batch, key, keySize]`, or with heads
 * @param values `[batch, key, valueSize]`, or with heads; the keys unless given
 * @throws ShapeError where sizes do not fit
 */
export function attend(
  query: Tensor,
  keys: Tensor,
  values: Tensor = keys,
  options: AttendOptions = {},
): Attended {
  const { score = dot, modify, normalize = softmax, prepared = score.prepare(keys) } = options
  const fit = score.score(query, prepared) // [..., query, key]
  const raw = modify ? modify(fit) : fit
  const mask = options.mask instanceof Mask ? asTensor(options.mask, raw) : options.mask
  const scores = mask ? raw.where(mask, NEVER) : raw
  const open = normalize(scores)
  const weights = mask ? open.where(mask, 0) : open
  return { context: weights.matmul(values), weights, scores }
}

/** A mask as numbers, without the axis of heads where the scores have none. */
function asTensor(mask: Mask, scores: Tensor): Tensor {
  const [queries, keys] = scores.shape.slice(-2) as [number, number]
  const numbers = mask.tensor(queries, keys, scores)
  return numbers.shape.length === 4 && scores.shape.length === 3 ? numbers.squeeze(1) : numbers
}
