import {
  additiveScore,
  type Backend,
  embedding,
  MemoryError,
  memory,
  ones,
  Rng,
  scope,
  type Tensor,
  tensor,
} from '@heed/core-tensor'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { cpu } from '../src/index.ts'
import { type Program, program } from './child.ts'

const MB = 2 ** 20

describe('10,000 steps of training', () => {
  let loops: Program
  beforeAll(async () => {
    loops = await program('programs/memory.ts')
  })
  afterAll(() => loops.remove())

  it.each(['without a pause', 'with await'])('%s hold the same memory at every point', async scene => {
    const { code, stdout, stderr } = await loops.run(scene)
    expect(stderr).toBe('')
    expect(code).toBe(0)
    const [first, ...later] = JSON.parse(stdout)
    expect(later).toHaveLength(4)
    for (const { bytes, count, reserved, rss } of later) {
      expect({ bytes, count, reserved }).toEqual({ bytes: first.bytes, count: first.count, reserved: first.reserved }) // biome-ignore format: one line reads best
      expect(rss).toBeLessThan(first.rss + 48 * MB)
    }
    expect(first.count).toBeLessThan(100) // two weights, two moments of each, the constants that occur
  })

  it('that await outside of scopes leave what the collector takes', async () => {
    const { code, stdout, stderr } = await loops.run('awaited outside of scopes', '3000')
    expect(stderr).toBe('')
    expect(code).toBe(0)
    const [, second, , , last] = JSON.parse(stdout)
    expect(last.bytes).toBeLessThan(1.5 * second.bytes)
  })
})

describe('a backend of 8 MB', () => {
  let backend: Backend
  beforeEach(async () => {
    backend = await cpu({ threads: 2, maxBytes: 8 * MB })
  })
  afterEach(() => backend.dispose())

  it('ends a loop that frees nothing with an error that names scope and the sizes, and goes on after it', () => {
    let total = ones([1000], { backend })
    const kept: Tensor[] = []
    const loop = (): void => {
      for (let step = 0; step < 100_000; step++) {
        total = total.add(1)
        kept.push(total)
      }
    }
    expect(loop).toThrow(MemoryError)
    expect(loop).toThrow(
      /^cpu: out of memory, 3\.9 KB more were asked for while \d+ tensors hold [67]\.\d MB of 8\.0 MB; run each step in scope\(\)/,
    )
    expect(kept.length).toBeGreaterThan(1500)
    for (const x of kept) x.release('by the test')
    expect(scope(() => ones([1000], { backend }).add(1).sum().dataSync()[0])).toBe(2000)
  })

  it('computes the same loop in scopes without end', () => {
    for (let step = 0; step < 20_000; step++)
      scope(() => {
        ones([1000], { backend }).add(1).mul(2)
      })
    expect(memory(backend).count).toBeLessThan(10)
    expect(memory(backend).reserved).toBeLessThan(2 * MB)
  })

  it('refuses what is larger than all of it at once, and keeps nothing of it', () => {
    const before = memory(backend)
    expect(() => ones([4 * MB], { backend })).toThrow(/16\.0 MB more were asked for/)
    expect(memory(backend)).toEqual(before)
  })

  it('keeps nothing of an operation that fails between its working memory and its results', () => {
    scope(() => {
      const [batch, long, size] = [4, 256, 64]
      const leaf = (...shape: number[]): Tensor => {
        const made = ones(shape, { backend })
        made.requiresGrad = true
        return made
      }
      const [q, k, v] = [leaf(batch, long, size), leaf(batch, long, size), leaf(size)] as const
      const loss = additiveScore(q, k, v).sum()
      const fill: Tensor[] = []
      const filling = (): void => {
        for (;;) fill.push(ones([16_000], { backend }))
      }
      expect(filling).toThrow(MemoryError)
      const before = memory(backend)
      expect(() => loss.backward()).toThrow(MemoryError)
      expect(memory(backend)).toEqual(before)
      for (const x of fill) x.release('by the test')
      additiveScore(q, k, v).sum().backward()
      expect(q.grad?.shape).toEqual([batch, long, size])
      for (const x of [q, k, v]) x.grad?.release('by the test')
    })
    expect(memory(backend).count).toBeLessThan(10)
  })

  it('keeps nothing of an operation that meets an index outside its table', () => {
    scope(() => {
      const table = ones([10, 3], { backend }).transpose().transpose()
      const ids = tensor([1, 12], { dtype: 'int32', backend })
      const before = memory(backend)
      for (let i = 0; i < 100; i++) expect(() => embedding(table, ids)).toThrow(/index 12 is outside 0 to 9/)
      expect(memory(backend)).toEqual(before)
    })
  })

  it('holds what it is given while memory grows and moves', () => {
    const rng = new Rng(4)
    const held: { x: Tensor; first: number }[] = []
    const whole = ({ x, first }: { x: Tensor; first: number }): boolean =>
      x.dataSync().every((value, k) => value === first + k)
    for (let first = 0; first < 3000; first++) {
      const data = Float32Array.from({ length: 1 + rng.int(4000) }, (_, k) => first + k)
      held.push({ x: tensor(data, { backend }), first })
      if (held.length <= 200) continue
      const [old] = held.splice(rng.int(held.length), 1) as [(typeof held)[number]]
      if (!whole(old)) expect.fail(`tensor ${old.first} has changed`)
      old.x.release('by the test')
    }
    expect(held.every(whole)).toBe(true)
  })
})
