import { apply } from '../dispatch.ts'
import { DTypeError, ShapeError } from '../errors.ts'
import type { Args, Op, Tape } from '../op.ts'
import { type DType, reduced, type Shape, show, sizeOf, type TensorSpec } from '../shape.ts'
import type { Tensor } from '../tensor.ts'
import { full } from './creation.ts'

/** Which axes (counted from the first, ascending) to reduce, and whether they stay as axes of length 1. */
export interface Reduction {
  readonly axes: readonly number[]
  readonly keepDims: boolean
}

function infer(name: string, needsOne: boolean) {
  return ([x]: Args<TensorSpec>, { axes, keepDims }: Reduction): readonly TensorSpec[] => {
    if (x.dtype === 'bool' && name !== 'max' && name !== 'min')
      throw new DTypeError(`${name}: bool input; use x.cast('int32') first`)
    notEmpty(name, needsOne, x, axes)
    return [{ shape: reduced(x.shape, axes, keepDims), dtype: x.dtype }]
  }
}

function notEmpty(name: string, needsOne: boolean, x: TensorSpec, axes: readonly number[]): void {
  if (needsOne && axes.some(axis => x.shape[axis] === 0) && sizeOf(reduced(x.shape, axes, false)) > 0)
    throw new ShapeError(
      `${name}: nothing to choose from along an axis of length 0 of ${show(x.shape)}; check the input`,
    )
}

/** The reduced tensor with the reduced axes as 1, so that it stretches over the input. */
function kept({ inputs: [x], attrs }: Tape<Reduction>, y: Tensor): Tensor {
  return y.reshape(reduced(x.shape, attrs.axes, true))
}

/** The sum along axes; 0 where there are none. */
export const sum: Op<Reduction> = {
  name: 'sum',
  saves: 'neither',
  infer: infer('sum', false),
  grad: tape => [kept(tape, tape.grads[0]).expand(tape.inputs[0].shape)],
}

/** The gradient by products of the others, so that zeros are no trouble. */
export const prod: Op<Reduction> = {
  name: 'prod',
  saves: 'inputs',
  infer: infer('prod', false),
  grad: tape => {
    const { inputs: [x], attrs: { axes } } = tape // biome-ignore format: one line reads best
    // Put the reduced axes last as one, multiply everything before and everything after each place.
    const stay = x.shape.map((_, axis) => axis).filter(axis => !axes.includes(axis))
    const order = [...stay, ...axes]
    const lead = stay.map(axis => x.shape[axis] as number)
    const length = sizeOf(axes.map(axis => x.shape[axis] as number))
    const flat = x.permute(order).reshape([...lead, length])
    const others = before(flat).mul(before(flat.flip(-1)).flip(-1))
    const back = order.map((_, axis) => order.indexOf(axis))
    const spread = others.reshape(order.map(axis => x.shape[axis] as number)).permute(back)
    return [spread.mul(kept(tape, tape.grads[0]))]
  },
}

/** One number in a shape, with another tensor's type. */
function filled({ dtype, backend }: Tensor, shape: Shape, value: number): Tensor {
  return apply(full, [], { shape, dtype, value }, backend)
}

/** For each place of the last axis, the product of all places before it. */
function before(x: Tensor): Tensor {
  const length = x.shape.at(-1) as number
  if (length === 0) return x
  const ones = filled(x, [...x.shape.slice(0, -1), 1], 1)
  const shifted = ones.concat(
    [x.slice([...x.shape.slice(0, -1).map(() => ({})), { start: 0, stop: length - 1 }])],
    -1,
  )
  return shifted.cumprod(-1)
}

/** The gradient is shared evenly by all places that hold the extreme. */
function extreme(tape: Tape<Reduction>): readonly Tensor[] {
  const { grads: [dy], inputs: [x], outputs: [y], attrs } = tape // biome-ignore format: one line reads best
  const winners = x.equal(kept(tape, y)).cast(dy.dtype)
  return [winners.mul(kept(tape, dy)).div(winners.sum([...attrs.axes], { keepDims: true }))]
}

/** The largest along axes; NaN where one is. */
export const max: Op<Reduction> = { name: 'max', saves: 'both', infer: infer('max', true), grad: extreme }

/** The smallest along axes; NaN where one is. */
export const min: Op<Reduction> = { name: 'min', saves: 'both', infer: infer('min', true), grad: extreme }

function inferPlace(name: string) {
  return ([x]: Args<TensorSpec>, { axes, keepDims }: Reduction): readonly TensorSpec[] => {
    notEmpty(name, true, x, axes)
    const dtype: DType = 'int32'
    return [{ shape: reduced(x.shape, axes, keepDims), dtype }]
  }
}

/** The place of the largest, as int32, the first where several are equal; over all axes: the place in row-major order. */
export const argmax: Op<Reduction> = { name: 'argmax', infer: inferPlace('argmax') }

/** The place of the smallest, as int32, the first where several are equal. */
export const argmin: Op<Reduction> = { name: 'argmin', infer: inferPlace('argmin') }

/** The axis (counted from the first) to run along. */
export interface Along {
  readonly axis: number
}

function inferAlong(name: string) {
  return ([x]: Args<TensorSpec>): readonly TensorSpec[] => {
    if (x.dtype === 'bool') throw new DTypeError(`${name}: bool input; use x.cast('int32') first`)
    return [x]
  }
}

/** Running totals. */
export const cumsum: Op<Along> = {
  name: 'cumsum',
  saves: 'neither',
  infer: inferAlong('cumsum'),
  grad: ({ grads: [dy], attrs: { axis } }) => [dy.flip(axis).cumsum(axis).flip(axis)],
}

/** Running products. dxᵢ = Σⱼ≥ᵢ dyⱼ ∏ₖ≤ⱼ,ₖ≠ᵢ xₖ, without division, so that zeros are no trouble. */
export const cumprod: Op<Along> = {
  name: 'cumprod',
  saves: 'inputs',
  infer: inferAlong('cumprod'),
  grad: ({ grads: [dy], inputs: [x], attrs: { axis } }) => {
    const last = x.transpose(axis, -1)
    const d = dy.transpose(axis, -1)
    const length = last.shape.at(-1) as number
    const lead = last.shape.slice(0, -1)
    const part = (t: Tensor, start: number, stop: number): Tensor =>
      t.slice([...lead.map(() => ({})), { start, stop }])
    const prefix = length > 0 ? before(last) : last
    const places: Tensor[] = []
    for (let i = 0; i < length; i++) {
      // 1, xᵢ₊₁, xᵢ₊₁xᵢ₊₂, …
      const one = filled(x, [...lead, 1], 1)
      const tail = i + 1 < length ? one.concat([part(last, i + 1, length).cumprod(-1)], -1) : one
      places.push(
        part(d, i, length)
          .mul(tail)
          .sum(-1, { keepDims: true })
          .mul(part(prefix, i, i + 1)),
      )
    }
    const [first, ...rest] = places
    return [first ? first.concat(rest, -1).transpose(axis, -1) : dy]
  },
}

/** Sorted along an axis, and where each came from (int32); equal ones keep their order. */
export const sort: Op<Along & { readonly descending: boolean }> = {
  name: 'sort',
  saves: 'outputs',
  infer: ([x]) => [x, { shape: x.shape, dtype: 'int32' }],
  grad: ({ grads: [dy], outputs: [, order], attrs: { axis } }) => [
    filled(dy, dy.shape, 0).scatterAdd(axis, order, dy),
  ],
}
