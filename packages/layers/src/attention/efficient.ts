import { arange, elu, embedding, type Parameter, ShapeError, type Tensor } from '@heed/core-tensor'
import { checkAxes, checkWhole, matrices } from '../check.ts'
import { type LayerOptions, normalInit, parameter, xavierUniform } from '../init.ts'
import { global, type Mask, type Places, placesOf, window as slidingWindow } from '../masks.ts'
import { Module } from '../module.ts'
import { type Attended, attend, type Change } from './attend.ts'
import { withoutHiddenKeys, withoutIdleQueries } from './hidden.ts'
import { scaledDot } from './scores.ts'

/** Sequences with heads, `[..., time, size]`. */
export interface Projected {
  readonly query: Tensor
  readonly key: Tensor
  readonly value: Tensor
}

/**
 * Sliding windows and a few places that see all and are seen by all, with projections of their own where given.
 *
 * Beltagy et al. 2020, §3.1, arXiv:2004.05150. Places look `size` to both sides.
 */
export function longformer(
  { query, key, value }: Projected,
  {
    size,
    globals,
    dilation = 1,
    globalProjections,
  }: {
    readonly size: number
    readonly globals: readonly number[]
    readonly dilation?: number
    readonly globalProjections?: Projected
  },
): Attended {
  const near = slidingWindow(size, { dilation })
  if (!globalProjections)
    return attend(query, key, value, { score: scaledDot, mask: near.or(global(globals)) })
  const seenByAll = new Set(globals)
  const local = attend(query, key, value, { score: scaledDot, mask: near.or(global(globals)) })
  const places = arange(0, query.shape.at(-2) as number, 1, { backend: query.backend })
  const whole = attend(globalProjections.query, globalProjections.key, globalProjections.value, {
    score: scaledDot,
  })
  const isGlobal = [...seenByAll]
    .reduce((found, place) => found.logicalOr(places.equal(place)), places.less(0))
    .unsqueeze(-1) // [query, 1]
  return {
    context: whole.context.where(isGlobal, local.context),
    weights: whole.weights.where(isGlobal, local.weights),
    scores: whole.scores.where(isGlobal, local.scores),
  }
}

/** Keys and values projected from so many places to k: attention of linear cost. Wang et al. 2020, eq. 7, arXiv:2006.04768. */
export class Linformer extends Module {
  /** `[k, time]` */
  readonly projectKeys: Parameter
  readonly projectValues: Parameter

  constructor(time: number, k: number, options: LayerOptions = {}) {
    super()
    this.projectKeys = parameter([k, time], xavierUniform(), options)
    this.projectValues = parameter([k, time], xavierUniform(), options)
  }

  /** `[..., time, size]` each → context `[..., time, size]`, weights over the k projected places `[..., time, k]`. */
  forward(query: Tensor, key: Tensor, value: Tensor): Attended {
    return attend(query, this.projectKeys.matmul(key), this.projectValues.matmul(value), { score: scaledDot })
  }
}

/** Features whose products stand for scores: never negative, so that products are weights. */
export type FeatureMap = (x: Tensor) => Tensor

/** elu(x) + 1. Katharopoulos et al. 2020, eq. 7, arXiv:2006.16236. */
export const eluFeatures: FeatureMap = x => elu(x).add(1)

/**
 * Positive random features whose products are e^(qᵀk/√d) on average: `exp(W x̂ − |x̂|²/2) / √m`, x̂ = x / d^¼.
 *
 * Choromanski et al. 2021, lemma 1, arXiv:2009.14794 (FAVOR+).
 *
 * @param features W, `[m, d]`, rows from the normal distribution, orthogonal for less variance
 */
export function positiveFeatures(features: Tensor): FeatureMap {
  const [m, d] = features.shape as [number, number]
  return x => {
    const scaled = x.mul(d ** -0.25)
    return scaled
      .matmul(features.transpose())
      .sub(scaled.mul(scaled).sum(-1, { keepDims: true }).mul(0.5))
      .exp()
      .mul(1 / Math.sqrt(m))
  }
}

/**
 * `Σⱼ φ(qᵢ)ᵀφ(kⱼ) vⱼ / Σⱼ φ(qᵢ)ᵀφ(kⱼ)`, summed over keys first: linear cost. The matrix of weights is never made.
 *
 * Katharopoulos et al. 2020, eq. 5 and 9-10.
 *
 * @param causal whether only keys up to the query's own place count (running sums)
 */
