import { rowMajor, sizeOf } from '@heed/core-tensor'
import { joined } from '../../webgpu/walk.ts'
import { type Cell, type Family, type Input, isWhole, only, type Runner } from '../runner.ts'
import { held } from '../text.ts'
import { placeOf, steps } from '../walks.ts'
import { lineOf, picked, sorted } from './lines.ts'

interface Axis {
  readonly axis: number
}

/** Up to so many indices a line, every result looks through all of them; beyond, they are sorted first. */
const FEW = 32

/**
 * Elements and rows picked and added up by number. A shader cannot write where it likes, so each result gathers what is added to it, in
 * the order of the indices: the same bits every time.
 */
export function indexing(runner: Runner): Family<'gather' | 'scatterAdd' | 'take' | 'scatterRows'> {
  return {
    gather: ([x, index], outputs, { axis }: Axis) => {
      const [from, by] = [x, index] as readonly [Input, Input]
      runner.checkIndices('gather', by, from.shape[axis] as number)
      const strides = rowMajor(from.shape)
      const others = strides.map((stride, a) => (a === axis ? 0 : stride))
      const walk = joined(by.shape, others, rowMajor(by.shape))
      const rank = walk.shape.length
      const { ints, values } = steps(walk, ['x', 'index'], [from.offset, by.offset])
      const y = runner.run(
        `gather ${rank}`,
        () => ({
          tensors: ['x', 'ids'],
          ints: [...ints, 'step'],
          body: `return x[placeAt(${placeOf(rank, 'x')}, ids[${placeOf(rank, 'index')}], step)];`,
        }),
        sizeOf(only(outputs).shape),
        [from.storage, by.storage],
        [...values, strides[axis] as number],
      )
      return [runner.ranged(y, runner.rangeOf(from.storage))]
    },
    take: ([table, ids], outputs) => {
      const [from, by] = [table, ids] as readonly [Input, Input]
      runner.checkIndices('take', by, from.shape[0] as number)
      const width = sizeOf(from.shape.slice(1))
      const y = runner.run(
        'take',
        () => ({
          tensors: ['x', 'ids'],
          ints: ['start', 'first', 'width'],
          body: 'return x[rowAt(start, ids[first + quotient(this.thread.x, width)], width, remainder(this.thread.x, width))];',
        }),
        sizeOf(only(outputs).shape),
        [from.storage, by.storage],
        [from.offset, by.offset, width],
      )
      return [runner.ranged(y, runner.rangeOf(from.storage))]
    },
    scatterAdd: ([x, index, source], _, { axis }: Axis) => {
      const [to, by, from] = [x, index, source] as readonly [Input, Input, Input]
      runner.checkIndices('scatterAdd', by, to.shape[axis] as number)
      const rank = to.shape.length
      const ids = inOrder(runner, by, axis)
      const { length, step } = lineOf(by.shape, axis)
      const [idStrides, sourceStrides] = [rowMajor(by.shape), rowMajor(from.shape)]
      const without = (list: readonly number[]): number[] => list.map((n, a) => (a === axis ? 0 : n))
      const strides = [
        without(idStrides),
        without(sourceStrides),
        to.shape.map((_, a) => (a === axis ? 1 : 0)),
      ]
      const walk = { shape: to.shape, strides }
      const { ints, values } = steps(walk, ['id', 'source', 'mark'], [ids.offset, from.offset, 0])
      const axes = to.shape.map((_, a) => a)
      const fits = `fits${rank}(${['this.thread.x', ...axes.slice(1).map(a => `d${a}`), ...axes.map(a => `l${a}`)].join(', ')})`
      const whole = isWhole(to)
      const y = runner.run(
        `scatterAdd ${rank}${ids.order ? ' sorted' : ''}${whole ? ' whole' : ''}`,
        () => ({
          tensors: ['x', 'ids', ...(ids.order ? ['order'] : []), 'source'],
          ints: [...ints, ...axes.map(a => `l${a}`), 'xAt', 'length', 'step', 'sourceStep'],
          body: summed(
            'x[xAt + this.thread.x]',
            `${fits} === 1`,
            placeOf(rank, 'id'),
            placeOf(rank, 'mark'),
            place => `source[placeAt(${placeOf(rank, 'source')}, ${place}, sourceStep)]`,
            ids.order !== undefined,
            whole,
          ),
        }),
        sizeOf(to.shape),
        [to.storage, ids.cell, ...(ids.order ? [ids.order] : []), from.storage],
        [
          ...values,
          ...axes.map(a => (a === axis ? (to.shape[a] as number) : (by.shape[a] as number))),
          to.offset,
          length,
          step,
          sourceStrides[axis] as number,
        ],
      )
      ids.free()
      return [y]
    },
    scatterRows: ([ids, source], outputs, { rows }: { readonly rows: number }) => {
      const [by, from] = [ids, source] as readonly [Input, Input]
      runner.checkIndices('scatterRows', by, rows)
      const count = sizeOf(by.shape)
      const { dtype, storage, offset } = by
      const sortedIds = inOrder(runner, { dtype, storage, offset, shape: [count], strides: [1] }, 0)
      const width = sizeOf(only(outputs).shape.slice(1))
      const whole = isWhole(from)
      const y = runner.run(
        `scatterRows${sortedIds.order ? ' sorted' : ''}${whole ? ' whole' : ''}`,
        () => ({
          tensors: ['ids', ...(sortedIds.order ? ['order'] : []), 'source'],
          ints: ['first', 'start', 'length', 'step', 'width'],
          body: summed(
            '0',
            'width > 0',
            'first',
            'quotient(this.thread.x, width)',
            place => `source[rowAt(start, ${place}, width, remainder(this.thread.x, width))]`,
            sortedIds.order !== undefined,
            whole,
          ),
        }),
        rows * width,
        [sortedIds.cell, ...(sortedIds.order ? [sortedIds.order] : []), from.storage],
        [sortedIds.offset, from.offset, count, 1, width],
      )
      sortedIds.free()
      return [y]
    },
  }
}

