import { ShapeError, type Tensor } from '@heed/core-tensor'

/**
 * How far attention is from given alignments: `−Σᵢ α*_ti log α_ti`, the mean over target words that have links.
 *
 * Chen et al. 2016, §3, eq. 6, arXiv:1607.01628 ("Guided alignment training"). A weight below 10⁻⁹ counts as that.
 *
 * @param weights `[batch, targetTime, sourceTime]`
 * @param alignment the same shape: rows sum to 1, or to 0 for words without links, which do not count
 * @returns one number; 0 where no word has links
 * @throws ShapeError if shapes differ
 */
export function guidedAlignmentLoss(weights: Tensor, alignment: Tensor): Tensor {
  if (weights.shape.join() !== alignment.shape.join())
    throw new ShapeError(
      `guidedAlignmentLoss: weights are [${weights.shape.join(', ')}], the alignment is [${alignment.shape.join(', ')}]; give a row for each target word, a number for each source word`,
    )
  const cost = weights.maximum(1e-9).log().mul(alignment).sum(-1).neg() // [batch, targetTime]
  const linked = alignment.sum(-1).greater(0).cast(weights.dtype)
  return cost.sum().div(linked.sum().maximum(1))
}

/**
 * What looking again costs: `Σᵢ min(α_ti, c_ti)`, `c_t = Σ_{t' < t} α_t'`, the mean over target words.
 *
 * See et al. 2017, eq. 12, arXiv:1704.04368.
 *
 * @param weights `[batch, targetTime, sourceTime]`
 * @param counted which target words count, `[batch, targetTime]`, bool; all unless given
 * @returns one number, from 0 to 1
 */
export function coverageLoss(weights: Tensor, counted?: Tensor): Tensor {
  const before = weights.cumsum(1).sub(weights) // what was looked at in the steps before
  const again = weights.minimum(before).sum(-1) // [batch, targetTime]
  if (!counted) return again.mean()
  return again.where(counted, 0).sum().div(counted.cast(again.dtype).sum().maximum(1))
}