export function linearAttention(
  query: Tensor,
  key: Tensor,
  value: Tensor,
  map: FeatureMap,
  { causal = false }: { readonly causal?: boolean } = {},
): Tensor {
  checkAxes('linearAttention', { query, key, value }, matrices, '[..., time, size] each')
  const [q, k] = [map(query), map(key)] // [..., time, features]
  if (!causal) {
    const summary = k.transpose().matmul(value) // [..., features, size]
    return q.matmul(summary).div(q.matmul(k.sum(-2, { keepDims: true }).transpose()))
  }
  if (query.shape.at(-2) !== key.shape.at(-2))
    throw new ShapeError(
      `linearAttention: causal needs as many queries as keys, ${query.shape.at(-2)} and ${key.shape.at(-2)}; use the same sequence`,
    )
  const axis = query.shape.length - 2
  const summary = k.unsqueeze(-1).mul(value.unsqueeze(-2)).cumsum(axis) // [..., time, features, size]
  const norm = q.mul(k.cumsum(axis)).sum(-1, { keepDims: true })
  return q.unsqueeze(-2).matmul(summary).squeeze(-2).div(norm)
}

/**
 * The weights that {@link linearAttention} stands for, `[..., query, key]`: for looking, at quadratic cost.
 *
 * @param mask what may be looked at, true = may
 */
export function linearAttentionWeights(query: Tensor, key: Tensor, map: FeatureMap, mask?: Mask): Tensor {
  checkAxes('linearAttentionWeights', { query, key }, matrices, '[..., time, size] each')
  const [queries, keys] = [query.shape.at(-2) as number, key.shape.at(-2) as number]
  const numbers = mask?.tensor(queries, keys, query, query.shape.length)
  const shown = numbers ? withoutHiddenKeys(key, numbers) : key
  const asks = numbers ? withoutIdleQueries(query, numbers) : query
  const products = map(asks).matmul(map(shown).transpose())
  const open = numbers ? products.where(numbers, 0) : products
  const sum = open.sum(-1, { keepDims: true })
  return open.div(numbers ? sum.where(sum.equal(0).logicalNot(), 1) : sum) // zeros for a query that may look nowhere
}

/**
 * Attention that knows distances: `e = qᵀ(k + a_K) / √d`, `z = Σ α (v + a_V)`, a a learned vector for each distance up to
 * `clip`.
 *
 * Shaw et al. 2018, eq. 3-4, arXiv:1803.02155.
 */
export class RelativeAttention extends Module {
  readonly clip: number
  /** `[2·clip + 1, size]`, row = distance + clip */
  readonly keyTable: Parameter
  readonly valueTable: Parameter

  constructor(size: number, clip: number, options: LayerOptions = {}) {
    super()
    checkWhole('RelativeAttention', { size, clip })
    this.clip = clip
    this.keyTable = parameter([2 * clip + 1, size], normalInit(1 / Math.sqrt(size)), options)
    this.valueTable = parameter([2 * clip + 1, size], normalInit(1 / Math.sqrt(size)), options)
  }

  /** `[..., query, size]`, `[..., key, size]` → context, weights `[..., query, key]`. */
  forward(query: Tensor, key: Tensor, value: Tensor): Attended {
    const [queries, keys] = [query.shape.at(-2) as number, key.shape.at(-2) as number]
    // The distances' part goes by places, so that a row alone is scored as in the matrix.
    const modify: Change = (scores, places, uses) => {
      const [query] = uses as readonly [Tensor]
      const one = places.query.shape[0] !== queries
      const asked = one ? query.slice(rowOf(query, places)) : query
      const byDistance = asked
        .mul(1 / Math.sqrt(query.shape.at(-1) as number))
        .matmul(this.keyTable.transpose())
      const index = this.#rows(places).expand([...byDistance.shape.slice(0, -1), keys])
      return scores.add(byDistance.gather(-1, index))
    }
    const { context, weights, scores } = attend(query, key, value, {
      score: scaledDot,
      modify,
      uses: [query],
      owner: this,
    })
    const far = embedding(this.valueTable, this.#rows(placesOf(queries, keys, query))) // [query, key, size]
    const lead = weights.shape.slice(0, -2)
    const moved = weights
      .reshape([...lead, queries, 1, keys])
      .matmul(far)
      .squeeze(-2)
    return { context: context.add(moved), weights, scores }
  }
  /** The table row of every pair, `[query, key]`, int32. */
  #rows({ query, key }: Places): Tensor {
    return key.sub(query).maximum(-this.clip).minimum(this.clip).add(this.clip)
  }
}

/** The one query of one row and head that places ask for, as ranges of a tensor `[..., query, size]`. */
function rowOf(x: Tensor, { query, batch = 0, head = 0 }: Places): { start: number; stop: number }[] {
  const at = query.dataSync()[0] as number
  return [...[batch, head].slice(0, x.shape.length - 2), at].map(place => ({ start: place, stop: place + 1 }))
}
