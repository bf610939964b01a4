// Softmax and its logarithm over rows: the largest number, the sum of exponentials, the results.

import { expBelow4, log4 } from './math'
import { arg, put, share } from './team'
import { firstLanes, maxOfLanes, storeSome, sumOfLanes } from './vector'

const X: usize = 0
const Y: usize = 1
const ROWS: usize = 2
const N: usize = 3
const PER_CHUNK: usize = 4

/** Exponentials are added like numbers in './reduce': blocks of 1024 in float32, blocks in float64. */
const BLOCK: i32 = 1024

/** y = softmax(x), row by row. */
export function softmax(x: usize, y: usize, rows: i32, n: i32): void {
  overRows(softmaxTask.index, x, y, rows, n)
}

/** y = log softmax(x), row by row. */
export function logSoftmax(x: usize, y: usize, rows: i32, n: i32): void {
  overRows(logSoftmaxTask.index, x, y, rows, n)
}

function overRows(task: i32, x: usize, y: usize, rows: i32, n: i32): void {
  const perChunk = max(1, (1 << 13) / max(1, n))
  put(X, x)
  put(Y, y)
  put(ROWS, rows)
  put(N, n)
  put(PER_CHUNK, perChunk)
  share(task, (rows + perChunk - 1) / perChunk, <f64>rows * <f64>n * 1500)
}

function softmaxTask(chunk: i32, thread: i32): void {
  const n = arg<i32>(N)
  const first = chunk * arg<i32>(PER_CHUNK)
  const end = min(first + arg<i32>(PER_CHUNK), arg<i32>(ROWS))
  for (let i = first; i < end; i++) {
    const at = (<usize>i * <usize>n) << 2
    const x = arg<usize>(X) + at
    const y = arg<usize>(Y) + at
    scale(y, n, <f32>(1 / exponentials(x, y, n, mostOf(x, n))))
  }
}

function logSoftmaxTask(chunk: i32, thread: i32): void {
  const n = arg<i32>(N)
  const first = chunk * arg<i32>(PER_CHUNK)
  const end = min(first + arg<i32>(PER_CHUNK), arg<i32>(ROWS))
  for (let i = first; i < end; i++) {
    const at = (<usize>i * <usize>n) << 2
    const x = arg<usize>(X) + at
    const y = arg<usize>(Y) + at
    const most = mostOf(x, n)
    const sum = exponentials(x, y, n, most)
    lower(x, y, n, f32x4.splat(most), log4(f32x4.splat(<f32>sum)))
  }
}

/** The largest number that is none but NaN; −∞ of nothing. NaN is left to the exponentials. */
export function mostOf(x: usize, n: i32): f32 {
  let m0 = f32x4.splat(-Infinity)
  let m1 = m0
  for (; n >= 8; n -= 8) {
    m0 = f32x4.pmax(m0, v128.load(x))
    m1 = f32x4.pmax(m1, v128.load(x, 16))
    x += 32
  }
  m0 = f32x4.pmax(m0, m1)
  let most = maxOfLanes(m0)
  for (; n > 0; n--) {
    const v = load<f32>(x)
    if (v > most) most = v
    x += 4
  }
  return most
}

/** y = eˣ⁻ᵐ; the sum of it. */
export function exponentials(x: usize, y: usize, n: i32, m: f32): f64 {
  const most = f32x4.splat(m)
  let total: f64 = 0
  for (; n > 0; n -= BLOCK) {
    let s0 = f32x4.splat(0)
    let s1 = f32x4.splat(0)
    let left = min(n, BLOCK)
    for (; left >= 8; left -= 8) {
      const e0 = expBelow4(f32x4.sub(v128.load(x), most))
      const e1 = expBelow4(f32x4.sub(v128.load(x, 16), most))
      v128.store(y, e0)
      v128.store(y, e1, 16)
      s0 = f32x4.add(s0, e0)
      s1 = f32x4.add(s1, e1)
      x += 32
      y += 32
    }
    if (left >= 4) {
      const e = expBelow4(f32x4.sub(v128.load(x), most))
      v128.store(y, e)
      s0 = f32x4.add(s0, e)
      x += 16
      y += 16
      left -= 4
    }
    if (left) {
      const e = expBelow4(f32x4.sub(v128.load(x), most))
      storeSome(y, e, left)
      s1 = f32x4.add(s1, v128.and(e, firstLanes(left)))
    }
    total += sumOfLanes(f32x4.add(s0, s1))
  }
  return total
}

/** y times a number. */
export function scale(y: usize, n: i32, factor: f32): void {
  const factors = f32x4.splat(factor)
  for (; n >= 4; n -= 4) {
    v128.store(y, f32x4.mul(v128.load(y), factors))
    y += 16
  }
  if (n) storeSome(y, f32x4.mul(v128.load(y), factors), n)
}

/** y = (x − m) − log sum */
function lower(x: usize, y: usize, n: i32, most: v128, logSum: v128): void {
  for (; n >= 4; n -= 4) {
    v128.store(y, f32x4.sub(f32x4.sub(v128.load(x), most), logSum))
    x += 16
    y += 16
  }
  if (n) storeSome(y, f32x4.sub(f32x4.sub(v128.load(x), most), logSum), n)
}
