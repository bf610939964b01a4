import { additiveScore, full, linear, type Parameter, ShapeError, type Tensor } from '@heed/core-tensor'
import { checkAxes, checkWhole, matrices } from '../check.ts'
import { type LayerOptions, parameter, uniformInit, xavierUniform } from '../init.ts'
import { Module } from '../module.ts'
import type { Score } from './attend.ts'

function equalSizes(name: string, query: Tensor, keys: Tensor): void {
  const [q, k] = [query.shape.at(-1), keys.shape.at(-1)]
  if (q !== k)
    throw new ShapeError(
      `attend: ${name} needs equal sizes, query ${q} and key ${k}; use new General(${q}, ${k})`,
    )
}

/** `qᵀk`. Luong et al. 2015, §3.1, arXiv:1508.04025. */
export const dot: Score = {
  prepare: keys => keys,
  factor: () => 1,
  score(query, keys) {
    equalSizes('dot', query, keys)
    return query.matmul(keys.transpose())
  },
}

/** `qᵀk / √size`. Vaswani et al. 2017, eq. 1, arXiv:1706.03762. */
export const scaledDot: Score = {
  prepare: keys => keys,
  factor: query => 1 / Math.sqrt(query.shape.at(-1) as number),
  score(query, keys) {
    equalSizes('scaledDot', query, keys)
    return query.mul(1 / Math.sqrt(query.shape.at(-1) as number)).matmul(keys.transpose())
  },
}

/** Vectors at length 1; those shorter than 1e-12 stay short, and zeros stay zeros. */
function unit(x: Tensor): Tensor {
  return x.div(x.mul(x).sum(-1, { keepDims: true }).maximum(1e-24).sqrt())
}

/** `cos(q, k) = qᵀk / (|q| |k|)`, from −1 to 1. Graves et al. 2014, eq. 6, arXiv:1410.5401. */
export const cosine: Score = {
  prepare: unit,
  score(query, keys) {
    equalSizes('cosine', query, keys)
    return unit(query).matmul(keys.transpose())
  },
}

/** A score with parameters. */
abstract class LearnedScore extends Module implements Score {
  /** The part that depends on the keys alone, made once for a sequence: `[..., key, keySize]` → what {@link score} takes. */
  abstract prepare(keys: Tensor): Tensor
  /** `[..., query, querySize]` and what {@link prepare} made → `[..., query, key]`. */
  abstract score(query: Tensor, prepared: Tensor): Tensor

  /** `[batch, query, querySize]` and `[batch, key, keySize]` → `[batch, query, key]`. */
  forward(query: Tensor, keys: Tensor): Tensor {
    checkAxes(this.constructor.name, { query, keys }, matrices, '[batch, query, size] and [batch, key, size]')
    return this.score(query, this.prepare(keys))
  }
}

/** How {@link General} is made. */
export interface GeneralOptions extends LayerOptions {
  /** Whether each key has a worth of its own beside the fit, `+ bᵀk`. */
  readonly bias?: boolean
}

/** `qᵀWk` (`+ bᵀk`). Luong et al. 2015, §3.1, arXiv:1508.04025; with bias: Sordoni et al. 2016, arXiv:1606.02245. */
export class General extends LearnedScore {
  /** `[querySize, keySize]` */
  readonly weight: Parameter
  /** `[keySize]` */
  readonly bias: Parameter | null

  constructor(querySize: number, keySize: number, { bias = false, ...options }: GeneralOptions = {}) {
    super()
    this.weight = parameter([querySize, keySize], xavierUniform(), options)
    this.bias = bias ? parameter([keySize], uniformInit(1 / Math.sqrt(keySize)), options) : null
  }

  prepare(keys: Tensor): Tensor {
    return keys
  }

  score(query: Tensor, keys: Tensor): Tensor {
    const fit = query.matmul(this.weight)
    return (this.bias ? fit.add(this.bias) : fit).matmul(keys.transpose())
  }
}

/** How {@link Additive} is made. */
export interface AdditiveOptions extends LayerOptions {
  /** Whether `b` is added inside tanh. */
  readonly bias?: boolean
}

/**
 * Additive score `vᵀ tanh(W_q q + W_k k)` (`+ b` inside).
 *
 * Bahdanau et al. 2015, §A.1.2, arXiv:1409.0473. Their Wₐ is our `wQuery`, their Uₐ our `wKey`.
 */
export class Additive extends LearnedScore {
  /** `[size, querySize]` */
  readonly wQuery: Parameter
  /** `[size, keySize]` */
  readonly wKey: Parameter
  /** `[size]` */
  readonly v: Parameter
  /** `[size]` */
  readonly bias: Parameter | null

