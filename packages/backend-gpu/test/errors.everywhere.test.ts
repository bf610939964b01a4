import { arange, Parameter, scope, type Tensor, tensor } from '@heed/core-tensor'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { findDevice } from '../src/adapter/find.ts'
import {
  DeviceLostError,
  type GpuBackend,
  GpuUnavailableError,
  gpu,
  OutOfMemoryError,
  ShaderError,
} from '../src/index.ts'
import { Machine } from '../src/webgpu/machine.ts'
import { openWebgpu } from '../src/webgpu/open.ts'
import { node, open } from './open.ts'

const settings = { barriers: false, maxBytes: Number.POSITIVE_INFINITY }

/** A backend, and its device to do harm to. */
async function opened(): Promise<{ backend: GpuBackend; device: GPUDevice }> {
  ;(await open()).dispose() // finds the driver
  const { device, info } = await findDevice(true)
  return { device, backend: await openWebgpu(device, { ...info, kernels: 'native' }, settings) }
}

const refused = (wish: Promise<unknown>): Promise<Error> =>
  wish.then(
    () => new Error('it was not refused'),
    (error: Error) => error,
  )

afterEach(() => vi.unstubAllGlobals())

describe('where there is no GPU', () => {
  it('an adapter that computes on the CPU is taken only when asked for', async () => {
    ;(await open()).dispose()
    const error = await refused(gpu({ mode: 'webgpu' }))
    expect(error).toBeInstanceOf(GpuUnavailableError)
    expect(error.message).toMatch(/computes on the CPU; pass \{ software: true \}/)
    expect(error.message).toContain('@heed/backend-cpu')
  })

  it('an adapter that does not answer is an error that names the way out, not the CPU', async () => {
    vi.stubGlobal('navigator', { gpu: { requestAdapter: async () => null } })
    const error = await refused(gpu({ mode: 'webgpu', software: true }))
    expect(error).toBeInstanceOf(GpuUnavailableError)
    expect(error.message).toMatch(/no adapter answers; .* use await cpu\(\)/)
  })

  if (node)
    it('auto gives both reasons', async () => {
      vi.stubGlobal('navigator', { gpu: { requestAdapter: async () => null } })
      const error = await refused(gpu())
      expect(error).toBeInstanceOf(GpuUnavailableError)
      expect(error.message).toMatch(/no adapter answers[\s\S]*WebGL2/)
    })

  it('a device that is refused is an error of the same kind', async () => {
    const requestDevice = async (): Promise<never> => {
      throw new Error('too many devices')
    }
    const adapter = { info: { vendor: 'acme' }, limits: {}, requestDevice }
    vi.stubGlobal('navigator', { gpu: { requestAdapter: async () => adapter } })
    const error = await refused(gpu({ mode: 'webgpu' }))
    expect(error).toBeInstanceOf(GpuUnavailableError)
    expect(error.message).toContain('acme gives no device (too many devices)')
  })

  it('modes and kernels that do not exist are refused', async () => {
    expect((await refused(gpu({ mode: 'cuda' as 'auto' }))).message).toBe(
      "gpu: mode is cuda; use 'auto', 'webgpu' or 'webgl2'",
    )
    expect((await refused(gpu({ kernels: 'fast' as 'native' }))).message).toContain('kernels is fast')
  })
})

describe('float64', () => {
  it('is refused with the way out', async () => {
    const backend = await open()
    const make = (): Tensor => tensor(Float64Array.of(1), { backend })
    expect(make).toThrow("float64 does not exist on WebGPU; use x.cast('float32'), or @heed/backend-cpu")
    backend.dispose()
  })
})

describe('a device that is lost', () => {
  it('makes every operation and every reading a DeviceLostError, at once and later', async () => {
    const { backend, device } = await opened()
    const x = arange(0, 4, 1, { backend })
    const reading = refused(x.add(1).data())
    device.destroy()
    const early = await reading
    if (early.message !== 'it was not refused') expect(early).toBeInstanceOf(DeviceLostError)
    await device.lost
    expect(() => x.add(1)).toThrow(DeviceLostError)
    expect(await refused(x.data())).toBeInstanceOf(DeviceLostError)
    const error = await refused(backend.sync())
    expect(error).toBeInstanceOf(DeviceLostError)
    expect(error.message).toMatch(/make a new backend with await gpu\(\), and go on from the last checkpoint/)
    backend.dispose()
  })

  it('lets training go on from the last checkpoint, to the same numbers', async () => {
    const straight = await train([await opened()], 20)
    const broken = await train([await opened(), await opened()], 20, 13)
    expect(broken.losses).toEqual([...straight.losses.slice(0, 13), ...straight.losses.slice(10)])
    expect(broken.weights).toEqual(straight.weights)
  })
})

