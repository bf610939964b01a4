import { arange, indexSelect, linear, type Parameter, softmax, type Tensor } from '@heed/core-tensor'
import { type LayerOptions, parameter, uniformInit, xavierUniform } from '../init.ts'
import { Module } from '../module.ts'
import { type Attended, attend, type Change, NEVER, type Score } from './attend.ts'
import { dot } from './scores.ts'

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

/** Attends around a centre for each query: `centres` `[batch, query]` or `[query]`, in places of keys. */
export function attendLocally(
  query: Tensor,
  keys: Tensor,
  values: Tensor,
  centres: Tensor,
  options: LocalOptions,
): Attended {
  const { window, score = dot, gaussian = true, cut = true, owner } = options
  const normalize: Change = (scores, { query: places, key, batch }, uses) => {
    const [centres] = uses as readonly [Tensor]
    const asked = indexSelect(centres, -1, places.reshape([-1]))
    const own =
      batch === undefined || centres.shape.length === 1
        ? asked
        : asked.slice([{ start: batch, stop: batch + 1 }])
    const distance = key.cast(centres.dtype).sub(own.unsqueeze(-1)) // [..., query, key]
    const near = distance.abs().lessEqual(window)
    const weights = softmax(cut ? scores.where(near, NEVER) : scores)
    const inside = cut ? weights.where(near, 0) : weights
    return gaussian
      ? inside.mul(
          distance
            .mul(distance)
            .mul(-1 / (2 * (window / 2) ** 2))
            .exp(),
        )
      : inside
  }
  return attend(query, keys, values, { score, normalize, uses: [centres], owner })
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
  { first = 0, gaussian = false, ...options }: LocalOptions & { readonly first?: number },
): Attended {
  const queries = query.shape[1] as number
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
  readonly options: LocalOptions

  constructor(
    querySize: number,
    { size = querySize, rng, backend, ...local }: LocalOptions & LayerOptions & { readonly size?: number },
  ) {
    super()
    this.weight = parameter([size, querySize], xavierUniform(), { rng, backend })
    this.v = parameter([size], uniformInit(1 / Math.sqrt(size)), { rng, backend })
    this.options = local
  }

  /** Where each query looks, in places of `length` keys: `[batch, query]`. */
  centres(query: Tensor, length: number): Tensor {
    return linear(query, this.weight).tanh().matmul(this.v).sigmoid().mul(length)
  }

  /** `[batch, query, querySize]`, `[batch, key, keySize]` → context, weights `[batch, query, key]`, and the centres `[batch, query]`. */
  forward(query: Tensor, keys: Tensor, values: Tensor = keys): Attended & { readonly centres: Tensor } {
    const centres = this.centres(query, keys.shape[1] as number)
    return { ...attendLocally(query, keys, values, centres, { ...this.options, owner: this }), centres }
  }
}
