// Many numbers to one.
//
// Rounding of sums: blocks of 1024 numbers are added in float32, by 16 running sums; the blocks' sums in float64. Down columns,
// blocks are 64 numbers, one running sum each. Segments of blocks may be added by different threads and then in order, so
// that the result depends on the shape alone.

import { arg, hands, put, share } from './team'
import { firstLanes, maxOfLanes, minOfLanes, storeLeft, sumOfLanes } from './vector'

export const SUM: i32 = 0
export const MAX: i32 = 1
export const MIN: i32 = 2

const BLOCK: i32 = 1024
/** Numbers of a row that one thread adds up at a time. */
const SEGMENT: i32 = 1 << 16
/** The same down columns. */
const COLUMN_BLOCK: i32 = 64
const COLUMN_SEGMENT: i32 = 1 << 13
/** Columns that one thread takes at a time: their running sums fit into the first-level cache. */
const BAND: i32 = 256

const KIND: usize = 0
const X: usize = 1
const ROW: usize = 2 // bytes from row to row
const ROWS: usize = 3
const N: usize = 4
const Y: usize = 5
const PARTS: usize = 6 // address of float64 results of segments, where there are several
const PER_CHUNK: usize = 7
const SEGMENTS: usize = 8
const OUTER_STEP: usize = 10
const BANDS: usize = 11

// ── along rows ──

/** Bytes of working memory for {@link reduceRows}. */
export function reduceRowsSpace(rows: i32, n: i32): usize {
  return n <= SEGMENT ? 0 : (<usize>rows * <usize>((n + SEGMENT - 1) / SEGMENT)) << 3
}

/** y[i] = the sum, the largest or the smallest of row i, whose n numbers lie side by side. NaN is the largest and the smallest. */
export function reduceRows(kind: i32, x: usize, row: usize, rows: i32, n: i32, y: usize, space: usize): void {
  const segments = max(1, (n + SEGMENT - 1) / SEGMENT)
  const perChunk = segments > 1 ? 1 : max(1, (1 << 14) / max(1, n))
  put(KIND, kind)
  put(X, x)
  put(ROW, row)
  put(ROWS, rows)
  put(N, n)
  put(Y, y)
  put(PARTS, space)
  put(PER_CHUNK, perChunk)
  put(SEGMENTS, segments)
  const work = <f64>rows * <f64>n * 200
  if (segments == 1) {
    share(rowsTask.index, (rows + perChunk - 1) / perChunk, work)
    return
  }
  share(segmentTask.index, rows * segments, work)
  for (let i = 0; i < rows; i++) {
    let total = load<f64>(space)
    for (let s = 1; s < segments; s++) {
      space += 8
      total = joined(kind, total, load<f64>(space))
    }
    space += 8
    store<f32>(y + (<usize>i << 2), <f32>total)
  }
}

@inline function joined(kind: i32, a: f64, b: f64): f64 {
  return kind == SUM ? a + b : kind == MAX ? max(a, b) : min(a, b)
}

function rowsTask(chunk: i32, thread: i32): void {
  const kind = arg<i32>(KIND)
  const n = arg<i32>(N)
  const row = arg<usize>(ROW)
  const first = chunk * arg<i32>(PER_CHUNK)
  const end = min(first + arg<i32>(PER_CHUNK), arg<i32>(ROWS))
  for (let i = first; i < end; i++)
    store<f32>(arg<usize>(Y) + (<usize>i << 2), <f32>ofRow(kind, arg<usize>(X) + <usize>i * row, n))
}

function segmentTask(chunk: i32, thread: i32): void {
  const segments = arg<i32>(SEGMENTS)
  const first = (chunk % segments) * SEGMENT
  const x = arg<usize>(X) + <usize>(chunk / segments) * arg<usize>(ROW) + (<usize>first << 2)
  store<f64>(arg<usize>(PARTS) + (<usize>chunk << 3), ofRow(arg<i32>(KIND), x, min(SEGMENT, arg<i32>(N) - first)))
}

function ofRow(kind: i32, x: usize, n: i32): f64 {
  if (kind == SUM) return sumOf(x, n)
  return kind == MAX ? maxOf(x, n) : minOf(x, n)
}

/** The sum of n numbers side by side. */
export function sumOf(x: usize, n: i32): f64 {
  let total: f64 = 0
  for (; n > 0; n -= BLOCK) {
    total += sumOfBlock(x, min(n, BLOCK))
    x += BLOCK << 2
  }
  return total
}

