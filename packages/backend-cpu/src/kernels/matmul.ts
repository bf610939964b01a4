import { rowsOf, sizeOf, stretch, type TensorSpec } from '@heed/core-tensor'
import { denseAddress, denseInput } from '../machine/copy.ts'
import { address, type Input, type Packed, type Storage } from '../machine/heap.ts'
import { type Family, kernel, type Machine } from '../machine/machine.ts'
import { elementsOf, firstOf } from '../plain/elements.ts'
import { eachPlace, writePlaces } from '../plain/walk.ts'

/** Matrix products; operands may lie in any way. */
export function matmul(machine: Machine): Family<'matmul' | 'linear'> {
  const { heap } = machine
  return {
    matmul: kernel(([a, b], [out]) => {
      if (out.dtype === 'float32') return [product(machine, a, b, out)]
      const y = heap.output(out)
      elementsOf(heap, y, out).fill(0)
      multiply(machine, a, b, y, out)
      return [y]
    }),
    linear: kernel((inputs, [result]) => {
      const [x, weight] = inputs
      const bias = inputs[2] as Input | undefined
      const turned = transposed(weight)
      const rows = inRows(machine, x)
      const out = { shape: [rows.shape[0] as number, weight.shape[0] as number], dtype: result.dtype }
      if (out.dtype === 'float32')
        return [product(machine, rows, turned, out, bias ? denseAddress(machine, bias) : 0)]
      const y = heap.output(out)
      const elements = elementsOf(heap, y, out).fill(0)
      if (bias) {
        const from = heap.view(bias.dtype)
        const [first, step] = [firstOf(bias), bias.strides[0] as number]
        const width = weight.shape[0] as number
        for (let i = 0; i < elements.length; i++) elements[i] = from[first + (i % width) * step] as number
      }
      multiply(machine, rows, turned, y, out)
      return [y]
    }),
  }
}

/** `[..., n]` as `[rows, n]`; copied where rows do not lie evenly. */
function inRows(machine: Machine, x: Input): Input {
  if (x.shape.length === 2) return x
  const { dtype, storage } = x
  const lie = rowsOf(x)
  return lie ? { dtype, storage, ...lie } : inRows(machine, denseInput(machine, x))
}

function transposed({ shape, strides, dtype, storage, offset }: Input): Input {
  const [rows, columns] = shape as [number, number]
  const [row, column] = strides as [number, number]
  return { shape: [columns, rows], strides: [column, row], dtype, storage, offset }
}

/** A B in float32, by the kernels of assembly/gemm.as and assembly/gemv.ts. @param bias address of what each row begins with, or 0 */
function product(machine: Machine, a: Input, b: Input, out: TensorSpec, bias = 0): Storage {
  const { heap, wasm } = machine
  const rank = out.shape.length
  const m = out.shape[rank - 2] as number
  const n = out.shape[rank - 1] as number
  const k = a.shape[a.shape.length - 1] as number
  const [aRow, aColumn] = [bytes(a, 2), bytes(a, 1)]
  const [bRow, bColumn] = [bytes(b, 2), bytes(b, 1)]
  const lead = out.shape.slice(0, -2)
  const batch = sizeOf(lead)
  if (batch * m * n === 0) return heap.output(out)
  const single = k > 0 && (m === 1 || (n === 1 && bias === 0))
  const outer = k === 1 && bColumn === 4 && bias === 0
  // What reads packed columns: a row that lies side by side, and several rows unless there is one column.
  const reads =
    batch === 1 && m <= FEW && bRow === 4 && (m === 1 ? single && aColumn === 4 : !single && !outer)
  const packed = reads ? packedColumns(machine, b, [address(b), bColumn, n, k]) : 0
  if (batch === 1 && !single && !outer) {
    const space = heap.scratch(wasm.gemmSpace(m, n, k, packed !== 0))
    const y = heap.output(out)
    wasm.gemm(
      ...[m, n, k, address(a), aRow, aColumn, address(b), bRow, bColumn, y.pointer, 4 * n, bias, packed, space] as const,
    ) // biome-ignore format: arguments as assembly/gemm.as names them
    return y
  }
  if (packed) {
    const y = heap.output(out)
    wasm.gemvPacked(n, k, packed, address(a), y.pointer, bias)
    return y
  }
  const starts = heap.scratch(8 * batch)
  writeStarts(heap.int32, starts, a, lead)
  writeStarts(heap.int32, starts + 4 * batch, b, lead)
  if (single && m === 1) {
    const y = heap.output(out)
    wasm.gemv(batch, n, k, starts + 4 * batch, bColumn, bRow, starts, aColumn, y.pointer, bias)
    return y
  }
  if (single) {
    const y = heap.output(out)
    wasm.gemv(batch, m, k, starts, aRow, aColumn, starts + 4 * batch, bRow, y.pointer, 0)
    return y
  }
  if (outer) {
    const y = heap.output(out)
    wasm.outer(batch, m, n, starts, aRow, starts + 4 * batch, y.pointer)
    return y
  }
  const space = heap.scratch(wasm.gemmBatchSpace(m, n, k, batch))
  const y = heap.output(out)
  wasm.gemmBatch(batch, m, n, k, starts, aRow, aColumn, starts + 4 * batch, bRow, bColumn, y.pointer, space)
  return y
}