/** Descent on a parabola; every fifth step is a checkpoint, and before step `fatal` the device goes away. */
async function train(
  devices: { backend: GpuBackend; device: GPUDevice }[],
  steps: number,
  fatal = -1,
): Promise<{ losses: number[]; weights: number[] }> {
  const losses: number[] = []
  let checkpoint = { step: 0, weights: Float32Array.of(3, -2, 1) }
  for (const { backend, device } of devices) {
    const w = new Parameter(tensor(checkpoint.weights, { backend }))
    try {
      for (let step = checkpoint.step; step < steps; step++) {
        if (step % 5 === 0) checkpoint = { step, weights: (await w.data()) as Float32Array<ArrayBuffer> }
        if (step === fatal) {
          device.destroy()
          fatal = -1
        }
        await scope(async () => {
          const loss = w.mul(w).sum()
          loss.backward()
          w.assign(w.detach().sub((w.grad as Tensor).mul(0.1)))
          w.zeroGrad()
          losses.push(await loss.item())
        })
      }
      const weights = [...(await w.data())]
      for (const one of devices) one.backend.dispose()
      return { losses, weights }
    } catch (error) {
      if (!(error instanceof DeviceLostError)) throw error
    }
  }
  throw new Error('every device was lost')
}

describe('memory', () => {
  it('that runs out says what holds it, and goes on once it is freed', async () => {
    const backend = await open({ maxBytes: 2 ** 20 })
    const held: Tensor[] = []
    const fill = (): void => {
      for (let i = 0; i < 100; i++) held.push(arange(0, 2 ** 14, 1, { backend }))
    }
    expect(fill).toThrow(OutOfMemoryError)
    expect(fill).toThrow(/16 tensors hold 1\.0 MB of 1\.0 MB; run each step in scope\(\)/)
    for (const x of held) x.release('by the test')
    expect((await arange(0, 2 ** 17, 1, { backend }).data())[131071]).toBe(131071)
    backend.dispose()
  })

  it('of one tensor beyond the adapter is refused before anything is asked of it', async () => {
    const backend = await open()
    const { maxBufferSize = 0, maxStorageBufferBindingSize = 0 } = backend.info().limits
    const n = Math.min(maxBufferSize, maxStorageBufferBindingSize) / 4 + 1
    expect(() => arange(0, n, 1, { backend })).toThrow(/the adapter's buffers hold .*; split it/)
    backend.dispose()
  })

  if (!node)
    it('that the device itself lacks is an OutOfMemoryError at the next operation', async () => {
      const { backend, device } = await opened()
      const error = new GPUOutOfMemoryError('no room')
      device.dispatchEvent(new GPUUncapturedErrorEvent('uncapturederror', { error }))
      expect(() => arange(0, 4, 1, { backend })).toThrow(OutOfMemoryError)
      expect(await arange(0, 2, 1, { backend }).data()).toEqual(Int32Array.of(0, 1)) // and that was all
      backend.dispose()
    })
})

describe('a shader that the driver refuses', () => {
  const broken = {
    params: [['n', 'u32']],
    reads: {},
    writes: { y: 'f32' },
    body: 'y[i] = nonsense;',
  } as const

  it('is a ShaderError that names it', async () => {
    ;(await open()).dispose()
    const machine = new Machine((await findDevice(true)).device, settings)
    const room = machine.output({ shape: [4], dtype: 'float32' })
    machine.each(
      machine.program('broken one', () => broken),
      4,
      [],
      [room],
    )
    const error = await refused(machine.sync())
    expect(error).toBeInstanceOf(ShaderError)
    expect(error.message).toMatch(/nonsense/)
    expect(error.message).toContain('gpu.info()')
    machine.close()
  })

  it('is what the next reading says, and whoever asks for it again', async () => {
    const machine = new Machine((await findDevice(true)).device, settings)
    const spec = { shape: [64], dtype: 'float32', strides: [1], offset: 0 } as const
    const ones = machine.write(new Float32Array(64).fill(1), spec)
    expect((await machine.read({ ...spec, storage: ones }))[63]).toBe(1) // its buffer is used again below
    const room = machine.output({ shape: [4], dtype: 'float32' })
    const ask = (): void =>
      machine.each(
        machine.program('broken three', () => broken),
        4,
        [],
        [room],
      )
    ask()
    expect(await refused(machine.read({ ...spec, shape: [4], storage: room }))).toBeInstanceOf(ShaderError)
    expect(ask).toThrow(/refuses a shader[\s\S]*nonsense/)
    expect((await machine.read({ ...spec, storage: ones }))[63]).toBe(1) // and that was all
    machine.close()
  })

  it('is one too where it is compiled ahead', async () => {
    const machine = new Machine((await findDevice(true)).device, settings)
    const ahead = machine.compileAhead(around => around(() => machine.program('broken two', () => broken)))
    expect(await refused(ahead)).toBeInstanceOf(ShaderError)
    machine.close()
  })
})

describe('a backend that was disposed', () => {
  it('says so, and frees what is freed afterwards without a word', async () => {
    const backend = await open()
    const x = arange(0, 4, 1, { backend })
    backend.dispose()
    backend.dispose()
    expect(() => x.add(1)).toThrow(/this backend was disposed; make a new one/)
    expect((await refused(x.data())).message).toMatch(/was disposed/)
    expect(() => x.release('by the test')).not.toThrow()
  })
})
