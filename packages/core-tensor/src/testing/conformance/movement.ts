import { apply } from '../../dispatch.ts'
import * as creation from '../../ops/creation.ts'
import { gather, scatterAdd, scatterRows, take } from '../../ops/indexing.ts'
import { concat, copy, fold, place, unfold } from '../../ops/movement.ts'
import { type DType, type Shape, show } from '../../shape.ts'
import type { Tensor } from '../../tensor.ts'
import type { Sketch, Tolerance } from '../conformance.ts'
import { arrangements, shapes } from './inputs.ts'

/** Elements that are only moved arrive as they were. */
const EXACT: Tolerance = { relative: 0, absolute: 0 }
/** A few numbers added up in another order. */
const ADDED: Tolerance = { relative: 8, absolute: 16 }
const ALL: readonly DType[] = ['float32', 'float64', 'int32', 'bool']

/** Tensors from nothing, and elements that are moved about. */
export function movement(): Sketch[] {
  return [...created(), ...moved(), ...indexed(), ...outsiders()]
}

function created(): Sketch[] {
  const sketches: Sketch[] = []
  for (const dtype of ALL)
    for (const shape of [[], [0], [5], [3, 17], [70_001]])
      sketches.push({
        name: `full ${dtype} ${show(shape)}`,
        tolerance: EXACT,
        results: ({ backend }) => [
          apply(creation.full, [], { shape, dtype, value: dtype === 'bool' ? 1 : -3 }, backend),
        ],
      })
  for (const dtype of ['float32', 'float64', 'int32'] as const)
    for (const length of [0, 1, 5, 1000])
      sketches.push({
        name: `arange ${dtype} [${length}]`,
        tolerance: EXACT,
        results: ({ backend }) => [
          apply(creation.arange, [], { start: 7, step: -2, length, dtype }, backend),
        ],
      })
  for (const dtype of ['float32', 'float64'] as const)
    for (const shape of [[0], [1], [2], [3], [7], [3, 17], [100_003]])
      for (const counter of [0, 2 ** 32 - 2])
        sketches.push({
          name: `random ${dtype} ${show(shape)} from ${counter}`,
          tolerance: EXACT,
          results: ({ backend }) => [
            apply(creation.random, [], { shape, dtype, key: [0xdeadbeef, 42], counter }, backend),
          ],
        })
  return sketches
}

function moved(): Sketch[] {
  const sketches: Sketch[] = []
  for (const dtype of ALL)
    for (const [how, arranged] of Object.entries(arrangements))
      for (const shape of dtype === 'float32' ? shapes : [[], [0, 3], [17, 5], [2, 3, 4]])
        sketches.push({
          name: `copy ${dtype} ${show(shape)}, ${how}`,
          tolerance: EXACT,
          results: inputs => [apply(copy, [arranged(inputs, shape, dtype)], {})],
        })
  for (const [how, arranged] of Object.entries(arrangements))
    for (const dtype of ALL) {
      sketches.push({
        name: `place ${dtype}, ${how}`,
        tolerance: EXACT,
        results: inputs =>
          [
            { shape: [5, 9], start: [1, 2], step: [1, 1], fill: 0 },
            { shape: [4, 7], start: [1, 5], step: [2, -1], fill: 1 },
            { shape: [2, 5], start: [0, 0], step: [1, 1], fill: 0 },
          ].map(attrs => apply(place, [arranged(inputs, [2, 5], dtype)], attrs)),
      })
      sketches.push({
        name: `concat ${dtype}, ${how}`,
        tolerance: EXACT,
        results: inputs => [
          apply(concat, [1, 0, 3].map(n => arranged(inputs, [n, 5], dtype)), { axis: 0 }), // biome-ignore format: one line reads best
          apply(concat, [1, 4, 2].map(n => arranged(inputs, [3, n, 2], dtype)), { axis: 1 }), // biome-ignore format: one line reads best
          apply(concat, [7, 1].map(n => arranged(inputs, [4, n], dtype)), { axis: 1 }), // biome-ignore format: one line reads best
        ],
      })
    }
  for (const [how, arranged] of Object.entries(arrangements))
    for (const [stride, dilation] of [[1, 1], [2, 1], [3, 2], [1, 3]] as const) // biome-ignore format: a list
      sketches.push({
        name: `fold and unfold, every ${stride}, ${dilation} apart, ${how}`,
        tolerance: ADDED,
        results: inputs => {
          const windowing = { axis: 1, stride, dilation }
          const windows = arranged(inputs, [2, Math.floor((16 - 2 * dilation) / stride) + 1, 5, 3], 'float32')
          const folded = apply(fold, [windows], { ...windowing, length: 17 })
          return [folded, apply(unfold, [folded], { ...windowing, size: 3 })]
        },
      })
  return sketches
}

