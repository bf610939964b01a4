import {
  arange,
  axisOf,
  ConfigError,
  expm1,
  log1p,
  logSoftmax,
  noGrad,
  ones,
  softmax,
  sort,
  type Tensor,
  tensor,
  topK,
  zeros,
} from '@heed/core-tensor'
import { NEVER } from './attend.ts'

/**
 * Probabilities with exact zeros: the nearest point of the simplex, `max(z − τ, 0)`.
 *
 * Martins and Astudillo 2016, algorithm 1, arXiv:1602.02068. Which places are above 0 is found by sorting; on these, τ is
 * an ordinary differentiable formula, and so is the gradient.
 */
export function sparsemax(x: Tensor, axis = -1): Tensor {
  return alongLast('sparsemax', x, axis, z => {
    const support = supportOf(z, (sorted, count) => sorted.cumsum(-1).sub(1).div(count))
    const size = support.sum(-1, { keepDims: true })
    const tau = z.mul(support).sum(-1, { keepDims: true }).sub(1).div(size)
    return z.sub(tau).mul(support)
  })
}

/**
 * Between softmax and {@link sparsemax}, α = 1.5: `max(z/2 − τ, 0)²`.
 *
 * Peters et al. 2019, algorithm 2, arXiv:1905.05702.
 */
export function entmax15(x: Tensor, axis = -1): Tensor {
  return alongLast('entmax15', x, axis, full => {
    const z = full.sub(full.detach().max(-1, { keepDims: true })).mul(0.5)
    const threshold = (sum: Tensor, squares: Tensor, count: Tensor): Tensor => {
      const mean = sum.div(count)
      const spread = squares.sub(sum.mul(mean))
      return mean.sub(spread.neg().add(1).div(count).maximum(0).sqrt())
    }
    const support = supportOf(z, (sorted, count) =>
      threshold(sorted.cumsum(-1), sorted.mul(sorted).cumsum(-1), count),
    )
    const kept = z.mul(support)
    const total = (t: Tensor): Tensor => t.sum(-1, { keepDims: true })
    const distance = z.sub(threshold(total(kept), total(kept.mul(kept)), total(support))).mul(support)
    return distance.mul(distance)
  })
}

/** 1 where the result is above 0: at the largest, as long as they are above the threshold that they themselves make. */
function supportOf(z: Tensor, threshold: (sorted: Tensor, count: Tensor) => Tensor): Tensor {
  return noGrad(() => {
    const { values: sorted, indices } = sort(z, -1, { descending: true })
    const count = arange(1, (z.shape.at(-1) as number) + 1, 1, { backend: z.backend }).cast(z.dtype)
    const inside = threshold(sorted, count).less(sorted).cast(z.dtype)
    return zeros(z.shape, z).scatterAdd(-1, indices, inside)
  })
}

function alongLast(name: string, x: Tensor, axis: number, body: (x: Tensor) => Tensor): Tensor {
  const at = axisOf(name, axis, x.shape)
  return at === x.shape.length - 1 ? body(x) : body(x.transpose(at, -1)).transpose(at, -1)
}

/**
 * Between softmax (α = 1) and beyond {@link sparsemax} (α = 2), for any α: `max((α − 1) z − τ, 0)^(1/(α−1))`.
 *
 * Peters et al. 2019, eq. 6, arXiv:1905.05702; by bisection as in Correia et al. 2019, algorithm 1, arXiv:1909.00015. The
 * gradient reaches z, and α where it is a tensor: with the last of the search as two steps of Newton's, both are ordinary
 * gradients, and may be differentiated again.
 *
 * @param alpha a number of 1 or more, or a tensor that stretches to `[..., 1]`: one for each head, for example
 * @throws ConfigError if α is a number below 1
 */
