import {
  BackendError,
  type DType,
  type Kernel,
  type Operand,
  outside,
  sizeOf,
  type TensorSpec,
} from '@heed/core-tensor'
import type { Driver } from './driver.ts'
import { type KernelText, kernelText, type Parts } from './text.ts'

/** Memory of a driver: a texture or a buffer. Nothing here looks inside. */
export type Cell = object
export type Input = Operand<Cell>
/** Kernels of one family, by operation name. */
export type Family<Name extends string> = Readonly<Record<Name, Kernel<Cell>>>

/** The largest whole number that is surely exact in a float32: a sum that is 2²⁴ may have been rounded to it. */
export const WHOLE = 16_777_215

/** The smallest and the largest whole number in a tensor. */
export type Range = readonly [low: number, high: number]

/** Whether elements are whole numbers or truth values: then results beyond 2²⁴ become NaN, which is an error when read. */
export function isWhole({ dtype }: { readonly dtype: DType }): boolean {
  return dtype === 'int32' || dtype === 'bool'
}

/** Launches kernels on a driver; knows their texts, the ranges of whole numbers, and the indices that lay outside. */
export class Runner {
  readonly driver: Driver<Cell>
  readonly #texts = new Map<string, KernelText>()
  readonly #ranges = new WeakMap<Cell, Range>()
  /** The first index that lay outside: operation (1 …, 0 for none), index, length. */
  #fault: Cell | undefined
  readonly #watched: string[] = []

  constructor(driver: Driver<Cell>) {
    this.driver = driver
  }

  /** A new tensor, computed by the kernel of that name. */
  run(
    name: string,
    parts: () => Parts,
    elements: number,
    tensors: readonly Cell[],
    numbers: readonly number[],
  ): Cell {
    let text = this.#texts.get(name)
    if (!text) {
      text = kernelText(name, parts())
      this.#texts.set(name, text)
    }
    const output = this.driver.take(elements)
    try {
      this.driver.run(text, elements, output, tensors, numbers)
    } catch (error) {
      this.driver.free(output)
      throw error
    }
    return output
  }

  /** Frees memory that held a step between. */
  free(...cells: readonly Cell[]): void {
    for (const cell of cells) this.driver.free(cell)
  }

  /** Notes what range the whole numbers of a tensor lie in. */
  ranged(cell: Cell, range: Range | undefined): Cell {
    if (range) this.#ranges.set(cell, range)
    return cell
  }

  rangeOf(cell: Cell): Range | undefined {
    return this.#ranges.get(cell)
  }

  /**
   * Looks whether indices lie in [0, length): at once where their range is known, else on the device, and {@link faults} tells.
   *
   * @throws IndexError where it is known that one does not
   */
  checkIndices(where: string, index: Input, length: number): void {
    const range = this.rangeOf(index.storage)
    if (range && range[0] >= 0 && range[1] < length) return
    const count = sizeOf(index.shape)
    if (count === 0) return
    if (!this.#watched.includes(where)) this.#watched.push(where)
    const chunks = Math.ceil(count / 64)
    const found = this.run(
      'indices outside',
      () => ({
        tensors: ['ids'],
        ints: ['first', 'count', 'length'],
        body: `let found = 0.5;
for (let k = 0; k < 64; k++) {
  if (this.thread.x * 64 + k < count) {
    if (found === 0.5) {
      let id = ids[first + this.thread.x * 64 + k];
      if (!(id >= 0 && id < length)) { found = id; }
    }
  }
}
return found;`,
      }),
      chunks,
      [index.storage],
      [index.offset, count, length],
    )
    const before = this.#fault ?? this.driver.write(new Float32Array(3))
    const after = this.run(
      'first index outside',
      () => ({
        tensors: ['before', 'found'],
        ints: ['chunks', 'length'],
        floats: ['kind'],
        body: `let id = 0.5;
for (let k = 0; k < chunks; k++) {
  if (id === 0.5) { id = found[k]; }
}
if (before[0] > 0.5 || id === 0.5) { return before[this.thread.x]; }
if (this.thread.x === 0) { return kind; }
if (this.thread.x === 1) { return id; }
return length;`,
      }),
      3,
      [before, found],
      [chunks, length, this.#watched.indexOf(where) + 1],
    )
    this.free(found)
    if (this.driver.planned?.(after)) return // what was found before still counts
    this.free(before)
    this.#fault = after
  }

  /** @throws IndexError for the first index since the last call that lay outside */
  async faults(): Promise<void> {
    const fault = this.#fault
    if (!fault) return
    this.#fault = undefined
    const found = await this.driver.read(fault, 0, 3)
    this.free(fault)
    this.#judge(found)
  }

  /** The same at once. */
  faultsSync(read: (cell: Cell, start: number, elements: number) => Float32Array): void {
    const fault = this.#fault
    if (!fault) return
    this.#fault = undefined
    const found = read(fault, 0, 3)
    this.free(fault)
    this.#judge(found)
  }

  #judge(found: Float32Array): void {
    const [kind, id, length] = found as unknown as [number, number, number]
    if (!kind) return
    const where = this.#watched[kind - 1] as string
    throw Number.isNaN(id) ? tooLarge(where) : outside(where, id, length)
  }
}

/** The error of whole numbers that a float32 cannot hold. */
export function tooLarge(where: string, value?: number): BackendError {
  const what = value === undefined ? 'a whole number' : `${value}`
  return new BackendError(
    `${where}: ${what} is beyond ±16777215, within which gpu.js's kernels hold whole numbers exactly; cast to float32, use kernels: 'native' on WebGPU, or @heed/backend-cpu`,
  )
}

/** The range of all whole numbers in an array. @throws BackendError for one that a float32 cannot hold */
export function rangeIn(where: string, data: Int32Array | Uint8Array): Range | undefined {
  if (data.length === 0) return undefined
  let low = data[0] as number
  let high = low
  for (const x of data) {
    if (x < low) low = x
    if (x > high) high = x
  }
  if (low < -WHOLE || high > WHOLE) throw tooLarge(where, low < -WHOLE ? low : high)
  return [low, high]
}

/** The spec of a kernel's first result. */
export function only(outputs: readonly TensorSpec[]): TensorSpec {
  return outputs[0] as TensorSpec
}
