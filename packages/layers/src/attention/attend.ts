import { ShapeError, scaledDotAttention, softmax, type Tensor } from '@heed/core-tensor'
import { checkMask } from '../check.ts'
import { causal, causalFromEnd, Mask, type Places, placesOf } from '../masks.ts'
import type { Module } from '../module.ts'
import { observe } from './capture.ts'
import { withoutHiddenKeys, withoutIdleQueries } from './hidden.ts'
import { dot } from './scores.ts'

/** How well queries fit keys. */
export interface Score {
  /** The part that depends on the keys alone; made once for a sequence. */
  prepare(keys: Tensor): Tensor
  /** `[..., query, querySize]` and what {@link prepare} made → `[..., query, key]`. */
  score(query: Tensor, prepared: Tensor): Tensor
  /** Where scores are `q kᵀ` times a number: that number. Contexts then come without the matrix of weights. */
  readonly factor?: (query: Tensor) => number
}

/** What attending yields. */
export interface Attended {
  /** The values, weighted and summed: `[..., query, valueSize]`. */
  readonly context: Tensor
  /**
   * How much each query looks at each key: `[..., query, key]`, 0 or more; they sum to 1, or to 0 where nothing may be looked at.
   * Made when first read, where the context did not need them; reading them changes nothing.
   */
  readonly weights: Tensor
  /** What the weights were made of: `[..., query, key]`. */
  readonly scores: Tensor
}

/** Makes one from the other, `[..., query, key]`, told where queries and keys stand, and given the tensors it uses. */
export type Change = (scores: Tensor, places: Places, uses: readonly Tensor[]) => Tensor

/** What fills the holes of {@link attend}. */
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
  /**
   * Whether what the mask hides is known to be finite (neither NaN nor infinite), as an encoder's outputs are. Otherwise it
   * is set to 0 first, so that it can reach neither the result nor a gradient.
   */
  readonly finite?: boolean
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
 * @throws ShapeError where sizes do not fit, DTypeError if the mask is not bool
 */
export function attend(
  query: Tensor,
  keys: Tensor,
  values: Tensor = keys,
  options: AttendOptions = {},
): Attended {
  const { score = dot, dropout, owner } = options
  const [queries, count] = [query.shape.at(-2), keys.shape.at(-2)]
  if (queries === undefined || count === undefined)
    throw new ShapeError(
      `attend: query [${query.shape.join(', ')}] and keys [${keys.shape.join(', ')}]; use [batch, query, size] and [batch, key, size]`,
    )
  // The last query sees all keys before it: there is nothing to hide.
  const given = options.mask === causalFromEnd && queries === 1 ? undefined : options.mask
  if (given && !(given instanceof Mask)) checkMask('attend', given, [...query.shape.slice(0, -1), count])
  const places = (): Places => placesOf(queries, count, query) // made only if somebody asks
  const mask = once(() =>
    given instanceof Mask ? given.tensor(queries, count, query, query.shape.length) : given,
  )
  const open = hides(given, options, queries, count)
  const hidden = (hide: typeof withoutHiddenKeys, x: Tensor): Tensor => {
    const numbers = mask()
    return numbers ? hide(x, numbers) : x
  }
  const seen = (x: Tensor): Tensor => (given && !open.keys ? hidden(withoutHiddenKeys, x) : x)
  const shown = seen(keys)
  const asks = given && !open.queries ? hidden(withoutIdleQueries, query) : query
  const prepared = options.prepared
    ? options.prepared.shape.at(-2) === count
      ? seen(options.prepared)
      : options.prepared
    : score.prepare(shown)
  const mixed = values === keys ? shown : seen(values)
  const weighed = once(() => weigh(asks, prepared, mask(), places, options))
  const scale = factorOf(asks, prepared, mixed, options)
  const offset = given === causal ? 0 : given === causalFromEnd ? count - queries : undefined
  const context =
    scale === undefined
      ? (dropout ? dropout(weighed().weights) : weighed().weights).matmul(mixed)
      : scaledDotAttention(asks, prepared, mixed, {
          scale,
          mask: offset === undefined ? mask() : undefined,
          offset,
        })
  observe(owner, () => ({
    query: asks,
    prepared,
    mask: mask(),
    shape: [...context.shape.slice(0, -1), prepared.shape.at(-2) as number],
    weigh: (q, p, m, at, bias, uses) => weigh(q, p, m, at, { ...options, bias, uses }).weights,
    uses: options.uses ?? [],
    bias: options.bias,
  }))
  return {
    context,
    get weights() {
      return weighed().weights
    },
    get scores() {
      return weighed().scores
    },
  }
}

/** @internal The same weights and scores, unread, with another context. */
export function withContext(attended: Attended, context: Tensor): Attended {
  return {
    context,
    get weights() {
      return attended.weights
    },
    get scores() {
      return attended.scores
    },
  }
}

/** The same value at every call, made at the first. */
function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined
  return () => {
    made ??= { value: make() }
    return made.value
  }
}

/** One query, or so many queries and keys, are worth a kernel that never holds the weights; others are one product after the other. */
const FEWEST = 8

/** What products are multiplied by, where all there is to attention is scaled products and softmax. */
function factorOf(
  query: Tensor,
  keys: Tensor,
  values: Tensor,
  { score = dot, bias, modify, normalize, dropout }: AttendOptions,
): number | undefined {
  if (!score.factor || bias || modify || normalize || dropout) return undefined
  const lead = query.shape.slice(0, -2)
  const rank = query.shape.length
  const plain =
    (rank === 3 || rank === 4) &&
    [keys, values].every(x => x.shape.length === rank && lead.every((n, axis) => n === x.shape[axis])) &&
    query.shape[rank - 1] === keys.shape[rank - 1] &&
    keys.shape[rank - 2] === values.shape[rank - 2]
  const [queries, count] = [query.shape[rank - 2] as number, keys.shape[rank - 2] as number]
  const pays = queries === 1 || (queries >= FEWEST && count >= FEWEST)
  return plain && pays ? score.factor(query) : undefined
}

/** Whether all keys are seen and all queries see something, or it does not matter. */
function hides(
  mask: Tensor | Mask | undefined,
  { finite = false }: AttendOptions,
  queries: number,
  keys: number,
): ReturnType<Mask['open']> {
  if (finite) return { keys: true, queries: true }
  return mask instanceof Mask ? mask.open(queries, keys) : { keys: false, queries: false }
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
