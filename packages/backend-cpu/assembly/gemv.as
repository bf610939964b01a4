// Products that need no packing. First those with a single row or column: y[j] = (bias[j] +) Σₗ x[l] w[j][l]. w is read but once.
//
// Rounding as in './gemm': chains of madd in the order of l, in blocks of DEPTH.

import { DEPTH, packedBytes } from './gemm'
import { arg, corner, put, share } from './team'
import { COLUMNS, madd, rowBy1, rowBy4 } from './tile'
import { column0, column1, column2, column3, storeLeft, storeSome } from './vector'

const N: usize = 0
const K: usize = 1
const STARTS_W: usize = 2 // addresses of the batch's matrices and vectors, a word each
const W_STEP: usize = 3 // bytes from j to j + 1
const W_DEPTH: usize = 4 // bytes from l to l + 1
const STARTS_X: usize = 5
const X_DEPTH: usize = 6
const Y: usize = 7
const BIAS: usize = 8 // address of n numbers, or 0
const BANDS: usize = 9
const ITEMS: usize = 10
const PER_CHUNK: usize = 11

/** Results that one thread computes at a time. */
const BAND: i32 = 256

/** For each of the batch; the y's touch. */
export function gemv(
  batch: i32, n: i32, k: i32, startsW: usize, wStep: usize, wDepth: usize, startsX: usize, xDepth: usize, y: usize,
  bias: usize,
): void {
  const bands = (n + BAND - 1) / BAND
  const each = <f64>min(n, BAND) * <f64>k * 200
  const perChunk = max(1, <i32>min(1e6, 10e6 / max(each, 1)))
  put(N, n)
  put(K, k)
  put(STARTS_W, startsW)
  put(W_STEP, wStep)
  put(W_DEPTH, wDepth)
  put(STARTS_X, startsX)
  put(X_DEPTH, xDepth)
  put(Y, y)
  put(BIAS, bias)
  put(BANDS, bands)
  put(ITEMS, bands * batch)
  put(PER_CHUNK, perChunk)
  share(gemvTask.index, (bands * batch + perChunk - 1) / perChunk, each * bands * batch)
}

function gemvTask(chunk: i32, thread: i32): void {
  const first = chunk * arg<i32>(PER_CHUNK)
  const end = min(first + arg<i32>(PER_CHUNK), arg<i32>(ITEMS))
  for (let item = first; item < end; item++) gemvBand(item / arg<i32>(BANDS), (item % arg<i32>(BANDS)) * BAND)
}

function gemvBand(which: i32, from: i32): void {
  const n = arg<i32>(N)
  rowByColumns(
    from, min(from + BAND, n), arg<i32>(K), load<usize>(arg<usize>(STARTS_X) + (<usize>which << 2)), arg<usize>(X_DEPTH),
    load<usize>(arg<usize>(STARTS_W) + (<usize>which << 2)), arg<usize>(W_STEP), arg<usize>(W_DEPTH),
    arg<usize>(Y) + ((<usize>which * <usize>n) << 2), arg<usize>(BIAS),
  )
}

/** y[j] = (bias[j] +) Σₗ x[l] w[j][l], for j from `from` up to `to`; l below k. Steps in bytes, from j to j + 1 and from l to l + 1. */
export function rowByColumns(
  from: i32, to: i32, k: i32, x: usize, xDepth: usize, w: usize, step: usize, depth: usize, y: usize, bias: usize,
): void {
  for (let l = 0; l < k; l += DEPTH) {
    const count = min(DEPTH, k - l)
    // What the sum of this block is added to: the bias, the blocks before, or nothing.
    const before = l > 0 ? y : bias
    let j = from
    if (step == 4) for (; j + 16 <= to; j += 16) sixteenAcross(count, x, xDepth, w + (<usize>j << 2), depth, at(y, j), before ? at(before, j) : 0)
    else if (depth == 4 && xDepth == 4) {
      for (; j + 16 <= to; j += 16) sixteenAlong(count, x, w + <usize>j * step, step, at(y, j), before ? at(before, j) : 0)
      for (; j + 4 <= to; j += 4) fourAlong(count, x, w + <usize>j * step, step, at(y, j), before ? at(before, j) : 0)
    }
    for (; j < to; j += 4) fourAnyhow(count, x, xDepth, w + <usize>j * step, step, depth, at(y, j), before ? at(before, j) : 0, min(4, to - j))
    x += <usize>count * xDepth
    w += <usize>count * depth
  }
}

