import { apply } from '../../dispatch.ts'
import type { Op } from '../../op.ts'
import * as arithmetic from '../../ops/arithmetic.ts'
import * as elementwise from '../../ops/elementwise.ts'
import { type DType, type Shape, show } from '../../shape.ts'
import type { Sketch, Tolerance } from '../conformance.ts'
import { type Arrangement, arrangements, type Inputs, shapes } from './inputs.ts'

/** IEEE arithmetic is rounded correctly, so there is one right result. */
const EXACT: Tolerance = { relative: 0, absolute: 0 }
/** The smallest normal number: results below it may be flushed to 0. */
const FLUSHED = 2 ** -126 / 2 ** -23
/** Quotients and roots may be off by 2 ulp on devices that make them from reciprocals. */
const NEARLY: Tolerance = { relative: 2, absolute: FLUSHED }
/** Functions: a backend states its own bounds; 4 ulp is asked of all. */
const FUNCTION: Tolerance = { relative: 4, absolute: FLUSHED }
/** Sine and cosine near their zeros, where all digits cancel. */
const WAVE: Tolerance = { relative: 4, absolute: 2 }
/** Errors of a rational tanh are relative, of the error function's near 1 absolute. */
const RATIONAL: Tolerance = { relative: 6, absolute: FLUSHED }

/** What is finite and what is not, and numbers of every size. */
const SPECIAL: readonly number[] = [
  0, -0, 1e-45, -1e-40, 2e-38, -1e-20, 1e-7, -1e-4, 0.01, -0.3, 0.5, -0.5, 1, -1, 1.5, 2, -2.5, 3.5, 10, -10, 20, -20,
  88, -88, 104, -104, 1e4, -1e4, 1e10, -1e10, 1e30, 3e38, -3e38, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY,
  Number.NaN,
] // biome-ignore format: a list

interface Unary {
  readonly op: Op
  readonly tolerance: Tolerance
  /** Where arguments lie; everywhere unless given. */
  readonly range?: readonly [low: number, high: number]
}

const unary: readonly Unary[] = [
  ...[elementwise.neg, elementwise.abs, elementwise.sign, elementwise.floor, elementwise.ceil, elementwise.round].map(
    op => ({ op, tolerance: EXACT }),
  ),
  { op: elementwise.exp, tolerance: FUNCTION, range: [-110, 95] },
  { op: elementwise.expm1, tolerance: FUNCTION, range: [-20, 95] },
  { op: elementwise.log, tolerance: FUNCTION, range: [0, 5] },
  { op: elementwise.log1p, tolerance: FUNCTION, range: [-1, 5] },
  { op: elementwise.sqrt, tolerance: NEARLY, range: [0, 100] },
  { op: elementwise.sin, tolerance: WAVE, range: [-100, 100] },
  { op: elementwise.cos, tolerance: WAVE, range: [-100, 100] },
  { op: elementwise.tanh, tolerance: RATIONAL, range: [-12, 12] },
  { op: elementwise.sigmoid, tolerance: FUNCTION, range: [-100, 100] },
  { op: elementwise.erf, tolerance: RATIONAL, range: [-6, 6] },
] // biome-ignore format: a table

/** Numbers made of numbers, element by element. */
export function values(): Sketch[] {
  return [...unaries(), ...casts(), ...binaries(), ...choices()]
}

function unaries(): Sketch[] {
  const sketches: Sketch[] = []
  for (const { op, tolerance, range } of unary) {
    for (const dtype of ['float32', 'float64'] as const)
      sketches.push({
        name: `${op.name} ${dtype}, numbers of every kind`,
        tolerance,
        // Sine and cosine of huge numbers are each engine's own.
        results: inputs => [
          apply(op, [inputs.of(range && range[0] === -100 ? SPECIAL.filter(x => !(Math.abs(x) > 1e5 && Math.abs(x) < 1e39)) : SPECIAL, dtype)], {}), // biome-ignore format: one line reads best
        ],
      })
    const dtypes: readonly DType[] = range ? ['float32', 'float64'] : ['float32', 'float64', 'int32']
    for (const dtype of dtypes)
      for (const shape of dtype === 'float32' ? shapes : [[], [0], [3, 17]])
        sketches.push({
          name: `${op.name} ${dtype} ${show(shape)}`,
          tolerance,
          results: inputs => [
            apply(op, [range ? inputs.between(...range, shape, dtype) : inputs.random(shape, dtype)], {}),
          ],
        })
    for (const [how, arranged] of Object.entries(arrangements))
      sketches.push({
        name: `${op.name} float32, ${how}`,
        tolerance,
        results: inputs => [
          apply(op, [range?.[0] === 0 ? arranged(inputs, [3, 4, 5], 'float32').abs() : arranged(inputs, [3, 4, 5], 'float32')], {}), // biome-ignore format: one line reads best
        ],
      })
  }
  return sketches
}