/** Adds up what is at the indices of a line that equal a place: of all, or of the part of the sorted line that does. */
function summed(
  begin: string,
  where: string,
  line: string,
  place: string,
  element: (k: string) => string,
  inOrder: boolean,
  whole: boolean,
): string {
  const add = (k: string): string => `sum = ${whole ? 'wholeOf' : ''}(sum + ${element(k)});`
  const all = `for (let k = 0; k < length; k++) {
        if (ids[at + k * step] === place) { ${add('k')} }
      }`
  const middle = 'quotient(low + high, 2)'
  const part = held(
    { low: '0', high: 'length' },
    `for (let round = 0; round < 32; round++) {
  if (low < high) {
    if (ids[at + ${middle} * step] < place) { low = ${middle} + 1; } else { high = ${middle}; }
  }
}
for (let k = 0; k < length; k++) {
  if (low + k >= length) { break; }
  if (ids[at + (low + k) * step] !== place) { break; }
  ${add('order[at + (low + k) * step]')}
}`,
  )
  return `let sum = ${begin};
if (${where}) {
${held({ at: line }, `let place = ${place};\n${inOrder ? part : all}`)}
}
return sum;`
}

/** Indices along an axis, sorted if there are many, and then where they came from. */
function inOrder(
  runner: Runner,
  index: Input,
  axis: number,
): {
  readonly cell: Cell
  readonly offset: number
  readonly order: Cell | undefined
  readonly free: () => void
} {
  const { length, step } = lineOf(index.shape, axis)
  if (length <= FEW) return { cell: index.storage, offset: index.offset, order: undefined, free: () => {} }
  const order = sorted(runner, index, axis, false)
  const cell = picked(runner, index, order, length, step)
  return { cell, offset: 0, order, free: () => runner.free(order, cell) }
}
