import { toWgsl } from '../adapter/gpujs.ts'
import type { Machine } from '../webgpu/machine.ts'
import type { Storage } from '../webgpu/pool.ts'
import { GROUP, type Param } from '../webgpu/program.ts'
import type { Driver } from './driver.ts'
import type { KernelText } from './text.ts'

/**
 * gpu.js's kernels on WebGPU: gpu.js translates them, and the recorder of the other kernels launches them, with their buffers, many in
 * one submission. So nothing waits for a first call, and none races with the next.
 */
export class WgslDriver implements Driver<Storage> {
  readonly mode = 'webgpu'
  readonly maxElements: number
  readonly #machine: Machine

  constructor(machine: Machine) {
    this.#machine = machine
    const { maxBufferSize, maxStorageBufferBindingSize } = machine.device.limits
    this.maxElements = Math.min(
      2 ** 31 - 1,
      Math.floor(Math.min(maxBufferSize, maxStorageBufferBindingSize) / 4),
    )
  }

  get compiled(): number {
    return this.#machine.programs
  }

  get launched(): number {
    return this.#machine.recorder.launched
  }

  take(elements: number): Storage {
    return this.#machine.output({ shape: [elements], dtype: 'float32' })
  }

  run(
    kernel: KernelText,
    elements: number,
    output: Storage,
    tensors: readonly Storage[],
    numbers: readonly number[],
  ): void {
    if (elements === 0) return
    const compiled = this.#machine.program(`gpu.js ${kernel.name}`, () => ({
      params: paramsOf(kernel),
      reads: Object.fromEntries(kernel.tensors.map(name => [name, 'f32'])),
      writes: { result: 'f32' },
      body: '',
      text: toWgsl(kernel),
    }))
    const groups = Math.ceil(elements / GROUP)
    const rows = Math.ceil(groups / 65535)
    const wide = Math.ceil(groups / rows)
    const lengths = tensors.flatMap(({ bytes }) => [bytes / 4, 1, 1, bytes / 4])
    this.#machine.recorder.launch(
      compiled,
      [elements, 1, 1, wide * GROUP, ...lengths, ...numbers],
      [...tensors, output],
      [wide, rows, 1],
    )
  }

  write(data: Float32Array): Storage {
    return this.#machine.write(data, { shape: [data.length], dtype: 'float32' })
  }

  async read(storage: Storage, start: number, elements: number): Promise<Float32Array> {
    const data = await this.#machine.read({
      storage,
      shape: [elements],
      strides: [1],
      dtype: 'float32',
      offset: start,
    })
    return data as Float32Array
  }

  free(storage: Storage): void {
    this.#machine.free(storage)
  }

  planned(storage: Storage): boolean {
    return storage.planned
  }

  sync(): Promise<void> {
    return this.#machine.sync()
  }

  memory(): ReturnType<Machine['memory']> {
    return this.#machine.memory()
  }

  close(): void {
    this.#machine.close()
  }
}

/** What gpu.js's shaders are told, in its order: 64 threads a group, one for each element. */
function paramsOf({ tensors, ints, floats }: KernelText): Param[] {
  const lengths = (name: string): Param[] => ['x', 'y', 'z', 'all'].map(axis => [`${name}_${axis}`, 'u32'])
  return [
    ...lengths('output'),
    ...tensors.flatMap(lengths),
    ...ints.map((name): Param => [name, 'i32']),
    ...floats.map((name): Param => [name, 'f32']),
  ]
}
