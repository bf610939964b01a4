import type { Backend } from './backend.ts'
import { getBackend } from './current.ts'
import { FormatError } from './errors.ts'
import { bytesPerElement, type DType, show, sizeOf, type TypedArray } from './shape.ts'
import { fromData, type Tensor } from './tensor.ts'

/** What a safetensors file holds: tensors by name, and words about them. */
export interface SafetensorsFile {
  /** By name, in the file's order. */
  readonly tensors: Record<string, Tensor>
  /** Words stored beside them. */
  readonly metadata: Record<string, string>
}

const WRITTEN: Readonly<Record<DType, string>> = {
  float32: 'F32',
  float64: 'F64',
  int32: 'I32',
  bool: 'BOOL',
}

interface Stored {
  readonly dtype: DType
  readonly bytes: number
  /** From the bytes of this tensor, which start at 0 and are aligned. */
  readonly decode: (bytes: ArrayBuffer, size: number) => TypedArray
}

const exactly = (dtype: DType, decode: (bytes: ArrayBuffer) => TypedArray): Stored => ({
  dtype,
  bytes: bytesPerElement[dtype],
  decode,
})

/** Whole numbers of other widths, as int32. */
const whole = (bytes: number, read: (view: DataView, at: number) => number | bigint): Stored => ({
  dtype: 'int32',
  bytes,
  decode(buffer, size) {
    const view = new DataView(buffer)
    return Int32Array.from({ length: size }, (_, i) => {
      const value = Number(read(view, i * bytes))
      if (value !== (value | 0))
        throw new FormatError(`element ${i} is ${value}, which int32 cannot hold; store smaller numbers`)
      return value
    })
  },
})

const READ: Readonly<Record<string, Stored>> = {
  F32: exactly('float32', bytes => new Float32Array(bytes)),
  F64: exactly('float64', bytes => new Float64Array(bytes)),
  I32: exactly('int32', bytes => new Int32Array(bytes)),
  BOOL: exactly('bool', bytes => new Uint8Array(bytes)),
  F16: { dtype: 'float32', bytes: 2, decode: bytes => Float32Array.from(new Uint16Array(bytes), fromHalf) },
  BF16: { dtype: 'float32', bytes: 2, decode: bytes => fromBrain(new Uint16Array(bytes)) },
  I64: whole(8, (view, at) => view.getBigInt64(at, true)),
  U64: whole(8, (view, at) => view.getBigUint64(at, true)),
  U32: whole(4, (view, at) => view.getUint32(at, true)),
  I16: whole(2, (view, at) => view.getInt16(at, true)),
  U16: whole(2, (view, at) => view.getUint16(at, true)),
  I8: whole(1, (view, at) => view.getInt8(at)),
  U8: whole(1, (view, at) => view.getUint8(at)),
}

/** The number that 16 bits of IEEE 754 half precision mean. */
function fromHalf(bits: number): number {
  const exponent = (bits >> 10) & 31
  const fraction = bits & 1023
  const size =
    exponent === 0
      ? fraction * 2 ** -24
      : exponent === 31
        ? fraction
          ? Number.NaN
          : Number.POSITIVE_INFINITY
        : (1 + fraction / 1024) * 2 ** (exponent - 15)
  return bits & 0x8000 ? -size : size
}

/** bfloat16 is the upper half of a float32. */
function fromBrain(bits: Uint16Array): Float32Array {
  return new Float32Array(Uint32Array.from(bits, b => b << 16).buffer)
}

/**
 * Tensors as the bytes of a safetensors file: an 8-byte length, a JSON header padded to 8 bytes, the data in order.
 *
 * @param metadata words to store beside them
 */
export async function writeSafetensors(
  tensors: Readonly<Record<string, Tensor>>,
  metadata: Readonly<Record<string, string>> = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const header: Record<string, unknown> = Object.keys(metadata).length ? { __metadata__: metadata } : {}
  let end = 0
  for (const [name, x] of Object.entries(tensors)) {
    const start = end
    end += x.size * bytesPerElement[x.dtype]
    header[name] = { dtype: WRITTEN[x.dtype], shape: x.shape, data_offsets: [start, end] }
  }
  const text = new TextEncoder().encode(JSON.stringify(header))
  const length = Math.ceil(text.length / 8) * 8
  const file = new Uint8Array(8 + length + end)
  new DataView(file.buffer).setBigUint64(0, BigInt(length), true)
  file.fill(0x20, 8, 8 + length)
  file.set(text, 8)
  let at = 8 + length
  for (const x of Object.values(tensors)) {
    const data = await x.data()
    file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at)
    at += data.byteLength
  }
  return file
}

