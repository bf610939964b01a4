// Matrix products of float32: C = A B, or C = bias + A B.
//
// Rounding: each element is a sum over blocks of DEPTH along k, added in order; each block is one chain of madd in the order
// of k that starts at 0. The order depends on nothing else: not on shapes, strides, tiles or threads.
//
// B is packed in panels of DEPTH × WIDTH, which stay in the second-level cache; A in blocks of HEIGHT rows. Packing takes
// any strides, so that a transposed operand costs nothing more.

import { arg, hands, put, share } from './team'
import { COLUMNS, micro, packColumns, packRows, ROWS } from './tile'

export const DEPTH: i32 = 512
const WIDTH: i32 = 512
const HEIGHT: i32 = (96 / ROWS) * ROWS
/** Slivers of B that one thread packs at a time. */
const SLIVERS: i32 = 8
/** Parts of a panel's product that threads should have to choose from, and the fewest columns of one. */
const CHOICE: i32 = 12
const NARROW: i32 = 32

// Arguments
const M: usize = 0
const N: usize = 1
const K: usize = 2
const A: usize = 3
const A_ROW: usize = 4
const A_COLUMN: usize = 5
const B: usize = 6
const B_ROW: usize = 7
const B_COLUMN: usize = 8
const C: usize = 9
const C_ROW: usize = 10
const BIAS: usize = 11 // address of n numbers, or 0
const SPACE: usize = 12
const FIRST_N: usize = 13 // the panel at hand: its first column, its columns, its first row, its rows
const PANEL_N: usize = 14
const FIRST_K: usize = 15
const PANEL_K: usize = 16
const PARTS: usize = 17 // into how many parts the panel's columns are split
const STARTS_A: usize = 18 // addresses of the batch's matrices, a word each
const STARTS_B: usize = 19
const BATCH: usize = 20
const PER_CHUNK: usize = 21
const PANEL: usize = 22 // the address of the panel at hand
const OWN: usize = 23 // memory of the threads' own

@inline function slivers(n: i32): i32 {
  return (n + COLUMNS - 1) / COLUMNS
}

/** Bytes of a packed panel, with the vectors that packing may write behind it. */
@inline function panelBytes(n: i32, k: i32): usize {
  return (<usize>(slivers(min(n, WIDTH)) * COLUMNS) * <usize>min(k, DEPTH)) << 2
}

/** Bytes that each thread needs: which rows it has packed, the rows, a tile at the right edge. */
@inline function ownBytes(m: i32, k: i32): usize {
  return 64 + (((<usize>(min(m, HEIGHT) * min(k, DEPTH) + ROWS * COLUMNS) << 2) + 127) & ~63)
}

/** What packing costs; turning four by four is dearer than copying. */
@inline export function packingWork(n: i32, k: i32, turned: bool): f64 {
  return <f64>n * <f64>k * (turned ? 400 : 200)
}

@inline function work(m: i32, n: i32, k: i32): f64 {
  return <f64>m * <f64>n * <f64>k * 40
}

/** Bytes of working memory for {@link gemm}, with B packed beforehand or not. */
export function gemmSpace(m: i32, n: i32, k: i32, packed: bool): usize {
  return (packed ? 0 : panelBytes(n, k)) + ownBytes(m, k) * hands(work(m, n, k))
}

/**
 * C = A B, all strides in bytes, C's columns adjacent; `bias` is the address of n numbers or 0, `packed` that of B as
 * {@link pack} leaves it, or 0.
 */
export function gemm(
  m: i32, n: i32, k: i32, a: usize, aRow: usize, aColumn: usize, b: usize, bRow: usize, bColumn: usize, c: usize,
  cRow: usize, bias: usize, packed: usize, space: usize,
): void {
  put(M, m)
  put(N, n)
  put(K, k)
  put(A, a)
  put(A_ROW, aRow)
  put(A_COLUMN, aColumn)
  put(B, b)
  put(B_ROW, bRow)
  put(B_COLUMN, bColumn)
  put(C, c)
  put(C_ROW, cRow)
  put(BIAS, bias)
  const blocks = (m + HEIGHT - 1) / HEIGHT
  const own = packed ? space : space + panelBytes(n, k)
  put(OWN, own)
  for (let thread = hands(work(m, n, k)) - 1; thread >= 0; thread--) store<i32>(own + <usize>thread * ownBytes(m, k), -1)
  for (let j = 0; j < n; j += WIDTH) {
    const width = min(WIDTH, n - j)
    const parts = max(1, min((CHOICE + blocks - 1) / blocks, width / NARROW))
    put(FIRST_N, j)
    put(PANEL_N, width)
    put(PARTS, parts)
    for (let l = 0; l < max(1, k); l += DEPTH) {
      const depth = min(DEPTH, k - l)
      put(FIRST_K, l)
      put(PANEL_K, depth)
      put(PANEL, packed ? packed + packedBytes(n, l) + (<usize>j * <usize>depth << 2) : space)
      if (!packed) share(packTask.index, (slivers(width) + SLIVERS - 1) / SLIVERS, packingWork(width, depth, bColumn != 4))
      share(multiplyTask.index, blocks * parts, work(m, width, depth))
    }
  }
}

