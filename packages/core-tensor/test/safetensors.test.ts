import * as fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { FormatError, readSafetensors, setBackend, tensor, writeSafetensors } from '../src/index.ts'
import { referenceBackend } from '../src/testing/index.ts'

beforeAll(() => setBackend(referenceBackend()))

/** A file with the given header and data. */
function file(header: unknown, data: number[] = []): Uint8Array {
  const text = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header))
  const bytes = new Uint8Array(8 + text.length + data.length)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true)
  bytes.set(text, 8)
  bytes.set(data, 8 + text.length)
  return bytes
}

describe('safetensors', () => {
  it('gives back what was written, of every type', async () => {
    const tensors = {
      weight: tensor([[1.5, -2], [0, 3]]), // biome-ignore format: a matrix
      'deep.name': tensor([1, 2, 3], { dtype: 'float64' }),
      ids: tensor([7, -7], { dtype: 'int32' }),
      mask: tensor([true, false, true]),
      none: tensor([], { shape: [0, 3] }),
      one: tensor(4),
    }
    const back = readSafetensors(await writeSafetensors(tensors, { made: 'here' }))
    expect(back.metadata).toEqual({ made: 'here' })
    expect(Object.keys(back.tensors)).toEqual(Object.keys(tensors))
    for (const [name, x] of Object.entries(tensors)) {
      const y = back.tensors[name]
      expect([y?.shape, y?.dtype, y?.dataSync()]).toEqual([x.shape, x.dtype, x.dataSync()])
    }
  })

  it('reads a Node Buffer that shares its memory', async () => {
    const written = await writeSafetensors({ a: tensor([1, 2, 3]) })
    const back = readSafetensors(Buffer.concat([Buffer.from('odd'), written]).subarray(3))
    expect([...(back.tensors.a?.dataSync() ?? [])]).toEqual([1, 2, 3])
  })

  it('reads half precision and whole numbers of other widths', () => {
    const entry = (dtype: string, shape: number[], from: number, to: number): object => ({
      dtype,
      shape,
      data_offsets: [from, to],
    })
    const { tensors } = readSafetensors(
      file(
        {
          half: entry('F16', [4], 0, 8),
          brain: entry('BF16', [2], 8, 12),
          long: entry('I64', [1], 12, 20),
          byte: entry('U8', [2], 20, 22),
        },
        [
          0x00, 0x3c, 0x00, 0xc0, 0x01, 0x00, 0x00, 0x7c, 0xc0, 0x3f, 0x80, 0xff, 0xfb, 0xff, 0xff, 0xff,
          0xff, 0xff, 0xff, 0xff, 200, 7,
        ],
      ),
    )
    expect([...(tensors.half?.dataSync() ?? [])]).toEqual([1, -2, 2 ** -24, Number.POSITIVE_INFINITY])
    expect([...(tensors.brain?.dataSync() ?? [])]).toEqual([1.5, Number.NEGATIVE_INFINITY])
    expect([...(tensors.long?.dataSync() ?? []), ...(tensors.byte?.dataSync() ?? [])]).toEqual([-5, 200, 7])
  })

  it.each([
    ['too few bytes', new Uint8Array(5), /5 bytes are too few/],
    [
      'a header longer than the file',
      file({}).fill(0xff, 0, 8),
      /header should have 18446744073709551615 bytes/,
    ],
    ['a header that is not JSON', file('{"a": '), /not JSON/],
    ['a header that is a list', file([]), /not a JSON object/],
    [
      'an unknown type',
      file({ a: { dtype: 'F8', shape: [1], data_offsets: [0, 1] } }, [0]),
      /a has type "F8"/,
    ],
    [
      'a name from the prototype',
      file({ a: { dtype: 'toString', shape: [], data_offsets: [0, 0] } }),
      /a has type/,
    ],
    [
      'a negative length',
      file({ a: { dtype: 'U8', shape: [-1], data_offsets: [0, 0] } }),
      /a has shape \[-1\]/,
    ],
    [
      'a place outside the file',
      file({ a: { dtype: 'U8', shape: [9], data_offsets: [0, 9] } }, [1]),
      /a lies at \[0,9\] of 1 bytes/,
    ],
    [
      'a place of the wrong size',
      file({ a: { dtype: 'F32', shape: [1], data_offsets: [0, 2] } }, [1, 2]),
      /needs 4 bytes, its place has 2/,
    ],
    [
      'overlapping tensors',
      file(
        {
          a: { dtype: 'U8', shape: [2], data_offsets: [0, 2] },
          b: { dtype: 'U8', shape: [1], data_offsets: [1, 2] },
        },
        [1, 2],
      ),
      /b begins at byte 1/,
    ],
    ['bytes that belong to nobody', file({}, [1, 2]), /take 0 bytes, the file holds 2/],
    [
      'a number that int32 cannot hold',
      file({ a: { dtype: 'U32', shape: [1], data_offsets: [0, 4] } }, [0, 0, 0, 0x80]),
      /a: element 0 is 2147483648/,
    ],
    ['metadata that is no text', file({ __metadata__: { a: 1 } }), /not an object of strings/],
  ])('refuses %s', (_, bytes, message) => {
    expect(() => readSafetensors(bytes)).toThrow(FormatError)
    expect(() => readSafetensors(bytes)).toThrow(message)
  })

  it('never fails otherwise than with a FormatError, whatever the bytes', async () => {
    const good = await writeSafetensors({ a: tensor([1, 2, 3]), b: tensor([true]) })
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { maxLength: 4 }),
        fc.nat(good.length),
        (changes, length) => {
          const bytes = good.slice(0, length)
          for (const [at, value] of changes) if (at < length) bytes[at] = value
          try {
            readSafetensors(bytes)
          } catch (error) {
            expect(error).toBeInstanceOf(FormatError)
          }
        },
      ),
      { numRuns: 2000 },
    )
  })
})
