import { type Backend, linear, memory, noGrad, normal, Rng, scope, type Tensor } from '@heed/core-tensor'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cpu } from '../src/index.ts'
import { builds } from './builds.ts'

/** Rows × columns of weights: no tile, vector or block divides them all. */
const sizes = [
  [1000, 256],
  [257, 301],
  [33, 1100],
  [16, 1024],
  [129, 515],
] as const

// Packed for good at the third product with the same matrix: see kernels/matmul.ts.
describe.each(await builds())(
  'products of one row, or a few, with the same matrix, build %s',
  (_name, options) => {
    let backend: Backend
    beforeAll(async () => {
      backend = await cpu({ threads: 2, ...options })
    })
    afterAll(() => backend.dispose())

    const draw = (rng: Rng, ...shape: number[]): Tensor => normal(shape, { rng, backend })

    it.each(sizes)(
      'have the same bits the first time, when the matrix is packed, and in a batch: %i × %i',
      (n, k) =>
        noGrad(() =>
          scope(() => {
            const rng = new Rng(n)
            const [weight, bias, x] = [draw(rng, n, k), draw(rng, n), draw(rng, 7, k)]
            const batch = linear(x, weight, bias).dataSync()
            for (let round = 0; round < 6; round++)
              for (let i = 0; i < 7; i++) {
                const row = linear(x.slice([{ start: i, stop: i + 1 }]), weight, bias).dataSync()
                expect(row).toEqual(batch.slice(i * n, (i + 1) * n))
              }
            for (const rows of [2, 7, 96, 97]) {
              const some = draw(rng, rows, k)
              const fresh = linear(some, weight.add(0), bias).dataSync()
              for (let round = 0; round < 4; round++)
                expect(linear(some, weight, bias).dataSync()).toEqual(fresh)
            }
            const plain = x.matmul(weight.transpose()).dataSync()
            for (let i = 0; i < 7; i++)
              expect(
                x
                  .slice([{ start: i, stop: i + 1 }])
                  .matmul(weight.transpose())
                  .dataSync(),
              ).toEqual(plain.slice(i * n, (i + 1) * n))
          }),
        ),
    )

    it('of a part of the matrix are of that part', () =>
      noGrad(() =>
        scope(() => {
          const rng = new Rng(3)
          const [weight, x] = [draw(rng, 200, 300), draw(rng, 1, 300)]
          const whole = x.matmul(weight.transpose()).dataSync()
          for (let round = 0; round < 5; round++) {
            x.matmul(weight.transpose())
            const part = weight.slice([{ start: 50, stop: 150 }])
            expect(x.matmul(part.transpose()).dataSync()).toEqual(whole.slice(50, 150))
          }
        }),
      ))

    it('pack no single column, which several rows read as it lies', () =>
      noGrad(() =>
        scope(() => {
          const rng = new Rng(5)
          const [weight, x] = [draw(rng, 1, 5000), draw(rng, 7, 5000)]
          const held = memory(backend).bytes
          for (let round = 0; round < 5; round++) scope(() => void x.matmul(weight.transpose()))
          expect(memory(backend).bytes).toBe(held)
        }),
      ))

    it('give the packed copy back with the matrix', () => {
      const before = memory(backend)
      noGrad(() =>
        scope(() => {
          const rng = new Rng(4)
          const [weight, x] = [draw(rng, 300, 200), draw(rng, 1, 200)]
          const held = memory(backend).bytes
          for (let round = 0; round < 5; round++) scope(() => void x.matmul(weight.transpose()))
          expect(memory(backend).bytes).toBeGreaterThanOrEqual(held + 4 * 300 * 200)
        }),
      )
      expect(memory(backend)).toMatchObject({ bytes: before.bytes, count: before.count })
    })
  },
)
