import {
  BackendError,
  type BinaryName,
  type Kernel,
  sizeOf,
  type TensorSpec,
  type UnaryName,
} from '@heed/core-tensor'
import { elementOf, type Family, type Input, type Machine } from '../machine.ts'
import type { Storage } from '../pool.ts'
import type { Element } from '../program.ts'
import { places, placeValues, stretched } from '../walk.ts'

/** `copy` is one, too: of whatever lies anyhow. */
type Unary = UnaryName | 'copy'

/** Functions of one number, for float32 and, where they have them, for whole numbers. */
const unary: Readonly<Record<Unary, readonly [string, string?]>> = {
  copy: ['x', 'x'],
  neg: ['bitcast<f32>(bitcast<u32>(x) ^ 0x80000000u)', '-x'],
  abs: ['bitcast<f32>(bitcast<u32>(x) & 0x7fffffffu)', 'abs(x)'],
  sign: ['select(0.0, 1.0, x > 0.0) - select(0.0, 1.0, x < 0.0)', 'sign(x)'],
  floor: ['floor(x)', 'x'],
  ceil: ['ceil(x)', 'x'],
  round: ['round(x)', 'x'],
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

/** Functions of two numbers; comparisons yield 0 or 1. */
const binary: Readonly<Record<BinaryName, readonly [string, string]>> = {
  add: ['a + b', 'a + b'],
  sub: ['a - b', 'a - b'],
  mul: ['a * b', 'a * b'],
  div: ['a / b', 'quotient(a, b)'],
  pow: ['powOf(a, b)', 'powerOf(a, b)'],
  maximum: ['select(select(b, a, a > b || isNan(a)), b, isNan(b))', 'max(a, b)'],
  minimum: ['select(select(b, a, a < b || isNan(a)), b, isNan(b))', 'min(a, b)'],
  equal: ['select(0, 1, a == b)', 'select(0, 1, a == b)'],
  less: ['select(0, 1, a < b)', 'select(0, 1, a < b)'],
  lessEqual: ['select(0, 1, a <= b)', 'select(0, 1, a <= b)'],
}

/** Division towards zero, 0 by 0; powers by squaring, as whole numbers wrap around. */
const WHOLE = `
fn quotient(a: i32, b: i32) -> i32 { if (b == 0) { return 0; } return a / b; }
fn powerOf(a: i32, b: i32) -> i32 {
  if (b < 0) { return select(0, select(1, a, (b & 1) != 0), abs(a) == 1); }
  var y = 1;
  var base = a;
  for (var k = u32(b); k > 0u; k >>= 1u) {
    if ((k & 1u) == 1u) { y *= base; }
    base *= base;
  }
  return y;
}
`
const SQRT = 'fn sqrtOf(x: f32) -> f32 { if (x < 0.0) { return nan(); } return sqrt(x); }'

/** Functions of one number and of two, the choice between two, and changes of type. */
export function elementwise(machine: Machine): Family<Unary | BinaryName | 'where' | 'cast'> {
  const one = (name: Unary): Kernel<Storage> => {
    const [float, whole] = unary[name]
    return ([x], [out]) => {
      const element = elementOf((x as Input).dtype)
      const code = element === 'f32' ? float : whole
      if (!code)
        throw new BackendError(`${name}: ${(x as Input).dtype} input on the GPU; use x.cast('float32')`)
      return [zip(machine, name, { x: element }, element, code, [x as Input], out as TensorSpec)]
    }
  }
  const two = (name: BinaryName): Kernel<Storage> => {
    const [float, whole] = binary[name]
    return ([a, b], [out]) => {
      const element = elementOf((a as Input).dtype)
      const result = elementOf((out as TensorSpec).dtype)
      const code = element === 'f32' ? float : whole
      return [
        zip(
          machine,
          name,
          { a: element, b: element },
          result,
          code,
          [a as Input, b as Input],
          out as TensorSpec,
        ),
      ]
    }
  }
  return {
    ...(Object.fromEntries(Object.keys(unary).map(name => [name, one(name as Unary)])) as Family<Unary>),
    ...(Object.fromEntries(
      Object.keys(binary).map(name => [name, two(name as BinaryName)]),
    ) as Family<BinaryName>),
    where: ([c, a, b], [out]) => {
      const element = elementOf((a as Input).dtype)
      const reads = { c: 'i32', a: element, b: element } as const
      return [
        zip(
          machine,
          'where',
          reads,
          element,
          'select(b, a, c != 0)',
          [c, a, b] as Input[],
          out as TensorSpec,
        ),
      ]
    },
    cast: ([x], [out], { dtype }: { dtype: TensorSpec['dtype'] }) => {
      const from = (x as Input).dtype
      const code = casts(from, dtype)
      return [
        zip(
          machine,
          `cast ${from} ${dtype}`,
          { x: elementOf(from) },
          elementOf(dtype),
          code,
          [x as Input],
          out as TensorSpec,
        ),
      ]
    },
  }
}

function casts(from: TensorSpec['dtype'], to: TensorSpec['dtype']): string {
  if (to === 'bool') return from === 'float32' ? 'select(1, 0, isZero(x))' : 'select(0, 1, x != 0)'
  if (to === 'int32') return from === 'float32' ? 'select(i32(x), 0, isNan(x))' : 'x'
  return from === 'float32' ? 'x' : 'f32(x)'
}

/** A function of the elements of tensors stretched to the shape of the result: each is read once, by its strides. */
export function zip(
  machine: Machine,
  name: string,
  reads: Readonly<Record<string, Element>>,
  result: Element,
  code: string,
  inputs: readonly Input[],
  out: TensorSpec,
  y: Storage = machine.output(out),
  globals = '',
): Storage {
  const walk = stretched(out.shape, inputs)
  const names = Object.keys(reads)
  const compiled = machine.program(`${name} ${Object.values(reads).join(' ')} ${walk.shape.length}`, () => {
    const { params, code: finding } = places(walk.shape.length, names)
    return {
      params: [['n', 'u32'], ...params],
      reads: Object.fromEntries(names.map(t => [`${t}Data`, reads[t] as Element])),
      writes: { y: result },
      globals: `${globals}${/quotient|powerOf/.test(code) ? WHOLE : ''}${/sqrtOf/.test(code) ? SQRT : ''}`,
      body: `${finding}
  ${names.map(t => `let ${t} = ${t}Data[${t}At];`).join(' ')}
  y[i] = ${code};`,
    }
  })
  machine.each(
    compiled,
    sizeOf(out.shape),
    placeValues(
      walk,
      inputs.map(x => x.offset),
    ),
    [...inputs.map(x => x.storage), y],
  )
  return y
}
