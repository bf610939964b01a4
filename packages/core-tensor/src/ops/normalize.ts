import { DTypeError, ShapeError } from '../errors.ts'
import type { Args, Op } from '../op.ts'
import { isFloat, type TensorSpec } from '../shape.ts'

function infer(name: string) {
  return ([x]: Args<TensorSpec>): readonly TensorSpec[] => {
    if (!isFloat(x.dtype)) throw new DTypeError(`${name}: ${x.dtype} input; use x.cast('float32') first`)
    if (x.shape.length === 0)
      throw new ShapeError(`${name}: a single number has no axis to run along; use reshape([1])`)
    return [x]
  }
}

/** Softmax over the last axis, eˣ⁻ᵐ / Σ eˣ⁻ᵐ with m the largest x. */
export const softmax: Op = {
  name: 'softmax',
  saves: 'outputs',
  infer: infer('softmax'),
  grad: ({ grads: [dy], outputs: [y] }) => {
    const g = dy.mul(y)
    return [g.sub(y.mul(g.sum(-1, { keepDims: true })))]
  },
  compose: ([x]) => {
    if (x.size === 0) return [x]
    const e = x.sub(x.max(-1, { keepDims: true }).detach()).exp()
    return [e.div(e.sum(-1, { keepDims: true }))]
  },
}

/** log softmax over the last axis, x − m − log Σ eˣ⁻ᵐ. */
export const logSoftmax: Op = {
  name: 'logSoftmax',
  saves: 'outputs',
  infer: infer('logSoftmax'),
  grad: ({ grads: [dy], outputs: [y] }) => [dy.sub(y.exp().mul(dy.sum(-1, { keepDims: true })))],
  compose: ([x]) => {
    if (x.size === 0) return [x]
    const shifted = x.sub(x.max(-1, { keepDims: true }).detach())
    return [shifted.sub(shifted.exp().sum(-1, { keepDims: true }).log())]
  },
}