/**
 * The tensors of a safetensors file. F16 and BF16 become float32, whole numbers of any width int32.
 *
 * @throws FormatError saying what is wrong, for a file that is cut short, damaged or of another kind
 */
export function readSafetensors(
  file: Uint8Array,
  { backend = getBackend() }: { readonly backend?: Backend } = {},
): SafetensorsFile {
  const { header, start } = readHeader(file)
  const tensors: Record<string, Tensor> = {}
  const spans: [start: number, end: number, name: string][] = []
  for (const [name, entry] of Object.entries(header)) {
    if (name === '__metadata__') continue
    const { stored, shape, span } = checkEntry(name, entry, file.length - start)
    spans.push([...span, name])
    // A copy, which starts at 0; a Node Buffer's own slice() would share memory.
    const bytes = new Uint8Array(file.subarray(start + span[0], start + span[1])).buffer
    const data = within(name, () => stored.decode(bytes, sizeOf(shape)))
    tensors[name] = fromData(data, { shape, dtype: stored.dtype }, backend, name)
  }
  spans.sort((a, b) => a[0] - b[0] || a[1] - b[1])
  let end = 0
  for (const [from, to, name] of spans) {
    if (from !== end)
      throw damaged(`${name} begins at byte ${from} of the data, the tensor before it ends at ${end}`)
    end = to
  }
  if (end !== file.length - start)
    throw damaged(`the tensors take ${end} bytes, the file holds ${file.length - start}`)
  return { tensors, metadata: checkMetadata(header.__metadata__) }
}

function damaged(what: string): FormatError {
  return new FormatError(`safetensors: ${what}; the file is damaged or of another kind, get it again`)
}

function readHeader(file: Uint8Array): { header: Record<string, unknown>; start: number } {
  if (file.length < 8) throw damaged(`${file.length} bytes are too few for a header`)
  const length = new DataView(file.buffer, file.byteOffset, 8).getBigUint64(0, true)
  if (length > BigInt(file.length - 8))
    throw damaged(`the header should have ${length} bytes, the file has ${file.length - 8} more`)
  const start = 8 + Number(length)
  let header: unknown
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(file.subarray(8, start)))
  } catch (error) {
    throw damaged(`the header is not JSON in UTF-8 (${error instanceof Error ? error.message : error})`)
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header))
    throw damaged('the header is not a JSON object')
  return { header: header as Record<string, unknown>, start }
}

function checkEntry(
  name: string,
  entry: unknown,
  available: number,
): { stored: Stored; shape: number[]; span: [number, number] } {
  const {
    dtype,
    shape,
    data_offsets: span,
  } = (typeof entry === 'object' && entry !== null ? entry : {}) as Record<string, unknown>
  const stored = typeof dtype === 'string' && Object.hasOwn(READ, dtype) ? READ[dtype] : undefined
  if (!stored)
    throw damaged(`${name} has type ${JSON.stringify(dtype)}, known are ${Object.keys(READ).join(', ')}`)
  if (!isCounts(shape)) throw damaged(`${name} has shape ${JSON.stringify(shape)}`)
  if (
    !isCounts(span) ||
    span.length !== 2 ||
    (span[0] as number) > (span[1] as number) ||
    (span[1] as number) > available
  )
    throw damaged(`${name} lies at ${JSON.stringify(span)} of ${available} bytes`)
  const bytes = sizeOf(shape) * stored.bytes
  if (span[1] - span[0] !== bytes)
    throw damaged(`${name} ${show(shape)} ${dtype} needs ${bytes} bytes, its place has ${span[1] - span[0]}`)
  return { stored, shape, span: [span[0], span[1]] }
}

function isCounts(value: unknown): value is [number, number] & number[] {
  return Array.isArray(value) && value.every(n => Number.isSafeInteger(n) && n >= 0)
}

function checkMetadata(value: unknown): Record<string, string> {
  if (value === undefined) return {}
  if (
    typeof value !== 'object' ||
    value === null ||
    Array.isArray(value) ||
    Object.values(value).some(v => typeof v !== 'string')
  )
    throw damaged('__metadata__ is not an object of strings')
  return value as Record<string, string>
}

function within<T>(name: string, body: () => T): T {
  try {
    return body()
  } catch (error) {
    if (error instanceof FormatError) throw new FormatError(`safetensors: ${name}: ${error.message}`)
    throw error
  }
}
