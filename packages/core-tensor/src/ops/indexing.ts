import { apply } from '../dispatch.ts'
import { DTypeError, ShapeError } from '../errors.ts'
import type { Op } from '../op.ts'
import { show, type TensorSpec } from '../shape.ts'
import { full } from './creation.ts'

function indices(name: string, index: TensorSpec): void {
  if (index.dtype !== 'int32')
    throw new DTypeError(
      `${name}: the index is ${index.dtype}; make it int32, for example index.cast('int32')`,
    )
}

/** @throws ShapeError unless the index fits inside the tensor on all axes but one */
function fits(name: string, x: TensorSpec, index: TensorSpec, axis: number): void {
  if (
    index.shape.length !== x.shape.length ||
    index.shape.some((n, a) => a !== axis && n > (x.shape[a] as number))
  )
    throw new ShapeError(
      `${name}: index ${show(index.shape)} does not fit ${show(x.shape)} outside axis ${axis}; use as many axes, none longer`,
    )
}

/** Elements picked along an axis: `out[i][j] = x[index[i][j]][j]` for axis 0. Inputs: x, index (int32). */
export const gather: Op<{ readonly axis: number }> = {
  name: 'gather',
  saves: 'inputs',
  infer: ([x, index], { axis }) => {
    indices('gather', index)
    fits('gather', x, index, axis)
    return [{ shape: index.shape, dtype: x.dtype }]
  },
  grad: ({ grads: [dy], inputs: [x, index], attrs }) => {
    const zeros = apply(full, [], { shape: x.shape, dtype: dy.dtype, value: 0 }, dy.backend)
    return [apply(scatterAdd, [zeros, index, dy], attrs), null]
  },
}

/** x with `source` added at places along an axis; a place may be hit often. Inputs: x, index (int32), source. */
export const scatterAdd: Op<{ readonly axis: number }> = {
  name: 'scatterAdd',
  saves: 'inputs',
  infer: ([x, index, source], { axis }) => {
    indices('scatterAdd', index)
    fits('scatterAdd', x, index, axis)
    if (x.dtype === 'bool' || source.dtype !== x.dtype)
      throw new DTypeError(
        `scatterAdd: ${source.dtype} added to ${x.dtype}; cast both to one type of number, for example source.cast('float32')`,
      )
    if (index.shape.some((n, a) => n > (source.shape[a] ?? 0)) || source.shape.length !== x.shape.length)
      throw new ShapeError(
        `scatterAdd: index ${show(index.shape)} does not fit the source ${show(source.shape)}; the source must be as long on every axis`,
      )
    return [x]
  },
  grad: ({ grads: [dy], inputs: [, index, source], attrs, needs }) => {
    if (!needs[2]) return [dy, null, null]
    const picked = apply(gather, [dy, index], attrs)
    const whole = index.shape.every((n, a) => n === source.shape[a])
    return [
      dy,
      null,
      whole ? picked : picked.pad(source.shape.map((n, a) => [0, n - (index.shape[a] as number)])),
    ]
  },
}

/** Rows by number, `[rows, ...rest]` and `[...ids]` → `[...ids, ...rest]`: a look-up table. Inputs: table, ids (int32). */
export const take: Op = {
  name: 'take',
  saves: 'inputs',
  infer: ([table, ids]) => {
    indices('take', ids)
    if (table.shape.length === 0)
      throw new ShapeError('take: the table has shape []; it needs an axis to take from')
    return [{ shape: [...ids.shape, ...table.shape.slice(1)], dtype: table.dtype }]
  },
  grad: ({ grads: [dy], inputs: [table, ids] }) => [
    apply(scatterRows, [ids, dy], { rows: table.shape[0] as number }),
    null,
  ],
}

/** Rows added up by number, the gradient of {@link take}. Inputs: ids (int32), source `[...ids, ...rest]` → `[rows, ...rest]`. */
export const scatterRows: Op<{ readonly rows: number }> = {
  name: 'scatterRows',
  saves: 'inputs',
  infer: ([ids, source], { rows }) => {
    indices('scatterRows', ids)
    return [{ shape: [rows, ...source.shape.slice(ids.shape.length)], dtype: source.dtype }]
  },
  grad: ({ grads: [dy], inputs: [ids] }) => [null, apply(take, [dy, ids], {})],
}
