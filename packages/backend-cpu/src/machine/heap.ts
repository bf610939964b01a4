import {
  BackendError,
  bytesPerElement,
  type DType,
  MemoryError,
  type MemoryReport,
  type Operand,
  type TensorSpec,
  type TypedArray,
} from '@heed/core-tensor'
import { capacity, Pool } from './pool.ts'

/** A piece of the heap. It begins at a multiple of 64 and is a multiple of 64 bytes long, whatever its tensors need. */
interface Room {
  readonly bytes: number
  /** How many of them, from the first on, belong to tensors: those never change again. */
  used: number
  /** How many storages look at it. */
  holders: number
}

/** Where a tensor's elements are: a room of its own, or one that it shares with what it was appended to. */
export class Storage {
  /** In bytes; 0 once it is freed. */
  pointer: number
  readonly room: Room
  /** How often a few rows were multiplied by the matrix in it. */
  rowProducts = 0
  /** That matrix as such products like it best, once they were several; freed with this. */
  packed: Packed | undefined

  constructor(pointer: number, room: Room) {
    this.pointer = pointer
    this.room = room
  }
}

/** A matrix packed as assembly/gemv.as takes it. */
export interface Packed {
  readonly storage: Storage
  /** Which matrix: its first byte, bytes from column to column, columns and rows. */
  readonly of: readonly [first: number, step: number, n: number, k: number]
}

/** A tensor as the kernels here see it. */
export type Input = Operand<Storage>

const WASM_PAGE = 1 << 16
/** The most that 32-bit addresses reach, less the last page: an address plus a vector never wraps around. */
const ADDRESSABLE = 2 ** 32 - WASM_PAGE
/** Never handed out, at the end of memory: kernels may read one vector beyond a tensor. */
const GUARD = 4096
/** Room for work sharing and for the constants of the WebAssembly module, in front of all blocks. */
const RESERVED = 1 << 16

/**
 * All memory of one backend: one shared WebAssembly.Memory, a pool of blocks in it, and views of it by element type.
 *
 * The views are made anew when the memory grows; read them from the heap each time.
 */
export class Heap {
  readonly memory: WebAssembly.Memory
  float32!: Float32Array
  float64!: Float64Array
  int32!: Int32Array
  bool!: Uint8Array
  readonly #pool: Pool
  readonly #limit: number
  #bytes = 0
  #count = 0
  #closed = false
  /** Blocks that only the kernel now running uses. */
  readonly #scratch: Storage[] = []

