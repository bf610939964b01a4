import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire'
import type { Values } from '../values.ts'

/** An attribute of a node: a whole number, a number that says so, words, or whole numbers. */
export type OnnxAttribute = number | { readonly float: number } | string | readonly number[]

export interface OnnxNode {
  readonly op: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly attributes: Readonly<Record<string, OnnxAttribute>>
  /** The operator set; ONNX's own unless given. */
  readonly domain?: string
}

/** A named input or output; a size in words may be any. */
export interface OnnxPort {
  readonly name: string
  readonly type: OnnxType
  readonly shape?: readonly (number | string)[]
}
export type OnnxType = 'float32' | 'int32' | 'int64'

export interface OnnxModel {
  readonly nodes: readonly OnnxNode[]
  readonly inputs: readonly OnnxPort[]
  readonly outputs: readonly OnnxPort[]
  /** Constants by name. */
  readonly constants: ReadonlyMap<string, Values | BigInt64Array>
}

const TYPES: Readonly<Record<OnnxType, number>> = { float32: 1, int32: 6, int64: 7 }
/** Of onnx.proto3, 1.15: the first that has Gelu. */
const OPSET = 20
const IR_VERSION = 9

/** The bytes of a model file. Field numbers are those of onnx.proto3. */
export function encodeModel(model: OnnxModel): Uint8Array<ArrayBuffer> {
  const bytes = new BinaryWriter()
  bytes.tag(1, WireType.Varint).int64(IR_VERSION)
  nested(bytes, 7, graph(model))
  nested(
    bytes,
    8,
    new BinaryWriter().tag(1, WireType.LengthDelimited).string('').tag(2, WireType.Varint).int64(OPSET),
  )
  nested(
    bytes,
    8,
    new BinaryWriter()
      .tag(1, WireType.LengthDelimited)
      .string('com.microsoft')
      .tag(2, WireType.Varint)
      .int64(1),
  )
  return bytes.finish()
}

function nested(into: BinaryWriter, field: number, inner: BinaryWriter): void {
  into.tag(field, WireType.LengthDelimited).bytes(inner.finish())
}
function words(into: BinaryWriter, field: number, text: string): void {
  into.tag(field, WireType.LengthDelimited).string(text)
}

function graph({ nodes, inputs, outputs, constants }: OnnxModel): BinaryWriter {
  const bytes = new BinaryWriter()
  for (const one of nodes) nested(bytes, 1, node(one))
  words(bytes, 2, 'heed-benchmark')
  for (const [name, values] of constants) nested(bytes, 5, constant(name, values))
  for (const one of inputs) nested(bytes, 11, port(one))
  for (const one of outputs) nested(bytes, 12, port(one))
  return bytes
}

function node({ op, inputs, outputs, attributes, domain }: OnnxNode): BinaryWriter {
  const bytes = new BinaryWriter()
  for (const name of inputs) words(bytes, 1, name)
  for (const name of outputs) words(bytes, 2, name)
  words(bytes, 4, op)
  for (const [name, value] of Object.entries(attributes)) nested(bytes, 5, attribute(name, value))
  if (domain) words(bytes, 7, domain)
  return bytes
}

function attribute(name: string, value: OnnxAttribute): BinaryWriter {
  const bytes = new BinaryWriter()
  words(bytes, 1, name)
  const type = (code: number): void => void bytes.tag(20, WireType.Varint).int32(code)
  if (typeof value === 'number') {
    bytes.tag(3, WireType.Varint).int64(value)
    type(2)
  } else if (typeof value === 'string') {
    words(bytes, 4, value)
    type(3)
  } else if ('float' in value) {
    bytes.tag(2, WireType.Bit32).float(value.float)
    type(1)
  } else {
    for (const one of value) bytes.tag(8, WireType.Varint).int64(one)
    type(7)
  }
  return bytes
}

function constant(name: string, values: Values | BigInt64Array): BinaryWriter {
  const bytes = new BinaryWriter()
  const wide = values instanceof BigInt64Array
  const data = wide ? values : values.data
  for (const size of wide ? [values.length] : values.shape) bytes.tag(1, WireType.Varint).int64(size)
  const type = wide ? TYPES.int64 : values.data instanceof Float32Array ? TYPES.float32 : TYPES.int32
  bytes.tag(2, WireType.Varint).int32(type)
  words(bytes, 8, name)
  bytes.tag(9, WireType.LengthDelimited).bytes(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
  return bytes
}

function port({ name, type, shape }: OnnxPort): BinaryWriter {
  const tensor = new BinaryWriter().tag(1, WireType.Varint).int32(TYPES[type])
  if (shape) {
    const sizes = new BinaryWriter()
    for (const size of shape) {
      const one = new BinaryWriter()
      if (typeof size === 'number') one.tag(1, WireType.Varint).int64(size)
      else words(one, 2, size)
      nested(sizes, 1, one)
    }
    nested(tensor, 2, sizes)
  }
  const kind = new BinaryWriter()
  nested(kind, 1, tensor)
  const bytes = new BinaryWriter()
  words(bytes, 1, name)
  nested(bytes, 2, kind)
  return bytes
}
