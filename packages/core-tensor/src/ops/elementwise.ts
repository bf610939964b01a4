import { apply } from '../dispatch.ts'
import { DTypeError } from '../errors.ts'
import type { Args, Op } from '../op.ts'
import { checkDType, type DType, isFloat, type TensorSpec } from '../shape.ts'

type Infer = (inputs: Args<TensorSpec>) => readonly TensorSpec[]

/** One float input, one output like it. @throws DTypeError for whole numbers and truth values */
function float(name: string): Infer {
  return ([x]) => {
    if (!isFloat(x.dtype)) throw new DTypeError(`${name}: ${x.dtype} input; use x.cast('float32') first`)
    return [x]
  }
}

/** One numeric input, one output like it. @throws DTypeError for truth values */
function numeric(name: string): Infer {
  return ([x]) => {
    if (x.dtype === 'bool')
      throw new DTypeError(`${name}: bool input; use x.cast('float32') or x.cast('int32') first`)
    return [x]
  }
}

/** −x */
export const neg: Op = {
  name: 'neg',
  saves: 'neither',
  infer: numeric('neg'),
  grad: ({ grads: [dy] }) => [dy.neg()],
}

/** |x|; its gradient at 0 is 0. */
export const abs: Op = {
  name: 'abs',
  saves: 'inputs',
  infer: numeric('abs'),
  grad: ({ grads: [dy], inputs: [x] }) => [dy.mul(x.sign())],
}

/** −1, 0 or 1. */
export const sign: Op = { name: 'sign', saves: 'neither', infer: numeric('sign'), grad: () => [null] }

/** The largest whole number not above x. */
export const floor: Op = { name: 'floor', saves: 'neither', infer: numeric('floor'), grad: () => [null] }

/** The smallest whole number not below x. */
export const ceil: Op = { name: 'ceil', saves: 'neither', infer: numeric('ceil'), grad: () => [null] }

/** The nearest whole number; halves go to the even one. */
export const round: Op = { name: 'round', saves: 'neither', infer: numeric('round'), grad: () => [null] }

/** eˣ */
export const exp: Op = {
  name: 'exp',
  saves: 'outputs',
  infer: float('exp'),
  grad: ({ grads: [dy], outputs: [y] }) => [dy.mul(y)],
}

/** eˣ − 1, exact near 0. */
export const expm1: Op = {
  name: 'expm1',
  saves: 'outputs',
  infer: float('expm1'),
  grad: ({ grads: [dy], outputs: [y] }) => [dy.mul(y.add(1))],
}

/** The natural logarithm. */
export const log: Op = {
  name: 'log',
  saves: 'inputs',
  infer: float('log'),
  grad: ({ grads: [dy], inputs: [x] }) => [dy.div(x)],
}

/** log(1 + x), exact near 0. */
export const log1p: Op = {
  name: 'log1p',
  saves: 'inputs',
  infer: float('log1p'),
  grad: ({ grads: [dy], inputs: [x] }) => [dy.div(x.add(1))],
}

/** √x */
export const sqrt: Op = {
  name: 'sqrt',
  saves: 'outputs',
  infer: float('sqrt'),
  grad: ({ grads: [dy], outputs: [y] }) => [dy.div(y.mul(2))],
}

/** sin x */
export const sin: Op = {
  name: 'sin',
  saves: 'inputs',
  infer: float('sin'),
  grad: ({ grads: [dy], inputs: [x] }) => [dy.mul(x.cos())],
}

/** cos x */
export const cos: Op = {
  name: 'cos',
  saves: 'inputs',
  infer: float('cos'),
  grad: ({ grads: [dy], inputs: [x] }) => [dy.mul(x.sin()).neg()],
}

/** tanh x, (eˣ − e⁻ˣ) / (eˣ + e⁻ˣ) */
export const tanh: Op = {
  name: 'tanh',
  saves: 'outputs',
  infer: float('tanh'),
  grad: ({ grads: [dy], outputs: [y] }) => [dy.sub(dy.mul(y).mul(y))],
}

/** 1 / (1 + e⁻ˣ) */
export const sigmoid: Op = {
  name: 'sigmoid',
  saves: 'outputs',
  infer: float('sigmoid'),
  grad: ({ grads: [dy], outputs: [y] }) => [dy.mul(y).mul(y.neg().add(1))],
}

/** The error function, 2/√π ∫₀ˣ e^(−t²) dt. */
export const erf: Op = {
  name: 'erf',
  saves: 'inputs',
  infer: float('erf'),
  grad: ({ grads: [dy], inputs: [x] }) => [dy.mul(x.mul(x).neg().exp()).mul(2 / Math.sqrt(Math.PI))],
}

/** The same numbers as another type; to bool: whether not 0. */
export const cast: Op<{ readonly dtype: DType }> = {
  name: 'cast',
  saves: 'neither',
  infer: ([x], { dtype }) => {
    checkDType('cast', dtype)
    return [{ shape: x.shape, dtype }]
  },
  grad: ({ grads: [dy], inputs: [x] }) => [isFloat(dy.dtype) && isFloat(x.dtype) ? dy.cast(x.dtype) : null],
}

/** max(x, 0); NaN stays NaN. The gradient at 0 is 0. */
export const relu: Op = {
  name: 'relu',
  saves: 'outputs',
  infer: numeric('relu'),
  grad: ({ grads: [dy], outputs: [y] }) => [apply(reluGrad, [dy, y], {})],
  compose: ([x]) => [x.where(x.lessEqual(0).logicalNot(), 0)],
}

/** dy where y, a result of {@link relu}, is not 0. */
export const reluGrad: Op = {
  name: 'reluGrad',
  saves: 'inputs',
  infer: ([, y]) => [y],
  grad: ({ grads: [ddx], inputs: [, y] }) => [apply(reluGrad, [ddx, y], {}), null],
  compose: ([dy, y]) => [dy.where(y.lessEqual(0).logicalNot(), 0)],
}

/** The settings of {@link gelu}. */
export interface GeluForm {
  /** Whether Φ is approximated through tanh. */
  readonly tanh: boolean
}

/**
 * x Φ(x), Φ the normal distribution. Hendrycks and Gimpel 2016, arXiv:1606.08415, §2.
 *
 * The approximation is ½ x (1 + tanh(√(2/π) (x + 0.044715 x³))).
 */
export const gelu: Op<GeluForm> = {
  name: 'gelu',
  gradOp: 'geluGrad',
  saves: 'inputs',
  infer: float('gelu'),
  grad: ({ grads: [dy], inputs: [x], attrs }) => [apply(geluGrad, [dy, x], attrs)],
  compose: ([x], { tanh }) => {
    if (!tanh) return [x.mul(apply(erf, [x.mul(Math.SQRT1_2)], {}).add(1)).mul(0.5)]
    const inner = x.add(x.mul(x).mul(x).mul(0.044715)).mul(Math.sqrt(2 / Math.PI))
    return [x.mul(inner.tanh().add(1)).mul(0.5)]
  },
}

/** The gradient of {@link gelu}. */
export const geluGrad: Op<GeluForm> = { name: 'geluGrad', infer: ([, x]) => [x] }