@inline function at(y: usize, j: i32): usize {
  return y + (<usize>j << 2)
}

@inline function finish(y: usize, before: usize, sum: v128): void {
  v128.store(y, before ? f32x4.add(v128.load(before), sum) : sum)
}

/** Sixteen results whose weights lie side by side. */
function sixteenAcross(k: i32, x: usize, xDepth: usize, w: usize, depth: usize, y: usize, before: usize): void {
  let s0 = f32x4.splat(0)
  let s1 = f32x4.splat(0)
  let s2 = f32x4.splat(0)
  let s3 = f32x4.splat(0)
  for (; k > 0; k--) {
    const factor = v128.load32_splat(x)
    s0 = madd(factor, v128.load(w), s0)
    s1 = madd(factor, v128.load(w, 16), s1)
    s2 = madd(factor, v128.load(w, 32), s2)
    s3 = madd(factor, v128.load(w, 48), s3)
    x += xDepth
    w += depth
  }
  finish(y, before, s0)
  finish(y + 16, before ? before + 16 : 0, s1)
  finish(y + 32, before ? before + 32 : 0, s2)
  finish(y + 48, before ? before + 48 : 0, s3)
}

/** Sixteen results whose weights lie in sixteen lines: four numbers of each line at a time, turned in registers. */
function sixteenAlong(k: i32, x: usize, w: usize, step: usize, y: usize, before: usize): void {
  let s0 = f32x4.splat(0)
  let s1 = f32x4.splat(0)
  let s2 = f32x4.splat(0)
  let s3 = f32x4.splat(0)
  for (; k >= 4; k -= 4) {
    s0 = fourTimesFour(x, w, step, s0)
    s1 = fourTimesFour(x, w + 4 * step, step, s1)
    s2 = fourTimesFour(x, w + 8 * step, step, s2)
    s3 = fourTimesFour(x, w + 12 * step, step, s3)
    x += 16
    w += 16
  }
  for (; k > 0; k--) {
    const factor = v128.load32_splat(x)
    s0 = madd(factor, gathered(w, step, 4), s0)
    s1 = madd(factor, gathered(w + 4 * step, step, 4), s1)
    s2 = madd(factor, gathered(w + 8 * step, step, 4), s2)
    s3 = madd(factor, gathered(w + 12 * step, step, 4), s3)
    x += 4
    w += 4
  }
  finish(y, before, s0)
  finish(y + 16, before ? before + 16 : 0, s1)
  finish(y + 32, before ? before + 32 : 0, s2)
  finish(y + 48, before ? before + 48 : 0, s3)
}

/** The same for four results. */
function fourAlong(k: i32, x: usize, w: usize, step: usize, y: usize, before: usize): void {
  let sum = f32x4.splat(0)
  for (; k >= 4; k -= 4) {
    sum = fourTimesFour(x, w, step, sum)
    x += 16
    w += 16
  }
  for (; k > 0; k--) {
    sum = madd(v128.load32_splat(x), gathered(w, step, 4), sum)
    x += 4
    w += 4
  }
  finish(y, before, sum)
}

@inline function fourTimesFour(x: usize, w: usize, step: usize, sum: v128): v128 {
  const r0 = v128.load(w)
  const r1 = v128.load(w + step)
  const r2 = v128.load(w + 2 * step)
  const r3 = v128.load(w + 3 * step)
  sum = madd(v128.load32_splat(x), column0(r0, r1, r2, r3), sum)
  sum = madd(v128.load32_splat(x, 4), column1(r0, r1, r2, r3), sum)
  sum = madd(v128.load32_splat(x, 8), column2(r0, r1, r2, r3), sum)
  return madd(v128.load32_splat(x, 12), column3(r0, r1, r2, r3), sum)
}

/** Up to four results, the weights lying anyhow. */
function fourAnyhow(k: i32, x: usize, xDepth: usize, w: usize, step: usize, depth: usize, y: usize, before: usize, width: i32): void {
  let sum = f32x4.splat(0)
  if (step == 4)
    for (; k > 0; k--) {
      sum = madd(v128.load32_splat(x), v128.load(w), sum)
      x += xDepth
      w += depth
    }
  else
    for (; k > 0; k--) {
      sum = madd(v128.load32_splat(x), gathered(w, step, width), sum)
      x += xDepth
      w += depth
    }
  if (before) sum = f32x4.add(v128.load(before), sum)
  if (width < 4) storeSome(y, sum, width)
  else v128.store(y, sum)
}

