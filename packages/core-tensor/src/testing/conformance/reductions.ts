import { applyAll } from '../../dispatch.ts'
import type { Op } from '../../op.ts'
import * as reduce from '../../ops/reduce.ts'
import { type DType, type Shape, show } from '../../shape.ts'
import type { Sketch, Tolerance } from '../conformance.ts'
import { arrangements } from './inputs.ts'

/** Chosen, not computed. */
const EXACT: Tolerance = { relative: 0, absolute: 0 }
/** Numbers of size 1 added up in any order: the error grows with the root of how many, here up to 100,000. */
const SUM: Tolerance = { relative: 8, absolute: 300 }
/** Products of up to 40 factors, each rounded once. */
const PRODUCT: Tolerance = { relative: 64, absolute: 0 }
const RUNNING: Tolerance = { relative: 64, absolute: 64 }

const folds: readonly (readonly [Op<reduce.Reduction>, Tolerance])[] = [
  [reduce.sum, SUM],
  [reduce.prod, PRODUCT],
  [reduce.max, EXACT],
  [reduce.min, EXACT],
  [reduce.argmax, EXACT],
  [reduce.argmin, EXACT],
]

/** Shapes and the axes to reduce; at most 40 elements in a group where products shall not vanish. */
const cases: readonly (readonly [Shape, axes: readonly number[]])[] = [
  [[], []],
  ...[1, 3, 4, 5, 7, 8, 15, 16, 17, 33].flatMap((n): [Shape, number[]][] => [
    [[n], [0]],
    [[3, n], [1]],
    [[n, 3], [0]],
    [[2, n, 5], [1]],
    [[2, 2, n], [1]],
    [
      [2, n, 2],
      [0, 1, 2],
    ],
    [
      [2, n, 2],
      [0, 2],
    ],
  ]),
  [[3, 4], []],
  [[0, 3], [1]],
  [[5, 1, 7], [1]],
  [[600, 384], [0]],
  [[600, 384], [1]],
  [[40, 30, 70], [1]],
  [
    [40, 30, 70],
    [0, 2],
  ],
  [[100_001], [0]],
  [[20_000, 5], [0]],
]

/** Many numbers to few, running totals, order. */
export function reductions(): Sketch[] {
  const sketches: Sketch[] = []
  for (const [op, tolerance] of folds) {
    const places = op === reduce.argmax || op === reduce.argmin
    const truth = op === reduce.max || op === reduce.min
    const dtypes: readonly DType[] = ['float32', 'float64', 'int32', ...(truth ? (['bool'] as const) : [])]
    for (const dtype of dtypes)
      for (const [shape, axes] of cases) {
        if (places && axes.length !== 1 && axes.length !== shape.length) continue
        const large = shape.reduce((a, b) => a * b, 1) > 1000
        if (large && (op === reduce.prod || dtype !== 'float32')) continue
        for (const keepDims of large ? [false] : [false, true])
          sketches.push({
            name: `${op.name} ${dtype} ${show(shape)}, axes ${axes.join(' ')}${keepDims ? ' kept' : ''}`,
            tolerance,
            results: inputs => applyAll(op, [inputs.random(shape, dtype)], { axes, keepDims }),
          })
      }
    for (const [how, arranged] of Object.entries(arrangements))
      for (const axes of places
        ? [[0], [1], [2], [0, 1, 2]]
        : [[0], [1], [2], [0, 1], [1, 2], [0, 2], [0, 1, 2]])
        sketches.push({
          name: `${op.name} float32, ${how}, axes ${axes.join(' ')}`,
          tolerance,
          results: inputs =>
            applyAll(op, [arranged(inputs, [3, 5, 4], 'float32')], { axes, keepDims: false }),
        })
    for (const dtype of ['float32', 'float64'] as const)
      for (const axes of [[0], [1]])
        sketches.push({
          name: `${op.name} ${dtype} with NaN, infinities and equals, axis ${axes}`,
          tolerance,
          results: inputs => applyAll(op, [inputs.of(RAGGED, dtype, [6, 6])], { axes, keepDims: false }),
        })
  }
  for (const op of [reduce.sum, reduce.prod])
    sketches.push({
      name: `${op.name} of nothing`,
      tolerance: EXACT,
      results: inputs => [
        ...applyAll(op, [inputs.random([3, 0])], { axes: [1], keepDims: false }),
        ...applyAll(op, [inputs.random([0])], { axes: [0], keepDims: true }),
        ...applyAll(op, [inputs.random([0, 4])], { axes: [0], keepDims: false }),
      ],
    })
  return [...sketches, ...lines()]
}

const RAGGED: readonly number[] = [
  1, Number.NaN, 2, Number.NaN, 0, -0,
  Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY,
  3, 3, 3, 3, 3, 3,
  5, 1, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, 1, 5,
  Number.NaN, Number.NaN, Number.NaN, Number.NaN, Number.NaN, Number.NaN,
  -1, -2, -3, -3, -2, -1,
] // biome-ignore format: a matrix

function lines(): Sketch[] {
  const sketches: Sketch[] = []
  const alongs: readonly (readonly [Shape, axis: number])[] = [
    [[7], 0],
    [[0], 0],
    [[1, 5], 0],
    [[3, 17], 1],
    [[5, 3], 0],
    [[2, 4, 3], 1],
  ]
  for (const dtype of ['float32', 'float64', 'int32'] as const)
    for (const [shape, axis] of alongs) {
      const name = `${dtype} ${show(shape)}, axis ${axis}`
      sketches.push(
        {
          name: `cumsum ${name}`,
          tolerance: RUNNING,
          results: inputs => applyAll(reduce.cumsum, [inputs.random(shape, dtype)], { axis }),
        },
        {
          name: `cumprod ${name}`,
          tolerance: RUNNING,
          results: inputs =>
            applyAll(reduce.cumprod, [dtype === 'int32' ? inputs.ids(3, shape) : inputs.random(shape, dtype)], { axis }), // biome-ignore format: one line reads best
        },
        ...[false, true].map(
          (descending): Sketch => ({
            name: `sort ${name}${descending ? ', descending' : ''}`,
            tolerance: EXACT,
            results: inputs => applyAll(reduce.sort, [inputs.random(shape, dtype)], { axis, descending }),
          }),
        ),
      )
    }
  sketches.push({
    name: 'sort with NaN, infinities and equals',
    tolerance: EXACT,
    results: inputs =>
      [false, true].flatMap(descending =>
        applyAll(reduce.sort, [inputs.of(RAGGED, 'float32', [6, 6])], { axis: 1, descending }),
      ),
  })
  return sketches
}
