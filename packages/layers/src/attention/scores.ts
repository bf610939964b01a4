import { additiveScore, linear, type Parameter, ShapeError, type Tensor } from '@heed/core-tensor'
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
  score(query, keys) {
    equalSizes('dot', query, keys)
    return query.matmul(keys.transpose())
  },
}

/** `qᵀk / √size`. Vaswani et al. 2017, eq. 1, arXiv:1706.03762. */
export const scaledDot: Score = {
  prepare: keys => keys,
  score(query, keys) {
    equalSizes('scaledDot', query, keys)
    return query.mul(1 / Math.sqrt(query.shape.at(-1) as number)).matmul(keys.transpose())
  },
}

/** A score with parameters. */
abstract class LearnedScore extends Module implements Score {
  abstract prepare(keys: Tensor): Tensor
  abstract score(query: Tensor, prepared: Tensor): Tensor

  /** `[batch, query, querySize]` and `[batch, key, keySize]` → `[batch, query, key]`. */
  forward(query: Tensor, keys: Tensor): Tensor {
    return this.score(query, this.prepare(keys))
  }
}

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