function packTask(chunk: i32, thread: i32): void {
  const depth = arg<i32>(PANEL_K)
  const first = chunk * SLIVERS * COLUMNS
  const end = min(first + SLIVERS * COLUMNS, arg<i32>(PANEL_N))
  const b = arg<usize>(B) + <usize>arg<i32>(FIRST_K) * arg<usize>(B_ROW)
  packPanel(
    b + <usize>(arg<i32>(FIRST_N) + first) * arg<usize>(B_COLUMN), arg<usize>(B_ROW), arg<usize>(B_COLUMN), end - first,
    depth, arg<usize>(PANEL) + (<usize>first * <usize>depth << 2),
  )
}

/** Packs some columns of B over some rows. */
export function packPanel(b: usize, row: usize, column: usize, n: i32, k: i32, to: usize): void {
  for (let j = 0; j < n; j += COLUMNS) {
    packColumns(b + <usize>j * column, row, column, min(COLUMNS, n - j), k, to)
    to += <usize>(COLUMNS * k) << 2
  }
}

/** Bytes of n columns over k, packed. */
export function packedBytes(n: i32, k: i32): usize {
  return (<usize>(slivers(n) * COLUMNS) * <usize>k) << 2
}

/** Packs a whole matrix whose columns' numbers lie side by side, `step` bytes from column to column: panels of DEPTH. */
export function pack(w: usize, step: usize, n: i32, k: i32, to: usize): void {
  for (let l = 0; l < k; l += DEPTH) {
    const depth = min(DEPTH, k - l)
    packPanel(w + (<usize>l << 2), 4, step, n, depth, to)
    to += packedBytes(n, depth)
  }
}

/** Packs rows of A, in slivers. */
export function packBlock(a: usize, row: usize, column: usize, m: i32, k: i32, to: usize): void {
  for (let i = 0; i < m; i += ROWS) {
    const height = min(ROWS, m - i)
    packRows(a + <usize>i * row, row, column, height, k, to)
    to += <usize>(height * k) << 2
  }
}

function multiplyTask(chunk: i32, thread: i32): void {
  const parts = arg<i32>(PARTS)
  const first = (chunk / parts) * HEIGHT
  const height = min(HEIGHT, arg<i32>(M) - first)
  const width = arg<i32>(PANEL_N)
  const perPart = ((slivers(width) + parts - 1) / parts) * COLUMNS
  const from = (chunk % parts) * perPart
  const to = min(from + perPart, width)
  if (from >= to) return
  const depth = arg<i32>(PANEL_K)
  const l = arg<i32>(FIRST_K)
  const panel = arg<usize>(PANEL)
  const own = arg<usize>(OWN) + <usize>thread * ownBytes(arg<i32>(M), arg<i32>(K))
  const aRow = arg<usize>(A_ROW)
  const aColumn = arg<usize>(A_COLUMN)
  const rows = own + 64
  const which = (chunk / parts) * ((arg<i32>(K) + DEPTH - 1) / DEPTH) + l / DEPTH
  if (load<i32>(own) != which) {
    packBlock(arg<usize>(A) + <usize>first * aRow + <usize>l * aColumn, aRow, aColumn, height, depth, rows)
    store<i32>(own, which)
  }
  const cRow = arg<usize>(C_ROW)
  const bias = arg<usize>(BIAS)
  const column = arg<i32>(FIRST_N) + from
  const c = arg<usize>(C) + <usize>first * cRow + (<usize>column << 2)
  const fromBias = bias && l == 0
  multiplyBlock(
    height, to - from, depth, rows, panel + (<usize>from * <usize>depth << 2), depth, c, cRow,
    fromBias ? bias + (<usize>column << 2) : l > 0 ? c : 0, fromBias ? 0 : cRow, rows + (<usize>(height * depth) << 2),
  )
}

/**
 * C = A B, or C = before + A B: packed rows times columns packed over `depth`, of which the first k count. Rows of what was
 * before, unless that is 0, are `beforeRow` bytes apart: as C's own, or not at all, where one row is for all. `edge` is room for
 * one tile.
 */
