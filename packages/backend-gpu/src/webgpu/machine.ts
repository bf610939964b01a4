import {
  BackendError,
  ConfigError,
  type DType,
  type Kernel,
  type MemoryReport,
  type Operand,
  outside,
  sizeOf,
  type TensorSpec,
  type TypedArray,
} from '@heed/core-tensor'
import { DeviceLostError, OutOfMemoryError, ShaderError } from '../errors.ts'
import type { GpuCounts } from '../gpu.ts'
import type { WarmupProgress } from '../warmup.ts'
import { MAP_READ, USAGE } from './flags.ts'
import { Pool, Storage } from './pool.ts'
import { FIRST, GROUP, type Program } from './program.ts'
import { type Compiled, Recorder } from './recorder.ts'

/** A tensor as the kernels here see it. */
export type Input = Operand<Storage>

/** Kernels of one family, by operation name. */
export type Family<Name extends string> = Readonly<Record<Name, Kernel<Storage>>>

/** Operations whose kernels report indices that lie outside, by the number they do it with, less 1. */
const FAULT_KINDS = ['gather', 'scatterAdd', 'take', 'scatterRows'] as const
export type FaultKind = (typeof FAULT_KINDS)[number]

/** The number by which a kernel reports an index that lies outside. */
export function faultNumber(kind: FaultKind): number {
  return FAULT_KINDS.indexOf(kind) + 1
}

/** What an element of a tensor is in a buffer. float32 stays; whole numbers and truth values (0 and 1) are i32. */
export function elementOf(dtype: DType): 'f32' | 'i32' {
  return dtype === 'float32' ? 'f32' : 'i32'
}

/** One device: memory, programs, and the queue of what it shall do. */
export class Machine {
  readonly device: GPUDevice
  /** Whether kernels shall let threads wait for each other where that saves reading: not on the CPU, where it is dear. */
  readonly barriers: boolean
  readonly recorder: Recorder
  readonly #pool: Pool
  readonly #programs = new Map<string, Compiled>()
  /** Programs that the driver does not compile: whoever asks for one is told so each time. */
  readonly #refused = new Map<string, Error>()
  /** Programs of which the device has not said yet whether it compiles them. */
  readonly #judging = new Set<Promise<void>>()
  /** Why nothing works any more. */
  #broken: Error | undefined
  #closed = false
  /** Buffers that were read from, for the next reading. */
  readonly #staging: GPUBuffer[] = []
  /** Programs that were asked for while nothing is launched: see {@link compileAhead}. */
  #planned: Map<string, Program> | undefined
  #uploaded = 0
  #downloaded = 0

