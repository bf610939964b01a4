import { axisOf, ConfigError, DTypeError, logSigmoid, logSoftmax, norm, type Tensor } from '@heed/core-tensor'

/** How the losses of many places become one: their mean, their sum, or not at all. */
export type Reduction = 'mean' | 'sum' | 'none'

/** How {@link crossEntropy} counts. */
export interface CrossEntropyOptions {
  readonly reduction?: Reduction
  /** A target that does not count (padding). */
  readonly ignoreIndex?: number
  /** The share of the target that is spread evenly over all classes. Szegedy et al. 2016, §7, arXiv:1512.00567. */
  readonly labelSmoothing?: number
  /** The weight of each class, `[classes]`; the mean divides by the weights of the counted targets. */
  readonly weight?: Tensor
  /** The axis of the classes; the last unless given. */
  readonly classAxis?: number
}

/**
 * Minus the log probability of the right class, from scores (logits).
 *
 * @param logits `[..., classes]`
 * @param target `[...]`, int32
 * @returns one number, or `[...]` without reduction; NaN as a mean where no target counts, as in PyTorch
 * @throws DTypeError unless targets are int32
 */
export function crossEntropy(logits: Tensor, target: Tensor, options: CrossEntropyOptions = {}): Tensor {
  const { labelSmoothing = 0, classAxis = -1, weight } = options
  if (!(labelSmoothing >= 0 && labelSmoothing <= 1))
    throw new ConfigError(`crossEntropy: labelSmoothing is ${labelSmoothing}; use a share from 0 to 1`)
  const logProbs = logSoftmax(classesLast('crossEntropy', logits, classAxis))
  return likelihood('crossEntropy', logProbs, target, options, (picked, classWeight) => {
    if (labelSmoothing === 0) return picked.mul(classWeight)
    const classes = logProbs.shape.at(-1) as number
    const spread = weight ? logProbs.mul(weight).sum(-1) : logProbs.sum(-1)
    return picked
      .mul(classWeight)
      .mul(1 - labelSmoothing)
      .sub(spread.mul(labelSmoothing / classes))
  })
}

/** Minus the log probability of the right class, from log probabilities `[..., classes]`. Options as of {@link crossEntropy}. */
export function nllLoss(
  logProbs: Tensor,
  target: Tensor,
  options: Omit<CrossEntropyOptions, 'labelSmoothing'> = {},
): Tensor {
  const last = classesLast('nllLoss', logProbs, options.classAxis ?? -1)
  return likelihood('nllLoss', last, target, options, (picked, classWeight) => picked.mul(classWeight))
}

function classesLast(where: string, x: Tensor, classAxis: number): Tensor {
  const at = axisOf(where, classAxis, x.shape)
  return at === x.shape.length - 1 ? x : x.permute([...x.shape.keys()].filter(axis => axis !== at).concat(at))
}

function likelihood(
  where: string,
  logProbs: Tensor,
  target: Tensor,
  { reduction = 'mean', ignoreIndex = -100, weight }: CrossEntropyOptions,
  cost: (picked: Tensor, classWeight: Tensor | number) => Tensor,
): Tensor {
  if (target.dtype !== 'int32')
    throw new DTypeError(`${where}: targets are ${target.dtype}; make them int32 class numbers`)
  const counted = target.equal(ignoreIndex).logicalNot()
  const classes = target.where(counted, 0)
  const picked = logProbs.gather(-1, classes.unsqueeze(-1)).squeeze(-1).neg()
  const classWeight = weight ? weight.gather(0, classes.reshape([-1])).reshape(classes.shape) : 1
  const losses = cost(picked, classWeight).where(counted, 0)
  if (reduction === 'none') return losses
  if (reduction === 'sum') return losses.sum()
  const shares = counted.cast(losses.dtype)
  return losses.sum().div(shares.mul(classWeight).sum())
}

/** Mean squared error. */
export function mseLoss(
  x: Tensor,
  target: Tensor,
  { reduction = 'mean' }: { readonly reduction?: Reduction } = {},
): Tensor {
  const distance = x.sub(target)
  return reduce(distance.mul(distance), reduction)
}

