import { describe, expect, it } from 'vitest'
import * as heed from '../src/index.ts'
import { setBackend, type Tensor, tensor } from '../src/index.ts'
import { checkGradient, referenceBackend } from '../src/testing/index.ts'

// Before anything else: the rows of the table are made when the file is read.
setBackend(referenceBackend())

const ids = (...data: heed.Nested[]): Tensor => tensor(data, { dtype: 'int32' })
const box = (): Tensor => heed.arange(0, 24).reshape([2, 3, 4])

describe('index', () => {
  // What NumPy yields for arange(24).reshape(2, 3, 4); numbers beside tensors as in PyTorch, which takes them first.
  it.each<[string, heed.IndexPart[], unknown]>([
    ['x[:, j]', [null, ids(2, 0)], [[[8, 9, 10, 11], [0, 1, 2, 3]], [[20, 21, 22, 23], [12, 13, 14, 15]]]],
    ['x[i, j], stretched', [ids([0, 1], [1, 0]), ids(2, 0)], [[[8, 9, 10, 11], [12, 13, 14, 15]], [[20, 21, 22, 23], [0, 1, 2, 3]]]],
    ['x[i, :, j], in front', [ids(0, 1), null, ids(3, 1)], [[3, 7, 11], [13, 17, 21]]],
    ['x[..., j], from the end', [null, null, ids(-1, 0)], [[[3, 0], [7, 4], [11, 8]], [[15, 12], [19, 16], [23, 20]]]],
    ['x[:, i, j], where they stood', [null, ids([0], [2]), ids(1, 3)], [[[1, 3], [9, 11]], [[13, 15], [21, 23]]]],
    ['x[0]', [0], [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]]],
    ['x[-1, 1:, ::2]', [-1, { start: 1 }, { step: 2 }], [[16, 18], [20, 22]]],
    ['x[0, :, j]', [0, null, ids(3, 1)], [[3, 1], [7, 5], [11, 9]]],
    ['x[1, 2, 3]', [1, 2, 3], 23],
    ['x[i] of no places', [heed.zeros([0], { dtype: 'int32' })], []],
  ])('%s', async (_, parts, want) => {
    expect(await heed.index(box(), parts).toArray()).toEqual(want)
  }) // biome-ignore format: a table

  it('has a gradient, also where a place is taken twice', () => {
    const x = tensor(Float64Array.from({ length: 24 }, (_, i) => Math.sin(i)), { shape: [2, 3, 4] }) // biome-ignore format: one line
    const f = (x?: Tensor): Tensor => heed.index(x as Tensor, [ids(0, 1, 1), null, ids(3, 2, 2)])
    expect(checkGradient(f, [x])).toBeLessThan(1e-6)
  })

  it('names the place that is not there', () => {
    expect(() => heed.index(box(), [2])).toThrow('index: place 2 is outside axis 0 of [2, 3, 4]; use -2 to 1')
    expect(() => heed.index(box(), [null, ids(0, 3)]).dataSync()).toThrow('index 3 is outside 0 to 2')
    expect(() => heed.index(box(), [null, ids(-4)]).dataSync()).toThrow('index -1 is outside 0 to 2')
    expect(() => heed.index(box(), [null, null, null, 0])).toThrow('4 parts for [2, 3, 4]')
    expect(() => heed.index(box(), [ids(0, 1), ids(0, 1, 2)])).toThrow(/index: shapes \[2\] and \[3\] do not fit/) // biome-ignore format: one line
    expect(() => heed.index(box(), [tensor([true, false])])).toThrow('places are bool; use int32, or maskedSelect') // biome-ignore format: one line
  })
})

