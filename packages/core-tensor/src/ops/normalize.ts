import { applyAll } from '../dispatch.ts'
import { DTypeError, ShapeError } from '../errors.ts'
import type { Args, Op } from '../op.ts'
import { isFloat, show, type TensorSpec } from '../shape.ts'

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

/** The settings of {@link layerNorm}. */
export interface Normed {
  /** Added to the variance, so that nothing is divided by 0. */
  readonly epsilon: number
}

/**
 * `(x − mean) / √(variance + ε) · weight + bias` over the last axis. Ba et al. 2016, eq. 4, arXiv:1607.06450.
 *
 * Inputs: x `[..., size]`, and perhaps weight and bias `[size]`.
 */
export const layerNorm: Op<Normed> = {
  name: 'layerNorm',
  gradOp: 'layerNormGrad',
  saves: 'inputs',
  infer: inputs => {
    const [x, weight, bias] = inputs
    infer('layerNorm')(inputs)
    const size = x.shape.at(-1)
    if (inputs.length > 1 && [weight, bias].some(w => w?.shape.length !== 1 || w.shape[0] !== size))
      throw new ShapeError(
        `layerNorm: input ${show(x.shape)}, weight ${show(weight.shape)} and bias ${bias ? show(bias.shape) : 'none'} do not fit; use [..., size] with [size] and [size]`,
      )
    if (inputs.length > 1 && (weight.dtype !== x.dtype || bias.dtype !== x.dtype))
      throw new DTypeError(
        `layerNorm: ${x.dtype} input, ${weight.dtype} weight and ${bias.dtype} bias; use one float type`,
      )
    return [x]
  },
  grad: ({ grads: [dy], inputs: [x, weight], attrs }) =>
    applyAll(layerNormGrad, weight ? [dy, x, weight] : [dy, x], attrs),
  compose: ([x, weight, bias], { epsilon }) => {
    const centred = x.sub(x.mean(-1, { keepDims: true }))
    const y = centred.mul(centred.mul(centred).mean(-1, { keepDims: true }).add(epsilon).pow(-0.5))
    return [weight ? y.mul(weight).add(bias) : y]
  },
}

/** Gradients of {@link layerNorm} by x, and by weight and bias if it has them. */
export const layerNormGrad: Op<Normed> = {
  name: 'layerNormGrad',
  infer: ([, x, weight]) => (weight ? [x, weight, weight] : [x]),
}
