import { describe, expect, it } from 'vitest'
import { type Part, partsOf } from '../src/webgpu/kernels/attentionByProducts.ts'
import type { Input } from '../src/webgpu/machine.ts'

const [BATCH, HEADS, QUERIES, KEYS] = [3, 4, 70, 50]
const shaped = (shape: number[]): Input => ({ shape }) as unknown as Input // parts go by shapes alone
const call = (ahead: number | null) => ({
  q: shaped([BATCH, HEADS, QUERIES, 8]),
  k: shaped([BATCH, HEADS, KEYS, 8]),
  ahead,
})

/** How often each row of each head is in a part. */
function visits(parts: readonly Part[]): number[] {
  const seen = new Array<number>(BATCH * HEADS * QUERIES).fill(0)
  for (const { batches, heads, queries } of parts)
    for (let b = batches.first; b < batches.first + batches.count; b++)
      for (let h = heads.first; h < heads.first + heads.count; h++)
        for (let q = queries.first; q < queries.first + queries.count; q++) {
          const at = (b * HEADS + h) * QUERIES + q
          seen[at] = (seen[at] ?? 0) + 1
        }
  return seen
}

const scores = ({ batches, heads, queries, keys }: Part): number =>
  batches.count * heads.count * queries.count * keys

describe('attention in parts', () => {
  // Room for everything, two batches, some heads, some rows, one row, and less than a row.
  const rooms = [1e9, 2 * HEADS * QUERIES * KEYS, 3 * QUERIES * KEYS, 20 * KEYS, KEYS, 1]
  for (const ahead of [null, 0, 7, -5])
    it.each(rooms)(`has every row once, ${ahead} ahead, in room for %d scores`, room => {
      const parts = partsOf(call(ahead), room)
      expect(new Set(visits(parts))).toEqual(new Set([1]))
      for (const part of parts) expect(scores(part)).toBeLessThanOrEqual(Math.max(room, KEYS))
    })

  it('begins each head with all keys, since later parts only add to their gradients', () => {
    const begun = new Set<string>()
    for (const { batches, heads, keys } of partsOf(call(-5), 20 * KEYS)) {
      const head = `${batches.first} ${heads.first}`
      if (!begun.has(head)) expect(keys).toBe(KEYS)
      begun.add(head)
    }
    expect(begun.size).toBe(BATCH * HEADS)
  })

  it('leaves out the keys that a causal mask hides', () => {
    const parts = partsOf(call(0), 1e9)
    expect(parts.reduce((sum, part) => sum + scores(part), 0)).toBeLessThan(
      0.9 * BATCH * HEADS * QUERIES * KEYS,
    )
  })

  it('has a part where there are no queries, so that gradients of keys become zeros', () =>
    expect(partsOf({ ...call(null), q: shaped([1, 1, 0, 8]) })).toHaveLength(1))
})
