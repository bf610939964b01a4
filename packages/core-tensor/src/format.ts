import {
  type DType,
  type Nested,
  type Shape,
  show,
  sizeOf,
  type TensorSpec,
  type TypedArray,
} from './shape.ts'

/** The elements in nested arrays; truth values as true and false. */
export function nested(data: ArrayLike<number>, shape: Shape, dtype: DType, at = 0): Nested {
  if (shape.length === 0) return dtype === 'bool' ? data[at] !== 0 : (data[at] as number)
  const [length, ...rest] = shape as [number, ...number[]]
  const step = sizeOf(rest)
  return Array.from({ length }, (_, i) => nested(data, rest, dtype, at + i * step))
}

const EDGE = 3 // elements shown at each end of a long axis

/** A tensor as a person reads it: shape, type, and the numbers, long axes shortened. */
export function describe(spec: TensorSpec, data: TypedArray | null): string {
  const head = `Tensor ${show(spec.shape)} ${spec.dtype}`
  if (!data) return head
  return spec.shape.length === 0
    ? `${head} ${number(data[0] as number, spec.dtype)}`
    : `${head}\n${rows(data, spec, 0, 0, 1)}`
}

function rows(data: TypedArray, spec: TensorSpec, axis: number, at: number, indent: number): string {
  const length = spec.shape[axis] as number
  const step = sizeOf(spec.shape.slice(axis + 1))
  const shown =
    length <= 2 * EDGE
      ? [...Array(length).keys()]
      : [...Array(EDGE).keys(), -1, ...Array.from({ length: EDGE }, (_, i) => length - EDGE + i)]
  const last = axis === spec.shape.length - 1
  const parts = shown.map(i =>
    i < 0
      ? '…'
      : last
        ? number(data[at + i] as number, spec.dtype)
        : rows(data, spec, axis + 1, at + i * step, indent + 1),
  )
  return `[${parts.join(last ? ', ' : `,\n${' '.repeat(indent)}`)}]`
}

function number(value: number, dtype: DType): string {
  if (dtype === 'bool') return value ? 'true' : 'false'
  if (dtype === 'int32' || !Number.isFinite(value)) return String(value)
  const size = Math.abs(value)
  return size !== 0 && (size < 1e-4 || size >= 1e6)
    ? value.toExponential(4)
    : String(Number(value.toPrecision(6)))
}