function casts(): Sketch[] {
  const all: readonly DType[] = ['float32', 'float64', 'int32', 'bool']
  return all.flatMap(from =>
    all.map(
      (to): Sketch => ({
        name: `cast ${from} to ${to}`,
        tolerance: EXACT,
        results: inputs => [
          apply(elementwise.cast, [inputs.random([3, 5], from)], { dtype: to }),
          apply(elementwise.cast, [inputs.random([0], from)], { dtype: to }),
          apply(elementwise.cast, [inputs.random([3, 5], from).transpose()], { dtype: to }),
          apply(elementwise.cast, [inputs.random([40_000], from)], { dtype: to }),
          ...(from.startsWith('float')
            ? [apply(elementwise.cast, [inputs.of([-2.7, -0.5, 0, 0.9, 1e6, Number.NaN], from)], { dtype: to })] // biome-ignore format: one line reads best
            : []),
        ],
      }),
    ),
  )
}

const comparisons = [arithmetic.equal, arithmetic.less, arithmetic.lessEqual]
const binary: readonly { readonly op: Op; readonly tolerance: Tolerance }[] = [
  ...[arithmetic.add, arithmetic.sub, arithmetic.mul, arithmetic.maximum, arithmetic.minimum, ...comparisons].map(
    op => ({ op, tolerance: EXACT }),
  ),
  { op: arithmetic.div, tolerance: NEARLY },
  { op: arithmetic.pow, tolerance: FUNCTION },
] // biome-ignore format: a table

/** Two shapes that stretch to one. */
const pairs: readonly (readonly [Shape, Shape])[] = [
  ...shapes.map(shape => [shape, shape] as const),
  [[33], []],
  [[], [5]],
  [[1], [7]],
  [[4, 33], [33]],
  [[33], [4, 33]],
  [
    [5, 7],
    [5, 1],
  ],
  [
    [5, 1],
    [1, 7],
  ],
  [
    [2, 1, 4],
    [3, 1],
  ],
  [
    [2, 3, 1, 5],
    [3, 4, 1],
  ],
  [
    [0, 3],
    [1, 3],
  ],
  [[300, 257], [257]],
  [
    [300, 257],
    [300, 1],
  ],
  [[70_000], []],
]

function binaries(): Sketch[] {
  const sketches: Sketch[] = []
  for (const { op, tolerance } of binary) {
    for (const dtype of ['float32', 'float64'] as const)
      sketches.push({
        name: `${op.name} ${dtype}, numbers of every kind`,
        tolerance,
        results: inputs => [
          apply(op, [inputs.of(SPECIAL, dtype).unsqueeze(1), inputs.of(SPECIAL, dtype).unsqueeze(0)], {}),
        ],
      })
    for (const dtype of typesOf(op))
      for (const [a, b] of dtype === 'float32' ? pairs : pairs.slice(1, 25))
        sketches.push({
          name: `${op.name} ${dtype} ${show(a)} and ${show(b)}`,
          tolerance,
          results: inputs => [apply(op, [inputs.random(a, dtype), inputs.random(b, dtype)], {})],
        })
    for (const [how, arranged] of Object.entries(arrangements))
      sketches.push({
        name: `${op.name} float32, ${how}`,
        tolerance,
        results: inputs => [
          apply(op, [arranged(inputs, [3, 4, 5], 'float32'), inputs.random([3, 4, 5])], {}),
          apply(op, [inputs.random([4, 1]), arranged(inputs, [3, 4, 5], 'float32')], {}),
          apply(op, [arranged(inputs, [3, 8], 'float32'), arranged(inputs, [3, 8], 'float32')], {}),
        ],
      })
  }
  return sketches
}

function typesOf(op: Op): readonly DType[] {
  const numbers: readonly DType[] = ['float32', 'float64', 'int32']
  const takesTruth = [...comparisons, arithmetic.maximum, arithmetic.minimum].includes(op)
  if (op === arithmetic.pow) return ['float32', 'float64']
  return takesTruth ? [...numbers, 'bool'] : numbers
}

function choices(): Sketch[] {
  const sketches: Sketch[] = []
  const where = (name: string, dtype: DType, c: Shape, a: Shape, b: Shape, arranged?: Arrangement): void => {
    const make = (inputs: Inputs, shape: Shape, of: DType) =>
      arranged ? arranged(inputs, shape, of) : inputs.random(shape, of)
    sketches.push({
      name: `where ${dtype} ${name}`,
      tolerance: EXACT,
      results: inputs => [
        apply(
          arithmetic.where,
          [make(inputs, c, 'bool'), make(inputs, a, dtype), make(inputs, b, dtype)],
          {},
        ),
      ],
    })
  }
  for (const dtype of ['float32', 'float64', 'int32', 'bool'] as const) {
    for (const shape of shapes) where(show(shape), dtype, shape, shape, shape)
    where('mask of rows', dtype, [5, 1], [5, 17], [])
    where('mask of columns', dtype, [17], [5, 17], [5, 1])
    where('mask of a batch', dtype, [3, 1, 9], [3, 4, 9], [])
    where('stretched all over', dtype, [2, 1, 1], [1, 3, 1], [1, 1, 5])
    where('one condition', dtype, [], [4], [3, 1])
  }
  for (const [how, arranged] of Object.entries(arrangements))
    where(how, 'float32', [3, 5], [3, 5], [3, 5], arranged)
  return sketches
}
