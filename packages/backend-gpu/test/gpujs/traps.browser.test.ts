// Each trap of gpu.js that gives wrong numbers without a word, in both modes. Every test here fails on kernels written as gpu.js's
// documentation would have them.
import { apply, BackendError, ops, scope, softmax, type Tensor, tensor } from '@heed/core-tensor'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checkIndices, toWgsl } from '../../src/adapter/gpujs.ts'
import { DeviceLostError, OutOfMemoryError } from '../../src/errors.ts'
import { kernelText } from '../../src/gpujs/text.ts'
import { enter, leave } from '../../src/gpujs/webgl2/context.ts'
import type { GpuBackend } from '../../src/index.ts'
import { webgl2, webgpu } from './modes.ts'

const modes = [
  ['WebGL2', webgl2],
  ['WebGPU', webgpu],
] as const

describe.each(modes)("gpu.js's kernels on %s", (_, open) => {
  let backend: GpuBackend
  beforeAll(async () => {
    backend = await open()
  })
  afterAll(() => backend.dispose())

  const floats = (...values: number[]): Tensor => tensor(Float32Array.from(values), { backend })
  const wholes = (...values: number[]): Tensor => tensor(Int32Array.from(values), { backend })
  const ones = (...shape: number[]): Tensor =>
    apply(ops.full, [], { shape, dtype: 'float32', value: 1 }, backend)
  const read = async (x: Tensor): Promise<number[]> => [...(await x.data())]

  it('runs loops of more than 1000 rounds to their end', async () => {
    expect(await read(ones(1, 5000).matmul(ones(5000, 1)).reshape([1]))).toEqual([5000])
    const [first] = await read(softmax(ones(1, 4096)))
    expect(first).toBeCloseTo(1 / 4096, 9)
  })

  it('reads elements past 2²⁴, by stride and by index', async () => {
    const width = 3
    const rows = Math.ceil(2 ** 24 / width) + 3
    const data = new Float32Array(rows * width)
    for (let i = data.length - 9; i < data.length; i++) data[i] = i - data.length + 10 // 1 … 9
    const table = tensor(data, { shape: [rows, width], backend })
    const ids = wholes(rows - 1, rows - 3, 0, rows - 2)
    expect(await read(apply(ops.take, [table, ids], {}))).toEqual([7, 8, 9, 1, 2, 3, 0, 0, 0, 4, 5, 6])
    const tail = table.slice([{ start: rows - 3 }]).transpose()
    expect(await read(tail.add(0))).toEqual([1, 4, 7, 2, 5, 8, 3, 6, 9])
    const column = table.gather(0, tensor(Int32Array.of(rows - 1, rows - 2), { shape: [2, 1], backend }))
    expect(await read(column)).toEqual([7, 4])
    table.release('after the test')
  })

  it('keeps tanh, exp and log within their ranges', async () => {
    expect(await read(floats(-1e4, -100, 0, 100, 1e4).tanh())).toEqual([-1, -1, 0, 1, 1])
    expect(await read(floats(0, 1, -1).log())).toEqual([Number.NEGATIVE_INFINITY, 0, Number.NaN])
    expect(await read(floats(200, -200).exp())).toEqual([Number.POSITIVE_INFINITY, 0])
  })

  it('raises negative numbers to powers', async () => {
    expect(await read(floats(-2, -2, -3, 0, -1).pow(floats(3, 2, -1, 0, 0.5)))).toEqual([
      -8,
      4,
      Math.fround(-1 / 3),
      1,
      Number.NaN,
    ])
  })

  it('tells NaN and infinity from numbers', async () => {
    const x = floats(1, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY)
    expect(await read(x.equal(x).cast('int32'))).toEqual([1, 0, 1, 1])
    expect(await read(x.maximum(0))).toEqual([1, Number.NaN, Number.POSITIVE_INFINITY, 0])
    expect(await read(x.max().reshape([1]))).toEqual([Number.NaN])
    expect(await read(x.mul(0))).toEqual([0, Number.NaN, Number.NaN, Number.NaN])
    expect(await read(x.argmax().reshape([1]))).toEqual([1])
  })

  it('launches a kernel twice before anything is awaited', async () => {
    const fresh = await open()
    const grow = (n: number): Tensor =>
      tensor(Float32Array.from({ length: n }, (_, i) => i), { backend: fresh }).sqrt() // biome-ignore format: one line
    const [few, many] = [grow(2), grow(5)]
    expect((await read(few)).length).toBe(2)
    const five = await read(many)
    for (const [i, y] of five.entries()) expect(y).toBeCloseTo(Math.sqrt(i), 5)
    fresh.dispose()
  })

  it('does not write over the result of an earlier launch', async () => {
    const [a, b] = [floats(1, 2).neg(), floats(5, 6).neg()]
    const c = a.neg().neg().neg()
    expect([await read(a), await read(b), await read(c)]).toEqual([[-1, -2], [-5, -6], [1, 2]]) // biome-ignore format: one line
  })

  it('computes an operation at every rank, one after the other', async () => {
    for (const shape of [[], [4], [2, 2], [2, 1, 2], [1, 2, 2, 1], [1, 2, 1, 2, 1], [2, 1, 1, 1, 2, 1]]) {
      const x = tensor(
        Float32Array.from({ length: shape.length ? 4 : 1 }, (_, i) => i),
        { shape, backend },
      )
      const y = x
        .permute(shape.map((_, i) => shape.length - 1 - i))
        .add(x.permute(shape.map((_, i) => shape.length - 1 - i)))
      expect(y.shape).toEqual([...shape].reverse())
      expect((await read(y)).reduce((a, b) => a + b, 0)).toBe(shape.length ? 12 : 0)
    }
  })

  it('divides whole numbers exactly, towards zero', async () => {
    const a = [16777215, 16777215, -7, 7, 16777213, 9999999]
    const b = [16777214, 3, 2, -2, 4097, 7]
    expect(await read(wholes(...a).div(wholes(...b)))).toEqual(
      a.map((x, i) => Math.trunc(x / (b[i] as number))),
    )
  })

  it('refuses whole numbers that a float32 cannot hold, where they come in', async () => {
    const beyond = /±16777215/
    expect(() => wholes(2 ** 24)).toThrow(beyond)
    expect(() => apply(ops.full, [], { shape: [1], dtype: 'int32', value: -(2 ** 25) }, backend)).toThrow(
      beyond,
    )
    expect(() =>
      apply(ops.arange, [], { start: 2 ** 24 - 2, step: 1, length: 3, dtype: 'int32' }, backend),
    ).toThrow(BackendError)
    expect(await read(wholes(2 ** 24 - 1, 1 - 2 ** 24))).toEqual([2 ** 24 - 1, 1 - 2 ** 24])
  })

  it('makes an error of whole numbers that a result cannot hold, whatever is done with them', async () => {
    const big = (): Tensor => wholes(5000).mul(5000)
    const results: Record<string, () => Tensor> = {
      product: big,
      sum: () => wholes(2 ** 24 - 1, 1, 1).sum(),
      'the largest': () => big().max(),
      comparison: () => big().less(1),
      choice: () => wholes(1).where(big().equal(1), 0),
      place: () => big().argmax(0),
      remainder: () => big().sub(big()),
      cast: () => floats(1e9).cast('int32'),
      truth: () => big().cast('bool'),
      power: () => wholes(3).pow(wholes(20)),
      running: () => wholes(2 ** 24 - 1, 2).cumsum(0),
    }
    for (const [name, make] of Object.entries(results))
      await expect(read(make()), name).rejects.toThrow(/a whole number is beyond ±16777215/)
    expect(await read(big().cast('float32'))).toEqual([Number.NaN])
    expect(await read(wholes(3).pow(wholes(15)))).toEqual([14348907])
  })

  it('refuses more elements than memory of one piece holds, before anything is launched', () => {
    const before = backend.counts().launched
    const most = backend.info().limits
    const elements = (most.maxElements ?? (most.maxStorageBufferBindingSize as number) / 4) + 1
    expect(() => ones(elements)).toThrow(OutOfMemoryError)
    expect(backend.counts().launched).toBe(before)
  })

  it('names an index that lies outside, once, and then goes on', async () => {
    const table = floats(1, 2, 3)
    const ids = wholes(1, 0).add(wholes(2, 0)) // made on the device: nobody knows its range
    const lost = apply(ops.take, [table, ids], {})
    await expect(read(lost)).rejects.toThrow('take: index 3 is outside 0 to 2')
    expect(await read(apply(ops.take, [table, wholes(2)], {}))).toEqual([3])
  })

  it('compiles ahead, and still names an index that lay outside before', async () => {
    const fresh = await open()
    const table = tensor(Float32Array.of(1, 2, 3), { backend: fresh })
    const one = tensor(Int32Array.of(1), { backend: fresh })
    const pick = (): Tensor => apply(ops.take, [table, one.add(one).add(one)], {})
    const lost = pick()
    await fresh.warmup({ forward: () => [pick(), table.exp()] }, undefined)
    const { compiled } = fresh.counts()
    await expect(read(lost)).rejects.toThrow('take: index 3 is outside 0 to 2')
    expect(await read(table.exp())).toHaveLength(3)
    expect(fresh.counts().compiled).toBe(compiled)
    fresh.dispose()
  })

  it('uses memory again: steps of training leave it as it was', async () => {
    const weight = floats(0.1, 0.2, 0.3, 0.4).reshape([2, 2])
    const step = (): void =>
      scope(() => {
        const w = weight.detach()
        w.requiresGrad = true
        softmax(ones(3, 2).matmul(w)).log().sum().backward()
        w.grad?.release('after the step')
      })
    for (let i = 0; i < 5; i++) step()
    await backend.sync()
    const before = backend.memory()
    for (let i = 0; i < 100; i++) step()
    await backend.sync()
    const { count, reserved } = backend.memory()
    expect(reserved).toBe(before.reserved)
    expect(count).toBeLessThanOrEqual(before.count)
  })

  it('says that a backend was disposed', async () => {
    const gone = await open()
    gone.dispose()
    expect(() => tensor(Float32Array.of(1), { backend: gone })).toThrow(/disposed/)
  })

  it('refuses float64, naming the mode', () => {
    expect(() => tensor(Float64Array.of(1), { backend })).toThrow(/float64 does not exist on Web(GL2|GPU)/)
  })
})

