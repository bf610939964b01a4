import { apply } from '../dispatch.ts'
import { ConfigError, DTypeError, ShapeError } from '../errors.ts'
import * as elementwise from '../ops/elementwise.ts'
import { axisOf, type DType, isFloat, show } from '../shape.ts'
import type { Tensor } from '../tensor.ts'

/** eˣ − 1, exact near 0. */
export function expm1(x: Tensor): Tensor {
  return apply(elementwise.expm1, [x], {})
}

/** log(1 + x), exact near 0. */
export function log1p(x: Tensor): Tensor {
  return apply(elementwise.log1p, [x], {})
}

/** The error function, 2/√π ∫₀ˣ e^(−t²) dt. */
export function erf(x: Tensor): Tensor {
  return apply(elementwise.erf, [x], {})
}

/** The largest whole number not above x. */
export function floor(x: Tensor): Tensor {
  return apply(elementwise.floor, [x], {})
}

/** The smallest whole number not below x. */
export function ceil(x: Tensor): Tensor {
  return apply(elementwise.ceil, [x], {})
}

/** The nearest whole number; halves go to the even one. */
export function round(x: Tensor): Tensor {
  return apply(elementwise.round, [x], {})
}

/** 1 / x */
export function reciprocal(x: Tensor): Tensor {
  take('reciprocal', x)
  return x.pow(-1)
}

/** 1 / √x */
export function rsqrt(x: Tensor): Tensor {
  take('rsqrt', x)
  return x.pow(-0.5)
}

/** x² */
export function square(x: Tensor): Tensor {
  return x.mul(x)
}

/** x between two bounds; outside, the bound (and no gradient). */
export function clamp(
  x: Tensor,
  min: number = Number.NEGATIVE_INFINITY,
  max: number = Number.POSITIVE_INFINITY,
): Tensor {
  take('clamp', x, isNumber)
  if (
    !(min <= max) ||
    (!isFloat(x.dtype) && [min, max].some(bound => Number.isFinite(bound) && !Number.isInteger(bound)))
  )
    // biome-ignore format: one line reads best
    throw new ConfigError(
      `clamp: ${x.dtype} between ${min} and ${max}; use a lower bound up to the upper one, of the tensor's type`,
    )
  const below = min === Number.NEGATIVE_INFINITY ? x : x.where(x.less(min).logicalNot(), min)
  return max === Number.POSITIVE_INFINITY ? below : below.where(x.greater(max).logicalNot(), max)
}

/** @throws DTypeError for a type that the function makes no sense of */
function take(where: string, { dtype }: Tensor, sense: (dtype: DType) => boolean = isFloat): void {
  if (!sense(dtype)) throw new DTypeError(`${where}: ${dtype} input; use x.cast('float32') first`)
}
const isNumber = (dtype: DType): boolean => dtype !== 'bool'

/** max(x, 0); the gradient at 0 is 0. */
export function relu(x: Tensor): Tensor {
  return apply(elementwise.relu, [x], {})
}

/** min(max(x, 0), 6) */
export function relu6(x: Tensor): Tensor {
  return clamp(x, 0, 6)
}

/** x where positive, else `slope` · x. */
export function leakyRelu(x: Tensor, slope = 0.01): Tensor {
  take('leakyRelu', x)
  return x.where(x.greater(0), x.mul(slope))
}

/** x where positive, else `alpha` (eˣ − 1). Clevert et al. 2016, arXiv:1511.07289. */
export function elu(x: Tensor, alpha = 1): Tensor {
  take('elu', x)
  return x.where(x.greater(0), expm1(x.where(x.lessEqual(0), 0)).mul(alpha))
}

/** {@link elu} scaled so that activations keep mean 0 and variance 1. Klambauer et al. 2017, arXiv:1706.02515. */
export function selu(x: Tensor): Tensor {
  take('selu', x)
  return elu(x, 1.6732632423543772).mul(1.0507009873554805)
}

/** x Φ(x), Φ the normal distribution; `tanh` for the approximation of Hendrycks and Gimpel 2016, arXiv:1606.08415, §2. */
export function gelu(
  x: Tensor,
  { approximate = 'none' }: { readonly approximate?: 'none' | 'tanh' } = {},
): Tensor {
  return apply(elementwise.gelu, [x], { tanh: approximate === 'tanh' })
}

/** x σ(x), also called swish. */
export function silu(x: Tensor): Tensor {
  take('silu', x)
  return x.mul(x.sigmoid())
}

/** log(1 + e^(βx)) / β; x itself where βx is above the threshold. */
export function softplus(
  x: Tensor,
  { beta = 1, threshold = 20 }: { readonly beta?: number; readonly threshold?: number } = {},
): Tensor {
  take('softplus', x)
  const scaled = x.mul(beta)
  const small = scaled.lessEqual(threshold)
  const smooth = log1p(scaled.abs().neg().exp())
    .add(scaled.where(scaled.greater(0), 0))
    .mul(1 / beta)
  return smooth.where(small, x)
}

/** log σ(x) */
export function logSigmoid(x: Tensor): Tensor {
  take('logSigmoid', x)
  return x.minimum(0).sub(log1p(x.abs().neg().exp()))
}

/** x / (1 + |x|) */
export function softsign(x: Tensor): Tensor {
  take('softsign', x)
  return x.div(x.abs().add(1))
}

/** x tanh(log(1 + eˣ)). Misra 2019, arXiv:1908.08681. */
export function mish(x: Tensor): Tensor {
  take('mish', x)
  return x.mul(softplus(x).tanh())
}

/** min(max(x + 3, 0), 6) / 6 */
export function hardSigmoid(x: Tensor): Tensor {
  take('hardSigmoid', x)
  return relu6(x.add(3)).mul(1 / 6)
}

/** x · {@link hardSigmoid}(x). Howard et al. 2019, arXiv:1905.02244. */
export function hardSwish(x: Tensor): Tensor {
  take('hardSwish', x)
  return x.mul(hardSigmoid(x))
}

/** a σ(b), where a and b are the halves of x along an axis. Dauphin et al. 2017, arXiv:1612.08083. @throws ShapeError if the axis is of odd length */
export function glu(x: Tensor, axis = -1): Tensor {
  take('glu', x)
  const at = axisOf('glu', axis, x.shape)
  const length = x.shape[at] as number
  if (length % 2)
    throw new ShapeError(
      `glu: axis ${axis} of ${show(x.shape)} has odd length ${length}; it must split in two`,
    )
  const half = (start: number): Tensor =>
    x.slice(x.shape.map((_, a) => (a === at ? { start, stop: start + length / 2 } : {})))
  return half(0).mul(half(length / 2).sigmoid())
}
