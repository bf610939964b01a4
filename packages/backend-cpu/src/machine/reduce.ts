import { sizeOf, type TensorSpec } from '@heed/core-tensor'
import { joined } from '../plain/walk.ts'
import { denseInput, fillWith } from './copy.ts'
import { address, type Input, type Storage } from './heap.ts'
import type { Machine } from './machine.ts'

/** What can be done along rows and down columns of float32, by the number that assembly/reduce.as knows it by. */
const KINDS = { sum: 0, max: 1, min: 2, argmax: 1, argmin: 2 } as const

/** Axes, joined where their elements follow each other: lengths and strides. */
interface Side {
  readonly lengths: readonly number[]
  readonly strides: readonly number[]
}

/**
 * Reduces some axes of a float32 tensor. Axes that lie as rows do, or as columns do, are reduced in place; otherwise a copy is made in which
 * they are rows.
 */
export function reduceFloats(
  machine: Machine,
  name: keyof typeof KINDS,
  x: Input,
  axes: readonly number[],
  out: TensorSpec,
): Storage {
  const { heap, wasm } = machine
  const results = sizeOf(out.shape)
  const n = sizeOf(axes.map(axis => x.shape[axis] as number))
  if (results === 0 || n === 0) {
    const y = heap.output(out)
    fillWith(machine, y, out, 0) // the sum of nothing
    return y
  }
  const stay = x.shape.map((_, axis) => axis).filter(axis => !axes.includes(axis))
  const [kept, gone] = [side(x, stay), side(x, axes)]
  const kind = KINDS[name]
  const places = name === 'argmax' || name === 'argmin'
  const alongRows = gone.lengths.length === 0 || (gone.lengths.length === 1 && gone.strides[0] === 1)
  if (alongRows && kept.lengths.length <= 1)
    return rows(machine, kind, places, address(x), 4 * (kept.strides[0] ?? 0), n, out, results)
  const [columns, outer] = [kept.lengths.at(-1) ?? 1, kept.lengths.at(-2) ?? 1]
  const downColumns = gone.lengths.length === 1 && kept.strides.at(-1) === 1 && kept.lengths.length <= 2
  if (downColumns && !places) {
    const space = heap.scratch(wasm.reduceColumnsSpace(outer, n, columns))
    const y = heap.output(out)
    const [row, step] = [4 * (gone.strides[0] as number), 4 * (kept.strides.at(-2) ?? 0)]
    wasm.reduceColumns(kind, address(x), outer, step, n, row, columns, y.pointer, space)
    return y
  }
  const order = [...stay, ...axes]
  const copy = denseInput(machine, {
    ...{ dtype: x.dtype, storage: x.storage, offset: x.offset },
    shape: order.map(axis => x.shape[axis] as number),
    strides: order.map(axis => x.strides[axis] as number),
  })
  return rows(machine, kind, places, address(copy), 4 * n, n, out, results)
}

function rows(
  { heap, wasm }: Machine,
  kind: number,
  places: boolean,
  x: number,
  step: number,
  n: number,
  out: TensorSpec,
  results: number,
): Storage {
  if (places) {
    const y = heap.output(out)
    wasm.placeInRows(kind, x, step, results, n, y.pointer)
    return y
  }
  const space = heap.scratch(wasm.reduceRowsSpace(results, n))
  const y = heap.output(out)
  wasm.reduceRows(kind, x, step, results, n, y.pointer, space)
  return y
}

function side(x: Input, axes: readonly number[]): Side {
  const { shape, strides } = joined(
    axes.map(axis => x.shape[axis] as number),
    axes.map(axis => x.strides[axis] as number),
  )
  return { lengths: shape, strides: strides[0] as readonly number[] }
}
