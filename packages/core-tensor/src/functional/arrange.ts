import { arange } from '../creation.ts'
import { apply, applyAll } from '../dispatch.ts'
import { ShapeError } from '../errors.ts'
import { fold as foldOp, split as splitOp, unfold as unfoldOp } from '../ops/movement.ts'
import { axisOf, show } from '../shape.ts'
import type { Range, Tensor } from '../tensor.ts'

/** Tensors one behind the other along an axis. @throws ShapeError if there are none, or they differ elsewhere */
export function concat(tensors: readonly Tensor[], axis = 0): Tensor {
  const [first, ...rest] = tensors
  if (!first) throw new ShapeError('concat: no tensors; give one at least')
  return first.concat(rest, axis)
}

/** Tensors of one shape side by side along a new axis. @throws ShapeError if there are none, or they differ */
export function stack(tensors: readonly Tensor[], axis = 0): Tensor {
  return concat(
    tensors.map(x => x.unsqueeze(axis)),
    axis,
  )
}

/** Parts of the given sizes along an axis. @throws ShapeError if they do not add up */
export function split(x: Tensor, sizes: readonly number[], axis = 0): readonly Tensor[] {
  return applyAll(splitOp, [x], { axis: axisOf('split', axis, x.shape), sizes })
}

/** The slices along an axis, without it: the opposite of {@link stack}. */
export function unstack(x: Tensor, axis = 0): Tensor[] {
  const at = axisOf('unstack', axis, x.shape)
  return split(
    x,
    Array.from({ length: x.shape[at] as number }, () => 1),
    at,
  ).map(part => part.squeeze(at))
}

/** How windows follow each other. */
export interface WindowOptions {
  /** From one window to the next. */
  readonly stride?: number
  /** From one place of a window to the next. */
  readonly dilation?: number
}

/**
 * Every window of `size` places along an axis, as a new last axis; nothing is copied.
 *
 * @returns `[..., windows, ..., size]`
 * @example
 * unfold(tensor([1, 2, 3, 4]), 0, 3) // [[1, 2, 3], [2, 3, 4]]
 * @throws ShapeError if not one window fits
 */
export function unfold(
  x: Tensor,
  axis: number,
  size: number,
  { stride = 1, dilation = 1 }: WindowOptions = {},
): Tensor {
  return apply(unfoldOp, [x], { axis: axisOf('unfold', axis, x.shape), size, stride, dilation })
}

/**
 * Windows (the last axis) added up along an axis, each where {@link unfold} takes it from: its gradient.
 *
 * @param windows `[..., windows, ..., size]`
 * @param axis which axis counts the windows, of those without the last
 * @returns `[..., length, ...]`
 * @throws ShapeError unless `unfold` makes so many windows of that length
 */
export function fold(
  windows: Tensor,
  axis: number,
  length: number,
  { stride = 1, dilation = 1 }: WindowOptions = {},
): Tensor {
  return apply(foldOp, [windows], {
    axis: axisOf('fold', axis, windows.shape.slice(0, -1)),
    length,
    stride,
    dilation,
  })
}

/** `a` where the condition (bool) holds, elsewhere `b`. */
export function where(condition: Tensor, a: Tensor, b: Tensor | number): Tensor {
  return a.where(condition, b)
}

/** x with `value` wherever the mask (bool) holds. */
export function maskedFill(x: Tensor, mask: Tensor, value: number): Tensor {
  return x.where(mask.logicalNot(), value)
}

/** The lower triangle of the last two axes, up to a diagonal (0 the main one, 1 the next above); zeros above. */
export function tril(x: Tensor, diagonal = 0): Tensor {
  return x.where(columnMinusRow('tril', x).lessEqual(diagonal), 0)
}

/** The upper triangle of the last two axes, from a diagonal on; zeros below. */
export function triu(x: Tensor, diagonal = 0): Tensor {
  return x.where(columnMinusRow('triu', x).greaterEqual(diagonal), 0)
}

function columnMinusRow(name: string, x: Tensor): Tensor {
  if (x.shape.length < 2) throw new ShapeError(`${name}: ${show(x.shape)} has no matrix; it needs two axes`)
  const [rows, columns] = x.shape.slice(-2) as [number, number]
  const { backend } = x
  return arange(0, columns, 1, { backend })
    .unsqueeze(0)
    .sub(arange(0, rows, 1, { backend }).unsqueeze(1))
}

/** The whole tensor so many times along each axis, `[2, 3]` by `[2, 2]` → `[4, 6]`; counts are for the last axes. @throws ShapeError unless they are whole numbers of 0 or more */
export function tile(x: Tensor, counts: readonly number[]): Tensor {
  if (!counts.every(n => Number.isInteger(n) && n >= 0))
    throw new ShapeError(`tile: ${show(counts)} times; use whole numbers of 0 or more`)
  const rank = Math.max(counts.length, x.shape.length)
  const shape = [...new Array<number>(rank - x.shape.length).fill(1), ...x.shape]
  const times = [...new Array<number>(rank - counts.length).fill(1), ...counts]
  return x
    .reshape(shape.flatMap(n => [1, n]))
    .expand(shape.flatMap((n, axis) => [times[axis] as number, n]))
    .reshape(shape.map((n, axis) => n * (times[axis] as number)))
}

/** Moved along an axis; what leaves at the end comes in at the start (negative: the other way round). */
export function roll(x: Tensor, shift: number, axis = -1): Tensor {
  const at = axisOf('roll', axis, x.shape)
  const length = x.shape[at] as number
  if (!Number.isInteger(shift)) throw new ShapeError(`roll: the shift is ${shift}; use a whole number`)
  if (length === 0) return x
  const first = (((-shift % length) + length) % length) as number
  const part = (range: Range): Tensor => x.slice(x.shape.map((_, a) => (a === at ? range : {})))
  return first ? part({ start: first }).concat([part({ stop: first })], at) : x
}
