import { arange, axisOf, noGrad, sort, type Tensor } from '@heed/core-tensor'

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
    return z.mul(0).scatterAdd(-1, indices, inside)
  })
}

function alongLast(name: string, x: Tensor, axis: number, body: (x: Tensor) => Tensor): Tensor {
  const at = axisOf(name, axis, x.shape)
  return at === x.shape.length - 1 ? body(x) : body(x.transpose(at, -1)).transpose(at, -1)
}
