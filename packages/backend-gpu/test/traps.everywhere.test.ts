import { apply, arange, full, gelu, ops, scaledDotAttention, type Tensor, tensor } from '@heed/core-tensor'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { GpuBackend } from '../src/index.ts'
import { open } from './open.ts'

// What drivers and shader languages get wrong without a word, each with numbers that would show it.

const [NAN, INF] = [Number.NaN, Number.POSITIVE_INFINITY]
let backend: GpuBackend
beforeAll(async () => {
  backend = await open()
})
afterAll(() => backend.dispose())

const of = (...values: number[]): Tensor => tensor(Float32Array.from(values), { backend })
const whole = (...values: number[]): Tensor => tensor(Int32Array.from(values), { backend })
const read = async (x: Tensor): Promise<number[]> => [...(await x.data())]

describe('functions of large, negative and undefined numbers', () => {
  it('tanh is ±1 beyond 88, where exponentials overflow', async () => {
    expect(await read(of(-1e30, -100, -89, 89, 100, 1e30, INF).tanh())).toEqual([-1, -1, -1, 1, 1, 1, 1])
    expect(await read(gelu(of(-60, 60, 1e4), { approximate: 'tanh' }))).toEqual([-0, 60, 1e4])
  })

  it('sigmoid and exp end at their limits', async () => {
    expect(await read(of(-1000, -INF, 1000, INF).sigmoid())).toEqual([0, 0, 1, 1])
    expect(await read(of(-1000, 1000, -INF, INF).exp())).toEqual([0, INF, 0, INF])
  })

  it('powers of negative numbers have their sign', async () => {
    const made = of(-2, -2, -2, -8, 0, 0, -1).pow(of(3, 2, -1, 1 / 3, 0, -1, INF))
    expect(await read(made)).toEqual([-8, 4, -0.5, NAN, 1, INF, NAN])
  })

  it('log of 0 is −∞, of less NaN', async () => {
    expect(await read(of(0, -1, INF, 1).log())).toEqual([-INF, NAN, INF, 0])
    expect(await read(of(-1, 4).sqrt())).toEqual([NAN, 2])
  })

  it('NaN passes through maximum, minimum, comparisons and sums', async () => {
    const [a, b] = [of(NAN, 1, NAN), of(1, NAN, NAN)]
    expect(await read(apply(ops.maximum, [a, b], {}))).toEqual([NAN, NAN, NAN])
    expect(await read(apply(ops.minimum, [a, b], {}))).toEqual([NAN, NAN, NAN])
    expect(await read(a.equal(a))).toEqual([0, 1, 0])
    expect(await read(of(1, NAN, 2).sum())).toEqual([NAN])
    expect(await read(of(1, NAN, 2).max())).toEqual([NAN])
  })

  it('infinities come of division, and NaN of 0 / 0', async () => {
    expect(await read(of(1, -1, 0).div(of(0, 0, 0)))).toEqual([INF, -INF, NAN])
  })

  it('a row of attention with nothing allowed is 0, not NaN', async () => {
    const x = full([1, 1, 2, 4], 1, { backend })
    const mask = tensor(Uint8Array.of(0, 0, 1, 0), { shape: [1, 1, 2, 2], backend, dtype: 'bool' })
    expect(await read(scaledDotAttention(x, x, x, { mask }))).toEqual([0, 0, 0, 0, 1, 1, 1, 1])
  })
})

describe('whole numbers', () => {
  it('beyond 2²⁴ go up, are added and come back exactly', async () => {
    const x = whole(16777217, -16777219, 2147483646)
    expect(await read(x)).toEqual([16777217, -16777219, 2147483646])
    expect(await read(x.add(1))).toEqual([16777218, -16777218, 2147483647])
    expect(await read(whole(50257).mul(768).add(1))).toEqual([38597377])
  })
})

describe('large tensors', () => {
  const rows = 312_500 // of 64: 20 million elements, more than float32 can count, and than 65535 groups of threads
  let table: Tensor
  beforeAll(() => {
    table = arange(0, rows * 64, 1, { dtype: 'int32', backend }).reshape([rows, 64])
  })
  afterAll(() => table.release('by the test'))

  it('give the right rows by number', async () => {
    const ids = [0, 262143, 262144, 262145, 300001, rows - 1]
    const made = await read(apply(ops.take, [table, whole(...ids)], {}))
    expect(made).toEqual(ids.flatMap(id => Array.from({ length: 64 }, (_, i) => id * 64 + i)))
    const at = [16777215, 16777216, 16777217, 19999999]
    expect(await read(table.reshape([-1]).gather(0, whole(...at)))).toEqual(at)
  })

  it('turn, stretch and fold without losing count', async () => {
    const turned = table.reshape([5000, 4000]).transpose().add(0) // [4000, 5000], written anew
    expect(await read(turned.slice([{ start: 3999 }, { start: 4997 }]))).toEqual([
      19991999, 19995999, 19999999,
    ])
    const sums = table
      .reshape([-1])
      .slice([{ start: 16777210 }])
      .reshape([-1, 2])
      .sum(1)
    expect((await read(sums)).slice(0, 5)).toEqual([0, 1, 2, 3, 4].map(i => 2 * (16777210 + 2 * i) + 1))
  })
})

describe('long loops', () => {
  const n = 5000 // gpu.js cuts loops at 1000 rounds unless it is told otherwise
  it('sum, multiply and run to the end', async () => {
    const x = full([2, n], 1, { backend })
    expect(await read(x.sum(1))).toEqual([n, n])
    expect(await read(full([n, 40], 1, { backend }).sum(0))).toEqual(Array(40).fill(n))
    expect(await read(x.matmul(x.transpose()))).toEqual([n, n, n, n])
    expect(await read(x.cumsum(1).slice([{}, { start: n - 1 }]))).toEqual([n, n])
  })

  it('attend to keys far away', async () => {
    const keys = 1500
    const q = full([1, 1, 1, 2], 1, { backend })
    const k = full([1, 1, keys, 2], 0, { backend })
    const v = arange(0, keys, 1, { dtype: 'float32', backend }).reshape([1, 1, keys, 1])
    const [mean] = await read(scaledDotAttention(q, k, v))
    expect(mean).toBeCloseTo((keys - 1) / 2, 2)
  })
})

describe('the order of things', () => {
  it('first calls of one kernel with two shapes keep their own', async () => {
    const fresh = await open()
    const make = (n: number): Tensor => full([n], 1, { backend: fresh }).mul(n)
    const [five, two] = [make(5), make(2)]
    expect([await read(two), await read(five)]).toEqual([[2, 2], [5, 5, 5, 5, 5]]) // biome-ignore format: one line
    fresh.dispose()
  })

  it('memory that is used again does not reach back', async () => {
    const a = full([1000], 1, { backend })
    const b = a.add(1)
    a.release('by the test')
    const c = full([1000], 7, { backend }) // likely where a was
    expect([(await read(b))[999], (await read(c))[999]]).toEqual([2, 7])
  })

  it('an upload comes after what was recorded before it', async () => {
    const a = full([64], 1, { backend })
    const b = a.add(1)
    a.release('by the test')
    const c = tensor(new Float32Array(64).fill(9), { backend })
    expect([(await read(b))[63], (await read(c))[63]]).toEqual([2, 9])
  })

  it('tensors without elements pass through everything', async () => {
    const none = full([0, 3], 1, { backend })
    expect(await read(none.add(1).exp())).toEqual([])
    expect(await read(none.sum(0))).toEqual([0, 0, 0])
    expect(await read(none.matmul(full([3, 2], 1, { backend })))).toEqual([])
  })
})
