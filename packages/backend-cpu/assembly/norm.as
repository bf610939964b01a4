// Layer normalisation over rows, y = (x − mean) / √(variance + ε) · weight + bias, and its gradients.

import { arg, put, share } from './team'
import { madd } from './tile'
import { firstLanes, storeLeft, sumOfLanes } from './vector'

const X: usize = 0
const WEIGHT: usize = 1 // or 0
const BIAS: usize = 2
const Y: usize = 3
const ROWS: usize = 4
const N: usize = 5
const EPSILON: usize = 6
const DY: usize = 7
const PARTS: usize = 8 // of each chunk of rows, the sums that make the gradients of weight and bias
const D_WEIGHT: usize = 9
const D_BIAS: usize = 10
const CHUNKS: usize = 11

/** Rows of a chunk: their gradients are summed first, so that the sums depend on no thread. */
const PER_CHUNK: i32 = 32
/** Columns that one thread sums at a time. */
const BAND: i32 = 256
/** Numbers are added in blocks of float32, and these in float64. */
const BLOCK: i32 = 1024

/** y = the rows of x, normalised; weight and bias are addresses of n numbers, or 0. */
export function layerNorm(x: usize, weight: usize, bias: usize, y: usize, rows: i32, n: i32, epsilon: f32): void {
  put(X, x)
  put(WEIGHT, weight)
  put(BIAS, bias)
  put(Y, y)
  put(ROWS, rows)
  put(N, n)
  put(EPSILON, epsilon)
  share(forwardTask.index, (rows + PER_CHUNK - 1) / PER_CHUNK, <f64>rows * <f64>n * 600)
}

function forwardTask(chunk: i32, thread: i32): void {
  const n = arg<i32>(N)
  const end = min((chunk + 1) * PER_CHUNK, arg<i32>(ROWS))
  for (let i = chunk * PER_CHUNK; i < end; i++) {
    const at = (<usize>i * <usize>n) << 2
    const x = arg<usize>(X) + at
    const mean = meanOf(x, n)
    writeRow(x, arg<usize>(Y) + at, n, mean, rootOf(x, n, mean))
  }
}

function meanOf(x: usize, n: i32): f32 {
  let total: f64 = 0
  for (let left = n; left > 0; left -= BLOCK) {
    let s0 = f32x4.splat(0)
    let s1 = f32x4.splat(0)
    let count = min(left, BLOCK)
    for (; count >= 8; count -= 8) {
      s0 = f32x4.add(s0, v128.load(x))
      s1 = f32x4.add(s1, v128.load(x, 16))
      x += 32
    }
    for (; count > 0; count -= 4) {
      s0 = f32x4.add(s0, v128.and(v128.load(x), firstLanes(min(4, count))))
      x += 16
    }
    total += sumOfLanes(f32x4.add(s0, s1))
  }
  return <f32>(total / n)
}

/** 1 / √(variance + ε) */
function rootOf(x: usize, n: i32, mean: f32): f32 {
  const means = f32x4.splat(mean)
  let total: f64 = 0
  for (let left = n; left > 0; left -= BLOCK) {
    let s0 = f32x4.splat(0)
    let s1 = f32x4.splat(0)
    let count = min(left, BLOCK)
    for (; count >= 8; count -= 8) {
      const d0 = f32x4.sub(v128.load(x), means)
      const d1 = f32x4.sub(v128.load(x, 16), means)
      s0 = madd(d0, d0, s0)
      s1 = madd(d1, d1, s1)
      x += 32
    }
    for (; count > 0; count -= 4) {
      const d = v128.and(f32x4.sub(v128.load(x), means), firstLanes(min(4, count)))
      s0 = madd(d, d, s0)
      x += 16
    }
    total += sumOfLanes(f32x4.add(s0, s1))
  }
  return <f32>(1 / Math.sqrt(total / n + arg<f32>(EPSILON)))
}

function writeRow(x: usize, y: usize, n: i32, mean: f32, root: f32): void {
  const means = f32x4.splat(mean)
  const roots = f32x4.splat(root)
  let w = arg<usize>(WEIGHT)
  let b = arg<usize>(BIAS)
  if (w == 0) {
    for (; n > 0; n -= 4) {
      storeLeft(y, f32x4.mul(f32x4.sub(v128.load(x), means), roots), n)
      x += 16
      y += 16
    }
    return
  }
  for (; n >= 8; n -= 8) {
    const y0 = madd(f32x4.mul(f32x4.sub(v128.load(x), means), roots), v128.load(w), v128.load(b))
    const y1 = madd(f32x4.mul(f32x4.sub(v128.load(x, 16), means), roots), v128.load(w, 16), v128.load(b, 16))
    v128.store(y, y0)
    v128.store(y, y1, 16)
    x += 32
    y += 32
    w += 32
    b += 32
  }
  for (; n > 0; n -= 4) {
    storeLeft(y, madd(f32x4.mul(f32x4.sub(v128.load(x), means), roots), v128.load(w), v128.load(b)), n)
    x += 16
    y += 16
    w += 16
    b += 16
  }
}

/** Bytes of working memory for {@link layerNormGrad}. */
export function layerNormGradSpace(rows: i32, n: i32, weighted: bool): usize {
  return weighted ? (<usize>((rows + PER_CHUNK - 1) / PER_CHUNK) * sumsOf(n)) << 1 : 0
}

/** Bytes of a chunk's sums for n columns. */
@inline function sumsOf(n: i32): usize {
  return ((<usize>n << 2) + 95) & ~63
}

