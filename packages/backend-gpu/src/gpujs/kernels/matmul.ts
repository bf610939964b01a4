import { sizeOf, stretch } from '@heed/core-tensor'
import { inRows } from '../../webgpu/kernels/matmul.ts'
import { joined } from '../../webgpu/walk.ts'
import { type Cell, type Family, type Input, only, type Runner } from '../runner.ts'
import { held } from '../text.ts'
import { placeOf, steps } from '../walks.ts'

/** Matrix products, alone and in batches, of operands that lie in any way. */
export function matmul(runner: Runner): Family<'matmul' | 'linear'> {
  return {
    matmul: ([a, b], outputs) => {
      const { shape } = only(outputs)
      return [product(runner, a as Input, b as Input, shape)]
    },
    linear: ([x, weight, bias]) => {
      const w = weight as Input
      const rows = inRows(x as Input)
      return [product(runner, rows, turned(w), [...rows.shape.slice(0, -1), w.shape[0] as number], bias)]
    },
  }
}

/** A tensor's fields: it is an operand by them alone. */
export function viewOf({ shape, dtype, storage, offset, strides }: Input): Input {
  return { shape, dtype, storage, offset, strides }
}

/** A row-major tensor in memory of its own. */
export function dense(storage: Cell, shape: readonly number[]): Input {
  let step = sizeOf(shape)
  const strides = shape.map(n => (step = n ? step / n : 0))
  return { shape, dtype: 'float32', storage, offset: 0, strides }
}

/** With the last two axes exchanged. */
export function turned(x: Input): Input {
  const swap = (list: readonly number[]): number[] => [
    ...list.slice(0, -2),
    list.at(-1) as number,
    list.at(-2) as number,
  ]
  return { ...viewOf(x), shape: swap(x.shape), strides: swap(x.strides) }
}

/** `a b · scale (+ bias)`, `[..., m, k] × [..., k, n]`, each element by one thread. */
export function product(
  runner: Runner,
  a: Input,
  b: Input,
  shape: readonly number[],
  bias?: Input,
  scale = 1,
): Cell {
  const lead = shape.slice(0, -2)
  const [m, n] = shape.slice(-2) as [number, number]
  const depth = a.shape.at(-1) as number
  const front = (x: Input): number[] =>
    stretch({ shape: x.shape.slice(0, -2), strides: x.strides.slice(0, -2) }, lead)
  const walk = joined(lead, front(a), front(b))
  const rank = walk.shape.length
  const { ints, values } = steps(walk, ['a', 'b'], [a.offset, b.offset])
  const batch = 'quotient(this.thread.x, mn)'
  const column = 'remainder(this.thread.x, n)'
  return runner.run(
    `${bias ? 'linear' : 'matmul'} ${rank}`,
    () => ({
      tensors: ['a', 'b', ...(bias ? ['bias'] : [])],
      ints: [
        ...ints,
        'mn',
        'm',
        'n',
        'rounds',
        'rest',
        'aRow',
        'aStep',
        'bStep',
        'bColumn',
        ...(bias ? ['biasAt', 'biasStep'] : []),
      ],
      floats: ['scale'],
      body: `let sum = 0;
${held(
  {
    at: `${placeOf(rank, 'a', batch)} + remainder(quotient(this.thread.x, n), m) * aRow`,
    from: `${placeOf(rank, 'b', batch)} + ${column} * bColumn`,
  },
  `for (let k = 0; k < rounds; k++) {
  sum += ${terms('4 * k', '4 * k + 1', '4 * k + 2', '4 * k + 3')};
}
for (let left = 0; left < rest; left++) {
  sum += ${terms('4 * rounds + left')};
}`,
)}
return sum * scale${bias ? ` + bias[biasAt + ${column} * biasStep]` : ''};`,
    }),
    sizeOf(shape),
    [a.storage, b.storage, ...(bias ? [bias.storage] : [])],
    [
      ...values,
      m * n,
      m,
      n,
      Math.floor(depth / 4),
      depth % 4,
      a.strides.at(-2) as number,
      a.strides.at(-1) as number,
      b.strides.at(-2) as number,
      b.strides.at(-1) as number,
      ...(bias ? [bias.offset, bias.strides[0] as number] : []),
      scale,
    ],
  )
}

/** Products of elements of a row and a column, added up: four in a round of the loop cost less than four rounds. */
function terms(...places: readonly string[]): string {
  return places.map(k => `a[at + (${k}) * aStep] * b[from + (${k}) * bStep]`).join(' + ')
}
