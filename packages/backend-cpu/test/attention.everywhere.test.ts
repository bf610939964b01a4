import {
  type Backend,
  gradients,
  noGrad,
  normal,
  Rng,
  scaledDotAttention,
  type Tensor,
  tensor,
} from '@heed/core-tensor'
import { referenceBackend } from '@heed/core-tensor/testing'
import { describe, expect, it } from 'vitest'
import { cpu } from '../src/index.ts'
import { builds } from './builds.ts'

/** batch, heads, queries, keys, size, valueSize, offset, which mask */
const cases: [number, number, number, number, number, number, number | null, string][] = [
  [1, 1, 1, 1, 1, 1, null, 'none'],
  [2, 3, 5, 7, 4, 6, null, 'none'],
  [1, 2, 49, 300, 16, 8, null, 'none'],
  [1, 1, 60, 60, 13, 5, 0, 'none'],
  [2, 1, 33, 70, 8, 8, 37, 'none'],
  [1, 2, 10, 4, 3, 3, -3, 'none'],
  [2, 2, 9, 11, 4, 4, null, 'padding'],
  [2, 1, 50, 270, 8, 9, null, 'full'],
  [1, 2, 20, 20, 4, 4, 0, 'full'],
  [1, 2, 6, 9, 4, 4, null, 'queries'],
  [1, 1, 4, 600, 8, 8, null, 'late'],
  [1, 2, 100, 600, 5, 7, 500, 'padding'],
  [2, 1, 130, 270, 20, 12, 140, 'full'],
]

/** q, k, v, the gradient of the result, and a mask. */
function inputs(
  [batch, heads, queries, keys, size, valueSize, , kind]: (typeof cases)[number],
  backend: Backend,
) {
  const rng = new Rng(keys)
  const draw = (shape: number[]): Tensor => normal(shape, { rng, backend })
  // Heads lie between the places, as a layer's projection leaves them.
  const q = draw([batch, queries, heads, size]).transpose(1, 2)
  const k = draw([batch, keys, heads, size]).transpose(1, 2)
  const v = draw([batch, keys, heads, valueSize]).transpose(1, 2)
  const dy = draw([batch, heads, queries, valueSize])
  const bools = (shape: number[], f: (i: number) => boolean): Tensor =>
    tensor(
      Uint8Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Number(f(i))),
      { shape, backend },
    )
  const masks: Record<string, () => Tensor | undefined> = {
    none: () => undefined,
    padding: () => bools([batch, 1, 1, keys], i => i % keys < 3 + Math.floor(i / keys)),
    full: () =>
      bools([batch, heads, queries, keys], i => (i * 7919) % 11 > 4 && Math.floor(i / keys) % 5 !== 2),
    queries: () => bools([queries, 1], i => i % 2 === 0),
    late: () => bools([1, keys], i => i >= 500),
  }
  return { q, k, v, dy, mask: (masks[kind] as () => Tensor | undefined)() }
}

function run(of: (typeof cases)[number], backend: Backend): Promise<Float32Array[]> {
  const { q, k, v, dy, mask } = inputs(of, backend)
  for (const x of [q, k, v]) x.requiresGrad = true
  const y = scaledDotAttention(q, k, v, { mask, offset: of[6] ?? undefined })
  const grads = gradients(y, [q, k, v], { gradient: dy, retainGraph: true })
  return Promise.all([y, ...grads].map(x => x.data() as Promise<Float32Array>))
}

const available = await builds()

describe('scaled dot-product attention', () => {
  it.each(available)('equals its composition, build %s', async (_, options) => {
    const backend = await cpu({ threads: 2, ...options })
    const reference = referenceBackend()
    for (const of of cases) {
      const [made, wanted] = [await run(of, backend), await run(of, reference)]
      for (const [i, part] of made.entries()) {
        const other = wanted[i] as Float32Array
        expect(part.length).toBe(other.length)
        for (const [at, x] of part.entries())
          if (!(Math.abs(x - (other[at] as number)) <= 2e-5 * (1 + Math.abs(other[at] as number))))
            throw new Error(`case ${of.join(' ')}: output ${i}, element ${at} is ${x}, wanted ${other[at]}`)
      }
    }
    backend.dispose?.()
  })

  it('has the same bits for any number of threads', async () => {
    const hold = await Promise.all([1, 2, 3].map(threads => cpu({ threads })))
    for (const of of cases) {
      const [first, ...others] = await Promise.all(hold.map(backend => run(of, backend)))
      for (const other of others) expect(other).toEqual(first)
    }
    for (const backend of hold) backend.dispose?.()
  })

  it('spreads NaN where it is seen, and only there', async () => {
    const backend = await cpu({ threads: 1 })
    const { q, k, v } = inputs([1, 1, 3, 5, 4, 4, 0, 'none'], backend)
    const nan = tensor([0, 0, 0, Number.NaN, 0], { backend }).reshape([1, 1, 5, 1])
    const y = noGrad(() => scaledDotAttention(q, k.add(nan), v, { offset: 1 }))
    const rows = await y.squeeze(1).squeeze(0).toArray()
    expect((rows as number[][]).map(row => row.some(Number.isNaN))).toEqual([false, false, true])
    backend.dispose?.()
  })
})