export function entmax(x: Tensor, alpha: number | Tensor, axis = -1): Tensor {
  if (typeof alpha === 'number' && !(alpha >= 1 && alpha < Number.POSITIVE_INFINITY))
    throw new ConfigError(`entmax: alpha is ${alpha}; use a number of 1 or more`)
  if (alpha === 1) return softmax(x, axis)
  return alongLast('entmax', x, axis, full => {
    const z = full.sub(full.detach().max(-1, { keepDims: true }))
    const { backend, dtype } = z
    const a = typeof alpha === 'number' ? tensor(alpha, { backend, dtype }).sub(1) : alpha.sub(1)
    // Next to 1 the formula is 0/0: there its first terms in α − 1 take its place.
    const close = a.abs().less(1e-4)
    const safe = a.where(close.logicalNot(), 1e-4)
    const general = exponentials(z, thresholds(z, safe), safe).values
    if (typeof alpha === 'number') return general
    const p = softmax(z)
    const squares = logSoftmax(z).mul(logSoftmax(z))
    const slope = p.mul(p.mul(squares).sum(-1, { keepDims: true }).sub(squares)).mul(0.5)
    return p.add(slope.mul(a)).where(close, general)
  })
}

/**
 * `(1 + a (z − c))^(1/a)` where positive, else 0: e^(z−c) as a goes to 0, and with no more rounding; and its derivative by c.
 */
function exponentials(z: Tensor, c: Tensor, a: Tensor): { values: Tensor; slopes: Tensor } {
  const base = z.sub(c).mul(a)
  const inside = base.greater(-1)
  const log = log1p(base.where(inside, 0)).div(a)
  return {
    values: log.exp().where(inside, 0),
    slopes: log.mul(a.neg().add(1)).exp().where(inside, 0).neg(), // −value^(2−α)
  }
}

/** The c at which the values sum to 1. */
function thresholds(z: Tensor, a: Tensor): Tensor {
  const found = noGrad(() => {
    const n = z.shape.at(-1) as number
    // At 0 the largest value is 1; at the other end all are 1/n at most.
    let low = z.sum(-1, { keepDims: true }).mul(0).add(a.mul(0))
    let high = low.sub(expm1(a.mul(-Math.log(n))).div(a))
    for (let i = 0; i < 40; i++) {
      const middle = low.add(high).mul(0.5)
      const over = exponentials(z, middle, a).values.sum(-1, { keepDims: true }).greater(1)
      low = middle.where(over, low)
      high = high.where(over, middle)
    }
    return low.add(high).mul(0.5)
  })
  return [1, 2].reduce(c => {
    const { values, slopes } = exponentials(z, c, a)
    const total = (t: Tensor): Tensor => t.sum(-1, { keepDims: true })
    return c.sub(total(values).sub(1).div(total(slopes)))
  }, found)
}

/** {@link softmax} of the k largest along an axis, 0 for the others; of all where there are no more than k. The gradient reaches the k alone. */
export function topKSoftmax(x: Tensor, k: number, axis = -1): Tensor {
  if (!Number.isInteger(k) || k < 1)
    throw new ConfigError(`topKSoftmax: k is ${k}; use a whole number of 1 or more`)
  return alongLast('topKSoftmax', x, axis, z => {
    const count = z.shape.at(-1) as number
    if (k >= count) return softmax(z)
    const chosen = noGrad(() => {
      const { indices } = topK(z, k)
      const none = zeros(z.shape, { dtype: 'int32', backend: z.backend })
      return none.scatterAdd(-1, indices, ones(indices.shape, { dtype: 'int32', backend: z.backend })).greater(0) // biome-ignore format: one line reads best
    })
    return softmax(z.where(chosen, NEVER)).where(chosen, 0)
  })
}

/** {@link softmax} of x / τ: sharper below 1, towards the largest alone; flatter above, towards the mean. @throws ConfigError unless τ is above 0 */
export function temperatureSoftmax(x: Tensor, temperature: number | Tensor, axis = -1): Tensor {
  if (typeof temperature === 'number' && !(temperature > 0))
    throw new ConfigError(`temperatureSoftmax: the temperature is ${temperature}; use a number above 0`)
  return softmax(x.div(temperature), axis)
}
