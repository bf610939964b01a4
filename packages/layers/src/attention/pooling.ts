import { ConfigError, eye, linear, type Parameter, softmax, type Tensor } from '@heed/core-tensor'
import { checkWhole } from '../check.ts'
import { type LayerOptions, parameter, uniformInit, xavierUniform } from '../init.ts'
import { Module } from '../module.ts'
import { type Attended, attend, type Score } from './attend.ts'
import { dot } from './scores.ts'

/** What a pool may look at. */
export interface PoolOptions {
  /** Where sequences have something, `[batch, time]`, bool: true = may be looked at. */
  readonly mask?: Tensor | undefined
}

/** Pools `[batch, time, size]` by learned queries `[hops, width]` that look at `hidden(states)`, `[batch, time, width]`. */
function pooled(
  x: Tensor,
  queries: Tensor,
  hidden: (states: Tensor) => Tensor,
  { mask }: PoolOptions,
  owner: Module,
): Attended {
  const score: Score = { prepare: hidden, score: dot.score }
  return attend(queries.unsqueeze(0), x, x, { score, mask: mask?.unsqueeze(1), owner })
}

/** How an {@link AttentionPool} scores. */
export interface AttentionPoolOptions extends LayerOptions {
  /** Whether scores are `uᵀ tanh(W x + b)` (the size given) or just `wᵀ x` (0). */
  readonly size?: number
}

/**
 * One vector for a sequence of any length: `α = softmax(uᵀ tanh(W x_t + b))`, `c = Σ α_t x_t`.
 *
 * Yang et al. 2016, §2.2, NAACL ("Hierarchical attention networks"). The number of parameters does not depend on time.
 */
export class AttentionPool extends Module {
  /** `[size, inputSize]` */
  readonly weight: Parameter | null
  /** `[size]` */
  readonly bias: Parameter | null
  /** `[size]`, or `[inputSize]` where scores are linear: what the pool looks for */
  readonly query: Parameter

  constructor(inputSize: number, { size = inputSize, ...options }: AttentionPoolOptions = {}) {
    super()
    checkWhole('AttentionPool', { inputSize, size })
    this.weight = size ? parameter([size, inputSize], xavierUniform(), options) : null
    this.bias = size ? parameter([size], uniformInit(1 / Math.sqrt(inputSize)), options) : null
    this.query = parameter([size || inputSize], uniformInit(1 / Math.sqrt(size || inputSize)), options)
  }

  /** `[batch, time, inputSize]` → context `[batch, inputSize]`, weights and scores `[batch, time]`. */
  forward(x: Tensor, options: PoolOptions = {}): Attended {
    const { weight, bias } = this
    const hidden = (states: Tensor): Tensor => (weight ? linear(states, weight, bias).tanh() : states)
    const { context, weights, scores } = pooled(x, this.query.unsqueeze(0), hidden, options, this)
    return { context: context.squeeze(1), weights: weights.squeeze(1), scores: scores.squeeze(1) }
  }
}

/**
 * Several vectors for a sequence: `A = softmax(W₂ tanh(W₁ xᵀ))`, `M = A x`, a row for each hop.
 *
 * Lin et al. 2017, arXiv:1703.03130, eq. 5-6.
 */
export class StructuredSelfAttention extends Module {
  /** `[size, inputSize]` */
  readonly w1: Parameter
  /** `[hops, size]` */
  readonly w2: Parameter

  constructor(inputSize: number, size: number, hops: number, options: LayerOptions = {}) {
    super()
    this.w1 = parameter([size, inputSize], xavierUniform(), options)
    this.w2 = parameter([hops, size], xavierUniform(), options)
  }

  /** `[batch, time, inputSize]` → context `[batch, hops, inputSize]`, weights and scores `[batch, hops, time]`. */
  forward(x: Tensor, options: PoolOptions = {}): Attended {
    return pooled(x, this.w2, states => linear(states, this.w1).tanh(), options, this)
  }
}

/** How much hops look at the same places: `‖A Aᵀ − I‖²` of weights `[batch, hops, time]` → `[batch]`. Lin et al. 2017, eq. 8. */
export function redundancy(weights: Tensor): Tensor {
  const overlap = weights
    .matmul(weights.transpose())
    .sub(eye(weights.shape[1] as number, { backend: weights.backend }))
  return overlap.mul(overlap).sum([1, 2])
}

/**
 * Attention over a window of past states that are cut in parts: a key to be found by, a value to be read, and with three
 * parts another to predict with.
 *
 * `M = tanh(W_Y K + W_h k_t)`, `α = softmax(wᵀ M)`, `h* = tanh(W_r (α V) + W_x p_t)`. Daniluk et al. 2017, §3, arXiv:1702.04521.
 */
export class KeyValueAttention extends Module {
  readonly parts: 2 | 3
  /** `[size, size]` each */
  readonly wKeys: Parameter
  readonly wKey: Parameter
  readonly wRead: Parameter
  readonly wPredict: Parameter
  /** `[size]` */
  readonly v: Parameter

  constructor(size: number, { parts = 2, ...options }: LayerOptions & { readonly parts?: 2 | 3 } = {}) {
    super()
    if (parts !== 2 && parts !== 3) throw new ConfigError(`KeyValueAttention: ${parts} parts; use 2 or 3`)
    this.parts = parts
    const square = (): Parameter => parameter([size, size], xavierUniform(), options)
    this.wKeys = square()
    this.wKey = square()
    this.wRead = square()
    this.wPredict = square()
    this.v = parameter([size], uniformInit(1 / Math.sqrt(size)), options)
  }

  /**
   * The state now looks at the states before it.
   *
   * @param memory past states `[batch, window, parts·size]`
   * @param current the state now, `[batch, parts·size]`
   * @returns context `[batch, size]`, weights and scores `[batch, window]`
   */
  forward(memory: Tensor, current: Tensor): Attended {
    const size = this.v.shape[0] as number
    const part = (x: Tensor, i: number): Tensor =>
      x.slice([...x.shape.slice(0, -1).map(() => ({})), { start: i * size, stop: (i + 1) * size }])
    const now = current.unsqueeze(1)
    const score: Score = {
      prepare: keys => linear(keys, this.wKeys),
      score: (query, keys) => keys.add(linear(query, this.wKey)).tanh().matmul(this.v).unsqueeze(1),
    }
    const read = attend(part(now, 0), part(memory, 0), part(memory, 1), {
      score,
      normalize: scores => softmax(scores),
    })
    const context = linear(read.context, this.wRead)
      .add(linear(part(now, this.parts - 1), this.wPredict))
      .tanh()
    return { context: context.squeeze(1), weights: read.weights.squeeze(1), scores: read.scores.squeeze(1) }
  }
}
