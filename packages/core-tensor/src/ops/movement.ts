import { apply } from '../dispatch.ts'
import { DTypeError, ShapeError } from '../errors.ts'
import type { Args, Op } from '../op.ts'
import {
  checkShape,
  type Layout,
  rowMajor,
  type Shape,
  show,
  sizeOf,
  stretch,
  type TensorSpec,
} from '../shape.ts'

/** The elements in row-major order without gaps. */
export const copy: Op = {
  name: 'copy',
  saves: 'neither',
  infer: ([x]) => [x],
  grad: ({ grads: [dy] }) => [dy],
}

/** The same elements under another shape, row-major. The input is dense. */
export const reshape: Op<{ readonly shape: Shape }> = {
  name: 'reshape',
  saves: 'neither',
  infer: ([x], { shape }) => {
    checkShape('reshape', shape)
    if (sizeOf(x.shape) !== sizeOf(shape))
      throw new ShapeError(
        `reshape: ${show(x.shape)} has ${sizeOf(x.shape)} elements, ${show(shape)} has ${sizeOf(shape)}; make them equal, or use −1 once`,
      )
    return [{ shape, dtype: x.dtype }]
  },
  view: (x, { shape }) => [{ shape, strides: rowMajor(shape), offset: x.offset }],
  grad: ({ grads: [dy], inputs: [x] }) => [dy.reshape(x.shape)],
}

/** Axes in another order. */
export const permute: Op<{ readonly order: readonly number[] }> = {
  name: 'permute',
  saves: 'neither',
  infer: ([x], { order }) => {
    if (order.length !== x.shape.length || order.some((axis, i) => order.indexOf(axis) !== i))
      throw new ShapeError(
        `permute: ${show(order)} does not order the axes of ${show(x.shape)}; name each axis once`,
      )
    return [{ shape: order.map(axis => x.shape[axis] as number), dtype: x.dtype }]
  },
  view: (x, { order }) => [
    {
      shape: order.map(axis => x.shape[axis] as number),
      strides: order.map(axis => x.strides[axis] as number),
      offset: x.offset,
    },
  ],
  grad: ({ grads: [dy], attrs: { order } }) => [dy.permute(order.map((_, axis) => order.indexOf(axis)))],
}

/** Stretched to a larger shape: axes of length 1 repeat. */
export const expand: Op<{ readonly shape: Shape }> = {
  name: 'expand',
  saves: 'neither',
  infer: ([x], { shape }) => {
    checkShape('expand', shape)
    const ahead = shape.length - x.shape.length
    if (ahead < 0 || x.shape.some((n, axis) => n !== 1 && n !== shape[axis + ahead]))
      throw new ShapeError(
        `expand: ${show(x.shape)} does not stretch to ${show(shape)}; only axes of length 1 stretch`,
      )
    return [{ shape, dtype: x.dtype }]
  },
  view: (x, { shape }) => [{ shape, strides: stretch(x, shape), offset: x.offset }],
  grad: ({ grads: [dy] }) => [dy], // summed back as any stretching is
}

/** A part of each axis: `length` places from `start` on, `step` apart (negative: backwards). */
export interface Cut {
  readonly start: readonly number[]
  readonly length: readonly number[]
  readonly step: readonly number[]
}

/** Part of each axis. */
export const slice: Op<Cut> = {
  name: 'slice',
  saves: 'neither',
  infer: ([x], { length }) => [{ shape: length, dtype: x.dtype }],
  view: (x, { start, length, step }): Layout[] => [
    {
      shape: length,
      strides: x.strides.map((stride, axis) => stride * (step[axis] as number)),
      offset: x.offset + x.strides.reduce((sum, stride, axis) => sum + stride * (start[axis] as number), 0),
    },
  ],
  grad: ({ grads: [dy], inputs: [x], attrs: { start, step } }) => [
    apply(place, [dy], { shape: x.shape, start, step, fill: 0 }),
  ],
}

/** Where each axis of the input goes in a larger tensor of `fill`. */
export interface Placing {
  readonly shape: Shape
  readonly start: readonly number[]
  readonly step: readonly number[]
  readonly fill: number
}

/** The opposite of a slice: the input set into a tensor full of one number. */
export const place: Op<Placing> = {
  name: 'place',
  saves: 'neither',
  infer: ([x], { shape }) => [{ shape, dtype: x.dtype }],
  grad: ({ grads: [dy], inputs: [x], attrs: { start, step } }) => [
    apply(slice, [dy], { start, step, length: x.shape }),
  ],
}

/** Windows along an axis (counted from the first): `size` places, `dilation` apart, the next window `stride` further on. */
export interface Windowing {
  readonly axis: number
  readonly stride: number
  readonly dilation: number
}

/** How many windows fit. @throws ShapeError if not one does, or a setting is no whole number of 1 or more */
function windowsIn(
  name: string,
  length: number,
  size: number,
  { stride, dilation }: Omit<Windowing, 'axis'>,
): number {
  if (![size, stride, dilation].every(n => Number.isInteger(n) && n > 0))
    throw new ShapeError(
      `${name}: windows of ${size} places, ${dilation} apart, every ${stride}; use whole numbers of 1 or more`,
    )
  const reach = dilation * (size - 1) + 1
  if (reach > length)
    throw new ShapeError(
      `${name}: a window of ${size} places, ${dilation} apart, reaches over ${reach}, the axis has ${length}; pad it, or use a smaller window`,
    )
  return Math.floor((length - reach) / stride) + 1
}