  constructor(device: GPUDevice, { barriers, maxBytes }: { barriers: boolean; maxBytes: number }) {
    this.device = device
    this.barriers = barriers
    this.recorder = new Recorder(device)
    this.#pool = new Pool(device, maxBytes, () => {
      this.recorder.flush()
      this.recorder.forget()
    })
    device.addEventListener('uncapturederror', event => {
      event.preventDefault()
      const error = typed((event as GPUUncapturedErrorEvent).error)
      this.#broken ??= error
      if (error instanceof OutOfMemoryError && !this.#closed) this.#pool.trim()
    })
    void device.lost.then(({ reason, message }) => {
      if (this.#closed) return
      this.#broken = new DeviceLostError(
        `gpu: the device was lost (${reason}${message ? `: ${message}` : ''}); make a new backend with await gpu(), and go on from the last checkpoint`,
      )
    })
  }

  /** @throws DeviceLostError, OutOfMemoryError, ShaderError for what has gone wrong on the device since, BackendError after {@link close} */
  check(): void {
    if (this.#closed)
      throw new BackendError('gpu: this backend was disposed; make a new one with await gpu()')
    const broken = this.#broken
    if (!broken) return
    if (!(broken instanceof DeviceLostError)) this.#broken = undefined
    throw broken
  }

  /** A program by name; made and compiled when it is first asked for. @throws ShaderError if it was refused before */
  program(key: string, make: () => Omit<Program, 'name'>): Compiled {
    const refused = this.#refused.get(key)
    if (refused) throw refused
    let compiled = this.#programs.get(key)
    if (!compiled) {
      const made = make()
      const program = { name: key, ...made, params: made.grouped ? [...FIRST, ...made.params] : made.params }
      if (this.#planned) {
        this.#planned.set(key, program)
        return { program } as Compiled // never launched
      }
      this.device.pushErrorScope('validation')
      compiled = this.recorder.compile(program)
      this.#programs.set(key, compiled)
      const judged = this.#whatWentWrong().then(error => {
        this.#judging.delete(judged)
        if (!error) return
        this.#refused.set(key, error)
        if (!(this.#broken instanceof DeviceLostError)) this.#broken = error // the rest follows from it
      })
      this.#judging.add(judged)
    }
    return compiled
  }

  /** Ends an error scope: what the device refused in it. A device that is lost says so elsewhere. */
  #whatWentWrong(): Promise<Error | null> {
    return this.device.popErrorScope().then(
      error => error && typed(error),
      () => null,
    )
  }

  /** How many programs are compiled. */
  get programs(): number {
    return this.#programs.size
  }

  /**
   * Compiles what a run needs without running it: `rehearse` runs it within what it is handed, where nothing is launched and tensors
   * have no memory. @throws ShaderError, and ConfigError if the run reads values
   */
  async compileAhead(
    rehearse: (around: (body: () => void) => void) => void,
    onProgress?: (progress: WarmupProgress) => void,
  ): Promise<void> {
    this.check()
    const planned = new Map<string, Program>()
    rehearse(body => {
      this.#planned = planned
      this.recorder.paused = true
      try {
        body()
      } finally {
        this.#planned = undefined
        this.recorder.paused = false
      }
    })
    const total = planned.size
    let done = 0
    onProgress?.({ done, total })
    const compile = async ([key, program]: readonly [string, Program]): Promise<void> => {
      const compiled = await this.recorder.compileAsync(program).catch((error: Error) => {
        this.check()
        throw new ShaderError(
          `gpu: the driver refuses the shader ${key} (${error.message}); report it with gpu.info()`,
        )
      })
      if (!this.#programs.has(key)) this.#programs.set(key, compiled)
      onProgress?.({ done: ++done, total })
    }
    await Promise.all([...planned].map(compile))
    this.check()
  }

  /** Carries something out even within {@link compileAhead}. */
  really<T>(body: () => T): T {
    const planned = this.#planned
    this.#planned = undefined
    this.recorder.paused = false
    try {
      return body()
    } finally {
      this.#planned = planned
      this.recorder.paused = planned !== undefined
    }
  }

  /** Room for a tensor, whatever it holds. */
  output({ shape }: TensorSpec): Storage {
    this.check()
    const bytes = 4 * sizeOf(shape)
    return this.#planned ? new Storage(undefined, bytes) : this.#pool.take(bytes)
  }

  outputs(specs: readonly TensorSpec[]): Storage[] {
    const made: Storage[] = []
    try {
      for (const spec of specs) made.push(this.output(spec))
    } catch (error) {
      for (const storage of made) this.free(storage)
      throw error
    }
    return made
  }

  /** Room for numbers that only the kernels recorded by the body use. */
  scratch<T>(lengths: readonly number[], body: (...rooms: Storage[]) => T): T {
    const rooms = this.outputs(lengths.map(length => ({ shape: [length], dtype: 'float32' })))
    try {
      return body(...rooms)
    } finally {
      for (const room of rooms) this.free(room)
    }
  }

  free(storage: Storage): void {
    if (!this.#closed && !storage.planned) this.#pool.give(storage)
  }

  /** Records a program that runs a thread for each of `n` elements; `n` is its first parameter. */
  each(compiled: Compiled, n: number, values: readonly number[], buffers: readonly Storage[]): void {
    if (n === 0) return
    const groups = Math.ceil(n / (compiled.program.group ?? GROUP))
    this.recorder.launch(compiled, [n, ...values], buffers, spread(groups))
  }

  /** Records a program that works in groups; in several launches where one has no room for all along an axis. */
  grouped(
    compiled: Compiled,
    groups: readonly [number, number, number],
    values: readonly number[],
    buffers: readonly Storage[],
  ): void {
    const [wide, high, deep] = groups
    const part = (all: number, first: number): number => Math.min(GROUPS, all - first)
    for (let z = 0; z < deep; z += GROUPS)
      for (let y = 0; y < high; y += GROUPS)
        for (let x = 0; x < wide; x += GROUPS) {
          const here = [part(wide, x), part(high, y), part(deep, z)] as const
          this.recorder.launch(compiled, [x, y, z, ...values], buffers, here)
        }
  }

  /** A tensor of the given numbers. */
  write(data: TypedArray, spec: TensorSpec): Storage {
    const storage = this.really(() => this.output(spec)) // core keeps constants
    if (data.length === 0) return storage
    const words = data instanceof Uint8Array ? Int32Array.from(data) : data
    // The queue writes at once: before that, what is recorded must run, since it may read the buffer as it was.
    this.recorder.flush()
    this.#uploaded += words.byteLength
    this.device.queue.writeBuffer(
      storage.buffer,
      0,
      words.buffer as ArrayBuffer,
      words.byteOffset,
      words.byteLength,
    )
    return storage
  }

  /** The numbers of a row-major tensor, once they are computed. */
  async read({ storage, shape, dtype, offset }: Input): Promise<TypedArray> {
    this.check()
    if (storage.planned)
      throw new ConfigError(
        'warmup: the model reads values (data(), item()), which are not computed while it is compiled; warm up the part of it that does not',
      )
    const bytes = 4 * sizeOf(shape)
    this.#downloaded += bytes
    const staging = this.#stage(bytes + 16)
    this.device.pushErrorScope('validation')
    this.recorder.copyOut(storage.buffer, 4 * offset, staging, bytes)
    const submitted = this.#whatWentWrong()
    let wrong: Error | null
    try {
      ;[wrong] = await Promise.all([submitted, staging.mapAsync(MAP_READ, 0, bytes + 16)])
    } catch (error) {
      await Promise.race([this.device.lost, new Promise(resolve => setTimeout(resolve, 50))])
      this.check()
      throw new DeviceLostError(`gpu: reading failed (${String(error)}); make a new backend with await gpu()`)
    }
    const copy = staging.getMappedRange(0, bytes + 16).slice(0)
    staging.unmap()
    this.#unstage(staging)
    await Promise.all(this.#judging)
    this.check()
    if (wrong) throw wrong // nothing was copied: what stands there is an earlier reading's
    const [kind, index, length] = new Int32Array(copy, bytes, 3) as unknown as [number, number, number]
    if (kind) throw outside(FAULT_KINDS[kind - 1] as string, index, length)
    if (dtype === 'float32') return new Float32Array(copy.slice(0, bytes))
    const whole = new Int32Array(copy.slice(0, bytes))
    return dtype === 'bool' ? Uint8Array.from(whole) : whole
  }

  /** Waits until the device has done everything recorded. */
  async sync(): Promise<void> {
    this.recorder.flush()
    await this.device.queue.onSubmittedWorkDone()
    await Promise.all(this.#judging)
    this.check()
  }

  #stage(bytes: number): GPUBuffer {
    const at = this.#staging.findIndex(buffer => buffer.size >= bytes && buffer.size <= 4 * bytes + 65536)
    if (at >= 0) return this.#staging.splice(at, 1)[0] as GPUBuffer
    const size = Math.max(4096, 2 ** Math.ceil(Math.log2(bytes)))
    return this.device.createBuffer({ size, usage: USAGE.mapRead | USAGE.copyTarget })
  }

  #unstage(buffer: GPUBuffer): void {
    if (this.#closed || this.#staging.length >= 4 || buffer.size > 2 ** 24) buffer.destroy()
    else this.#staging.push(buffer)
  }

  memory(): MemoryReport {
    return this.#pool.report()
  }

  counts(): GpuCounts {
    const { launched, submitted } = this.recorder
    return {
      compiled: this.#programs.size,
      launched,
      submitted,
      uploaded: this.#uploaded,
      downloaded: this.#downloaded,
    }
  }

  close(): void {
    if (this.#closed) return
    this.recorder.close()
    this.#closed = true
    this.device.destroy()
  }
}

/** The most groups of a launch along one axis that every device allows. */
const GROUPS = 65535

/** Groups along two axes, where one axis has no room for all. */
function spread(groups: number): readonly [number, number, number] {
  if (groups <= GROUPS) return [groups, 1, 1]
  const rows = Math.ceil(groups / GROUPS)
  return [Math.ceil(groups / rows), rows, 1]
}

function typed(error: GPUError): Error {
  const { message } = error
  if (error.constructor.name === 'GPUOutOfMemoryError')
    return new OutOfMemoryError(
      `gpu: the device is out of memory (${message}); run each step in scope(), or use smaller batches`,
    )
  if (/WGSL|shader|pipeline/i.test(message))
    return new ShaderError(`gpu: the driver refuses a shader (${message}); report it with gpu.info()`)
  return new BackendError(`gpu: the device refuses a command (${message}); report it with gpu.info()`)
}
