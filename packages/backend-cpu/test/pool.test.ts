import { Rng } from '@heed/core-tensor'
import { describe, expect, it } from 'vitest'
import { ALIGNMENT, capacity, Pool, sizeClass } from '../src/machine/pool.ts'

const MB = 2 ** 20

/** A pool over addresses from 64 KB on, and how far it has grown. */
function poolUpTo(
  limit: number,
  grow: (end: number) => boolean = () => true,
): { pool: Pool; end: () => number } {
  let reached = 0
  const pool = new Pool({
    start: 2 ** 16,
    limit,
    grow: end => {
      if (!grow(end)) return false
      reached = Math.max(reached, end)
      return true
    },
  })
  return { pool, end: () => reached }
}

describe('size classes', () => {
  it('are a multiple of 64 bytes, large enough, and waste a fifth at most', () => {
    for (let bytes = 0; bytes <= 2 * MB; bytes += bytes < 5000 ? 1 : 997) {
      const size = capacity(bytes)
      expect(size % ALIGNMENT).toBe(0)
      expect(size).toBeGreaterThanOrEqual(Math.max(bytes, 1))
      expect(size - bytes).toBeLessThanOrEqual(Math.max(ALIGNMENT, size / 5))
    }
  })

  it('have one list each, in ascending order, and every size of a class has the same capacity', () => {
    for (let bytes = 1; bytes < MB; bytes += bytes < 5000 ? 1 : 61) {
      const [here, next] = [sizeClass(bytes), sizeClass(bytes + 1)]
      expect(next - here).toBe(capacity(bytes) === bytes ? 1 : 0)
      expect(sizeClass(capacity(bytes))).toBe(here)
    }
  })
})

describe('a pool', () => {
  it('hands a freed block out again, the last one first', () => {
    const { pool } = poolUpTo(64 * MB)
    for (const bytes of [1, 100, 5000, 100_000, 3 * MB]) {
      const block = pool.allocate(bytes)
      pool.free(block, bytes)
      expect(pool.allocate(bytes)).toBe(block)
    }
  })

  it('cuts small blocks from one slab', () => {
    const { pool, end } = poolUpTo(64 * MB)
    const blocks = Array.from({ length: 100 }, () => pool.allocate(1000))
    expect(new Set(blocks).size).toBe(100)
    expect(end() - 2 ** 16).toBe(2 ** 17)
  })

  it('melts large neighbours together, in whatever order they are freed', () => {
    for (const order of [
      [0, 1, 2, 3],
      [3, 2, 1, 0],
      [0, 2, 1, 3],
      [1, 3, 0, 2],
      [2, 0, 3, 1],
    ]) {
      // biome-ignore format: one line reads best
      const { pool, end } = poolUpTo(64 * MB)
      const blocks = Array.from({ length: 4 }, () => pool.allocate(2 * MB))
      for (const i of order) pool.free(blocks[i] as number, 2 * MB)
      expect(pool.allocate(8 * MB)).toBe(blocks[0])
      expect(end()).toBe(2 ** 16 + 8 * MB)
    }
  })

  it('melts listed blocks of middle size when there is no other room', () => {
    const { pool } = poolUpTo(2 ** 16 + 4 * MB)
    const blocks = Array.from({ length: 8 }, () => pool.allocate(MB / 2))
    expect(pool.allocate(MB / 2)).toBe(0)
    for (const block of blocks) pool.free(block, MB / 2)
    expect(pool.allocate(4 * MB)).toBe(Math.min(...blocks))
  })

  it('gives 0 where there is no room, by its limit or by the system, and goes on', () => {
    const limited = poolUpTo(2 ** 16 + 3 * MB).pool
    expect(limited.allocate(4 * MB)).toBe(0)
    expect(limited.allocate(2 * MB)).toBe(2 ** 16)
    const refused = poolUpTo(64 * MB, end => end <= 2 ** 16 + MB).pool
    expect(refused.allocate(2 * MB)).toBe(0)
    expect(refused.allocate(MB)).toBe(2 ** 16)
  })

  it('falls back to single blocks where a slab has no room', () => {
    const { pool } = poolUpTo(2 ** 16 + 1024)
    const blocks = [pool.allocate(512), pool.allocate(512), pool.allocate(64)]
    expect(blocks).toEqual([2 ** 16, 2 ** 16 + 512, 0])
  })

  it('never lets blocks touch, and takes no more than a model of it expects', () => {
    const rng = new Rng(5)
    const start = 2 ** 16
    const limit = start + 48 * MB
    const { pool, end } = poolUpTo(limit)
    const live: { at: number; bytes: number }[] = []
    let held = 0
    let most = 0
    let refusals = 0
    for (let step = 0; step < 30_000; step++) {
      // Waves of growth and decline, so that memory is now full of holes and now nearly empty.
      const growing = Math.sin(step / 1500) + rng.uniform() * 2 - 1 > 0
      if (growing || live.length === 0) {
        const bytes = Math.floor(2 ** (rng.uniform() * 21.5))
        const at = pool.allocate(bytes)
        if (at === 0) {
          refusals++
          expect(held + capacity(bytes)).toBeGreaterThan((limit - start) / 4)
          continue
        }
        live.push({ at, bytes })
        held += capacity(bytes)
        most = Math.max(most, held)
      } else {
        const i = rng.int(live.length)
        const [{ at, bytes }] = live.splice(i, 1) as [{ at: number; bytes: number }]
        pool.free(at, bytes)
        held -= capacity(bytes)
      }
      if (step % 500 === 0) disjoint(live, start, limit)
    }
    expect(refusals).toBeGreaterThan(0) // the limit was met
    expect(end()).toBeLessThanOrEqual(limit)
    expect(most).toBeGreaterThan((limit - start) / 2)
  })

  it('stays as large as its busiest moment, however often the same work is done', () => {
    const rng = new Rng(6)
    const sizes = Array.from({ length: 400 }, () => Math.floor(2 ** (6 + rng.uniform() * 16)))
    const { pool, end } = poolUpTo(2 ** 31)
    const round = (): void => {
      const blocks = sizes.map(bytes => [pool.allocate(bytes), bytes] as const)
      for (const i of rng.permutation(blocks.length)) pool.free(...(blocks[i] as (typeof blocks)[number]))
    }
    round()
    const first = end()
    for (let i = 0; i < 50; i++) round()
    expect(end()).toBe(first)
  })
})

/** @throws unless blocks are aligned, within bounds, and apart. */
function disjoint(live: readonly { at: number; bytes: number }[], start: number, limit: number): void {
  let last = start
  for (const { at, bytes } of [...live].sort((a, b) => a.at - b.at)) {
    expect(at % ALIGNMENT).toBe(0)
    expect(at).toBeGreaterThanOrEqual(last)
    last = at + capacity(bytes)
  }
  expect(last).toBeLessThanOrEqual(limit)
}
