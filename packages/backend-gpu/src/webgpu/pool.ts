import { MemoryError, type MemoryReport } from '@heed/core-tensor'
import { bytesText, OutOfMemoryError } from '../errors.ts'
import { USAGE } from './flags.ts'

/** A buffer of the device that holds a tensor. */
export class Storage {
  readonly #buffer: GPUBuffer | undefined
  /** The buffer's length. */
  readonly bytes: number
  /** The buffer's own number on its device. */
  readonly id: number
  freed = false

  /** @param buffer none for a tensor that is never computed */
  constructor(buffer: GPUBuffer | undefined, bytes: number, id = -1) {
    this.#buffer = buffer
    this.bytes = bytes
    this.id = id
  }

  /** Whether there is no memory behind it: made while kernels were compiled ahead. */
  get planned(): boolean {
    return this.#buffer === undefined
  }

  get buffer(): GPUBuffer {
    if (!this.#buffer)
      throw new MemoryError('gpu: this tensor was made during warmup() and has no values; make it again')
    return this.#buffer
  }
}

/** Lengths come in steps of a quarter, so that a buffer fits many tensors and wastes a fifth of itself at most. */
export function capacity(bytes: number): number {
  if (bytes <= 256) return 256
  const step = 2 ** (Math.floor(Math.log2(bytes - 1)) - 2)
  return Math.ceil(bytes / step) * step
}

/** So many bytes more than twice what tensors need at once may be kept for reuse. */
const SPARE = 64 * 2 ** 20

/**
 * Buffers of one device, used again once they are freed. Everything that is recorded runs in the order of recording, so a buffer
 * may be handed out again while what was recorded for its last tensor still waits.
 */
export class Pool {
  readonly #device: GPUDevice
  readonly #limit: number
  readonly #largest: number
  readonly #free = new Map<number, Storage[]>()
  #bytes = 0
  #count = 0
  #reserved = 0
  #idle = 0
  #made = 0
  /** The most bytes that held tensors at once since buffers were last given back. */
  #peak = 0
  readonly #settle: () => void

  /**
   * @param limit the most bytes to take from the device
   * @param settle hands everything recorded to the device: what it needs may then be destroyed
   */
  constructor(device: GPUDevice, limit: number, settle: () => void) {
    this.#device = device
    this.#limit = limit
    this.#settle = settle
    this.#largest = Math.min(device.limits.maxBufferSize, device.limits.maxStorageBufferBindingSize)
  }

  /** A buffer of that many bytes at least, whatever it holds. @throws OutOfMemoryError */
  take(bytes: number): Storage {
    const length = Math.min(capacity(bytes), Math.max(this.#largest, bytes))
    if (length > this.#largest)
      throw new OutOfMemoryError(
        `gpu: one tensor of ${bytesText(bytes)}, the adapter's buffers hold ${bytesText(this.#largest)}; split it, or use smaller batches`,
      )
    const again = this.#free.get(length)?.pop()
    if (again) this.#idle -= length
    const storage = again
      ? new Storage(again.buffer, length, again.id)
      : new Storage(this.#create(length), length, this.#made++)
    this.#bytes += length
    this.#peak = Math.max(this.#peak, this.#bytes)
    this.#count++
    return storage
  }

  #create(length: number): GPUBuffer {
    // Steps of changing lengths leave buffers of many sizes behind.
    const plenty = 2 * this.#peak + SPARE
    if (this.#reserved + length > Math.min(this.#limit, plenty)) this.trim()
    if (this.#reserved + length > this.#limit)
      throw new OutOfMemoryError(
        `gpu: out of memory, ${bytesText(length)} more were asked for while ${this.#count} tensors hold ${bytesText(this.#bytes)} of ${bytesText(this.#limit)}; run each step in scope(), which frees what the step made, or use smaller batches`,
      )
    this.#reserved += length
    return this.#device.createBuffer({
      size: length,
      usage: USAGE.storage | USAGE.copySource | USAGE.copyTarget,
    })
  }

  /** Takes a buffer back, to be used again. */
  give(storage: Storage): void {
    if (storage.freed) throw new Error('internal: freed twice')
    storage.freed = true
    const { bytes } = storage
    this.#bytes -= bytes
    this.#count--
    this.#idle += bytes
    const same = this.#free.get(bytes)
    if (same) same.push(storage)
    else this.#free.set(bytes, [storage])
  }

  /** Gives every buffer that holds no tensor back to the device. */
  trim(): void {
    this.#settle()
    for (const idle of this.#free.values()) for (const { buffer } of idle) buffer.destroy()
    this.#free.clear()
    this.#reserved -= this.#idle
    this.#idle = 0
    this.#peak = this.#bytes
  }

  report(): MemoryReport {
    return { bytes: this.#bytes, count: this.#count, reserved: this.#reserved }
  }
}
