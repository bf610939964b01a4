import { Rng } from '@heed/core-tensor'

/** Numbers with a shape, before any library has seen them. */
export interface Values {
  readonly shape: readonly number[]
  readonly data: Float32Array | Int32Array
}
export type NamedValues = Readonly<Record<string, Values>>

/** Seeded data: never zeros, which processors multiply no faster but caches and pages hold for nothing. */
export interface Draw {
  /** From N(mean, scale²). */
  normal(shape: readonly number[], scale?: number, mean?: number): Values
  /** Whole numbers from 0 to below a bound. */
  integers(shape: readonly number[], below: number): Values
}

/** The same numbers for the same seed, whoever asks. */
export function drawFrom(seed: number): Draw {
  const rng = new Rng(seed)
  const size = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1)
  return {
    normal(shape, scale = 1, mean = 0) {
      const data = new Float32Array(size(shape))
      // Box and Muller's two normals from two uniforms.
      for (let i = 0; i < data.length; i += 2) {
        const radius = Math.sqrt(-2 * Math.log(1 - rng.uniform())) * scale
        const angle = 2 * Math.PI * rng.uniform()
        data[i] = mean + radius * Math.cos(angle)
        if (i + 1 < data.length) data[i + 1] = mean + radius * Math.sin(angle)
      }
      return { shape, data }
    },
    integers: (shape, below) => ({
      shape,
      data: Int32Array.from({ length: size(shape) }, () => rng.int(below)),
    }),
  }
}

/** Where one of many values lies in a block of bytes: what stands beside the block, as JSON, which Python reads as easily. */
export interface Entry {
  readonly name: string
  readonly shape: readonly number[]
  readonly dtype: 'float32' | 'int32'
  /** In bytes. */
  readonly offset: number
}

/** Values as a block of bytes, in parts, and where each of them lies. */
export function packValues(values: NamedValues): { entries: Entry[]; parts: Uint8Array<ArrayBuffer>[] } {
  let offset = 0
  const parts: Uint8Array<ArrayBuffer>[] = []
  const entries = Object.entries(values).map(([name, { shape, data }]): Entry => {
    const entry: Entry = {
      name,
      shape,
      dtype: data instanceof Float32Array ? 'float32' : 'int32',
      offset,
    }
    parts.push(bytesOf(data))
    offset += data.byteLength
    return entry
  })
  return { entries, parts }
}

/** The bytes themselves; a copy where other threads share them. */
function bytesOf({ buffer, byteOffset, byteLength }: Values['data']): Uint8Array<ArrayBuffer> {
  return buffer instanceof ArrayBuffer
    ? new Uint8Array(buffer, byteOffset, byteLength)
    : new Uint8Array(buffer, byteOffset, byteLength).slice()
}

/** What {@link packValues} packed. @param read fills an array with the bytes from an offset on */
export function unpackValues(
  entries: readonly Entry[],
  read: (into: Uint8Array, offset: number) => void,
): NamedValues {
  return Object.fromEntries(
    entries.map(({ name, shape, dtype, offset }) => {
      const size = shape.reduce((a, b) => a * b, 1)
      const data = dtype === 'float32' ? new Float32Array(size) : new Int32Array(size)
      read(new Uint8Array(data.buffer), offset)
      return [name, { shape, data }]
    }),
  )
}