function sumOfBlock(x: usize, n: i32): f32 {
  let s0 = f32x4.splat(0)
  let s1 = f32x4.splat(0)
  let s2 = f32x4.splat(0)
  let s3 = f32x4.splat(0)
  for (; n >= 16; n -= 16) {
    s0 = f32x4.add(s0, v128.load(x))
    s1 = f32x4.add(s1, v128.load(x, 16))
    s2 = f32x4.add(s2, v128.load(x, 32))
    s3 = f32x4.add(s3, v128.load(x, 48))
    x += 64
  }
  for (; n >= 4; n -= 4) {
    s0 = f32x4.add(s0, v128.load(x))
    x += 16
  }
  if (n) s1 = f32x4.add(s1, v128.and(v128.load(x), firstLanes(n)))
  return sumOfLanes(f32x4.add(f32x4.add(s0, s1), f32x4.add(s2, s3)))
}

/** The largest of n numbers side by side; NaN if one is. */
export function maxOf(x: usize, n: i32): f32 {
  let best = f32x4.splat(-Infinity)
  let other = best
  for (; n >= 8; n -= 8) {
    best = f32x4.max(best, v128.load(x))
    other = f32x4.max(other, v128.load(x, 16))
    x += 32
  }
  for (; n >= 4; n -= 4) {
    best = f32x4.max(best, v128.load(x))
    x += 16
  }
  if (n) other = f32x4.max(other, v128.bitselect(v128.load(x), other, firstLanes(n)))
  return maxOfLanes(f32x4.max(best, other))
}

function minOf(x: usize, n: i32): f32 {
  let best = f32x4.splat(Infinity)
  for (; n >= 4; n -= 4) {
    best = f32x4.min(best, v128.load(x))
    x += 16
  }
  if (n) best = f32x4.min(best, v128.bitselect(v128.load(x), best, firstLanes(n)))
  return minOfLanes(best)
}

/** y[i] = the place of the first largest (or smallest) of row i, or of its first NaN. */
export function placeInRows(kind: i32, x: usize, row: usize, rows: i32, n: i32, y: usize): void {
  const perChunk = max(1, (1 << 14) / max(1, n))
  put(KIND, kind)
  put(X, x)
  put(ROW, row)
  put(ROWS, rows)
  put(N, n)
  put(Y, y)
  put(PER_CHUNK, perChunk)
  share(placeTask.index, (rows + perChunk - 1) / perChunk, <f64>rows * <f64>n * 400)
}

function placeTask(chunk: i32, thread: i32): void {
  const n = arg<i32>(N)
  const first = chunk * arg<i32>(PER_CHUNK)
  const end = min(first + arg<i32>(PER_CHUNK), arg<i32>(ROWS))
  for (let i = first; i < end; i++) {
    const x = arg<usize>(X) + <usize>i * arg<usize>(ROW)
    const best = arg<i32>(KIND) == MAX ? maxOf(x, n) : minOf(x, n)
    store<i32>(arg<usize>(Y) + (<usize>i << 2), placeOf(x, best))
  }
}

/** Where a number that is there is first. */
function placeOf(x: usize, value: f32): i32 {
  let i = 0
  if (value != value) while (load<f32>(x + (<usize>i << 2)) == load<f32>(x + (<usize>i << 2))) i++
  else while (load<f32>(x + (<usize>i << 2)) != value) i++
  return i
}

// ── down columns ──

@inline function columnSegments(n: i32): i32 {
  return max(1, (n + COLUMN_SEGMENT - 1) / COLUMN_SEGMENT)
}

@inline function columnWork(outer: i32, n: i32, columns: i32): f64 {
  return <f64>outer * <f64>n * <f64>columns * 250
}

/** Bytes for results of segments, where there are several. */
@inline function partsBytes(outer: i32, n: i32, columns: i32): usize {
  return n <= COLUMN_SEGMENT ? 0 : ((<usize>outer * <usize>columnSegments(n) * <usize>columns << 2) + 127) & ~63
}

/** Bytes of working memory for {@link reduceColumns}: for each thread a band of float32 and one of float64. */
export function reduceColumnsSpace(outer: i32, n: i32, columns: i32): usize {
  return partsBytes(outer, n, columns) + <usize>(BAND * 12) * hands(columnWork(outer, n, columns))
}

/** y[o][j] = over i, of x[o][i][j]; columns lie side by side, rows are `row` bytes apart, matrices `outerStep`. */
export function reduceColumns(
  kind: i32, x: usize, outer: i32, outerStep: usize, n: i32, row: usize, columns: i32, y: usize, space: usize,
): void {
  const segments = columnSegments(n)
  const own = space + partsBytes(outer, n, columns)
  reduceBands(kind, x, outer, outerStep, n, row, columns, segments > 1 ? space : y, segments, own)
  // The segments' results are a matrix like any other, of few rows.
  if (segments > 1) reduceBands(kind, space, outer, <usize>(segments * columns) << 2, segments, <usize>columns << 2, columns, y, 1, own)
}

