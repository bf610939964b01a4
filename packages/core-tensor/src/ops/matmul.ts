import { DTypeError, ShapeError } from '../errors.ts'
import type { Op } from '../op.ts'
import { broadcast, isFloat, sameShape, show, sizeOf, type TensorSpec } from '../shape.ts'
import type { Tensor } from '../tensor.ts'

/** Matrix products over the last two axes, `[..., m, k] × [..., k, n] → [..., m, n]`; axes in front stretch. */
export const matmul: Op = {
  name: 'matmul',
  saves: 'inputs',
  infer: ([a, b]) => {
    check(a, b)
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

function check(a: TensorSpec, b: TensorSpec): void {
  if (a.shape.length < 2 || b.shape.length < 2)
    throw new ShapeError(
      `matmul: needs two axes at least, got ${show(a.shape)} × ${show(b.shape)}; reshape to a matrix`,
    )
  if (a.dtype !== b.dtype || !isFloat(a.dtype))
    throw new DTypeError(`matmul: ${a.dtype} × ${b.dtype}; both must be float32, or both float64: cast one`)
}

/** Affine map over the last axis, `x Wᵀ + b`. Inputs: x `[..., in]`, weight `[out, in]`, perhaps a bias `[out]`. */
export const linear: Op = {
  name: 'linear',
  saves: 'inputs',
  infer: inputs => {
    const [x, weight] = inputs
    const bias = inputs[2] as TensorSpec | undefined
    const [out, inside] = weight.shape as [number, number]
    if (weight.shape.length !== 2 || x.shape.at(-1) !== inside)
      throw new ShapeError(
        `linear: input ${show(x.shape)} against weight ${show(weight.shape)}; the input's last axis must equal the weight's last, use [..., in] and [out, in]`,
      )
    if (bias && !sameShape(bias.shape, [out]))
      throw new ShapeError(
        `linear: bias ${show(bias.shape)} for weight ${show(weight.shape)}; it needs one number for each output, use [${out}]`,
      )
    if (!isFloat(x.dtype) || weight.dtype !== x.dtype || (bias && bias.dtype !== x.dtype))
      throw new DTypeError(
        `linear: ${x.dtype} input and ${weight.dtype} weight${bias ? ` and ${bias.dtype} bias` : ''}; all must be float32, or all float64: cast some`,
      )
    return [{ shape: [...x.shape.slice(0, -1), out], dtype: x.dtype }]
  },
  grad: ({ grads: [dy], inputs: [x, weight], needs }) => {
    const rows = flat(dy)
    return [
      needs[0] ? dy.matmul(weight) : null,
      needs[1] ? rows.transpose().matmul(flat(x)) : null,
      needs[2] ? rows.sum(0) : null,
    ]
  },
  compose: inputs => {
    const [x, weight] = inputs
    const bias = inputs[2] as Tensor | undefined
    const y = x.matmul(weight.transpose())
    return [bias ? y.add(bias) : y]
  },
}

/** `[..., n]` as `[rows, n]`. */
function flat(x: Tensor): Tensor {
  return x.shape.length === 2 ? x : x.reshape([sizeOf(x.shape.slice(0, -1)), x.shape.at(-1) as number])
}
