import {
  BackendError,
  type BinaryName,
  type DType,
  type Kernel,
  sizeOf,
  type TensorSpec,
  type UnaryName,
} from '@heed/core-tensor'
import { stretched } from '../../webgpu/walk.ts'
import { type Cell, type Family, type Input, isWhole, only, type Runner } from '../runner.ts'
import { placeOf, steps } from '../walks.ts'

/** `copy` is one, too: of whatever lies anyhow. */
type Unary = UnaryName | 'copy'

/** Functions of one number, for floats and, where they have them, for whole numbers. */
const unary: Readonly<Record<Unary, readonly [float: string, whole?: string]>> = {
  copy: ['x', 'x'],
  neg: ['negOf(x)', 'negOf(x)'],
  abs: ['absOf(x)', 'absOf(x)'],
  sign: ['signOf(x)', 'signWhole(x)'],
  floor: ['Math.floor(x)', 'x'],
  ceil: ['Math.ceil(x)', 'x'],
  round: ['roundOf(x)', 'x'],
  exp: ['expOf(x)'],
  expm1: ['expm1Of(x)'],
  log: ['logOf(x)'],
  log1p: ['log1pOf(x)'],
  sqrt: ['sqrtOf(x)'],
  sin: ['sinOf(x)'],
  cos: ['cosOf(x)'],
  tanh: ['tanhOf(x)'],
  sigmoid: ['sigmoidOf(x)'],
  erf: ['erfOf(x)'],
}

/** Functions of two numbers. */
const binary: Readonly<Record<BinaryName, readonly [float: string, whole: string]>> = {
  add: ['a + b', 'wholeOf(a + b)'],
  sub: ['a - b', 'wholeOf(a - b)'],
  mul: ['a * b', 'wholeOf(a * b)'],
  div: ['a / b', 'quotientOf(a, b)'],
  pow: ['powOf(a, b)', 'powerOf(a, b)'],
  maximum: ['maximumOf(a, b)', 'maximumOf(a, b)'],
  minimum: ['minimumOf(a, b)', 'minimumOf(a, b)'],
  equal: ['equalOf(a, b)', 'equalWhole(a, b)'],
  less: ['lessOf(a, b)', 'lessWhole(a, b)'],
  lessEqual: ['lessEqualOf(a, b)', 'lessEqualWhole(a, b)'],
}

/** Functions of one number and of two, the choice between two, and changes of type. */
export function elementwise(
  runner: Runner,
): Family<Unary | BinaryName | 'where' | 'cast' | 'relu' | 'reluGrad' | 'gelu' | 'geluGrad'> {
  const one = (name: Unary): Kernel<Cell> => {
    const [float, whole] = unary[name]
    return ([x], outputs) => {
      const from = x as Input
      const code = isWhole(from) ? whole : float
      if (!code) throw new BackendError(`${name}: ${from.dtype} input on the GPU; use x.cast('float32')`)
      const y = zip(runner, named(name, from), ['x'], code, [from], only(outputs))
      return [code === 'x' ? runner.ranged(y, runner.rangeOf(from.storage)) : y]
    }
  }
  const two =
    (name: BinaryName): Kernel<Cell> =>
    ([a, b], outputs) => {
      const [float, whole] = binary[name]
      const code = isWhole(a as Input) ? whole : float
      return [zip(runner, named(name, a as Input), ['a', 'b'], code, [a, b] as Input[], only(outputs))]
    }
  return {
    ...(Object.fromEntries(Object.keys(unary).map(name => [name, one(name as Unary)])) as Family<Unary>),
    ...(Object.fromEntries(
      Object.keys(binary).map(name => [name, two(name as BinaryName)]),
    ) as Family<BinaryName>),
    where: (inputs, outputs) => [
      zip(runner, 'where', ['c', 'a', 'b'], 'pickOf(c, a, b)', inputs as Input[], only(outputs)),
    ],
    relu: ([x], outputs) => {
      const name = named('relu', x as Input)
      return [zip(runner, name, ['x'], 'maximumOf(x, 0.0)', [x as Input], only(outputs))]
    },
    reluGrad: (inputs, outputs) => [
      zip(
        runner,
        'reluGrad',
        ['dy', 'y'],
        'pickOf(lessEqualOf(y, 0.0), 0.0, dy)',
        inputs as Input[],
        only(outputs),
      ),
    ],
    gelu: (inputs, outputs, { tanh }: { readonly tanh: boolean }) => {
      const form = tanh ? 'geluByTanh' : 'geluOf'
      return [zip(runner, form, ['x'], `${form}(x)`, inputs as Input[], only(outputs))]
    },
    geluGrad: (inputs, outputs, { tanh }: { readonly tanh: boolean }) => {
      const form = tanh ? 'geluSlopeByTanh' : 'geluSlope'
      return [zip(runner, form, ['dy', 'x'], `dy * ${form}(x)`, inputs as Input[], only(outputs))]
    },
    cast: ([x], outputs, { dtype }: { readonly dtype: DType }) => {
      const from = x as Input
      const code = castOf(from.dtype, dtype)
      const y = zip(runner, `cast ${code}`, ['x'], code, [from], only(outputs))
      return [code === 'x' ? runner.ranged(y, runner.rangeOf(from.storage)) : y]
    },
  }
}

function named(name: string, x: Input): string {
  return isWhole(x) ? `${name} whole` : name
}

function castOf(from: DType, to: DType): string {
  if (to === 'bool') return from === 'float32' ? 'truthOf(x)' : 'truthWhole(x)'
  return to === 'int32' && from === 'float32' ? 'truncatedOf(x)' : 'x'
}

/** A function of the elements of tensors stretched to the shape of the result. */
export function zip(
  runner: Runner,
  name: string,
  tensors: readonly string[],
  code: string,
  inputs: readonly Input[],
  out: TensorSpec,
): Cell {
  const walk = stretched(out.shape, inputs)
  const rank = walk.shape.length
  const { ints, values } = steps(
    walk,
    tensors,
    inputs.map(({ offset }) => offset),
  )
  return runner.run(
    `${name} ${rank}`,
    () => ({
      tensors: tensors.map(t => `${t}Data`),
      ints,
      // Each element has a name, so that it is read once.
      body: `${tensors.map(t => `let ${t} = ${t}Data[${placeOf(rank, t)}];`).join('\n')}
return ${code};`,
    }),
    sizeOf(out.shape),
    inputs.map(({ storage }) => storage),
    values,
  )
}
