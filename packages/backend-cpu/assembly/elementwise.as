// Loops over tensors, element by element. What happens to an element is in the generated './loops'; here is which elements.

import { A, advance, B, BLOCK, C, LINE, PER_CHUNK, place, ROWS, seek, shareLines } from './lines'
import { arg, corner, put, share } from './team'

// Arguments, after those of './lines'
const LOOP: usize = 6 // the loop's place in the function table
const Y: usize = 7
const STEP_A: usize = 8 // bytes from vector to vector: those of a vector, or 0 where one element serves a whole line
const STEP_B: usize = 9
const STEP_C: usize = 10
const SIZE: usize = 11 // bytes of one element of y

/** y = f(x), n elements in row-major order. */
export function unary(loop: i32, x: usize, y: usize, n: i32, picoseconds: i32): void {
  put(LOOP, loop)
  put(A, x)
  put(Y, y)
  put(LINE, n)
  share(unaryTask.index, (n + BLOCK - 1) / BLOCK, <f64>n * <f64>picoseconds)
}

function unaryTask(chunk: i32, thread: i32): void {
  const first = chunk * BLOCK
  const count = min(BLOCK, arg<i32>(LINE) - first)
  const at = <usize>first << 2
  call_indirect<void>(arg<i32>(LOOP), arg<usize>(A) + at, arg<usize>(Y) + at, (count + 3) >> 2)
}

/** y = f(a, b). Every line of y follows the one before; lines of a and b are found by the list of axes. */
export function binary(
  loop: i32, a: usize, stepA: usize, b: usize, stepB: usize, y: usize, size: i32, line: i32, rows: i32, picoseconds: i32,
): void {
  put(LOOP, loop)
  put(A, a)
  put(STEP_A, stepA)
  put(B, b)
  put(STEP_B, stepB)
  put(Y, y)
  put(SIZE, size)
  shareLines(binaryTask.index, line, rows, picoseconds)
}

/** y = a where c holds, elsewhere b. Lines as in {@link binary}. */
export function select(
  loop: i32, a: usize, stepA: usize, b: usize, stepB: usize, c: usize, stepC: usize, y: usize, line: i32, rows: i32,
  picoseconds: i32,
): void {
  put(LOOP, loop)
  put(A, a)
  put(STEP_A, stepA)
  put(B, b)
  put(STEP_B, stepB)
  put(C, c)
  put(STEP_C, stepC)
  put(Y, y)
  put(SIZE, 4)
  shareLines(selectTask.index, line, rows, picoseconds)
}

function binaryTask(chunk: i32, thread: i32): void {
  const loop = arg<i32>(LOOP)
  const line = arg<i32>(LINE)
  const stepA = arg<usize>(STEP_A)
  const stepB = arg<usize>(STEP_B)
  const size = arg<usize>(SIZE)
  const own = corner(thread)
  if (arg<i32>(ROWS) == 1) {
    const first = chunk * BLOCK
    const a = operand(own, arg<usize>(A), stepA, first >> 2)
    const b = operand(own + 64, arg<usize>(B), stepB, first >> 2)
    call_indirect<void>(loop, a, stepA, b, stepB, arg<usize>(Y) + <usize>first * size, min(BLOCK, line - first))
    return
  }
  let row = chunk * arg<i32>(PER_CHUNK)
  const end = min(row + arg<i32>(PER_CHUNK), arg<i32>(ROWS))
  let y = arg<usize>(Y) + <usize>row * <usize>line * size
  seek(thread, row)
  for (; row < end; row++) {
    const a = operand(own, load<usize>(place(thread, 0)), stepA, 0)
    const b = operand(own + 64, load<usize>(place(thread, 1)), stepB, 0)
    call_indirect<void>(loop, a, stepA, b, stepB, y, line)
    y += <usize>line * size
    advance(thread)
  }
}

function selectTask(chunk: i32, thread: i32): void {
  const loop = arg<i32>(LOOP)
  const line = arg<i32>(LINE)
  const stepA = arg<usize>(STEP_A)
  const stepB = arg<usize>(STEP_B)
  const stepC = arg<usize>(STEP_C)
  const own = corner(thread)
  if (arg<i32>(ROWS) == 1) {
    const first = chunk * BLOCK
    const a = operand(own, arg<usize>(A), stepA, first >> 2)
    const b = operand(own + 64, arg<usize>(B), stepB, first >> 2)
    const c = condition(own + 128, arg<usize>(C), stepC, first >> 2)
    call_indirect<void>(loop, a, stepA, b, stepB, c, stepC, arg<usize>(Y) + (<usize>first << 2), min(BLOCK, line - first))
    return
  }
  let row = chunk * arg<i32>(PER_CHUNK)
  const end = min(row + arg<i32>(PER_CHUNK), arg<i32>(ROWS))
  let y = arg<usize>(Y) + ((<usize>row * <usize>line) << 2)
  seek(thread, row)
  for (; row < end; row++) {
    const a = operand(own, load<usize>(place(thread, 0)), stepA, 0)
    const b = operand(own + 64, load<usize>(place(thread, 1)), stepB, 0)
    const c = condition(own + 128, load<usize>(place(thread, 2)), stepC, 0)
    call_indirect<void>(loop, a, stepA, b, stepB, c, stepC, y, line)
    y += <usize>line << 2
    advance(thread)
  }
}

/** Where a line's vectors are, from a vector on; for an element that serves the whole line, four vectors full of it. */
@inline function operand(own: usize, p: usize, step: usize, vector: usize): usize {
  if (step) return p + vector * step
  const all = v128.load32_splat(p)
  v128.store(own, all, 0)
  v128.store(own, all, 16)
  v128.store(own, all, 32)
  v128.store(own, all, 48)
  return own
}

/** The same for truth values, a byte each. */
@inline function condition(own: usize, p: usize, step: usize, vector: usize): usize {
  if (step) return p + vector * step
  v128.store(own, v128.load8_splat(p))
  return own
}

/** y = whether bytes of a equal those of b, or its first one where `step` is 0; by one thread, since bytes are few. */
export function equalBytes(a: usize, b: usize, step: usize, y: usize, n: i32): void {
  const one = i8x16.splat(1)
  const first = v128.load8_splat(b)
  for (; n >= 16; n -= 16) {
    v128.store(y, v128.and(i8x16.eq(v128.load(a), step ? v128.load(b) : first), one))
    a += 16
    b += step
    y += 16
  }
  for (; n > 0; n--) {
    store<u8>(y++, load<u8>(a++) == load<u8>(b) ? 1 : 0)
    if (step) b++
  }
}