export function multiplyBlock(
  m: i32, n: i32, k: i32, a: usize, b: usize, depth: i32, c: usize, cRow: usize, before: usize, beforeRow: usize,
  edge: usize,
): void {
  for (let j = 0; j < n; j += COLUMNS) {
    const width = min(COLUMNS, n - j)
    const column = c + (<usize>j << 2)
    let rows = a
    for (let i = 0; i < m; i += ROWS) {
      const height = min(ROWS, m - i)
      const at = column + <usize>i * cRow
      const atBefore = before ? before + (<usize>j << 2) + <usize>i * beforeRow : 0
      if (width == COLUMNS) micro(height, k, rows, b, at, cRow, atBefore, beforeRow)
      else {
        micro(height, k, rows, b, edge, COLUMNS << 2, 0, 0)
        copyEdge(edge, at, cRow, atBefore, beforeRow, height, width)
      }
      rows += <usize>(height * k) << 2
    }
    b += <usize>(COLUMNS * depth) << 2
  }
}

function copyEdge(from: usize, c: usize, cRow: usize, before: usize, beforeRow: usize, height: i32, width: i32): void {
  for (let i = 0; i < height; i++) {
    for (let j = 0; j < width; j++) {
      const value = load<f32>(from + (<usize>j << 2))
      store<f32>(c + (<usize>j << 2), before ? load<f32>(before + (<usize>j << 2)) + value : value)
    }
    from += COLUMNS << 2
    c += cRow
    if (before) before += beforeRow
  }
}

// Batches: each product by one thread, many at a time.

@inline function batchChunks(batch: i32, each: f64): i32 {
  // Twenty microseconds a chunk, more or less.
  return max(1, min(batch, <i32>min(<f64>batch, 20e6 / max(each, 1))))
}

/** Bytes of working memory for {@link gemmBatch}. */
export function gemmBatchSpace(m: i32, n: i32, k: i32, batch: i32): usize {
  return (panelBytes(n, k) + ownBytes(m, k)) * hands(work(m, n, k) * batch)
}

/** C[i] = A[i] B[i]; `startsA` and `startsB` are lists of addresses, C's matrices touch. */
export function gemmBatch(
  batch: i32, m: i32, n: i32, k: i32, startsA: usize, aRow: usize, aColumn: usize, startsB: usize, bRow: usize,
  bColumn: usize, c: usize, space: usize,
): void {
  put(M, m)
  put(N, n)
  put(K, k)
  put(STARTS_A, startsA)
  put(A_ROW, aRow)
  put(A_COLUMN, aColumn)
  put(STARTS_B, startsB)
  put(B_ROW, bRow)
  put(B_COLUMN, bColumn)
  put(C, c)
  put(SPACE, space)
  put(BATCH, batch)
  const perChunk = batchChunks(batch, work(m, n, k))
  put(PER_CHUNK, perChunk)
  share(batchTask.index, (batch + perChunk - 1) / perChunk, work(m, n, k) * batch)
}

function batchTask(chunk: i32, thread: i32): void {
  const m = arg<i32>(M)
  const n = arg<i32>(N)
  const k = arg<i32>(K)
  const first = chunk * arg<i32>(PER_CHUNK)
  const end = min(first + arg<i32>(PER_CHUNK), arg<i32>(BATCH))
  const panel = arg<usize>(SPACE) + <usize>thread * (panelBytes(n, k) + ownBytes(m, k))
  for (let i = first; i < end; i++)
    multiplyAlone(
      m, n, k, load<usize>(arg<usize>(STARTS_A) + (<usize>i << 2)), load<usize>(arg<usize>(STARTS_B) + (<usize>i << 2)),
      arg<usize>(C) + (<usize>i * <usize>m * <usize>n << 2), panel,
    )
}

/** One product by one thread; strides as the batch's. */
function multiplyAlone(m: i32, n: i32, k: i32, a: usize, b: usize, c: usize, panel: usize): void {
  const aRow = arg<usize>(A_ROW)
  const aColumn = arg<usize>(A_COLUMN)
  const bRow = arg<usize>(B_ROW)
  const bColumn = arg<usize>(B_COLUMN)
  const cRow = <usize>n << 2
  const own = panel + panelBytes(n, k)
  for (let j = 0; j < n; j += WIDTH) {
    const width = min(WIDTH, n - j)
    for (let l = 0; l < max(1, k); l += DEPTH) {
      const depth = min(DEPTH, k - l)
      packPanel(b + <usize>l * bRow + <usize>j * bColumn, bRow, bColumn, width, depth, panel)
      for (let i = 0; i < m; i += HEIGHT) {
        const height = min(HEIGHT, m - i)
        packBlock(a + <usize>i * aRow + <usize>l * aColumn, aRow, aColumn, height, depth, own)
        const at = c + <usize>i * cRow + (<usize>j << 2)
        multiplyBlock(
          height, width, depth, own, panel, depth, at, cRow, l > 0 ? at : 0, cRow, own + (<usize>(height * depth) << 2),
        )
      }
    }
  }
}