/** Products of so few rows are hardly dearer than packing the matrix. */
const FEW = 96
/** Products of few rows after which the matrix is packed for good: packing costs about as much as one of them saves. */
const OFTEN = 3
/** Smaller matrices are not worth it, and larger ones not the memory. */
const WORTH = { least: 2 ** 14, most: 2 ** 28 }

/**
 * The address of a matrix packed for products with few rows, if it has served several times: the weights of a model that
 * reads or writes word by word. What is in a storage never changes, so that it stays right until it is freed.
 */
function packedColumns({ heap, wasm }: Machine, { storage }: Input, of: Packed['of']): number {
  const { packed } = storage
  if (packed) return packed.of.every((x, i) => x === of[i]) ? packed.storage.pointer : 0
  const [first, step, n, k] = of
  const size = wasm.packedBytes(n, k)
  if (size < WORTH.least || size > WORTH.most || ++storage.rowProducts < OFTEN) return 0
  const room = heap.spare(size)
  if (!room) return 0
  wasm.pack(first, step, n, k, room.pointer)
  storage.packed = { storage: room, of }
  return room.pointer
}

/** The stride of the axis that far from the end. */
const bytes = ({ strides }: Input, fromEnd: number): number =>
  4 * (strides[strides.length - fromEnd] as number)

/** Writes where each matrix of a batch begins, leading axes stretched. */
function writeStarts(words: Int32Array, at: number, x: Input, lead: readonly number[]): void {
  writePlaces(words, at >> 2, lead, leadStrides(x, lead), address(x), 4)
}

function leadStrides(x: Input, lead: readonly number[]): number[] {
  return stretch({ shape: x.shape.slice(0, -2), strides: x.strides.slice(0, -2) }, lead)
}

/** y += A B, plainly. */
function multiply({ heap }: Machine, a: Input, b: Input, y: Storage, out: TensorSpec): void {
  const [m, n] = out.shape.slice(-2) as [number, number]
  const k = a.shape.at(-1) as number
  const lead = out.shape.slice(0, -2)
  const starts = (x: Input): number[] => {
    const found: number[] = []
    eachPlace(lead, leadStrides(x, lead), place => found.push(firstOf(x) + place))
    return found
  }
  const [startsA, startsB] = [starts(a), starts(b)]
  const [rowA, columnA] = a.strides.slice(-2) as [number, number]
  const [rowB, columnB] = b.strides.slice(-2) as [number, number]
  const [from, to] = [heap.view(a.dtype), elementsOf(heap, y, out)]
  for (let batch = 0; batch < startsA.length; batch++)
    for (let i = 0; i < m; i++) {
      const row = (batch * m + i) * n
      for (let l = 0; l < k; l++) {
        const factor = from[(startsA[batch] as number) + i * rowA + l * columnA] as number
        let at = (startsB[batch] as number) + l * rowB
        for (let j = 0; j < n; j++, at += columnB)
          to[row + j] = (to[row + j] as number) + factor * (from[at] as number)
      }
    }
}
