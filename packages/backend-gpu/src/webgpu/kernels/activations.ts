import type { TensorSpec } from '@heed/core-tensor'
import { elementOf, type Family, type Input, type Machine } from '../machine.ts'
import { zip } from './elementwise.ts'

interface Form {
  readonly tanh: boolean
}

/** √½, √(2/π) and 1/√(2π). */
const [ROOT, SCALE, HEIGHT] = ['0.7071067811865476', '0.7978845608028654', '0.3989422804014327']
const INNER = `tanhOf(${SCALE} * fma(0.044715 * x * x, x, x))`

/** 1 − tanh² by its own exponential where tanh is near 1: the difference of two rounded numbers would be lost. */
const SLOPE = `fn geluSlope(x: f32) -> f32 {
  let inner = ${SCALE} * fma(0.044715 * x * x, x, x);
  let t = tanhOf(inner);
  let e = expOf(-2.0 * abs(inner));
  let rest = 4.0 * e / ((1.0 + e) * (1.0 + e));
  return 0.5 * (1.0 + t) + 0.5 * x * rest * ${SCALE} * fma(3.0 * 0.044715 * x, x, 1.0);
}`

/** max(x, 0) and x Φ(x) in one launch each, and their gradients in another. */
export function activations(machine: Machine): Family<'relu' | 'reluGrad' | 'gelu' | 'geluGrad'> {
  return {
    relu: ([x], [out]) => {
      const element = elementOf((x as Input).dtype)
      const code = element === 'f32' ? 'select(x, 0.0, x <= 0.0)' : 'max(x, 0)'
      return [zip(machine, 'relu', { x: element }, element, code, [x as Input], out as TensorSpec)]
    },
    reluGrad: ([dy, shown], [out]) => [
      zip(
        machine,
        'reluGrad',
        { dy: 'f32', shown: 'f32' },
        'f32',
        'select(dy, 0.0, shown <= 0.0)',
        [dy as Input, shown as Input],
        out as TensorSpec,
      ),
    ],
    gelu: ([x], [out], { tanh }: Form) => [
      zip(
        machine,
        tanh ? 'gelu tanh' : 'gelu',
        { x: 'f32' },
        'f32',
        tanh ? `0.5 * x * (1.0 + ${INNER})` : `0.5 * x * (1.0 + erfOf(x * ${ROOT}))`,
        [x as Input],
        out as TensorSpec,
      ),
    ],
    geluGrad: ([dy, x], [out], { tanh }: Form) => [
      zip(
        machine,
        tanh ? 'geluGrad tanh' : 'geluGrad',
        { dy: 'f32', x: 'f32' },
        'f32',
        tanh
          ? 'dy * geluSlope(x)'
          : `dy * fma(x, expOf(-0.5 * x * x) * ${HEIGHT}, 0.5 * (1.0 + erfOf(x * ${ROOT})))`,
        [dy as Input, x as Input],
        out as TensorSpec,
        undefined,
        tanh ? SLOPE : '',
      ),
    ],
  }
}
