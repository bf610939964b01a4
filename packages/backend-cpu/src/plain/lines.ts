import type { TensorSpec } from '@heed/core-tensor'
import type { Heap, Input, Storage } from '../machine/heap.ts'
import { elementsOf, firstOf } from './elements.ts'
import { eachPlace, joined } from './walk.ts'

/** Each group of elements that differ only along some axes, through a function of the group in row-major order. */
export function reduceInto(
  heap: Heap,
  fold: (group: Float64Array) => number,
  x: Input,
  axes: readonly number[],
  y: Storage,
  out: TensorSpec,
): void {
  const stay = x.shape.map((_, axis) => axis).filter(axis => !axes.includes(axis))
  const part = (of: readonly number[]): ReturnType<typeof joined> =>
    joined(
      of.map(axis => x.shape[axis] as number),
      of.map(axis => x.strides[axis] as number),
    )
  const [kept, gone] = [part(stay), part(axes)]
  const within: number[] = []
  eachPlace(gone.shape, gone.strides[0] as readonly number[], place => within.push(place))
  const [from, to, first] = [heap.view(x.dtype), elementsOf(heap, y, out), firstOf(x)]
  const group = new Float64Array(within.length)
  let i = 0
  eachPlace(kept.shape, kept.strides[0] as readonly number[], start => {
    for (let k = 0; k < group.length; k++) group[k] = from[first + start + (within[k] as number)] as number
    to[i++] = fold(group)
  })
}

/** The places of a line's elements in order; equal ones keep theirs, NaN counts as the largest. */
export function sortLine(line: Float64Array, descending: boolean): Int32Array {
  const order = Int32Array.from(line, (_, i) => i)
  const compare = (i: number, j: number): number => ascending(line[i] as number, line[j] as number)
  return order.sort(descending ? (i, j) => -compare(i, j) : compare)
}

function ascending(a: number, b: number): number {
  return Number.isNaN(a) || Number.isNaN(b) ? Number(Number.isNaN(a)) - Number(Number.isNaN(b)) : a - b
}
