import { apply } from '../dispatch.ts'
import { DTypeError, ShapeError } from '../errors.ts'
import type { Args, Op } from '../op.ts'
import { type Layout, rowMajor, type Shape, show, sizeOf, stretch, type TensorSpec } from '../shape.ts'

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
    if (order.length !== x.shape.length || new Set(order).size !== order.length)
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

/** Parts of the given sizes along an axis (counted from the first). One operation, so that all gradients come back as one. */
export const split: Op<{ readonly axis: number; readonly sizes: readonly number[] }> = {
  name: 'split',
  saves: 'neither',
  infer: ([x], { axis, sizes }) => {
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