/** Gradients by x, and by weight and bias where there is a weight. */
export function layerNormGrad(
  dy: usize, x: usize, weight: usize, dx: usize, dWeight: usize, dBias: usize, rows: i32, n: i32, epsilon: f32, space: usize,
): void {
  put(DY, dy)
  put(X, x)
  put(WEIGHT, weight)
  put(Y, dx)
  put(ROWS, rows)
  put(N, n)
  put(EPSILON, epsilon)
  put(PARTS, space)
  const chunks = (rows + PER_CHUNK - 1) / PER_CHUNK
  share(backwardTask.index, chunks, <f64>rows * <f64>n * 1200)
  if (weight == 0) return
  put(D_WEIGHT, dWeight)
  put(D_BIAS, dBias)
  put(CHUNKS, chunks)
  share(sumTask.index, (n + BAND - 1) / BAND, <f64>chunks * <f64>n * 200)
}

function backwardTask(chunk: i32, thread: i32): void {
  const n = arg<i32>(N)
  const end = min((chunk + 1) * PER_CHUNK, arg<i32>(ROWS))
  const weight = arg<usize>(WEIGHT)
  const parts = arg<usize>(PARTS) + ((<usize>chunk * sumsOf(n)) << 1)
  if (weight) memory.fill(parts, 0, sumsOf(n) << 1)
  for (let i = chunk * PER_CHUNK; i < end; i++) {
    const at = (<usize>i * <usize>n) << 2
    const x = arg<usize>(X) + at
    const dy = arg<usize>(DY) + at
    const mean = meanOf(x, n)
    const root = rootOf(x, n, mean)
    changeRow(dy, x, weight, arg<usize>(Y) + at, n, mean, root)
    if (weight) addRow(dy, x, parts, parts + sumsOf(n), n, mean, root)
  }
}

/** With z = (x − mean) · root and g = dy · weight: dx = root · (g − mean of g − z · mean of g z). */
function changeRow(dy: usize, x: usize, weight: usize, dx: usize, n: i32, mean: f32, root: f32): void {
  const means = f32x4.splat(mean)
  const roots = f32x4.splat(root)
  let plain: f64 = 0
  let along: f64 = 0
  for (let first = 0; first < n; first += BLOCK) {
    let s = f32x4.splat(0)
    let t = f32x4.splat(0)
    const end = min(n, first + BLOCK)
    for (let i = first; i < end; i += 4) {
      const at = <usize>i << 2
      let g = v128.load(dy + at)
      if (weight) g = f32x4.mul(g, v128.load(weight + at))
      if (end - i < 4) g = v128.and(g, firstLanes(end - i))
      let z = f32x4.mul(f32x4.sub(v128.load(x + at), means), roots)
      if (end - i < 4) z = v128.and(z, firstLanes(end - i))
      s = f32x4.add(s, g)
      t = madd(g, z, t)
    }
    plain += sumOfLanes(s)
    along += sumOfLanes(t)
  }
  const plains = f32x4.splat(<f32>(plain / n))
  const alongs = f32x4.splat(<f32>(along / n))
  for (; n > 0; n -= 4) {
    const g = weight ? f32x4.mul(v128.load(dy), v128.load(weight)) : v128.load(dy)
    const z = f32x4.mul(f32x4.sub(v128.load(x), means), roots)
    storeLeft(dx, f32x4.mul(roots, f32x4.sub(f32x4.sub(g, plains), f32x4.mul(z, alongs))), n)
    dy += 16
    x += 16
    dx += 16
    if (weight) weight += 16
  }
}

/** Adds a row to the sums of dy · z and of dy; there is room for two vectors behind them. */
function addRow(dy: usize, x: usize, weights: usize, biases: usize, n: i32, mean: f32, root: f32): void {
  const means = f32x4.splat(mean)
  const roots = f32x4.splat(root)
  for (; n > 0; n -= 8) {
    const w0 = madd(v128.load(dy), f32x4.mul(f32x4.sub(v128.load(x), means), roots), v128.load(weights))
    const w1 = madd(v128.load(dy, 16), f32x4.mul(f32x4.sub(v128.load(x, 16), means), roots), v128.load(weights, 16))
    v128.store(weights, w0)
    v128.store(weights, w1, 16)
    const b0 = f32x4.add(v128.load(dy), v128.load(biases))
    const b1 = f32x4.add(v128.load(dy, 16), v128.load(biases, 16))
    v128.store(biases, b0)
    v128.store(biases, b1, 16)
    dy += 32
    x += 32
    weights += 32
    biases += 32
  }
}

/** Adds the chunks' sums, the first chunk's first. */
function sumTask(band: i32, thread: i32): void {
  const n = arg<i32>(N)
  const end = min(n, (band + 1) * BAND)
  const step = sumsOf(n) << 1
  for (let j = band * BAND; j < end; j += 4) {
    const at = <usize>j << 2
    let from = arg<usize>(PARTS) + at
    let w = f32x4.splat(0)
    let b = f32x4.splat(0)
    for (let chunk = arg<i32>(CHUNKS); chunk > 0; chunk--) {
      w = f32x4.add(w, v128.load(from))
      b = f32x4.add(b, v128.load(from + sumsOf(n)))
      from += step
    }
    storeLeft(arg<usize>(D_WEIGHT) + at, w, end - j)
    storeLeft(arg<usize>(D_BIAS) + at, b, end - j)
  }
}
