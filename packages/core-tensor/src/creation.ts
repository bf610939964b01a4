import type { Backend } from './backend.ts'
import { getBackend } from './current.ts'
import { apply } from './dispatch.ts'
import { DTypeError, ShapeError } from './errors.ts'
import { arange as arangeOp, full as fullOp, random } from './ops/creation.ts'
import type { Rng } from './rng.ts'
import {
  checkDType,
  checkShape,
  type DType,
  type Nested,
  type Shape,
  show,
  sizeOf,
  type TypedArray,
  typedArray,
} from './shape.ts'
import { create, fromData, type Tensor } from './tensor.ts'

/** Of what type, and where, a new tensor is. */
export interface CreateOptions {
  /** float32 unless said otherwise; bool for truth values; of a typed array its own (`Uint8Array` holds truth values). */
  readonly dtype?: DType
  /** The one set by `setBackend()` unless said otherwise. */
  readonly backend?: Backend
}

/**
 * A tensor of the given numbers: nested arrays as deep as there are axes, or a flat array and a `shape`.
 *
 * @example
 * tensor([[1, 2], [3, 4]])
 * tensor(new Float32Array(6), { shape: [2, 3] })
 * tensor(pixels, { dtype: 'float32' }) // a Uint8Array of numbers, not of truth values
 * @throws ShapeError if rows differ in length or the shape does not fit the data; DTypeError of a typed array that no
 * type is the same as, unless told which
 */
export function tensor(
  data: Nested | TypedArray,
  options: CreateOptions & { readonly shape?: Shape } = {},
): Tensor {
  const { backend = getBackend() } = options
  const flat = isTyped(data)
  const found = flat ? [data.length] : depth(data)
  const shape = options.shape ?? found
  checkShape('tensor', shape)
  const dtype =
    options.dtype ??
    (flat ? dtypeOf(data) : firstOf(data) === true || firstOf(data) === false ? 'bool' : 'float32')
  checkDType('tensor', dtype)
  if (sizeOf(shape) !== sizeOf(found))
    throw new ShapeError(
      `tensor: ${sizeOf(found)} elements do not make ${show(shape)}, which has ${sizeOf(shape)}; check the shape`,
    )
  if (flat && dtype !== 'bool' && data.constructor === typedArray(dtype, 0).constructor)
    return fromData(data, { shape, dtype }, backend, 'tensor')
  const values = typedArray(dtype, sizeOf(shape))
  if (flat) values.set(dtype === 'bool' ? Uint8Array.from(data, v => Number(v !== 0)) : data)
  else fill(values, data, found, 0, 0)
  return fromData(values, { shape, dtype }, backend, 'tensor')
}

function isTyped(data: Nested | TypedArray): data is TypedArray {
  return ArrayBuffer.isView(data)
}

/** What a typed array holds. @throws DTypeError if that is no type, or truth values that are neither 0 nor 1 */
function dtypeOf(data: TypedArray): DType {
  if (data instanceof Float32Array) return 'float32'
  if (data instanceof Float64Array) return 'float64'
  if (data instanceof Int32Array) return 'int32'
  const bytes: ArrayBufferView = data
  if (!(bytes instanceof Uint8Array))
    throw new DTypeError(
      `tensor: no type is the same as a ${bytes.constructor.name}'s; pass Int32Array.from(…), or another of the four`,
    )
  const number = bytes.find(value => value > 1)
  if (number !== undefined)
    throw new DTypeError(
      `tensor: a Uint8Array holds truth values unless said otherwise, and ${number} is neither 0 nor 1; pass { dtype: 'float32' }, or 'bool' for whether not 0`,
    )
  return 'bool'
}

function depth(data: Nested): Shape {
  return Array.isArray(data) ? [data.length, ...(data.length ? depth(data[0] as Nested) : [])] : []
}

function firstOf(data: Nested): unknown {
  return Array.isArray(data) ? firstOf(data[0] as Nested) : data
}

