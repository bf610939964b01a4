import { isFloat } from '../shape.ts'
import type { KeepDims, Tensor } from '../tensor.ts'

type Axes = number | readonly number[]

/** a ≠ b, as bool. NaN differs from everything. */
export function notEqual(a: Tensor, b: Tensor | number): Tensor {
  return a.equal(b).logicalNot()
}

/** Just one of two holds. Inputs are bool. */
export function logicalXor(a: Tensor, b: Tensor): Tensor {
  return a.logicalOr(b).logicalAnd(a.logicalAnd(b).logicalNot())
}

/** Where numbers are NaN, as bool. */
export function isNan(x: Tensor): Tensor {
  return x.equal(x).logicalNot()
}

/** Where numbers are infinite, as bool. */
export function isInf(x: Tensor): Tensor {
  return isFloat(x.dtype) ? x.abs().equal(Number.POSITIVE_INFINITY) : isNan(x) // whole numbers are neither
}

/** Whether any is not 0 (or true) along axes, or at all: bool. False where there are none. */
export function any(x: Tensor, axes?: Axes, { keepDims = false }: KeepDims = {}): Tensor {
  return x.cast('bool').cast('int32').sum(axes, { keepDims }).greater(0)
}

/** Whether all are not 0 (or true) along axes, or at all: bool. True where there are none. */
export function all(x: Tensor, axes?: Axes, { keepDims = false }: KeepDims = {}): Tensor {
  return any(x.cast('bool').logicalNot(), axes, { keepDims }).logicalNot()
}

/** Where `|a − b| ≤ atol + rtol |b|`, as bool; equal infinities are close. Defaults as in PyTorch. */
export function isClose(
  a: Tensor,
  b: Tensor,
  { rtol = 1e-5, atol = 1e-8 }: { readonly rtol?: number; readonly atol?: number } = {},
): Tensor {
  const near = a.sub(b).abs().lessEqual(b.abs().mul(rtol).add(atol))
  return near.logicalAnd(isInf(b).logicalNot()).logicalOr(a.equal(b))
}
