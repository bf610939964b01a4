import { ShapeError, softmax, type Tensor } from '@heed/core-tensor'
import { Mask, type Places, placesOf } from '../masks.ts'
import type { Module } from '../module.ts'
import { observe } from './capture.ts'
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

/** Makes one from the other, `[..., query, key]`, told where queries and keys stand, and given the tensors it uses. */
export type Change = (scores: Tensor, places: Places, uses: readonly Tensor[]) => Tensor

export interface AttendOptions {
  /** {@link dot} unless given. */
  readonly score?: Score
  /** What may be looked at: a {@link Mask}, or bool numbers, true = may, that stretch to the scores. */
  readonly mask?: Tensor | Mask | undefined
  /** Added to the scores, stretched to them. */
  readonly bias?: Tensor | undefined
  /** Changes the scores before they become weights. */
  readonly modify?: Change | undefined
  /** From scores to weights along the last axis; softmax unless given. */
  readonly normalize?: Change | undefined
  /** Tensors that `modify` and `normalize` look at: handed to them, since they may look again later. */
  readonly uses?: readonly Tensor[]
  /** What the weights pass through before they mix the values: dropout. What is looked at are the weights before. */
  readonly dropout?: ((weights: Tensor) => Tensor) | undefined
  /** What `score.prepare(keys)` made, where one sequence of keys serves many calls. */
  readonly prepared?: Tensor | undefined
  /** Who attends: its path names the map that {@link captureAttention} takes. */
  readonly owner?: Module | undefined
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
  const { score = dot, prepared = score.prepare(keys), dropout, owner } = options
  const queries = query.shape.at(-2)
  if (queries === undefined || keys.shape.length < 2)
    throw new ShapeError(
      `attend: query [${query.shape.join(', ')}] and keys [${keys.shape.join(', ')}]; use [batch, query, size] and [batch, key, size]`,
    )
  const { mask: given } = options
  const count = keys.shape.at(-2) as number
  const places = (): Places => placesOf(queries, count, query) // made only if somebody asks
  const mask =
    given instanceof Mask
      ? given.tensor(queries, keys.shape.at(-2) as number, query, query.shape.length)
      : given
  const { weights, scores } = weigh(query, prepared, mask, places, options)
  observe(owner, {
    query,
    prepared,
    mask,
    shape: weights.shape,
    weigh: (q, p, m, at, bias, uses) => weigh(q, p, m, at, { ...options, bias, uses }).weights,
    uses: options.uses ?? [],
    bias: options.bias,
  })
  return { context: (dropout ? dropout(weights) : weights).matmul(values), weights, scores }
}

/** Score and normalise: everything before the values come in. */
function weigh(
  query: Tensor,
  prepared: Tensor,
  mask: Tensor | undefined,
  places: () => Places,
  { score = dot, bias, modify, normalize, uses = [] }: AttendOptions,
): { weights: Tensor; scores: Tensor } {
  const fit = score.score(query, prepared) // [..., query, key]
  const biased = bias ? fit.add(bias) : fit
  const raw = modify ? modify(biased, places(), uses) : biased
  const scores = mask ? raw.where(mask, NEVER) : raw
  const open = normalize ? normalize(scores, places(), uses) : softmax(scores)
  return { weights: mask ? open.where(mask, 0) : open, scores }
}
