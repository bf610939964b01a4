import { type Backend, concat, memory, Rng, scope, type Tensor, tensor, uniform } from '@heed/core-tensor'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cpu } from '../src/index.ts'

describe('what is appended word by word', () => {
  let backend: Backend
  beforeAll(async () => {
    backend = await cpu({ threads: 1 })
  })
  afterAll(() => backend.dispose())

  const row = (n: number, of = 5): Tensor =>
    tensor([Array.from({ length: of }, (_, i) => 100 * n + i)], { backend })
  const numbers = (x: Tensor): number[] => [...(x.dataSync() as Float32Array)]

  it('is what concat makes of it, at every length, whoever still looks at the shorter ones', () => {
    const before = memory(backend)
    scope(() => {
      const all: Tensor[] = [row(0)]
      for (let n = 1; n < 100; n++) all.push(concat([all.at(-1) as Tensor, row(n)], 0))
      for (const [n, x] of all.entries()) {
        expect(x.shape).toEqual([n + 1, 5])
        expect(numbers(x)).toEqual(Array.from({ length: n + 1 }, (_, i) => numbers(row(i))).flat())
      }
    })
    expect(memory(backend)).toMatchObject({ bytes: before.bytes, count: before.count })
  })

  it('may be gone on with in two ways from the same place', () => {
    scope(() => {
      const start = concat([row(1), row(2)], 0) // 40 bytes of 64
      const [one, other] = [concat([start, row(3)], 0), concat([start, row(4)], 0)]
      expect(numbers(one)).toEqual([...numbers(start), ...numbers(row(3))])
      expect(numbers(other)).toEqual([...numbers(start), ...numbers(row(4))])
      expect(numbers(concat([start, start, start], 0))).toEqual([start, start, start].flatMap(numbers))
    })
  })

  it('takes less memory than copies, and outlives what it was appended to', () => {
    const before = memory(backend).bytes
    const longest = scope(() => {
      let x = uniform([1, 200, 8], { rng: new Rng(1), backend })
      for (let n = 0; n < 20; n++) x = concat([x, uniform([1, 1, 8], { rng: new Rng(n), backend })], 1)
      return x
    })
    expect(longest.shape).toEqual([1, 220, 8])
    expect(memory(backend).bytes - before).toBeLessThanOrEqual(1.25 * 220 * 8 * 4)
    const [first, last] = [
      uniform([1, 200, 8], { rng: new Rng(1), backend }),
      uniform([1, 1, 8], { rng: new Rng(19), backend }),
    ]
    expect(numbers(longest)).toMatchObject({ length: 1760 })
    expect(numbers(longest).slice(0, 1600)).toEqual(numbers(first))
    expect(numbers(longest).slice(-8)).toEqual(numbers(last))
    for (const x of [longest, first, last]) x.release('by the test')
    expect(memory(backend).bytes).toBe(before)
  })

  it('carries gradients', () => {
    scope(() => {
      const [a, b, c] = [1, 2, 3].map(n => row(n)) as [Tensor, Tensor, Tensor]
      for (const x of [a, b, c]) x.requiresGrad = true
      const short = concat([a, b], 0)
      const long = concat([short, c], 0)
      short.mul(2).sum().add(long.mul(long).sum()).backward()
      expect([a, b, c].map(x => numbers(x.grad as Tensor))).toEqual(
        [a, b, c].map((x, i) => numbers(x).map(v => 2 * v + (i < 2 ? 2 : 0))),
      )
    })
  })
})
