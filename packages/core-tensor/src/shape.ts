import { DTypeError, ShapeError } from './errors.ts'

/** The length of each axis: `[batch, time, hidden]`. A number alone has shape `[]`. */
export type Shape = readonly number[]

/** What one element is. */
export type DType = 'float32' | 'float64' | 'int32' | 'bool'

/** What is known of a tensor before it is computed. */
export interface TensorSpec {
  readonly shape: Shape
  readonly dtype: DType
}

/** How elements lie in memory: element `i` is at `offset + Σ iₐ strideₐ`, counted in elements. */
export interface Layout {
  readonly shape: Shape
  readonly strides: readonly number[]
  readonly offset: number
}

/** Plain numbers in memory, as JavaScript has them. Truth values are 0 and 1, a byte each. */
export type TypedArray = Float32Array | Float64Array | Int32Array | Uint8Array

/** Numbers in brackets, or one number. */
export type Nested = number | boolean | readonly Nested[]

/** How many bytes one element takes in memory. */
export const bytesPerElement: Readonly<Record<DType, number>> = { float32: 4, float64: 8, int32: 4, bool: 1 }

/** @throws DTypeError unless it is the name of a type */
export function checkDType(where: string, dtype: DType): void {
  if (!Object.hasOwn(bytesPerElement, dtype))
    throw new DTypeError(
      `${where}: ${JSON.stringify(dtype)} is no type; use ${Object.keys(bytesPerElement).join(', ')}`,
    )
}

/** Whether a type holds fractions: float32 or float64. */
export function isFloat(dtype: DType): boolean {
  return dtype === 'float32' || dtype === 'float64'
}

/** A zeroed array that holds `length` elements of a type. */
export function typedArray(dtype: DType, length: number): TypedArray {
  switch (dtype) {
    case 'float32':
      return new Float32Array(length)
    case 'float64':
      return new Float64Array(length)
    case 'int32':
      return new Int32Array(length)
    case 'bool':
      return new Uint8Array(length)
  }
}

/** The number of elements. */
export function sizeOf(shape: Shape): number {
  let size = 1
  for (const n of shape) size *= n
  return size
}

/** Strides of row-major order: the last axis is adjacent. */
export function rowMajor(shape: Shape): number[] {
  const strides = new Array<number>(shape.length)
  let step = 1
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = step
    step *= shape[axis] as number
  }
  return strides
}

/** Whether elements lie in row-major order without gaps (from the offset on). */
export function isDense({ shape, strides }: Pick<Layout, 'shape' | 'strides'>): boolean {
  let step = 1
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const length = shape[axis] as number
    if (length !== 1 && strides[axis] !== step) return length === 0
    step *= length
  }
  return true
}

/** The same elements as rows of the last axis, `[rows, n]`, where rows lie evenly spaced: nothing is copied. */
export function rowsOf({ shape, strides, offset }: Layout): Layout | undefined {
  const last = shape.length - 1
  let rows = 1
  let step = 0 // from row to row; not known while there is one
  for (let axis = last - 1; axis >= 0; axis--) {
    const length = shape[axis] as number
    if (length === 1) continue
    if (rows === 1) step = strides[axis] as number
    else if (strides[axis] !== rows * step && rows > 0) return undefined
    rows *= length
  }
  const n = shape[last] as number
  return { shape: [rows, n], strides: [rows === 1 ? n : step, strides[last] as number], offset }
}

/** Whether two shapes are equal. */
export function sameShape(a: Shape, b: Shape): boolean {
  if (a.length !== b.length) return false
  for (let axis = 0; axis < a.length; axis++) if (a[axis] !== b[axis]) return false
  return true
}

/** `[2, 3]`, the way shapes are written in messages. */
export function show(shape: Shape): string {
  return `[${shape.join(', ')}]`
}

/**
 * The shape that both shapes stretch to: axes are matched from the last, and an axis of length 1 stretches.
 *
 * @throws ShapeError if two lengths differ and neither is 1
 */
export function broadcast(where: string, a: Shape, b: Shape): Shape {
  if (sameShape(a, b)) return a
  const rank = Math.max(a.length, b.length)
  const out = new Array<number>(rank)
  for (let i = 1; i <= rank; i++) {
    const m = a[a.length - i] ?? 1
    const n = b[b.length - i] ?? 1
    if (m !== n && m !== 1 && n !== 1)
      throw new ShapeError(
        `${where}: shapes ${show(a)} and ${show(b)} do not fit, axis −${i} has ${m} against ${n}; make them equal, or one of them 1`,
      )
    out[rank - i] = m === 1 ? n : m
  }
  return out
}

/** Strides that read a tensor as if it had the larger shape: stretched axes stand still. */
export function stretch({ shape, strides }: Pick<Layout, 'shape' | 'strides'>, to: Shape): number[] {
  const ahead = to.length - shape.length
  return to.map((length, axis) =>
    axis < ahead || (shape[axis - ahead] === 1 && length !== 1) ? 0 : (strides[axis - ahead] as number),
  )
}

/**
 * The axis counted from the first, for one that may be counted from the last (−1).
 *
 * @throws ShapeError if there is no such axis
 */
export function axisOf(where: string, axis: number, shape: Shape): number {
  const rank = shape.length
  if (!Number.isInteger(axis) || axis < -rank || axis >= rank)
    throw new ShapeError(
      rank === 0
        ? `${where}: axis ${axis} of a tensor of shape [], which has no axes; use reshape([1]) first`
        : `${where}: axis ${axis} is outside ${show(shape)}; use ${-rank} to ${rank - 1}`,
    )
  return axis < 0 ? axis + rank : axis
}

/** Axes in ascending order, counted from the first; all of them when none are named. @throws ShapeError on an axis that is outside or named twice */
export function axesOf(where: string, axes: number | readonly number[] | undefined, shape: Shape): number[] {
  if (axes === undefined) return shape.map((_, axis) => axis)
  const found = (typeof axes === 'number' ? [axes] : axes).map(axis => axisOf(where, axis, shape))
  if (new Set(found).size !== found.length)
    throw new ShapeError(`${where}: axes ${show(found)} name one axis twice; name each once`)
  return found.sort((a, b) => a - b)
}

/** The shape after reducing those axes (counted from the first) to 1, or away. */
export function reduced(shape: Shape, axes: readonly number[], keepDims: boolean): Shape {
  return keepDims
    ? shape.map((n, axis) => (axes.includes(axis) ? 1 : n))
    : shape.filter((_, axis) => !axes.includes(axis))
}

/** @throws ShapeError unless every length is a whole number of 0 or more */
export function checkShape(where: string, shape: Shape): void {
  for (const n of shape)
    if (!Number.isSafeInteger(n) || n < 0)
      throw new ShapeError(`${where}: ${show(shape)} is not a shape; lengths are whole numbers of 0 or more`)
}
