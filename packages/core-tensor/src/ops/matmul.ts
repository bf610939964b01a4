import { DTypeError, ShapeError } from '../errors.ts'
import type { Op } from '../op.ts'
import { broadcast, isFloat, show, type TensorSpec } from '../shape.ts'

/** Matrix products over the last two axes, `[..., m, k] × [..., k, n] → [..., m, n]`; axes in front stretch. */
export const matmul: Op = {
  name: 'matmul',
  saves: 'inputs',
  infer: ([a, b]) => {
    check('matmul', a, b)
    const [m, k] = a.shape.slice(-2) as [number, number]
    const [rows, n] = b.shape.slice(-2) as [number, number]
    if (k !== rows)
      throw new ShapeError(
        `matmul: inner sizes differ, ${show(a.shape)} × ${show(b.shape)}: ${k} against ${rows}; transpose one, or check the sizes`,
      )
    const lead = broadcast('matmul', a.shape.slice(0, -2), b.shape.slice(0, -2))
    return [{ shape: [...lead, m, n], dtype: a.dtype }]
  },
  grad: ({ grads: [dy], inputs: [a, b], needs }) => [
    needs[0] ? dy.matmul(b.transpose()) : null,
    needs[1] ? a.transpose().matmul(dy) : null,
  ],
}

function check(name: string, a: TensorSpec, b: TensorSpec): void {
  if (a.shape.length < 2 || b.shape.length < 2)
    throw new ShapeError(
      `${name}: needs two axes at least, got ${show(a.shape)} × ${show(b.shape)}; reshape to a matrix`,
    )
  if (a.dtype !== b.dtype || !isFloat(a.dtype))
    throw new DTypeError(`${name}: ${a.dtype} × ${b.dtype}; both must be float32, or both float64: cast one`)
}

/** Affine map over the last axis, `x Wᵀ + b`. Inputs: x `[rows, in]`, weight `[out, in]`, bias `[out]`. */
export const linear: Op = {
  name: 'linear',
  saves: 'inputs',
  infer: ([x, weight, bias]) => {
    check('linear', x, weight)
    const [rows, size] = x.shape as [number, number]
    const [out, inside] = weight.shape as [number, number]
    if (
      x.shape.length !== 2 ||
      weight.shape.length !== 2 ||
      size !== inside ||
      bias.shape.length !== 1 ||
      bias.shape[0] !== out
    )
      throw new ShapeError(
        `linear: input ${show(x.shape)}, weight ${show(weight.shape)} and bias ${show(bias.shape)} do not fit; use [rows, in], [out, in], [out]`,
      )
    return [{ shape: [rows, out], dtype: x.dtype }]
  },
  grad: ({ grads: [dy], inputs: [x, weight], needs }) => [
    needs[0] ? dy.matmul(weight) : null,
    needs[1] ? dy.transpose().matmul(x) : null,
    needs[2] ? dy.sum(0) : null,
  ],
  compose: ([x, weight, bias]) => [x.matmul(weight.transpose()).add(bias)],
}
