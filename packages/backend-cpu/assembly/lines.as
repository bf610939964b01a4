// Tensors of any strides as lines along one axis. Threads take lines; each knows which one it is at.

import { arg, argAddress, corner, put, share } from './team'

/** Elements that one thread takes at a time: they fit into the nearest caches. */
export const BLOCK: i32 = 1 << 14

// Arguments
export const A: usize = 0 // addresses of up to three operands
export const B: usize = 1
export const C: usize = 2
export const LINE: usize = 3 // elements along the axis
export const ROWS: usize = 4 // lines
export const PER_CHUNK: usize = 5 // lines of a chunk
/** The other axes, as JavaScript wrote them: how many; then for each, the last first, its length and byte strides of a, b, c. */
const AXES: usize = 16

/** Where to write the list of other axes, 20 at most. */
export function axesAddress(): usize {
  return argAddress(AXES)
}

/** A chunk is some whole lines, or part of the line where there is but one. */
export function shareLines(task: i32, line: i32, rows: i32, picoseconds: i32): void {
  const perChunk = max(1, BLOCK / line)
  put(LINE, line)
  put(ROWS, rows)
  put(PER_CHUNK, perChunk)
  const chunks = rows == 1 ? (line + BLOCK - 1) / BLOCK : (rows + perChunk - 1) / perChunk
  share(task, chunks, <f64>rows * <f64>line * <f64>picoseconds)
}

// A thread's operands and its place along each axis stand in the last third of its corner.

/** Where the address of an operand's line is. */
@inline export function place(thread: i32, operand: usize): usize {
  return corner(thread) + 160 + (operand << 2)
}

@inline function index(thread: i32, axis: i32): usize {
  return corner(thread) + 176 + (<usize>axis << 2)
}

@inline function axisWord(axis: i32, word: usize): i32 {
  return arg<i32>(AXES + 1 + (<usize>axis << 2) + word)
}

/** Goes to a line by its number. */
export function seek(thread: i32, row: i32): void {
  let a = arg<usize>(A)
  let b = arg<usize>(B)
  let c = arg<usize>(C)
  const axes = arg<i32>(AXES)
  for (let axis = 0; axis < axes; axis++) {
    const length = axisWord(axis, 0)
    const i = row % length
    row /= length
    store<i32>(index(thread, axis), i)
    a += i * axisWord(axis, 1)
    b += i * axisWord(axis, 2)
    c += i * axisWord(axis, 3)
  }
  store<usize>(place(thread, 0), a)
  store<usize>(place(thread, 1), b)
  store<usize>(place(thread, 2), c)
}

/** Goes to the next line. */
export function advance(thread: i32): void {
  const axes = arg<i32>(AXES)
  let a = load<usize>(place(thread, 0))
  let b = load<usize>(place(thread, 1))
  let c = load<usize>(place(thread, 2))
  for (let axis = 0; axis < axes; axis++) {
    const length = axisWord(axis, 0)
    const next = load<i32>(index(thread, axis)) + 1
    a += axisWord(axis, 1)
    b += axisWord(axis, 2)
    c += axisWord(axis, 3)
    if (next < length) {
      store<i32>(index(thread, axis), next)
      break
    }
    store<i32>(index(thread, axis), 0)
    a -= length * axisWord(axis, 1)
    b -= length * axisWord(axis, 2)
    c -= length * axisWord(axis, 3)
  }
  store<usize>(place(thread, 0), a)
  store<usize>(place(thread, 1), b)
  store<usize>(place(thread, 2), c)
}
