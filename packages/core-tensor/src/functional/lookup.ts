import { arange } from '../creation.ts'
import { apply } from '../dispatch.ts'
import { DTypeError, ShapeError } from '../errors.ts'
import { take } from '../ops/indexing.ts'
import { axisOf, broadcast, checkShape, type Shape, show, sizeOf, typedArray } from '../shape.ts'
import { fromData, type Range, Tensor } from '../tensor.ts'

/** Slices picked along an axis by number, `index` of shape `[n]` (int32). */
export function indexSelect(x: Tensor, axis: number, index: Tensor): Tensor {
  const at = axisOf('indexSelect', axis, x.shape)
  if (at === 0) return apply(take, [x, index], {})
  const order = [at, ...x.shape.map((_, a) => a).filter(a => a !== at)]
  const picked = apply(take, [x.permute(order), index], {})
  return picked.permute(x.shape.map((_, a) => order.indexOf(a)))
}

/**
 * Rows of a table by number, `[rows, ...features]` and `[...]` (int32) → `[..., ...features]`.
 *
 * A row named by `paddingIndex` is read but gets no gradient.
 */
export function embedding(
  table: Tensor,
  ids: Tensor,
  { paddingIndex }: { readonly paddingIndex?: number | undefined } = {},
): Tensor {
  const found = apply(take, [table, ids], {})
  if (paddingIndex === undefined) return found
  const real = ids.equal(paddingIndex).logicalNot()
  return found.where(real.reshape([...ids.shape, ...table.shape.slice(1).map(() => 1)]), found.detach())
}

/** 1 at the place that each number names, 0 elsewhere (everywhere for a number outside): `[...]` (int32) → `[..., classes]`, int32. */
export function oneHot(ids: Tensor, classes: number): Tensor {
  checkShape('oneHot', [classes])
  return ids
    .unsqueeze(-1)
    .equal(arange(0, classes, 1, { backend: ids.backend }))
    .cast('int32')
}

/** What {@link index} takes of one axis: one place, a range of places, the places a tensor names (int32), or all (null). */
export type IndexPart = number | Range | Tensor | null

/**
 * Parts of each axis at once, as `x[i, :, ids]` in PyTorch. Places may be counted from the end (−1).
 *
 * Numbers take one place and the axis goes; tensors are stretched to one shape, which stands where they stood, or in front
 * where another axis stands between them. Axes behind the last part stay whole. Bool masks: see {@link maskedSelect}.
 *
 * @example
 * index(x, [rows, null, -1]) // x[rows, :, -1]
 * @throws ShapeError if there are more parts than axes, or tensors do not stretch; DTypeError if one is not int32; IndexError
 * (when the numbers are read) at a place outside
 */
export function index(x: Tensor, parts: readonly IndexPart[]): Tensor {
  if (parts.length > x.shape.length)
    throw new ShapeError(`index: ${parts.length} parts for ${show(x.shape)}; give one an axis at most`)
  const cut = x.slice(
    parts.map((part, axis) => (typeof part === 'number' ? one(part, x.shape, axis) : part instanceof Tensor || !part ? {} : part)), // biome-ignore format: one line reads best
  )
  const kept = x.shape.map((_, axis) => axis).filter(axis => typeof parts[axis] !== 'number')
  const whole = cut.reshape(kept.map(axis => cut.shape[axis] as number))
  const named = kept.flatMap((axis, i) => (parts[axis] instanceof Tensor ? [i] : []))
  if (!named.length) return whole
  const ids = named.map(i => placesIn(parts[kept[i] as number] as Tensor, whole.shape[i] as number))
  const shape = ids.map(id => id.shape).reduce((a, b) => broadcast('index', a, b))
  const others = whole.shape.map((_, i) => i).filter(i => !named.includes(i))
  const lengths = named.map(i => whole.shape[i] as number)
  // The named axes in front and as one, so that one look-up finds them all.
  const rows = whole
    .permute([...named, ...others])
    .reshape([sizeOf(lengths), ...others.map(i => whole.shape[i] as number)])
  const at = ids.reduce((sum, id, k) => sum.mul(lengths[k] as number).add(id))
  const found = apply(take, [rows, at.expand(shape)], {})
  const [first, last] = [named[0] as number, named.at(-1) as number]
  if (last - first + 1 !== named.length) return found
  const order = [...found.shape.keys()]
  const front = order.splice(0, shape.length)
  order.splice(first, 0, ...front)
  return found.permute(order)
}

