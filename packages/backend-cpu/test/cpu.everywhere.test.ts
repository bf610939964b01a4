import { type Backend, BackendError, ConfigError, memory, ones, scope, tensor } from '@heed/core-tensor'
import { describe, expect, it } from 'vitest'
import { type CpuOptions, cpu } from '../src/index.ts'

describe('options that make no sense', () => {
  const wrong: readonly (readonly [unknown, string])[] = [
    [{ threads: 0 }, 'threads is 0, use a whole number from 1 to 32'],
    [{ threads: -1 }, 'threads is -1, use a whole number from 1 to 32'],
    [{ threads: 1.5 }, 'threads is 1.5, use a whole number from 1 to 32'],
    [{ threads: 33 }, 'threads is 33, use a whole number from 1 to 32'],
    [{ threads: Number.NaN }, 'threads is NaN, use a whole number from 1 to 32'],
    [{ threads: '2' }, 'threads is 2, use a whole number from 1 to 32'],
    [{ deterministic: 'yes' }, 'deterministic is yes, use true or false'],
    [{ maxBytes: 1000 }, 'maxBytes is 1000, use 1048576 (1 MB) or more'],
    [{ maxBytes: Number.NaN }, 'maxBytes is NaN, use 1048576 (1 MB) or more'],
    [{ maxBytes: '4 GB' }, 'maxBytes is 4 GB, use 1048576 (1 MB) or more'],
    [
      { threads: 0, maxBytes: -5 },
      'threads is 0, use a whole number from 1 to 32; maxBytes is -5, use 1048576 (1 MB) or more',
    ],
  ]

  it.each(wrong)('%o are refused, with all values', async (options, problems) => {
    const made = cpu(options as CpuOptions)
    await expect(made).rejects.toThrow(ConfigError)
    await expect(made).rejects.toThrow(`cpu: ${problems}`)
  })
})

describe('a backend', () => {
  it('says which build, how many threads and which engine decide its bits', async () => {
    const backend = await cpu({ threads: 2, deterministic: true })
    expect(backend.name).toBe('cpu')
    expect(backend.build).toMatch(/^exact 5×8, 2 threads, (V8 \d+\.\d+|Chrome \d+)$/)
    backend.dispose()
    const alone = await cpu({ threads: 1 })
    expect(alone.build).toMatch(/^(fma 6×8|exact 5×8), 1 thread, /)
    alone.dispose()
  })

  it('takes as little as 1 MB, and more than there can be as 4 GB', async () => {
    for (const maxBytes of [2 ** 20, 2 ** 20 + 1, Number.POSITIVE_INFINITY]) {
      const backend = await cpu({ threads: 1, maxBytes })
      expect(scope(() => ones([1000], { backend }).sum().dataSync()[0])).toBe(1000)
      expect(memory(backend).reserved).toBeLessThanOrEqual(2 ** 20 + 2 ** 16)
      backend.dispose()
    }
  })

  it('lives apart from others, and a tensor of one is no input for the other', async () => {
    const [one, two] = (await Promise.all([cpu({ threads: 2 }), cpu({ threads: 2 })])) as [Backend, Backend]
    const [a, b] = [ones([300, 300], { backend: one }), ones([300, 300], { backend: two })]
    const [x, y] = [a.matmul(a), b.matmul(b).mul(2)]
    expect(x.sum().dataSync()[0]).toBe(300 ** 3)
    expect(y.sum().dataSync()[0]).toBe(2 * 300 ** 3)
    expect(() => a.add(b)).toThrow(BackendError)
    expect(a.add(b.to(one)).max().dataSync()[0]).toBe(2)
    one.dispose()
    expect(b.matmul(b).sum().dataSync()[0]).toBe(300 ** 3)
    two.dispose()
  })

  it('that is disposed refuses everything but to be tidied up', async () => {
    const backend = await cpu({ threads: 2 })
    const x = ones([300, 300], { backend })
    const late = scope(() => {
      ones([5], { backend }) // freed by the scope's end, after dispose()
      backend.dispose()
      return 'closed'
    })
    expect(late).toBe('closed')
    const gone = 'cpu: this backend was disposed; make a new one with await cpu()'
    for (const use of [
      () => x.add(1),
      () => x.matmul(x),
      () => x.dataSync(),
      () => ones([2], { backend }),
      () => tensor([1], { backend }),
    ]) {
      // biome-ignore format: one line reads best
      expect(use).toThrow(BackendError)
      expect(use).toThrow(gone)
    }
    await expect(x.data()).rejects.toThrow(gone)
    const held = memory(backend)
    x.release('by the test')
    expect(memory(backend)).toEqual(held)
    backend.dispose()
  })

  it('can be made and disposed over and over', async () => {
    for (let i = 0; i < 25; i++) {
      const backend = await cpu({ threads: 2 })
      expect(scope(() => ones([300, 300], { backend }).matmul(ones([300, 300], { backend })).sum().dataSync()[0])).toBe(300 ** 3) // biome-ignore format: one line reads best
      backend.dispose()
    }
  })
})
