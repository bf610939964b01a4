import { applyAll } from '../dispatch.ts'
import { ConfigError, DTypeError, ShapeError } from '../errors.ts'
import { sort as sortOp } from '../ops/reduce.ts'
import { axesOf, axisOf, isFloat, show, sizeOf } from '../shape.ts'
import type { KeepDims, Tensor } from '../tensor.ts'

type Axes = number | readonly number[]

/** How {@link variance} counts. */
export interface VarianceOptions extends KeepDims {
  /** What is taken off the number of elements: 1 for the unbiased estimate (the default), 0 for the population. */
  readonly correction?: number
}

/** @throws DTypeError unless the numbers are floats */
function floating(where: string, { dtype }: Tensor): void {
  if (!isFloat(dtype)) throw new DTypeError(`${where}: ${dtype} input; use x.cast('float32') first`)
}

/** The mean squared distance from the mean. NaN where no more than `correction` elements are, as in PyTorch. */
export function variance(
  x: Tensor,
  axes?: Axes,
  { correction = 1, keepDims = false }: VarianceOptions = {},
): Tensor {
  floating('variance', x)
  const over = axesOf('variance', axes, x.shape)
  const count = sizeOf(over.map(axis => x.shape[axis] as number))
  const distance = x.sub(x.mean(over, { keepDims: true }))
  return distance
    .mul(distance)
    .sum(over, { keepDims })
    .div(Math.max(0, count - correction))
}

/** The root of the {@link variance}. */
export function std(x: Tensor, axes?: Axes, options: VarianceOptions = {}): Tensor {
  return variance(x, axes, options).sqrt()
}

/** log Σ eˣ, without overflow. */
export function logSumExp(x: Tensor, axes?: Axes, { keepDims = false }: KeepDims = {}): Tensor {
  floating('logSumExp', x)
  const over = axesOf('logSumExp', axes, x.shape)
  const top = x.detach().max(over, { keepDims: true })
  const finite = top.where(top.abs().less(Number.POSITIVE_INFINITY), 0)
  const sum = x.sub(finite).exp().sum(over, { keepDims }).log()
  return sum.add(keepDims ? finite : finite.reshape(sum.shape))
}

/** (Σ |x|ᵖ)^(1/p); p may be infinity (the largest |x|). @throws ConfigError unless p is above 0 */
export function norm(
  x: Tensor,
  axes?: Axes,
  { p = 2, keepDims = false }: KeepDims & { readonly p?: number } = {},
): Tensor {
  floating('norm', x)
  if (!(p > 0)) throw new ConfigError(`norm: p is ${p}; use a number above 0, or Infinity`)
  if (p === Number.POSITIVE_INFINITY) return x.abs().max(axes, { keepDims })
  if (p === 1) return x.abs().sum(axes, { keepDims })
  if (p === 2) {
    // The root's slope at 0 is infinite; the norm's gradient there is 0, as in PyTorch.
    const squares = x.mul(x).sum(axes, { keepDims })
    const some = squares.equal(0).logicalNot()
    return squares.where(some, 1).sqrt().where(some, 0)
  }
  return x
    .abs()
    .pow(p)
    .sum(axes, { keepDims })
    .pow(1 / p)
}

/** Values in order, and where each came from (int32). */
export interface Sorted {
  /** The values in order. */
  readonly values: Tensor
  /** Where each came from, int32. */
  readonly indices: Tensor
}

/** Sorted along an axis; equal ones keep their order, NaN counts as the largest. */
export function sort(
  x: Tensor,
  axis = -1,
  { descending = false }: { readonly descending?: boolean } = {},
): Sorted {
  const [values, indices] = applyAll(sortOp, [x], { axis: axisOf('sort', axis, x.shape), descending }) as [
    Tensor,
    Tensor,
  ]
  return { values, indices }
}

/** The k largest along an axis, largest first (or smallest). @throws ShapeError if the axis is shorter than k */
export function topK(
  x: Tensor,
  k: number,
  axis = -1,
  { largest = true }: { readonly largest?: boolean } = {},
): Sorted {
  const at = axisOf('topK', axis, x.shape)
  if (!Number.isInteger(k) || k < 0 || k > (x.shape[at] as number))
    throw new ShapeError(
      `topK: k is ${k}, axis ${axis} of ${show(x.shape)} has ${x.shape[at]}; use a whole number up to that`,
    )
  const { values, indices } = sort(x, at, { descending: largest })
  const first = x.shape.map((_, a) => (a === at ? { stop: k } : {}))
  return { values: values.slice(first), indices: indices.slice(first) }
}