describe('contexts of WebGL2', () => {
  it('are one for all backends of a page', async () => {
    const first = await webgl2()
    const x = tensor(Float32Array.of(1, 2, 3), { backend: first })
    const others = await Promise.all(Array.from({ length: 20 }, () => webgl2()))
    for (const backend of others) {
      const y = tensor(Float32Array.of(4), { backend }).neg()
      expect([...(await y.data())]).toEqual([-4])
    }
    for (const backend of others) backend.dispose()
    expect([...(await x.neg().data())]).toEqual([-1, -2, -3])
    first.dispose()
  })

  it('that are lost make a typed error, and a new backend works', async () => {
    const backend = await webgl2()
    const x = tensor(Float32Array.of(1, 2), { backend })
    const { gl } = enter(true)
    gl.getExtension('WEBGL_lose_context')?.loseContext()
    expect(() => x.neg()).toThrow(DeviceLostError)
    await expect(x.data()).rejects.toThrow(/make a new backend/)
    leave(gl)
    backend.dispose()
    const next = await webgl2()
    expect([...(await tensor(Float32Array.of(1), { backend: next }).neg().data())]).toEqual([-1])
    next.dispose()
  })
})

describe('the text of kernels', () => {
  const check = (body: string): void => {
    const text = kernelText('trial', { tensors: ['x'], ints: ['n'], body })
    checkIndices('trial', toWgsl(text))
  }

  it('may not hold an index in a float', () => {
    expect(() => check('let i = this.thread.x * n; return x[i];')).toThrow(/holds an index in a float/)
    expect(() => check('return x[this.thread.x * n / 2];')).toThrow(/holds an index in a float/)
    expect(() => check('return x[this.thread.x * n];')).not.toThrow()
  })

  it('runs loops to 2³⁰', () => {
    const text = kernelText('trial', {
      tensors: ['x'],
      ints: ['n'],
      body: 'let s = 0; for (let k = 0; k < n; k++) { s += x[k]; } return s;',
    })
    expect(toWgsl(text)).toMatch(/LOOP_MAX : i32 = 1073741824/)
  })
})