function reduceBands(
  kind: i32, x: usize, outer: i32, outerStep: usize, n: i32, row: usize, columns: i32, y: usize, segments: i32, own: usize,
): void {
  const bands = (columns + BAND - 1) / BAND
  put(KIND, kind)
  put(X, x)
  put(ROW, row)
  put(ROWS, columns)
  put(N, n)
  put(Y, y)
  put(SEGMENTS, segments)
  put(OUTER_STEP, outerStep)
  put(BANDS, bands)
  put(PARTS, own)
  share(bandTask.index, outer * segments * bands, columnWork(outer, n, columns))
}

function bandTask(chunk: i32, thread: i32): void {
  const bands = arg<i32>(BANDS)
  const segments = arg<i32>(SEGMENTS)
  const columns = arg<i32>(ROWS)
  const part = chunk / bands // one segment of one matrix
  const first = segments > 1 ? (part % segments) * COLUMN_SEGMENT : 0
  const n = segments > 1 ? min(COLUMN_SEGMENT, arg<i32>(N) - first) : arg<i32>(N)
  const row = arg<usize>(ROW)
  const from = (chunk % bands) * BAND
  const width = min(BAND, columns - from)
  const x = arg<usize>(X) + <usize>(part / segments) * arg<usize>(OUTER_STEP) + <usize>first * row + (<usize>from << 2)
  const y = arg<usize>(Y) + ((<usize>part * <usize>columns + <usize>from) << 2)
  const own = arg<usize>(PARTS) + <usize>thread * (BAND * 12)
  if (arg<i32>(KIND) == SUM) sumDown(x, n, row, width, y, own, own + (BAND << 2))
  else extremeDown(arg<i32>(KIND), x, n, row, width, y, own)
}

/** Sums of up to BAND columns, row by row so that memory is read as it lies. `blocks`: float32, `totals`: float64. */
function sumDown(x: usize, n: i32, row: usize, width: i32, y: usize, blocks: usize, totals: usize): void {
  const bytes = ((<usize>width << 2) + 15) & ~15
  for (let at: usize = 0; at < bytes; at += 16) {
    v128.store(totals + 2 * at, f64x2.splat(0))
    v128.store(totals + 2 * at, f64x2.splat(0), 16)
  }
  for (; n > 0; n -= COLUMN_BLOCK) {
    for (let at: usize = 0; at < bytes; at += 16) v128.store(blocks + at, f32x4.splat(0))
    let i = min(n, COLUMN_BLOCK)
    for (; i >= 4; i -= 4) {
      for (let at: usize = 0; at < bytes; at += 16) {
        let sum = f32x4.add(v128.load(blocks + at), v128.load(x + at))
        sum = f32x4.add(sum, v128.load(x + row + at))
        sum = f32x4.add(sum, v128.load(x + 2 * row + at))
        v128.store(blocks + at, f32x4.add(sum, v128.load(x + 3 * row + at)))
      }
      x += 4 * row
    }
    for (; i > 0; i--) {
      for (let at: usize = 0; at < bytes; at += 16)
        v128.store(blocks + at, f32x4.add(v128.load(blocks + at), v128.load(x + at)))
      x += row
    }
    for (let at: usize = 0; at < bytes; at += 16) {
      const block = v128.load(blocks + at)
      const high = v128.shuffle<i64>(block, block, 1, 0)
      v128.store(totals + 2 * at, f64x2.add(v128.load(totals + 2 * at), f64x2.promote_low_f32x4(block)))
      v128.store(totals + 2 * at, f64x2.add(v128.load(totals + 2 * at, 16), f64x2.promote_low_f32x4(high)), 16)
    }
  }
  for (let at: usize = 0; at < bytes; at += 16) {
    const low = f32x4.demote_f64x2_zero(v128.load(totals + 2 * at))
    const high = f32x4.demote_f64x2_zero(v128.load(totals + 2 * at, 16))
    storeLeft(y + at, v128.shuffle<i64>(low, high, 0, 2), <usize>width - (at >> 2))
  }
}

function extremeDown(kind: i32, x: usize, n: i32, row: usize, width: i32, y: usize, best: usize): void {
  const bytes = ((<usize>width << 2) + 15) & ~15
  for (let at: usize = 0; at < bytes; at += 16) v128.store(best + at, v128.load(x + at))
  for (let i = 1; i < n; i++) {
    x += row
    if (kind == MAX) for (let at: usize = 0; at < bytes; at += 16) v128.store(best + at, f32x4.max(v128.load(best + at), v128.load(x + at)))
    else for (let at: usize = 0; at < bytes; at += 16) v128.store(best + at, f32x4.min(v128.load(best + at), v128.load(x + at)))
  }
  for (let at: usize = 0; at < bytes; at += 16) storeLeft(y + at, v128.load(best + at), <usize>width - (at >> 2))
}
