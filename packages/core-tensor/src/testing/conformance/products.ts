import { apply } from '../../dispatch.ts'
import { linear, matmul } from '../../ops/matmul.ts'
import { type DType, type Shape, show } from '../../shape.ts'
import type { Tensor } from '../../tensor.ts'
import type { Sketch, Tolerance } from '../conformance.ts'
import { arrangements, type Inputs, lengths } from './inputs.ts'

/** k products of size 1 added one by one: sums of size √k are rounded k times, so the error grows as k. */
const product = (k: number): Tolerance => ({ relative: 4, absolute: 4 + 2 * k })

/** Each edge of rows, columns and depth, shapes of one row and one column, and sizes that threads share. */
const sizes: readonly (readonly [m: number, k: number, n: number])[] = [
  ...lengths.flatMap(n => [[n, 5, 6], [6, n, 9], [5, 7, n], [n, n, n], [1, 9, n], [n, 11, 1], [1, n, 33], [33, n, 1]] as const), // biome-ignore format: a table
  [1, 600, 40],
  [40, 600, 1],
  [3, 1100, 50],
]
/** What threads share, by rows, by columns and by depth. */
const large: readonly (readonly [m: number, k: number, n: number])[] = [
  [20, 512, 530],
  [150, 530, 70],
  [300, 40, 300],
  [1, 530, 1200],
  [1200, 530, 1],
]

type Turn = 'plain' | 'turned'
const turns: readonly (readonly [Turn, Turn])[] = [['plain', 'plain'], ['turned', 'plain'], ['plain', 'turned'], ['turned', 'turned']] // biome-ignore format: a list

/** Matrix products, alone and in batches, every operand lying in every way. */
export function products(): Sketch[] {
  const sketches: Sketch[] = []
  for (const [m, k, n] of [...sizes, ...large])
    for (const [a, b] of turns)
      sketches.push({
        name: `matmul float32 [${m}, ${k}] ${a} × [${k}, ${n}] ${b}`,
        tolerance: product(k),
        results: inputs => [apply(matmul, [matrix(inputs, m, k, a), matrix(inputs, k, n, b)], {})],
      })
  for (const dtype of ['float32', 'float64'] as const)
    for (const [a, b] of batches)
      sketches.push({
        name: `matmul ${dtype} ${show(a)} × ${show(b)}`,
        tolerance: product(a.at(-1) as number),
        results: inputs => [apply(matmul, [inputs.random(a, dtype), inputs.random(b, dtype)], {})],
      })
  for (const [how, arranged] of Object.entries(arrangements))
    sketches.push({
      name: `matmul float32, ${how}`,
      tolerance: product(9),
      results: inputs => [
        apply(matmul, [arranged(inputs, [7, 9], 'float32'), arranged(inputs, [9, 11], 'float32')], {}),
        apply(matmul, [arranged(inputs, [3, 7, 9], 'float32'), arranged(inputs, [3, 9, 11], 'float32')], {}),
        apply(matmul, [arranged(inputs, [3, 1, 9], 'float32'), arranged(inputs, [3, 9, 11], 'float32')], {}),
        apply(matmul, [arranged(inputs, [3, 7, 9], 'float32'), arranged(inputs, [3, 9, 1], 'float32')], {}),
      ],
    })
  return [...sketches, ...linears()]
}

const batches: readonly (readonly [Shape, Shape])[] = [
  [
    [2, 3, 4],
    [2, 4, 5],
  ],
  [
    [3, 4],
    [2, 4, 5],
  ],
  [
    [2, 3, 4],
    [4, 5],
  ],
  [
    [2, 1, 3, 4],
    [5, 4, 2],
  ],
  [
    [4, 1, 3, 2],
    [1, 3, 2, 3],
  ],
  [
    [0, 3, 4],
    [0, 4, 5],
  ],
  [
    [2, 3, 0],
    [2, 0, 5],
  ],
  [
    [64, 1, 50],
    [64, 50, 128],
  ],
  [
    [64, 50, 1],
    [64, 1, 128],
  ],
  [
    [16, 40, 64],
    [16, 64, 48],
  ],
  [
    [3, 100, 64],
    [3, 64, 100],
  ],
]

function matrix(inputs: Inputs, rows: number, columns: number, turn: Turn): Tensor {
  return turn === 'plain' ? inputs.random([rows, columns]) : inputs.random([columns, rows]).transpose()
}

function linears(): Sketch[] {
  const sketches: Sketch[] = []
  const shapes = [[1, 3, 5], [4, 4, 8], [7, 33, 17], [0, 3, 2], [3, 0, 2], [2, 3, 0], [65, 128, 384], [9, 700, 40]] as const // biome-ignore format: a table
  const made = (inputs: Inputs, [rows, inside, out]: readonly [number, number, number], dtype: DType = 'float32') =>
    [inputs.random([rows, inside], dtype), inputs.random([out, inside], dtype), inputs.random([out], dtype)] as const // biome-ignore format: one line reads best
  for (const shape of shapes)
    for (const dtype of ['float32', 'float64'] as const)
      sketches.push({
        name: `linear ${dtype} [${shape[0]}, ${shape[1]}] to ${shape[2]}`,
        tolerance: product(shape[1] + 1),
        results: inputs => [apply(linear, made(inputs, shape, dtype), {})],
      })
  for (const [how, arranged] of Object.entries(arrangements))
    sketches.push({
      name: `linear float32, ${how}`,
      tolerance: product(9),
      results: inputs => [
        apply(linear, [[5, 9], [12, 9], [12]].map(shape => arranged(inputs, shape, 'float32')), {}), // biome-ignore format: one line reads best
      ],
    })
  const fronts = {
    'a vector': inputs => inputs.random([9]),
    'three axes': inputs => inputs.random([2, 5, 9]),
    'no rows': inputs => inputs.random([3, 0, 9]),
    'rows that lie evenly': inputs => inputs.random([2, 5, 18]).slice([{}, {}, { start: 9 }]),
    'rows that do not': inputs => inputs.random([5, 2, 9]).transpose(0, 1),
    'one row, repeated': inputs => inputs.random([1, 9]).expand([4, 3, 9]),
  } satisfies Record<string, (inputs: Inputs) => Tensor>
  for (const [how, front] of Object.entries(fronts))
    for (const biased of [true, false])
      sketches.push({
        name: `linear of ${how}${biased ? '' : ', no bias'}`,
        tolerance: product(9),
        results: inputs => {
          const bias = biased ? [inputs.random([12])] : []
          return [apply(linear, [front(inputs), inputs.random([12, 9]), ...bias], {})]
        },
      })
  sketches.push({
    name: 'linear of three axes, its gradient',
    tolerance: product(20),
    results: inputs => {
      const leaves = [inputs.leaf([4, 5, 9]), inputs.leaf([12, 9]), inputs.leaf([12])]
      apply(linear, leaves, {}).backward({ gradient: inputs.random([4, 5, 12]) })
      return leaves.map(x => x.grad as Tensor)
    },
  })
  sketches.push({
    name: 'linear, its gradient',
    tolerance: product(20),
    results: inputs => {
      const leaves = [inputs.leaf([20, 9]), inputs.leaf([12, 9]), inputs.leaf([12])]
      apply(linear, leaves, {}).backward({ gradient: inputs.random([20, 12]) })
      return leaves.map(x => x.grad as Tensor)
    },
  })
  return sketches
}
