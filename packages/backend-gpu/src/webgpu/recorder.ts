import { COMPUTE, USAGE } from './flags.ts'
import type { Storage } from './pool.ts'
import { type Param, type Program, wgsl } from './program.ts'

/** A program that the device has compiled. */
export interface Compiled {
  readonly program: Program
  readonly pipeline: GPUComputePipeline
  readonly layout: GPUBindGroupLayout
  /** What distinguishes the layout. */
  readonly key: string
}

/** Parameters of one launch begin at multiples of this. */
const ALIGNMENT = 256
/** Launches in one submission: many enough that a submission costs little, few enough that the device starts early. */
const LAUNCHES = 128
const ROOM = 2 * LAUNCHES * ALIGNMENT
/** So many bindings are kept. */
const GROUPS = 4096

/**
 * Collects launches and hands them to the device's queue together: one submission costs about as much as a small kernel.
 * Whatever is recorded runs in order.
 */
export class Recorder {
  readonly #device: GPUDevice
  readonly #ring: GPUBuffer
  readonly #bytes = new ArrayBuffer(ROOM)
  readonly #floats = new Float32Array(this.#bytes)
  readonly #ints = new Int32Array(this.#bytes)
  readonly #words = new Uint32Array(this.#bytes)
  readonly #layouts = new Map<string, GPUBindGroupLayout>()
  /** Bindings by layout and buffers: steps of training use the same buffers again and again. */
  readonly #groups = new Map<string, GPUBindGroup>()
  /** Where kernels report an index that lies outside: kind, index, length. */
  readonly faults: GPUBuffer
  #encoder: GPUCommandEncoder | undefined
  #pass: GPUComputePassEncoder | undefined
  #used = 0
  #launches = 0
  /** Launches and submissions so far. */
  launched = 0
  submitted = 0
  /** Whether launches are left out: nothing is computed then. */
  paused = false
  #closed = false

  constructor(device: GPUDevice) {
    this.#device = device
    this.#ring = device.createBuffer({ size: ROOM, usage: USAGE.uniform | USAGE.copyTarget })
    this.faults = device.createBuffer({
      size: 16,
      usage: USAGE.storage | USAGE.copySource | USAGE.copyTarget,
    })
  }

