import {
  type Args,
  bytesPerElement,
  sizeOf,
  stretch,
  type TensorSpec,
  type TypedArray,
} from '@heed/core-tensor'
import type { Heap, Input, Storage } from '../machine/heap.ts'
import { eachLine, joined } from './walk.ts'

/** Where a tensor's first element is in the view of its type. */
export function firstOf({ storage, offset, dtype }: Input): number {
  return storage.pointer / bytesPerElement[dtype] + offset
}

/** The elements of a new tensor, in row-major order. */
export function elementsOf(heap: Heap, storage: Storage, { shape, dtype }: TensorSpec): TypedArray {
  const start = storage.pointer / bytesPerElement[dtype]
  return heap.view(dtype).subarray(start, start + sizeOf(shape))
}

/** The elements of all inputs of an operation, which are row-major. */
export function allElements(heap: Heap, inputs: readonly Input[]): Args<TypedArray> {
  const all = inputs.map(x => heap.view(x.dtype).subarray(firstOf(x), firstOf(x) + sizeOf(x.shape)))
  return all as readonly TypedArray[] as Args<TypedArray>
}

/** The elements of all its outputs. */
export function allOutputs(
  heap: Heap,
  made: readonly Storage[],
  specs: readonly TensorSpec[],
): Args<TypedArray> {
  const all = specs.map((spec, i) => elementsOf(heap, made[i] as Storage, spec))
  return all as readonly TypedArray[] as Args<TypedArray>
}

/** Every element through a function; then, if the type is int32, towards zero. */
export function mapInto(heap: Heap, f: (x: number) => number, x: Input, y: Storage, out: TensorSpec): void {
  const { shape, strides } = joined(out.shape, x.strides)
  const [from, to, first] = [heap.view(x.dtype), elementsOf(heap, y, out), firstOf(x)]
  const [line, step] = [shape.at(-1) ?? 1, strides[0]?.at(-1) ?? 0]
  let i = 0
  eachLine({ shape, strides }, ([start]) => {
    for (let k = 0, place = first + (start as number); k < line; k++, place += step)
      to[i++] = f(from[place] as number)
  })
}

/** The elements of two tensors, stretched to one shape, through a function. */
export function zipInto(
  heap: Heap,
  f: (a: number, b: number) => number,
  [a, b]: readonly [Input, Input],
  y: Storage,
  out: TensorSpec,
): void {
  const walk = joined(out.shape, stretch(a, out.shape), stretch(b, out.shape))
  const [from, to] = [heap.view(a.dtype), elementsOf(heap, y, out)]
  const [firstA, firstB] = [firstOf(a), firstOf(b)]
  const line = walk.shape.at(-1) ?? 1
  const [stepA, stepB] = [walk.strides[0]?.at(-1) ?? 0, walk.strides[1]?.at(-1) ?? 0]
  let i = 0
  eachLine(walk, ([startA, startB]) => {
    let atA = firstA + (startA as number)
    let atB = firstB + (startB as number)
    for (let k = 0; k < line; k++, atA += stepA, atB += stepB)
      to[i++] = f(from[atA] as number, from[atB] as number)
  })
}

/** Elements of `a` where the condition holds, elsewhere of `b`, all stretched to one shape. */
export function selectInto(
  heap: Heap,
  [condition, a, b]: readonly [Input, Input, Input],
  y: Storage,
  out: TensorSpec,
): void {
  const inputs = [condition, a, b]
  const walk = joined(out.shape, ...inputs.map(x => stretch(x, out.shape)))
  const [truth, from, to] = [heap.bool, heap.view(a.dtype), elementsOf(heap, y, out)]
  const [firstC, firstA, firstB] = inputs.map(firstOf) as [number, number, number]
  const line = walk.shape.at(-1) ?? 1
  const [stepC, stepA, stepB] = walk.strides.map(s => s.at(-1) ?? 0) as [number, number, number]
  let i = 0
  eachLine(walk, places => {
    let [atC, atA, atB] = places as [number, number, number]
    for (let k = 0; k < line; k++, atC += stepC, atA += stepA, atB += stepB)
      to[i++] = (truth[firstC + atC] ? from[firstA + atA] : from[firstB + atB]) as number
  })
}

/** Elements set into memory, from a place on (counted in elements) and with strides. */
export function scatterInto(heap: Heap, x: Input, first: number, strides: readonly number[]): void {
  const walk = joined(x.shape, x.strides, strides)
  const [view, firstX] = [heap.view(x.dtype), firstOf(x)]
  const line = walk.shape.at(-1) ?? 1
  const [stepX, stepY] = walk.strides.map(s => s.at(-1) ?? 0) as [number, number]
  eachLine(walk, places => {
    let [atX, atY] = places as [number, number]
    atX += firstX
    atY += first
    for (let k = 0; k < line; k++, atX += stepX, atY += stepY) view[atY] = view[atX] as number
  })
}
