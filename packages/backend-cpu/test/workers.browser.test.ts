import { type Backend, normal, Rng, scope } from '@heed/core-tensor'
import { expect, it } from 'vitest'
import { cpu } from '../src/index.ts'
import { Storage } from '../src/machine/heap.ts'

/** The same number whenever all threads are sound. */
function product(backend: Backend): number {
  return scope(() => {
    const x = normal([300, 300], { rng: new Rng(1), backend })
    return x.matmul(x).sum().dataSync()[0] as number
  })
}

it('a worker that traps makes the next job of a page an error, which waits for nobody', async () => {
  const backend = await cpu({ threads: 2 })
  const expected = product(backend)
  const spec = { shape: [2 ** 22], dtype: 'float32' as const }
  const storage = new Storage(0xf000_0000, { bytes: 0, used: 0, holders: 1 }) // where no memory is
  let error: unknown
  for (let i = 0; i < 200 && !error; i++) {
    expect(() => backend.kernels.exp([{ ...spec, storage, offset: 0, strides: [1] }], [spec], {})).toThrow()
    try {
      expect(product(backend)).toBe(expected) // it was the main thread alone that trapped
    } catch (thrown) {
      error = thrown
    }
  }
  expect(String(error)).toMatch(/^BackendError: cpu: (a worker has stopped|worker 1 of 1 ended)/)
  expect(() => product(backend)).toThrow(/make a new backend with await cpu\(\)$/)
  backend.dispose()
  const next = await cpu({ threads: 2 })
  expect(product(next)).toBe(expected)
  next.dispose()
})