/** Writes nested numbers in order; returns the next place. */
function fill(into: TypedArray, data: Nested, shape: Shape, axis: number, at: number): number {
  if (axis === shape.length) {
    if (typeof data !== 'number' && typeof data !== 'boolean')
      throw new ShapeError(
        `tensor: expected a number at depth ${axis}, got ${Array.isArray(data) ? 'an array' : data === null ? 'null' : `a value of type ${typeof data}`}; all rows must be equally deep`,
      )
    into[at] = into instanceof Uint8Array ? Number(data !== 0 && data !== false) : Number(data)
    return at + 1
  }
  const rows = data as readonly Nested[]
  if (!Array.isArray(rows) || rows.length !== shape[axis])
    throw new ShapeError(
      `tensor: rows differ on axis ${axis}, one has ${Array.isArray(rows) ? rows.length : 'no'} elements, the first ${shape[axis]}; make them equal`,
    )
  for (const row of rows) at = fill(into, row, shape, axis + 1, at)
  return at
}

/** Full of one number. */
export function full(
  shape: Shape,
  value: number,
  { dtype = 'float32', backend = getBackend() }: CreateOptions = {},
): Tensor {
  checkDType('full', dtype)
  return create(fullOp, { shape, dtype, value: dtype === 'bool' ? Number(value !== 0) : value }, backend)
}

/** Full of 0. */
export function zeros(shape: Shape, options: CreateOptions = {}): Tensor {
  return full(shape, 0, options)
}

/** Full of 1. */
export function ones(shape: Shape, options: CreateOptions = {}): Tensor {
  return full(shape, 1, options)
}

/** Zeros of another tensor's shape, type and backend. */
export function zerosLike(x: Tensor): Tensor {
  return full(x.shape, 0, x)
}

/** `start`, `start + step`, … below `stop`; int32 unless said otherwise. @throws ShapeError if the step is 0 */
export function arange(
  start: number,
  stop: number,
  step = 1,
  { dtype = 'int32', backend = getBackend() }: CreateOptions = {},
): Tensor {
  if (![start, stop, step].every(Number.isFinite) || step === 0)
    throw new ShapeError(
      `arange: from ${start} to ${stop} by ${step}; use finite numbers, and a step other than 0`,
    )
  checkDType('arange', dtype)
  const length = Math.max(0, Math.ceil((stop - start) / step))
  // Not create(): masks count along tensors that are there already, and attention alone shall stay small.
  return apply(arangeOp, [], { start, step, length, dtype }, backend)
}

/** `count` numbers from `start` to `stop`, both counted, evenly spaced. @throws ShapeError unless the count is a whole number of 0 or more */
export function linspace(start: number, stop: number, count: number, options: CreateOptions = {}): Tensor {
  checkShape('linspace', [count])
  const step = count > 1 ? (stop - start) / (count - 1) : 0
  // From the nearer end, as PyTorch does, so that both ends are exact.
  const values = Float64Array.from({ length: count }, (_, i) => i < count / 2 ? start + step * i : stop - step * (count - 1 - i)) // biome-ignore format: one line
  return tensor(values, { dtype: 'float32', ...options })
}

/** The identity matrix, `[n, n]`. */
export function eye(n: number, options: CreateOptions = {}): Tensor {
  const { backend = getBackend(), dtype = 'float32' } = options
  checkShape('eye', [n])
  const at = create(arangeOp, { start: 0, step: 1, length: n, dtype: 'int32' }, backend)
  return at.unsqueeze(1).equal(at.unsqueeze(0)).cast(dtype)
}

/** What random tensors are drawn from, and where they are. */
export interface RandomOptions {
  readonly rng: Rng
  readonly backend?: Backend
  readonly dtype?: 'float32' | 'float64'
}

/** Uniform in [0, 1), from the next words of the generator. */
export function uniform(
  shape: Shape,
  { rng, backend = getBackend(), dtype = 'float32' }: RandomOptions,
): Tensor {
  checkShape('uniform', shape)
  return create(random, { shape, dtype, ...rng.reserve(sizeOf(shape)) }, backend)
}

/** From the standard normal distribution (Box and Muller 1958). */
export function normal(shape: Shape, options: RandomOptions): Tensor {
  const radius = uniform(shape, options).neg().add(1).log().mul(-2).sqrt()
  return radius.mul(
    uniform(shape, options)
      .mul(2 * Math.PI)
      .cos(),
  )
}