function indexed(): Sketch[] {
  const sketches: Sketch[] = []
  const cases: readonly (readonly [x: Shape, index: Shape, axis: number])[] = [
    [[5], [7], 0],
    [[4, 3], [2, 3], 0],
    [[4, 3], [4, 5], 1],
    [[2, 3, 4], [2, 2, 3], 1],
    [[3, 4], [0, 4], 0],
    [[300, 40], [300, 1], 1],
  ]
  for (const dtype of ['float32', 'float64', 'int32'] as const)
    for (const [x, index, axis] of cases) {
      const name = `${dtype} ${show(x)} by ${show(index)}, axis ${axis}`
      sketches.push(
        {
          name: `gather ${name}`,
          tolerance: EXACT,
          results: inputs => [
            apply(gather, [inputs.random(x, dtype), inputs.ids(x[axis] as number, index)], { axis }),
          ],
        },
        {
          name: `scatterAdd ${name}`,
          tolerance: ADDED,
          results: inputs => [
            apply(
              scatterAdd,
              [
                inputs.random(x, dtype),
                inputs.ids(x[axis] as number, index),
                inputs.random(index.map((n, a) => (a === axis ? n + 1 : n)), dtype), // biome-ignore format: one line reads best
              ],
              { axis },
            ),
          ],
        },
      )
    }
  const tables: readonly (readonly [table: Shape, ids: Shape])[] = [
    [[5], [3]],
    [[4, 3], []],
    [
      [4, 5],
      [2, 3],
    ],
    [[7, 2, 3], [4]],
    [[6, 64], [0]],
    [
      [1000, 64],
      [70, 50],
    ],
    [[500, 33], [1000]],
  ]
  for (const dtype of ['float32', 'float64', 'int32'] as const)
    for (const [table, ids] of tables) {
      const rows = table[0] as number
      sketches.push(
        {
          name: `take ${dtype} ${show(table)} by ${show(ids)}`,
          tolerance: EXACT,
          results: inputs => [apply(take, [inputs.random(table, dtype), inputs.ids(rows, ids)], {})],
        },
        {
          name: `scatterRows ${dtype} ${show(ids)} into ${show(table)}`,
          tolerance: ADDED,
          results: inputs => [
            apply(scatterRows, [inputs.ids(rows, ids), inputs.random([...ids, ...table.slice(1)], dtype)], {
              rows,
            }),
          ],
        },
      )
    }
  return sketches
}

/** An index outside its axis is an error that names it, and nothing is left in memory. */
function outsiders(): Sketch[] {
  const sketches: Sketch[] = []
  for (const id of [-1, 4]) {
    const refuses = (name: string, results: (x: Tensor, index: Tensor) => Tensor): void => {
      sketches.push({
        name: `${name} of ${id} in 4`,
        tolerance: EXACT,
        fails: true,
        results: inputs => [results(inputs.random([4, 2]), inputs.of([0, id], 'int32'))],
      })
    }
    refuses('take', (x, ids) => apply(take, [x, ids], {}))
    refuses('scatterRows', (x, ids) => apply(scatterRows, [ids, x.slice([{ stop: 2 }])], { rows: 4 }))
    refuses('gather', (x, ids) => apply(gather, [x, ids.reshape([2, 1])], { axis: 0 }))
    refuses('scatterAdd', (x, ids) => apply(scatterAdd, [x, ids.reshape([2, 1]), x], { axis: 0 }))
  }
  return sketches
}
