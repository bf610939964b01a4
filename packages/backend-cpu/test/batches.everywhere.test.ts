import { type Backend, broadcast, Rng, rowMajor, sizeOf, type Tensor, tensor } from '@heed/core-tensor'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { cpu } from '../src/index.ts'

let backend: Backend
beforeAll(async () => {
  backend = await cpu({ threads: 2 })
})
afterAll(() => backend.dispose())

/** Small whole numbers, whose products and sums are exact in every type. */
function whole(shape: readonly number[], dtype: 'float32' | 'float64', rng: Rng): Tensor {
  const data = Float64Array.from({ length: sizeOf(shape) }, () => rng.int(15) - 7)
  return tensor(data, { shape, dtype, backend })
}

/** The product by its definition. */
function expected(a: Tensor, b: Tensor): Float64Array {
  const [x, y] = [a.dataSync(), b.dataSync()]
  const [m, k] = a.shape.slice(-2) as [number, number]
  const n = b.shape.at(-1) as number
  const lead = broadcast('test', a.shape.slice(0, -2), b.shape.slice(0, -2))
  const result = new Float64Array(sizeOf(lead) * m * n)
  const start = (shape: readonly number[], place: readonly number[]): number => {
    const own = shape.slice(0, -2)
    const ahead = lead.length - own.length
    const inner = (shape.at(-1) as number) * (shape.at(-2) as number)
    return rowMajor(own).reduce((at, stride, axis) => at + (own[axis] === 1 ? 0 : stride * inner * (place[axis + ahead] as number)), 0) // biome-ignore format: one line reads best
  }
  const strides = rowMajor(lead)
  for (let batch = 0; batch < sizeOf(lead); batch++) {
    const place = strides.map((stride, axis) => Math.floor(batch / stride) % (lead[axis] as number))
    const [firstX, firstY] = [start(a.shape, place), start(b.shape, place)]
    for (let i = 0; i < m; i++)
      for (let j = 0; j < n; j++) {
        let sum = 0
        for (let l = 0; l < k; l++)
          sum += (x[firstX + i * k + l] as number) * (y[firstY + l * n + j] as number)
        result[(batch * m + i) * n + j] = sum
      }
  }
  return result
}

const pairs: readonly (readonly [readonly number[], readonly number[]])[] = [
  [[60, 1, 5, 7], [1, 50, 7, 3]],
  [[1, 50, 5, 7], [60, 1, 7, 3]],
  [[40_000, 1, 2], [40_000, 2, 1]],
  [[3000, 4, 4], [1, 4, 4]],
  [[2, 1, 3, 1, 4, 5], [1, 3, 1, 2, 5, 6]],
  [[2, 2, 1, 2, 1, 2, 1, 9], [2, 1, 2, 1, 2, 1, 9, 1]],
  [[7, 1, 1, 1], [9, 1, 1]],
  [[5, 33, 65], [65, 17]],
  [[33, 65], [5, 65, 17]],
  [[0, 3, 4], [1, 4, 2]],
  [[5, 0, 4], [5, 4, 2]],
  [[5, 3, 0], [5, 0, 2]],
  [[5, 3, 4], [5, 4, 0]],
] // biome-ignore format: a table

it.each(pairs)('the products of [%s] and [%s] are exact, whatever lies in what order', (left, right) => {
  const rng = new Rng(9)
  for (const dtype of ['float32', 'float64'] as const) {
    const [a, b] = [whole(left, dtype, rng), whole(right, dtype, rng)]
    const want = [...expected(a, b)].map(v => v + 0) // no −0
    const turnedA = a.transpose().add(0).transpose()
    const turnedB = b.transpose().add(0).transpose()
    for (const y of [a.matmul(b), turnedA.matmul(b), a.matmul(turnedB), turnedA.matmul(turnedB)]) {
      const got = [...y.dataSync()].map(v => v + 0)
      expect(got.findIndex((v, i) => v !== want[i])).toBe(-1)
      expect(got.length).toBe(want.length)
    }
  }
})