  /** @param limit the most bytes to take from the system */
  constructor(limit: number = ADDRESSABLE) {
    this.#limit = Math.min(limit, ADDRESSABLE)
    this.memory = reserve(Math.max(2, Math.ceil(this.#limit / WASM_PAGE)))
    this.#pool = new Pool({
      start: RESERVED,
      limit: this.#limit - GUARD,
      grow: end => this.#reach(end + GUARD),
    })
    this.#look()
  }

  /** New memory, whatever it holds. @throws MemoryError where there is no more, BackendError after {@link close} */
  allocate(bytes: number): Storage {
    this.check()
    const pointer = this.#pool.allocate(bytes)
    if (pointer === 0) throw this.#full(bytes)
    const room = { bytes: capacity(bytes), used: bytes, holders: 1 }
    this.#bytes += room.bytes
    this.#count++
    return new Storage(pointer, room)
  }

  /**
   * What is in a storage and `more` bytes behind it, to be written: in the same room, if it has them and nothing was appended
   * yet. Who appends again and again copies only when the room is full.
   */
  extend({ pointer, room }: Storage, more: number): Storage | undefined {
    this.check()
    if (room.used + more > room.bytes) return undefined
    room.used += more
    room.holders++
    this.#count++
    return new Storage(pointer, room)
  }

  /** New memory for what is only convenient: none where it is short. */
  spare(bytes: number): Storage | undefined {
    if (this.#bytes + bytes > this.#limit / 2) return undefined
    try {
      return this.allocate(bytes)
    } catch (error) {
      if (error instanceof MemoryError) return undefined
      throw error
    }
  }

  /** New memory for a tensor. Kernels ask for it last, when nothing else can fail. */
  output({ shape, dtype }: TensorSpec): Storage {
    let bytes = bytesPerElement[dtype]
    for (let axis = 0; axis < shape.length; axis++) bytes *= shape[axis] as number
    return this.allocate(bytes)
  }

  /** New memory for several tensors: for all or for none. */
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

  /** Takes memory back; nothing to do after {@link close}. */
  free(storage: Storage): void {
    if (this.#closed) return
    if (storage.pointer === 0) throw new Error('internal: freed twice')
    if (storage.packed) this.free(storage.packed.storage)
    storage.packed = undefined
    const { room } = storage
    if (--room.holders === 0) {
      this.#pool.free(storage.pointer, room.bytes)
      this.#bytes -= room.bytes
    }
    storage.pointer = 0
    this.#count--
  }

  /** Memory until the kernel now running ends, aligned; 0 for none. */
  scratch(bytes: number): number {
    if (bytes === 0) return 0
    const storage = this.allocate(bytes)
    this.#scratch.push(storage)
    return storage.pointer
  }

  /** Ends the life of scratch memory: after every kernel. */
  clearScratch(): void {
    for (let storage = this.#scratch.pop(); storage; storage = this.#scratch.pop()) this.free(storage)
  }

  /** All memory as elements of a type. */
  view(dtype: DType): TypedArray {
    return this[dtype]
  }

  /** Ends the use of this memory. */
  close(): void {
    this.#closed = true
  }

  /** @throws BackendError after {@link close} */
  check(): void {
    if (this.#closed)
      throw new BackendError('cpu: this backend was disposed; make a new one with await cpu()')
  }

  report(): MemoryReport {
    return { bytes: this.#bytes, count: this.#count, reserved: this.memory.buffer.byteLength }
  }

  /** Grows the memory to that many bytes at least, and by a quarter, so that it seldom happens. */
  #reach(bytes: number): boolean {
    const now = this.memory.buffer.byteLength
    if (bytes <= now) return true
    const generous = Math.min(Math.max(bytes, now + (now >>> 2)), this.#limit)
    const grown = this.#grow(generous - now) || this.#grow(bytes - now)
    if (grown) this.#look()
    return grown
  }

  #grow(bytes: number): boolean {
    try {
      this.memory.grow(Math.ceil(bytes / WASM_PAGE))
      return true
    } catch {
      return false // the system has no more, or the maximum is reached
    }
  }

  #look(): void {
    const { buffer } = this.memory
    this.float32 = new Float32Array(buffer)
    this.float64 = new Float64Array(buffer, 0, Math.floor(buffer.byteLength / 8))
    this.int32 = new Int32Array(buffer)
    this.bool = new Uint8Array(buffer)
  }

  #full(bytes: number): MemoryError {
    return new MemoryError(
      `cpu: out of memory, ${size(bytes)} more were asked for while ${this.#count} tensors hold ${size(this.#bytes)} of ${size(this.#limit)}; run each step in scope(), which frees what the step made, or use smaller batches`,
    )
  }
}

/** The address of a tensor's first element, in bytes. */
export function address(x: Input): number {
  return x.storage.pointer + x.offset * bytesPerElement[x.dtype]
}

/** A memory that can grow to that many pages, or to less where the system has not that many addresses. */
function reserve(pages: number): WebAssembly.Memory {
  for (let maximum = pages; maximum >= Math.min(pages, 256); maximum >>>= 1) {
    try {
      return new WebAssembly.Memory({ initial: 2, maximum, shared: true })
    } catch {
      // too many: half
    }
  }
  throw new BackendError(
    `cpu: the system gives no shared memory of ${size(pages * WASM_PAGE)}; close other programs, or pass a smaller maxBytes`,
  )
}

function size(bytes: number): string {
  if (bytes >= 2 ** 30) return `${(bytes / 2 ** 30).toFixed(1)} GB`
  if (bytes >= 2 ** 20) return `${(bytes / 2 ** 20).toFixed(1)} MB`
  return bytes >= 2 ** 10 ? `${(bytes / 2 ** 10).toFixed(1)} KB` : `${bytes} bytes`
}