/** Mean absolute error. */
export function l1Loss(
  x: Tensor,
  target: Tensor,
  { reduction = 'mean' }: { readonly reduction?: Reduction } = {},
): Tensor {
  return reduce(x.sub(target).abs(), reduction)
}

function reduce(losses: Tensor, reduction: Reduction): Tensor {
  return reduction === 'mean' ? losses.mean() : reduction === 'sum' ? losses.sum() : losses
}

/** How losses become one. */
export interface LossOptions {
  readonly reduction?: Reduction
}

/** {@link crossEntropy} against a distribution over the classes, `[..., classes]`; the mean is over places. */
export function softCrossEntropy(
  logits: Tensor,
  target: Tensor,
  { reduction = 'mean' }: LossOptions = {},
): Tensor {
  return reduce(logSoftmax(logits).mul(target).sum(-1).neg(), reduction)
}

/** How {@link binaryCrossEntropy} counts. */
export interface BinaryOptions extends LossOptions {
  /** How much each positive counts, stretched over the logits. */
  readonly positiveWeight?: Tensor
}

/** Minus the log probability of yes or no, from logits: `max(x, 0) − xy + log(1 + e^−|x|)`, without overflow. */
export function binaryCrossEntropy(
  logits: Tensor,
  target: Tensor,
  { reduction = 'mean', positiveWeight }: BinaryOptions = {},
): Tensor {
  const yes = logSigmoid(logits).mul(target)
  const no = logSigmoid(logits.neg()).mul(target.neg().add(1))
  return reduce((positiveWeight ? yes.mul(positiveWeight) : yes).add(no).neg(), reduction)
}

/** Squared below `beta`, straight above: `½ d² / β`, `|d| − ½ β`. Girshick 2015, eq. 3, arXiv:1504.08083; β as in PyTorch. */
export function smoothL1Loss(
  x: Tensor,
  target: Tensor,
  { reduction = 'mean', beta = 1 }: LossOptions & { readonly beta?: number } = {},
): Tensor {
  if (beta === 0) return l1Loss(x, target, { reduction })
  const distance = x.sub(target)
  const size = distance.abs()
  const squared = distance.mul(distance).mul(0.5 / beta)
  return reduce(squared.where(size.less(beta), size.sub(0.5 * beta)), reduction)
}

/** Squared below `delta`, straight above: `½ d²`, `δ (|d| − ½ δ)`. Huber 1964. */
export function huberLoss(
  x: Tensor,
  target: Tensor,
  { reduction = 'mean', delta = 1 }: LossOptions & { readonly delta?: number } = {},
): Tensor {
  const distance = x.sub(target)
  const size = distance.abs()
  const squared = distance.mul(distance).mul(0.5)
  return reduce(squared.where(size.less(delta), size.sub(0.5 * delta).mul(delta)), reduction)
}

/**
 * Kullback-Leibler divergence `Σ t (log t − log p)` of a target from log probabilities.
 *
 * `mean` divides by the number of elements, as PyTorch does; `batchmean` by the length of the first axis, as the mathematics.
 */
export function klDivergence(
  logProbs: Tensor,
  target: Tensor,
  { reduction = 'mean' }: { readonly reduction?: Reduction | 'batchmean' } = {},
): Tensor {
  const present = target.greater(0)
  const entropy = target.mul(target.where(present, 1).log())
  const losses = entropy.sub(target.mul(logProbs))
  return reduction === 'batchmean'
    ? losses.sum().mul(1 / (logProbs.shape[0] ?? 1))
    : reduce(losses, reduction)
}

/** The cosine of the angle between vectors along an axis, `a·b / max(|a| |b|, ε)`. */
export function cosineSimilarity(
  a: Tensor,
  b: Tensor,
  { axis = -1, epsilon = 1e-8 }: { readonly axis?: number; readonly epsilon?: number } = {},
): Tensor {
  const length = (x: Tensor): Tensor => norm(x, axis).maximum(epsilon)
  return a.mul(b).sum(axis).div(length(a)).div(length(b))
}