  compile(program: Program): Compiled {
    const { descriptor, ...made } = this.#described(program)
    return { program, pipeline: this.#device.createComputePipeline(descriptor), ...made }
  }

  /** The same without holding up what else the device has to do. */
  async compileAsync(program: Program): Promise<Compiled> {
    const { descriptor, ...made } = this.#described(program)
    return { program, pipeline: await this.#device.createComputePipelineAsync(descriptor), ...made }
  }

  #described(
    program: Program,
  ): Pick<Compiled, 'layout' | 'key'> & { descriptor: GPUComputePipelineDescriptor } {
    const label = program.name
    const { layout, key } = this.#layoutOf(program)
    const module = this.#device.createShaderModule({ label, code: wgsl(program) })
    const pipelineLayout = this.#device.createPipelineLayout({ bindGroupLayouts: [layout] })
    const descriptor = { label, layout: pipelineLayout, compute: { module, entryPoint: 'main' } }
    return { layout, key, descriptor }
  }

  #layoutOf({ params, reads, writes, faults }: Program): Pick<Compiled, 'layout' | 'key'> {
    const inputs = Object.keys(reads).length
    const outputs = Object.keys(writes).length
    const key = `${roomFor(params)} ${inputs} ${outputs}${faults ? ' faults' : ''}`
    let layout = this.#layouts.get(key)
    if (!layout) {
      const entry = (binding: number, type: GPUBufferBindingType): GPUBindGroupLayoutEntry => ({
        binding,
        visibility: COMPUTE,
        buffer: { type, hasDynamicOffset: binding === 0 },
      })
      layout = this.#device.createBindGroupLayout({
        entries: [
          entry(0, 'uniform'),
          ...Array.from({ length: inputs }, (_, i) => entry(i + 1, 'read-only-storage')),
          ...Array.from({ length: outputs + (faults ? 1 : 0) }, (_, i) => entry(inputs + i + 1, 'storage')),
        ],
      })
      this.#layouts.set(key, layout)
    }
    return { layout, key }
  }

  /** Records one launch: the parameters' values and the buffers, each in the program's order. */
  launch(
    compiled: Compiled,
    values: readonly number[],
    buffers: readonly Storage[],
    groups: readonly [number, number, number],
  ): void {
    if (this.paused) return
    const { params } = compiled.program
    const room = roomFor(params)
    if (this.#used + room > ROOM || this.#launches >= LAUNCHES) this.flush()
    const offset = this.#used
    this.#used += room
    this.#write(params, values, offset / 4)
    const pass = this.#open()
    pass.setPipeline(compiled.pipeline)
    pass.setBindGroup(0, this.#bound(compiled, buffers, room), [offset])
    pass.dispatchWorkgroups(...groups)
    this.#launches++
    this.launched++
  }

  #bound({ program, layout, key }: Compiled, buffers: readonly Storage[], room: number): GPUBindGroup {
    const name = `${key}:${buffers.map(({ id }) => id).join()}`
    const known = this.#groups.get(name)
    if (known) return known
    const entries: GPUBindGroupEntry[] = [{ binding: 0, resource: { buffer: this.#ring, size: room } }]
    for (const { buffer } of buffers) entries.push({ binding: entries.length, resource: { buffer } })
    if (program.faults) entries.push({ binding: entries.length, resource: { buffer: this.faults } })
    const group = this.#device.createBindGroup({ layout, entries })
    if (this.#groups.size >= GROUPS) this.#groups.clear()
    this.#groups.set(name, group)
    return group
  }

  /** Forgets all bindings: before buffers are destroyed. */
  forget(): void {
    this.#groups.clear()
  }

  #write(params: readonly Param[], values: readonly number[], at: number): void {
    if (values.length !== params.length)
      throw new Error(
        `internal: ${values.length} values for parameters ${params.map(([name]) => name).join(' ')}`,
      )
    for (const [i, [, type]] of params.entries()) {
      const view = type === 'f32' ? this.#floats : type === 'i32' ? this.#ints : this.#words
      view[at + i] = values[i] as number
    }
  }

  #open(): GPUComputePassEncoder {
    if (!this.#pass) {
      if (!this.#encoder) {
        this.#encoder = this.#device.createCommandEncoder()
        queueMicrotask(() => this.flush())
      }
      this.#pass = this.#encoder.beginComputePass()
    }
    return this.#pass
  }

  /** Records a copy from a tensor's buffer; the queue gets everything up to here. */
  copyOut(from: GPUBuffer, start: number, to: GPUBuffer, bytes: number): void {
    this.#open()
    this.#pass?.end()
    this.#pass = undefined
    const encoder = this.#encoder as GPUCommandEncoder
    if (bytes > 0) encoder.copyBufferToBuffer(from, start, to, 0, bytes)
    encoder.copyBufferToBuffer(this.faults, 0, to, bytes, 16)
    encoder.clearBuffer(this.faults)
    this.flush()
  }

  /** Hands everything recorded to the queue. */
  flush(): void {
    if (!this.#encoder || this.#closed) return
    this.#pass?.end()
    if (this.#used) this.#device.queue.writeBuffer(this.#ring, 0, this.#bytes, 0, this.#used)
    this.#device.queue.submit([this.#encoder.finish()])
    this.submitted++
    this.#encoder = undefined
    this.#pass = undefined
    this.#used = 0
    this.#launches = 0
  }

  close(): void {
    this.flush()
    this.#closed = true
    this.#ring.destroy()
    this.faults.destroy()
  }
}

/** The bytes that a launch's parameters take in the ring. */
function roomFor(params: readonly Param[]): number {
  return Math.ceil(Math.max(1, params.length) / (ALIGNMENT / 4)) * ALIGNMENT
}