describe('what has a shape that depends on numbers', () => {
  it('nonzero names every place, row by row', async () => {
    expect(await (await heed.nonzero(tensor([[0, 2, 0], [Number.NaN, 0, -1]]))).toArray()).toEqual([[0, 1], [1, 0], [1, 2]]) // biome-ignore format: a matrix
    expect((await heed.nonzero(heed.zeros([2, 2]))).shape).toEqual([0, 2])
    expect((await heed.nonzero(tensor(5))).shape).toEqual([1, 0])
    expect((await heed.nonzero(tensor(0))).shape).toEqual([0, 0])
  })

  it('maskedSelect takes what the mask allows, with its gradient', async () => {
    const x = tensor([[1, 2], [3, 4]]) // biome-ignore format: a matrix
    x.requiresGrad = true
    const picked = await heed.maskedSelect(x, x.greater(1.5))
    expect(await picked.toArray()).toEqual([2, 3, 4])
    picked
      .mul(tensor([1, 10, 100]))
      .sum()
      .backward()
    expect(await (x.grad as Tensor).toArray()).toEqual([[0, 1], [10, 100]]) // biome-ignore format: a matrix
    expect(await (await heed.maskedSelect(x, tensor([true, false]))).toArray()).toEqual([1, 3])
    await expect(heed.maskedSelect(x, x)).rejects.toThrow('maskedSelect: the mask is float32; compare first')
  })

  it('unique finds each value once, where it is, and how often', async () => {
    const { values, inverse, counts } = await heed.unique(tensor([[3, 1, 3], [Number.NaN, -2, 3]])) // biome-ignore format: a matrix
    expect(await values.toArray()).toEqual([-2, 1, 3, Number.NaN])
    expect(await inverse.toArray()).toEqual([[2, 1, 2], [3, 0, 2]]) // biome-ignore format: a matrix
    expect(await counts.toArray()).toEqual([1, 1, 3, 1])
    expect((await heed.unique(ids(4, -1, 4))).values.dtype).toBe('int32')
  })
})

describe('arrangements', () => {
  it('tile repeats the whole, as NumPy does', async () => {
    expect(await heed.tile(ids([1, 2]), [2, 2]).toArray()).toEqual([[1, 2, 1, 2], [1, 2, 1, 2]]) // biome-ignore format: a matrix
    expect(heed.tile(heed.ones([3]), [2, 1, 2]).shape).toEqual([2, 1, 6])
    expect(heed.tile(heed.ones([2, 3]), [2]).shape).toEqual([2, 6])
    expect(heed.tile(heed.ones([2, 3]), [0, 1]).shape).toEqual([0, 3])
  })

  it('roll moves round the circle', async () => {
    expect(await heed.roll(ids(0, 1, 2, 3), 1).toArray()).toEqual([3, 0, 1, 2])
    expect(await heed.roll(ids(0, 1, 2, 3), -5).toArray()).toEqual([1, 2, 3, 0])
    expect(await heed.roll(ids([0, 1], [2, 3], [4, 5]), 2, 0).toArray()).toEqual([[2, 3], [4, 5], [0, 1]]) // biome-ignore format: a matrix
    expect(await heed.roll(ids(0, 1), 2).toArray()).toEqual([0, 1])
  })

  it('linspace meets both ends', async () => {
    expect(await heed.linspace(0, 1, 5).toArray()).toEqual([0, 0.25, 0.5, 0.75, 1])
    expect(await heed.linspace(3, -3, 3).toArray()).toEqual([3, 0, -3])
    expect(await heed.linspace(2, 9, 1).toArray()).toEqual([2])
    expect(heed.linspace(0, 1, 0).shape).toEqual([0])
    expect(heed.linspace(0, 0.1, 7).dataSync().at(-1)).toBe(Math.fround(0.1))
  })
})

describe('logic', () => {
  const odd = (): Tensor => tensor([1, Number.NaN, Number.POSITIVE_INFINITY, -0])

  it('tells NaN, infinity and the rest apart', async () => {
    expect(await heed.isNan(odd()).toArray()).toEqual([false, true, false, false])
    expect(await heed.isInf(odd()).toArray()).toEqual([false, false, true, false])
    expect(await heed.notEqual(odd(), odd()).toArray()).toEqual([false, true, false, false])
    expect(await heed.notEqual(odd(), 0).toArray()).toEqual([true, true, true, false])
  })

  it('any and all, of none as well', async () => {
    const x = tensor([[0, 0], [0, 3]]) // biome-ignore format: a matrix
    expect([await heed.any(x).item(), await heed.all(x).item()]).toEqual([1, 0])
    expect(await heed.any(x, 1).toArray()).toEqual([false, true])
    expect(await heed.all(x.greater(-1), 0, { keepDims: true }).toArray()).toEqual([[true, true]])
    expect([await heed.any(heed.zeros([0])).item(), await heed.all(heed.zeros([0])).item()]).toEqual([0, 1])
  })

  it('xor, and closeness as in PyTorch', async () => {
    const [a, b] = [tensor([true, true, false]), tensor([true, false, false])]
    expect(await heed.logicalXor(a, b).toArray()).toEqual([false, true, false])
    const x = tensor([1, 1, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, Number.NaN, 0])
    const y = tensor([1.000005, 1.001, Number.POSITIVE_INFINITY, 1, Number.NaN, 1e-9])
    expect(await heed.isClose(x, y).toArray()).toEqual([true, false, true, false, false, true])
  })
})
