import {
  arange,
  ConfigError,
  indexSelect,
  linear,
  type Parameter,
  ShapeError,
  softmax,
  type Tensor,
} from '@heed/core-tensor'
import { checkAxes, matrices } from '../check.ts'
import { type LayerOptions, parameter, uniformInit, xavierUniform } from '../init.ts'
import { Mask, paddingMask } from '../masks.ts'
import { Module } from '../module.ts'
import { type Attended, attend, type Change, type Score } from './attend.ts'
import { dot } from './scores.ts'

/** Where local attention looks. */
export interface LocalOptions {
  /** D: keys at most so far from the centre are looked at. */
  readonly window: number
  readonly score?: Score
  /** Whether weights are multiplied by a Gaussian around the centre, σ = D/2, and not summed to 1 again. */
  readonly gaussian?: boolean
  /** Whether keys beyond the window are left out; else the Gaussian alone fades them. */
  readonly cut?: boolean
  /** Who attends, for captureAttention. */
  readonly owner?: Module | undefined
}

/** Where local attention looks in one call. */
export interface LocalCall extends LocalOptions {
  /**
   * What may be looked at within the window, true = may: {@link paddingMask} for padded keys. A query whose window holds
   * nothing else gets zeros.
   */
  readonly mask?: Tensor | Mask | undefined
}

/** How {@link LocalPredictive} is called. */
export interface PredictiveCall {
  /** The keys of each row that are none of padding, `[batch]`, int32: centres lie among them, and no other is looked at. */
  readonly lengths?: Tensor | undefined
  /** What else may be looked at within the window, true = may. */
  readonly mask?: Tensor | Mask | undefined
}

/**
 * Attends around a centre for each query.
 *
 * @param query `[batch, query, size]`
 * @param keys `[batch, key, size]`
 * @param values `[batch, key, valueSize]`
 * @param centres `[batch, query]` or `[query]`, in places of keys
 * @returns weights `[batch, query, key]`, 0 beyond the window unless `cut` is false
 * @throws ConfigError if the window is not above 0, ShapeError where sizes do not fit
 */
export function attendLocally(
  query: Tensor,
  keys: Tensor,
  values: Tensor,
  centres: Tensor,
  options: LocalCall,
): Attended {
  const { window, score = dot, gaussian = true, cut = true, mask, owner } = options
  if (!(window > 0 || (window === 0 && !gaussian)))
    throw new ConfigError(`attendLocally: the window is ${window}; use a number above 0`)
  checkAxes('attendLocally', { query, keys, values }, matrices, '[batch, query, size] and [batch, key, size]')
  const from = (centres: Tensor, key: Tensor): Tensor => key.cast(centres.dtype).sub(centres.unsqueeze(-1)) // [..., query, key]
  const near = (): Tensor => {
    const all = arange(0, keys.shape.at(-2) as number, 1, { backend: keys.backend })
    return from(centres.detach(), all).abs().lessEqual(window)
  }
  const normalize: Change = (scores, { query: places, key, batch }, uses) => {
    const [centres] = uses as readonly [Tensor]
    const weights = softmax(scores)
    if (!gaussian) return weights
    const asked = indexSelect(centres, -1, places.reshape([-1]))
    const own =
      batch === undefined || centres.shape.length === 1
        ? asked
        : asked.slice([{ start: batch, stop: batch + 1 }])
    const distance = from(own, key)
    return weights.mul(
      distance
        .mul(distance)
        .mul(-1 / (2 * (window / 2) ** 2))
        .exp(),
    )
  }
  return attend(query, keys, values, {
    score,
    mask: cut ? (mask ? near().logicalAnd(numbersOf(mask, query, keys)) : near()) : mask,
    normalize,
    uses: [centres],
    owner,
  })
}

/** A mask of either kind as bool numbers. */
function numbersOf(mask: Tensor | Mask, query: Tensor, keys: Tensor): Tensor {
  if (!(mask instanceof Mask)) return mask
  return mask.tensor(query.shape.at(-2) as number, keys.shape.at(-2) as number, keys, query.shape.length)
}

/**
 * Local attention that moves along: the centre of step t is t. Luong et al. 2015, §3.2, "local-m", arXiv:1508.04025.
 *
 * @param first the place of the first query
 */
export function localMonotonic(
  query: Tensor,
  keys: Tensor,
  values: Tensor,
  { first = 0, gaussian = false, ...options }: LocalCall & { readonly first?: number },
): Attended {
  checkAxes('localMonotonic', { query }, matrices, '[batch, query, size]')
  const queries = query.shape.at(-2) as number
  const centres = arange(first, first + queries, 1, { backend: query.backend }).cast(query.dtype)
  return attendLocally(query, keys, values, centres, { gaussian, ...options })
}

/**
 * Local attention that says itself where to look: `p = S · σ(vᵀ tanh(W q))`, with a Gaussian around p, σ = D/2.
 *
 * Luong et al. 2015, §3.2, eq. 9-10, "local-p", arXiv:1508.04025. Its gradient reaches p through the Gaussian.
 */
export class LocalPredictive extends Module {
  /** `[size, querySize]` */
  readonly weight: Parameter
  /** `[size]` */
  readonly v: Parameter
  /** A field of its own, so that what it learns is the layer's. */
  readonly score: Score
  readonly options: Omit<LocalOptions, 'score'>

  constructor(
    querySize: number,
    {
      size = querySize,
      score = dot,
      rng,
      backend,
      ...local
    }: LocalOptions & LayerOptions & { readonly size?: number },
  ) {
    super()
    this.weight = parameter([size, querySize], xavierUniform(), { rng, backend })
    this.v = parameter([size], uniformInit(1 / Math.sqrt(size)), { rng, backend })
    if (!(local.window > 0))
      throw new ConfigError(`LocalPredictive: the window is ${local.window}; use a number above 0`)
    this.score = score
    this.options = local
  }

  /** Where each query looks: `[batch, query]`, in places of so many keys, or of as many as each row has: `[batch]`, int32. */
  centres(query: Tensor, length: number | Tensor): Tensor {
    const share = linear(query, this.weight).tanh().matmul(this.v).sigmoid() // [batch, query]
    return share.mul(typeof length === 'number' ? length : length.unsqueeze(1).cast(share.dtype))
  }

  /**
   * `[batch, query, querySize]`, `[batch, key, keySize]` → context, weights `[batch, query, key]`, and the centres `[batch, query]`.
   *
   * Of padded keys pass the `lengths`: S is each row's own then, so that padding changes nothing.
   *
   * @throws ShapeError where sizes do not fit
   */
  forward(
    query: Tensor,
    keys: Tensor,
    values: Tensor = keys,
    { lengths, mask }: PredictiveCall = {},
  ): Attended & { readonly centres: Tensor } {
    checkAxes('LocalPredictive', { query, keys, values }, axes => axes === 3, '[batch, query, size] and [batch, key, size]') // biome-ignore format: one line reads best
    const time = keys.shape[1] as number
    if (lengths && (lengths.shape.length !== 1 || lengths.shape[0] !== keys.shape[0]))
      throw new ShapeError(
        `LocalPredictive: lengths is [${lengths.shape.join(', ')}], keys [${keys.shape.join(', ')}]; give one length a row, [${keys.shape[0]}]`,
      )
    const centres = this.centres(query, lengths ?? time)
    const inside = lengths && paddingMask(lengths, time)
    const both = inside && mask ? inside.logicalAnd(numbersOf(mask, query, keys)) : (inside ?? mask)
    const options = { ...this.options, score: this.score, mask: both, owner: this }
    return { ...attendLocally(query, keys, values, centres, options), centres }
  }
}