function one(place: number, shape: Shape, axis: number): Range {
  const length = shape[axis] as number
  if (!Number.isInteger(place) || place < -length || place >= length)
    throw new ShapeError(
      `index: place ${place} is outside axis ${axis} of ${show(shape)}; use ${-length} to ${length - 1}`,
    )
  const start = place < 0 ? place + length : place
  return { start, stop: start + 1 }
}

/** Places counted from the start; a look-up that finds them as they are, or fails where there is none. */
function placesIn(ids: Tensor, length: number): Tensor {
  if (ids.dtype !== 'int32')
    throw new DTypeError(
      `index: places are ${ids.dtype}; use int32, or maskedSelect(x, mask) for a bool mask`,
    )
  const fromStart = ids.where(ids.greaterEqual(0), ids.add(length))
  return apply(take, [arange(0, length, 1, { backend: ids.backend }), fromStart], {})
}

/** Where numbers are not 0 (truth values true), row by row: `[count, axes]`, int32. Waits for the numbers, since the shape depends on them. */
export async function nonzero(x: Tensor): Promise<Tensor> {
  const data = await x.data()
  const rank = x.shape.length
  const places: number[] = []
  for (let i = 0; i < data.length; i++) {
    if (data[i] === 0) continue
    let rest = i
    const end = places.length + rank
    for (let axis = rank - 1; axis >= 0; axis--) {
      const length = x.shape[axis] as number
      places[end - rank + axis] = rest % length
      rest = Math.floor(rest / length)
    }
  }
  const count = rank ? places.length / rank : Number(data[0] !== 0)
  return fromData(Int32Array.from(places), { shape: [count, rank], dtype: 'int32' }, x.backend, 'nonzero')
}

/**
 * The elements where a mask (bool) holds, row by row: `[count]`. Waits for the mask, since the shape depends on it; the
 * gradient flows to where the elements came from.
 *
 * @param mask stretches to x, or x to it
 * @throws DTypeError unless the mask is bool
 */
export async function maskedSelect(x: Tensor, mask: Tensor): Promise<Tensor> {
  if (mask.dtype !== 'bool')
    throw new DTypeError(`maskedSelect: the mask is ${mask.dtype}; compare first, for example x.greater(0)`)
  const shape = broadcast('maskedSelect', x.shape, mask.shape)
  const held = await mask.expand(shape).data()
  const places: number[] = []
  for (let i = 0; i < held.length; i++) if (held[i]) places.push(i)
  const at = fromData(
    Int32Array.from(places),
    { shape: [places.length], dtype: 'int32' },
    x.backend,
    'places',
  )
  return apply(take, [x.expand(shape).reshape([sizeOf(shape)]), at], {})
}

/** What {@link unique} finds. */
export interface Unique {
  /** Each value once, ascending: `[count]`. */
  readonly values: Tensor
  /** Which value each element has: x's shape, int32. */
  readonly inverse: Tensor
  /** How often each value is there: `[count]`, int32. */
  readonly counts: Tensor
}

/** The different values; NaN is one. Waits for the numbers, since the shape depends on them; no gradient passes. */
export async function unique(x: Tensor): Promise<Unique> {
  const data = await x.data()
  const values = data.slice().sort() // of float arrays, NaN last
  const number = new Map<number, number>()
  for (const v of values) if (!number.has(v)) number.set(v, number.size)
  const inverse = Int32Array.from(data, v => number.get(v) as number)
  const different = typedArray(x.dtype, number.size)
  different.set([...number.keys()])
  const counts = new Int32Array(number.size)
  for (const i of inverse) counts[i] = (counts[i] as number) + 1
  const { backend, dtype } = x
  const made = (data: Int32Array, shape: Shape): Tensor => fromData(data, { shape, dtype: 'int32' }, backend, 'unique') // biome-ignore format: one line reads best
  return {
    values: fromData(different, { shape: [number.size], dtype }, backend, 'unique'),
    inverse: made(inverse, x.shape),
    counts: made(counts, [number.size]),
  }
}
