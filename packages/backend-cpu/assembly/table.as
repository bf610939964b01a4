// Rows found, and added up, by number.

import { clearLine, copyLine } from './move'
import { arg, put, share } from './team'
import { storeSome } from './vector'

const TABLE: usize = 0
const IDS: usize = 1
const Y: usize = 2
const COUNT: usize = 3
const WIDTH: usize = 4
const ROWS: usize = 5
const PER_CHUNK: usize = 6

/** Columns that one thread adds up at a time. */
const BAND: i32 = 32

/** The place of the first number outside 0 … length − 1, or −1. */
export function firstOutside(ids: usize, count: i32, length: i32): i32 {
  for (let i = 0; i < count; i++) if (load<u32>(ids + (<usize>i << 2)) >= <u32>length) return i
  return -1
}

/** y[i] = table[ids[i]], rows of `width` elements of four bytes. */
export function take(table: usize, ids: usize, y: usize, count: i32, width: i32): void {
  const perChunk = max(1, (1 << 14) / max(1, width))
  put(TABLE, table)
  put(IDS, ids)
  put(Y, y)
  put(COUNT, count)
  put(WIDTH, width)
  put(PER_CHUNK, perChunk)
  share(takeTask.index, (count + perChunk - 1) / perChunk, <f64>count * <f64>width * 300)
}

function takeTask(chunk: i32, thread: i32): void {
  const width = arg<i32>(WIDTH)
  const row = <usize>width << 2
  const first = chunk * arg<i32>(PER_CHUNK)
  const end = min(first + arg<i32>(PER_CHUNK), arg<i32>(COUNT))
  let y = arg<usize>(Y) + <usize>first * row
  for (let i = first; i < end; i++) {
    copyLine(arg<usize>(TABLE) + <usize>load<i32>(arg<usize>(IDS) + (<usize>i << 2)) * row, y, width)
    y += row
  }
}

/** y[ids[i]] += source[i], from zero, in the order of i: threads share columns, so that every sum has one order. */
export function scatterRows(source: usize, ids: usize, y: usize, count: i32, width: i32, rows: i32): void {
  put(TABLE, source)
  put(IDS, ids)
  put(Y, y)
  put(COUNT, count)
  put(WIDTH, width)
  put(ROWS, rows)
  share(scatterTask.index, (width + BAND - 1) / BAND, <f64>(count + rows) * <f64>width * 400)
}

function scatterTask(chunk: i32, thread: i32): void {
  const row = <usize>arg<i32>(WIDTH) << 2
  const first = chunk * BAND
  const band = min(BAND, arg<i32>(WIDTH) - first)
  const y = arg<usize>(Y) + (<usize>first << 2)
  for (let i = 0; i < arg<i32>(ROWS); i++) clearLine(y + <usize>i * row, band)
  let from = arg<usize>(TABLE) + (<usize>first << 2)
  for (let i = 0; i < arg<i32>(COUNT); i++) {
    addLine(from, y + <usize>load<i32>(arg<usize>(IDS) + (<usize>i << 2)) * row, band)
    from += row
  }
}

/** y += x, side by side. */
function addLine(x: usize, y: usize, n: i32): void {
  for (; n >= 4; n -= 4) {
    v128.store(y, f32x4.add(v128.load(y), v128.load(x)))
    x += 16
    y += 16
  }
  if (n) storeSome(y, f32x4.add(v128.load(y), v128.load(x)), n)
}