/** The first numbers of up to four lines; the last one again where there are fewer. */
@inline function gathered(w: usize, step: usize, width: i32): v128 {
  const last = <usize>(width - 1)
  let v = v128.load32_zero(w)
  v = v128.load32_lane(w + min(1, last) * step, v, 1)
  v = v128.load32_lane(w + min(2, last) * step, v, 2)
  return v128.load32_lane(w + min(3, last) * step, v, 3)
}

// ── a row by columns that were packed beforehand, for weights that serve again and again ──

const PACKED: usize = 17

/** y = (bias +) x B, x's numbers side by side, B as pack of './gemm' leaves it. */
export function gemvPacked(n: i32, k: i32, packed: usize, x: usize, y: usize, bias: usize): void {
  put(N, n)
  put(K, k)
  put(PACKED, packed)
  put(STARTS_X, x)
  put(Y, y)
  put(BIAS, bias)
  share(packedTask.index, (n + BAND - 1) / BAND, <f64>n * <f64>k * 100)
}

function packedTask(chunk: i32, thread: i32): void {
  const n = arg<i32>(N)
  const k = arg<i32>(K)
  const y = arg<usize>(Y)
  const bias = arg<usize>(BIAS)
  const from = chunk * BAND
  const to = min(from + BAND, n)
  for (let l = 0; l < k; l += DEPTH) {
    const depth = min(DEPTH, k - l)
    const x = arg<usize>(STARTS_X) + (<usize>l << 2)
    const sliver = <usize>(COLUMNS * depth) << 2
    let b = arg<usize>(PACKED) + packedBytes(n, l) + (<usize>from * <usize>depth << 2)
    const before = l > 0 ? y : bias
    let j = from
    for (; j + 4 * COLUMNS <= to; j += 4 * COLUMNS) {
      rowBy4(depth, x, b, sliver, at(y, j), before ? at(before, j) : 0)
      b += 4 * sliver
    }
    for (; j < to; j += COLUMNS) {
      if (j + COLUMNS <= to) rowBy1(depth, x, b, 0, at(y, j), before ? at(before, j) : 0)
      else {
        const edge = corner(thread)
        rowBy1(depth, x, b, 0, edge, before ? at(before, j) : 0)
        memory.copy(at(y, j), edge, <usize>(to - j) << 2)
      }
      b += sliver
    }
  }
}

// ── products of a column and a row ──

const M: usize = 12
const STARTS_A: usize = 13
const A_ROW: usize = 14
const STARTS_B: usize = 15
const ROWS: usize = 16

/** y[i][j] = a[i] b[j] for each of the batch, b's numbers side by side; the y's touch. */
export function outer(
  batch: i32, m: i32, n: i32, startsA: usize, aRow: usize, startsB: usize, y: usize,
): void {
  const perChunk = max(1, (1 << 14) / n)
  put(N, n)
  put(M, m)
  put(STARTS_A, startsA)
  put(A_ROW, aRow)
  put(STARTS_B, startsB)
  put(Y, y)
  put(ROWS, batch * m)
  put(PER_CHUNK, perChunk)
  share(outerTask.index, (batch * m + perChunk - 1) / perChunk, <f64>batch * <f64>m * <f64>n * 200)
}

function outerTask(chunk: i32, thread: i32): void {
  const m = arg<i32>(M)
  const n = arg<i32>(N)
  const first = chunk * arg<i32>(PER_CHUNK)
  const end = min(first + arg<i32>(PER_CHUNK), arg<i32>(ROWS))
  let y = arg<usize>(Y) + (<usize>first * <usize>n << 2)
  const nothing = f32x4.splat(0)
  for (let row = first; row < end; row++) {
    const which = <usize>(row / m) << 2
    const factor = v128.load32_splat(load<usize>(arg<usize>(STARTS_A) + which) + <usize>(row % m) * arg<usize>(A_ROW))
    let b = load<usize>(arg<usize>(STARTS_B) + which)
    for (let left = n; left > 0; left -= 4) {
      storeLeft(y, madd(factor, v128.load(b), nothing), left)
      b += 16
      y += 16
    }
    y -= <usize>(-n & 3) << 2 // back to the end of the line
  }
}
