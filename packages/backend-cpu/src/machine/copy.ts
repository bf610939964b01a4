import { bytesPerElement, isDense, type Operand, rowMajor, sizeOf, type TensorSpec } from '@heed/core-tensor'
import { elementsOf, scatterInto } from '../plain/elements.ts'
import { joined, type Walk } from '../plain/walk.ts'
import { address, type Input, type Storage } from './heap.ts'
import type { Machine } from './machine.ts'

/** Sets a tensor's elements into memory, from an address on and with strides in elements. */
export function copyTo(machine: Machine, x: Input, to: number, strides: readonly number[]): void {
  if (bytesPerElement[x.dtype] !== 4) {
    scatterInto(machine.heap, x, to / bytesPerElement[x.dtype], strides)
    return
  }
  const { wasm } = machine
  const size = sizeOf(x.shape)
  if (size === 0) return
  if (isDense(x) && isDense({ shape: x.shape, strides })) {
    machine.heap.int32[wasm.axesAddress() >> 2] = 0 // one line
    wasm.move(address(x), 4, to, 4, size, 1)
    return
  }
  const walk = joined(x.shape, x.strides, strides)
  const rank = walk.shape.length
  const [stepX, stepY] = lastOf(walk) as [number, number]
  const line = walk.shape[rank - 1] ?? 1
  const column = (walk.strides[0] as readonly number[]).indexOf(1)
  if (stepY === 1 && stepX !== 1 && column >= 0 && line >= 4) {
    const columns = walk.shape[column] as number
    const columnY = walk.strides[1]?.[column] as number
    const matrices = writeAxes(machine, walk, [4, 4, 0], axis => axis !== column && axis !== rank - 1)
    wasm.turn(address(x), 4 * stepX, to, 4 * columnY, line, columns, matrices)
    return
  }
  const rows = writeAxes(machine, walk, [4, 4, 0], axis => axis !== rank - 1)
  wasm.move(address(x), 4 * stepX, to, 4 * stepY, line, rows)
}

/** Fills the start of a block with one number. */
export function fillWith({ heap, wasm }: Machine, storage: Storage, spec: TensorSpec, value: number): void {
  const { dtype } = spec
  if (dtype === 'float32' || dtype === 'int32') {
    const word = storage.pointer >>> 2
    heap[dtype][word] = value
    wasm.fill(storage.pointer, sizeOf(spec.shape), heap.int32[word] as number)
  } else elementsOf(heap, storage, spec).fill(value)
}

/** The address of a tensor's elements in row-major order: its own, or that of a copy in scratch memory. */
export function denseAddress(machine: Machine, x: Input): number {
  return isDense(x) ? address(x) : copied(machine, x)
}

function copied(machine: Machine, x: Input): number {
  const to = machine.heap.scratch(sizeOf(x.shape) * bytesPerElement[x.dtype])
  copyTo(machine, x, to, rowMajor(x.shape))
  return to
}

/** A tensor of the same elements, row-major, for as long as the kernel runs. */
export function denseInput(machine: Machine, x: Input): Input {
  const { shape, dtype } = x
  const storage = { pointer: copied(machine, x) } as Storage
  return { shape, dtype, storage, offset: 0, strides: rowMajor(shape) } satisfies Operand<Storage>
}

/** Each tensor's stride along the last axis. */
export function lastOf({ shape, strides }: Walk): number[] {
  return strides.map(s => s[shape.length - 1] ?? 0)
}

/**
 * Tells assembly/lines.as the axes around a line: lengths and byte strides of up to three operands.
 *
 * @param bytes of an element of each operand
 * @returns how many lines there are
 */
export function writeAxes(
  { heap, wasm }: Machine,
  { shape, strides }: Walk,
  bytes: readonly [number, number, number],
  outside: (axis: number) => boolean,
): number {
  const words = heap.int32
  let at = wasm.axesAddress() >> 2
  const count = at++
  let rows = 1
  let axes = 0
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (!outside(axis)) continue
    rows *= shape[axis] as number
    axes++
    words[at++] = shape[axis] as number
    for (let i = 0; i < 3; i++) words[at++] = (strides[i]?.[axis] ?? 0) * (bytes[i] as number)
  }
  words[count] = axes
  return rows
}