  constructor(
    querySize: number,
    keySize: number,
    size: number,
    { bias = false, ...options }: AdditiveOptions = {},
  ) {
    super()
    this.wQuery = parameter([size, querySize], xavierUniform(), options)
    this.wKey = parameter([size, keySize], xavierUniform(), options)
    this.v = parameter([size], uniformInit(1 / Math.sqrt(size)), options)
    this.bias = bias ? parameter([size], uniformInit(1 / Math.sqrt(size)), options) : null
  }

  /** `W_k k + b`, `[batch, key, size]`. */
  prepare(keys: Tensor): Tensor {
    return linear(keys, this.wKey, this.bias)
  }

  score(query: Tensor, prepared: Tensor): Tensor {
    return additiveScore(linear(query, this.wQuery), prepared, this.v)
  }
}

/**
 * Concat score `vᵀ tanh(W [q; k])`: the additive score with one matrix, under its own name.
 *
 * Luong et al. 2015, §3.1, arXiv:1508.04025. `W = [W_q W_k]` makes both one function.
 */
export class Concat extends LearnedScore {
  /** `[size, querySize + keySize]` */
  readonly weight: Parameter
  /** `[size]` */
  readonly v: Parameter
  readonly querySize: number

  constructor(querySize: number, keySize: number, size: number, options: LayerOptions = {}) {
    super()
    checkWhole('Concat', { querySize, keySize, size })
    this.querySize = querySize
    this.weight = parameter([size, querySize + keySize], xavierUniform(), options)
    this.v = parameter([size], uniformInit(1 / Math.sqrt(size)), options)
  }

  prepare(keys: Tensor): Tensor {
    return linear(keys, this.weight.slice([{}, { start: this.querySize }]))
  }

  score(query: Tensor, prepared: Tensor): Tensor {
    return additiveScore(linear(query, this.weight.slice([{}, { stop: this.querySize }])), prepared, this.v)
  }
}

/** `(U q)ᵀ(V k)`: the general score with a matrix of low rank, `W = UᵀV`. */
export class LowRank extends LearnedScore {
  /** `[rank, querySize]` */
  readonly wQuery: Parameter
  /** `[rank, keySize]` */
  readonly wKey: Parameter

  constructor(querySize: number, keySize: number, rank: number, options: LayerOptions = {}) {
    super()
    this.wQuery = parameter([rank, querySize], xavierUniform(), options)
    this.wKey = parameter([rank, keySize], xavierUniform(), options)
  }

  prepare(keys: Tensor): Tensor {
    return linear(keys, this.wKey)
  }

  score(query: Tensor, prepared: Tensor): Tensor {
    return linear(query, this.wQuery).matmul(prepared.transpose())
  }
}

/**
 * Content score `g cos(q, k)`: {@link cosine}, and how sharp it shall be, learned.
 *
 * Graves et al. 2014, §3.3.1, eq. 5-6, arXiv:1410.5401. Their key strength β is our `scale`, one number for all queries.
 */
export class Cosine extends LearnedScore {
  /** `[]` */
  readonly scale: Parameter

  constructor({ scale = 1, backend }: Omit<LayerOptions, 'rng'> & { readonly scale?: number } = {}) {
    super()
    this.scale = parameter([], shape => full(shape, scale, backend ? { backend } : {}), {})
  }

  prepare(keys: Tensor): Tensor {
    return cosine.prepare(keys)
  }

  score(query: Tensor, prepared: Tensor): Tensor {
    return cosine.score(query, prepared).mul(this.scale)
  }
}

/**
 * Location score `W q`: where to look is said by the query alone, whatever the keys hold.
 *
 * Luong et al. 2015, §3.1, eq. 8, arXiv:1508.04025. Row i of W is for place i; of shorter sequences the first rows are used.
 */
export class Location extends LearnedScore {
  /** `[maxKeys, querySize]` */
  readonly weight: Parameter

  constructor(querySize: number, maxKeys: number, options: LayerOptions = {}) {
    super()
    this.weight = parameter([maxKeys, querySize], xavierUniform(), options)
  }

  prepare(keys: Tensor): Tensor {
    return keys
  }

  score(query: Tensor, keys: Tensor): Tensor {
    const [most] = this.weight.shape as readonly [number]
    const count = keys.shape.at(-2) as number
    if (count > most)
      throw new ShapeError(
        `attend: Location has places for ${most} keys, there are ${count}; use new Location(${query.shape.at(-1)}, ${count})`,
      )
    return linear(query, this.weight.slice([{ stop: count }]))
  }
}
