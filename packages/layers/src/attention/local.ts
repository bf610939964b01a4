import {
  arange,
  ConfigError,
  indexSelect,
  linear,
  type Parameter,
  softmax,
  type Tensor,
} from '@heed/core-tensor'
import { checkAxes, matrices } from '../check.ts'
import { type LayerOptions, parameter, uniformInit, xavierUniform } from '../init.ts'
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

/** Attends around a centre for each query: `centres` `[batch, query]` or `[query]`, in places of keys. */
export function attendLocally(
  query: Tensor,
  keys: Tensor,
  values: Tensor,
  centres: Tensor,
  options: LocalOptions,
): Attended {
  const { window, score = dot, gaussian = true, cut = true, owner } = options
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
    mask: cut ? near() : undefined,
    normalize,
    uses: [centres],
    owner,
  })
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
  readonly options: LocalOptions

  constructor(
    querySize: number,
    { size = querySize, rng, backend, ...local }: LocalOptions & LayerOptions & { readonly size?: number },
  ) {
    super()
    this.weight = parameter([size, querySize], xavierUniform(), { rng, backend })
    this.v = parameter([size], uniformInit(1 / Math.sqrt(size)), { rng, backend })
    if (!(local.window > 0))
      throw new ConfigError(`LocalPredictive: the window is ${local.window}; use a number above 0`)
    this.options = local
  }

  /** Where each query looks, in places of `length` keys: `[batch, query]`. */
  centres(query: Tensor, length: number): Tensor {
    return linear(query, this.weight).tanh().matmul(this.v).sigmoid().mul(length)
  }

  /** `[batch, query, querySize]`, `[batch, key, keySize]` → context, weights `[batch, query, key]`, and the centres `[batch, query]`. */
  forward(query: Tensor, keys: Tensor, values: Tensor = keys): Attended & { readonly centres: Tensor } {
    checkAxes('LocalPredictive', { query, keys, values }, axes => axes === 3, '[batch, query, size] and [batch, key, size]') // biome-ignore format: one line reads best
    const centres = this.centres(query, keys.shape[1] as number)
    return { ...attendLocally(query, keys, values, centres, { ...this.options, owner: this }), centres }
  }
}
