// Elements of four bytes from anywhere to anywhere.

import { A, advance, B, BLOCK, LINE, PER_CHUNK, place, ROWS, seek, shareLines } from './lines'
import { arg, put, share } from './team'
import { column0, column1, column2, column3, storeSome } from './vector'

// Arguments, after those of './lines'
const STEP_X: usize = 6 // bytes from element to element of a line
const STEP_Y: usize = 7
const COLUMN_X: usize = 8
const COLUMN_Y: usize = 9
const COLUMNS: usize = 10

/** y = x, line by line; the other axes' strides of x and y stand in the list of axes. */
export function move(x: usize, stepX: usize, y: usize, stepY: usize, line: i32, rows: i32): void {
  put(A, x)
  put(B, y)
  put(STEP_X, stepX)
  put(STEP_Y, stepY)
  shareLines(moveTask.index, line, rows, 300)
}

function moveTask(chunk: i32, thread: i32): void {
  const line = arg<i32>(LINE)
  const stepX = arg<usize>(STEP_X)
  const stepY = arg<usize>(STEP_Y)
  if (arg<i32>(ROWS) == 1) {
    const first = chunk * BLOCK
    moveLine(arg<usize>(A) + first * stepX, stepX, arg<usize>(B) + first * stepY, stepY, min(BLOCK, line - first))
    return
  }
  let row = chunk * arg<i32>(PER_CHUNK)
  const end = min(row + arg<i32>(PER_CHUNK), arg<i32>(ROWS))
  seek(thread, row)
  for (; row < end; row++) {
    moveLine(load<usize>(place(thread, 0)), stepX, load<usize>(place(thread, 1)), stepY, line)
    advance(thread)
  }
}

function moveLine(x: usize, stepX: usize, y: usize, stepY: usize, n: i32): void {
  if (stepX == 4 && stepY == 4) return copyLine(x, y, n)
  for (; n > 0; n--) {
    store<i32>(y, load<i32>(x))
    x += stepX
    y += stepY
  }
}

/** n elements that lie side by side, here and there. */
export function copyLine(x: usize, y: usize, n: i32): void {
  for (; n >= 16; n -= 16) {
    v128.store(y, v128.load(x))
    v128.store(y, v128.load(x, 16), 16)
    v128.store(y, v128.load(x, 32), 32)
    v128.store(y, v128.load(x, 48), 48)
    x += 64
    y += 64
  }
  for (; n >= 4; n -= 4) {
    v128.store(y, v128.load(x))
    x += 16
    y += 16
  }
  if (n) storeSome(y, v128.load(x), n)
}

/** n zeros, side by side. */
export function clearLine(y: usize, n: i32): void {
  fillLine(y, n, i32x4.splat(0))
}

function fillLine(y: usize, n: i32, value: v128): void {
  for (; n >= 16; n -= 16) {
    v128.store(y, value)
    v128.store(y, value, 16)
    v128.store(y, value, 32)
    v128.store(y, value, 48)
    y += 64
  }
  for (; n >= 4; n -= 4) {
    v128.store(y, value)
    y += 16
  }
  if (n) storeSome(y, value, n)
}

/** The same four bytes n times, from the start of a block on. */
export function fill(y: usize, n: i32, bits: i32): void {
  put(A, y)
  put(LINE, n)
  put(STEP_X, bits)
  share(fillTask.index, (n + BLOCK - 1) / BLOCK, <f64>n * 100)
}

function fillTask(chunk: i32, thread: i32): void {
  const first = chunk * BLOCK
  fillLine(arg<usize>(A) + (<usize>first << 2), min(BLOCK, arg<i32>(LINE) - first), i32x4.splat(arg<i32>(STEP_X)))
}

/**
 * y = xᵀ: a line of y goes down a column of x, whose elements are `stepX` bytes apart; columns of x lie side by side, those of
 * y are `columnY` bytes apart. Matrices of a batch are found by the list of axes.
 */
export function turn(x: usize, stepX: usize, y: usize, columnY: usize, line: i32, columns: i32, matrices: i32): void {
  put(A, x)
  put(B, y)
  put(STEP_X, stepX)
  put(COLUMN_Y, columnY)
  put(LINE, line)
  put(COLUMNS, columns)
  const bands = (columns + 15) >> 4
  put(COLUMN_X, bands)
  share(turnTask.index, bands * matrices, <f64>line * <f64>columns * <f64>matrices * 400)
}

/** Sixteen columns of one matrix: whole cache lines of x, sixteen lines of y that are written side by side. */
function turnTask(chunk: i32, thread: i32): void {
  const bands = arg<i32>(COLUMN_X)
  const first = (chunk % bands) << 4
  const columns = min(16, arg<i32>(COLUMNS) - first)
  const stepX = arg<usize>(STEP_X)
  const columnY = arg<usize>(COLUMN_Y)
  const line = arg<i32>(LINE)
  seek(thread, chunk / bands)
  let x = load<usize>(place(thread, 0)) + (<usize>first << 2)
  let y = load<usize>(place(thread, 1)) + <usize>first * columnY
  let l = 0
  for (; l + 4 <= line; l += 4) {
    let c = 0
    for (; c + 4 <= columns; c += 4) {
      const from = x + (<usize>c << 2)
      const to = y + <usize>c * columnY
      const r0 = v128.load(from)
      const r1 = v128.load(from + stepX)
      const r2 = v128.load(from + 2 * stepX)
      const r3 = v128.load(from + 3 * stepX)
      v128.store(to, column0(r0, r1, r2, r3))
      v128.store(to + columnY, column1(r0, r1, r2, r3))
      v128.store(to + 2 * columnY, column2(r0, r1, r2, r3))
      v128.store(to + 3 * columnY, column3(r0, r1, r2, r3))
    }
    for (; c < columns; c++)
      for (let i = 0; i < 4; i++)
        store<i32>(y + <usize>c * columnY + (<usize>i << 2), load<i32>(x + <usize>i * stepX + (<usize>c << 2)))
    x += stepX << 2
    y += 16
  }
  for (; l < line; l++) {
    for (let c = 0; c < columns; c++) store<i32>(y + <usize>c * columnY, load<i32>(x + (<usize>c << 2)))
    x += stepX
    y += 4
  }
}