/** Every window along an axis, as a new last axis: `[..., length, ...]` → `[..., windows, ..., size]`. Nothing is copied. */
export const unfold: Op<Windowing & { readonly size: number }> = {
  name: 'unfold',
  saves: 'neither',
  infer: ([x], { axis, size, ...windowing }) => {
    const count = windowsIn('unfold', x.shape[axis] as number, size, windowing)
    return [{ shape: [...x.shape.map((n, a) => (a === axis ? count : n)), size], dtype: x.dtype }]
  },
  view: (x, { axis, size, stride, dilation }) => {
    const step = x.strides[axis] as number
    const count = windowsIn('unfold', x.shape[axis] as number, size, { stride, dilation })
    return [
      {
        shape: [...x.shape.map((n, a) => (a === axis ? count : n)), size],
        strides: [...x.strides.map((s, a) => (a === axis ? s * stride : s)), step * dilation],
        offset: x.offset,
      },
    ]
  },
  grad: ({ grads: [dy], inputs: [x], attrs: { axis, stride, dilation } }) => [
    apply(fold, [dy], { axis, stride, dilation, length: x.shape[axis] as number }),
  ],
}

/** Windows added up where {@link unfold} takes them from, its gradient: `[..., windows, ..., size]` → `[..., length, ...]`. */
export const fold: Op<Windowing & { readonly length: number }> = {
  name: 'fold',
  saves: 'neither',
  infer: ([windows], { axis, length, ...windowing }) => {
    const size = windows.shape.at(-1) as number
    const count = windowsIn('fold', length, size, windowing)
    if (windows.shape[axis] !== count)
      throw new ShapeError(
        `fold: ${windows.shape[axis]} windows of ${size} on axis ${axis} of ${show(windows.shape)}, a length of ${length} has ${count}; make them equal`,
      )
    return [
      {
        shape: windows.shape.slice(0, -1).map((n, a) => (a === axis ? length : n)),
        dtype: windows.dtype,
      },
    ]
  },
  grad: ({ grads: [dy], inputs: [windows], attrs: { axis, stride, dilation } }) => [
    apply(unfold, [dy], { axis, stride, dilation, size: windows.shape.at(-1) as number }),
  ],
  // The k-th places of all windows do not overlap: each is set in its place, and these are added.
  compose: ([windows], { axis, length, stride, dilation }) => {
    const front = windows.shape.slice(0, -1)
    const shape = [...front.map((n, a) => (a === axis ? length : n)), 1]
    const step = shape.map((_, a) => (a === axis ? stride : 1))
    const placed = Array.from({ length: windows.shape.at(-1) as number }, (_, k) => {
      const kth = windows.slice([...front.map(() => ({})), { start: k, stop: k + 1 }])
      const start = shape.map((_, a) => (a === axis ? k * dilation : 0))
      return apply(place, [kth], { shape, start, step, fill: 0 })
    })
    return [placed.reduce((total, part) => total.add(part)).reshape(shape.slice(0, -1))]
  },
}

/** Parts of the given sizes along an axis (counted from the first). One operation, so that all gradients come back as one. */
export const split: Op<{ readonly axis: number; readonly sizes: readonly number[] }> = {
  name: 'split',
  saves: 'neither',
  infer: ([x], { axis, sizes }) => {
    checkShape('split', sizes)
    const total = sizes.reduce((a, b) => a + b, 0)
    if (total !== x.shape[axis])
      throw new ShapeError(
        `split: sizes ${show(sizes)} add up to ${total}, axis ${axis} of ${show(x.shape)} has ${x.shape[axis]}; make them equal`,
      )
    return sizes.map(size => ({ shape: x.shape.map((n, a) => (a === axis ? size : n)), dtype: x.dtype }))
  },
  view: (x, { axis, sizes }) => {
    let { offset } = x
    return sizes.map(size => {
      const part = { shape: x.shape.map((n, a) => (a === axis ? size : n)), strides: x.strides, offset }
      offset += size * (x.strides[axis] as number)
      return part
    })
  },
  grad: ({ grads, attrs: { axis } }) => [apply(concat, grads, { axis })],
}

/** Tensors one behind the other along an axis (counted from the first). */
export const concat: Op<{ readonly axis: number }> = {
  name: 'concat',
  saves: 'neither',
  infer: (inputs, { axis }) => [joined(inputs, axis)],
  grad: ({ grads: [dy], inputs, attrs: { axis }, needs }) => {
    let at = 0
    return inputs.map((x, i) => {
      const start = x.shape.map((_, a) => (a === axis ? at : 0))
      at += x.shape[axis] as number
      return needs[i] ? apply(slice, [dy], { start, length: x.shape, step: x.shape.map(() => 1) }) : null
    })
  },
}

function joined(inputs: Args<TensorSpec>, axis: number): TensorSpec {
  const [first, ...rest] = inputs
  let total = first.shape[axis] as number
  for (const x of rest) {
    if (x.dtype !== first.dtype)
      throw new DTypeError(`concat: ${first.dtype} and ${x.dtype} do not mix; cast one`)
    if (x.shape.length !== first.shape.length || x.shape.some((n, a) => a !== axis && n !== first.shape[a]))
      throw new ShapeError(
        `concat: ${show(first.shape)} and ${show(x.shape)} differ outside axis ${axis}; only that axis may differ`,
      )
    total += x.shape[axis] as number
  }
  return { shape: first.shape.map((n, a) => (a === axis ? total : n)), dtype: first.dtype }
}
