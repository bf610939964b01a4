// Additive scores, y[b][i][j] = Σₐ v[a] tanh(q[b][i][a] + k[b][j][a]), and their gradients. The sums q + k are never held.

import { tanh4 } from './math'
import { reduceColumns, reduceColumnsSpace, SUM } from './reduce'
import { arg, put, share } from './team'
import { madd } from './tile'
import { column0, column1, column2, column3, constant, firstLanes, storeLeft } from './vector'

const ONE: usize = memory.data<f32>([1])

const QUERIES: usize = 0
const KEYS: usize = 1
const SIZE: usize = 2
const Q: usize = 3
const K: usize = 4
const V: usize = 5
const Y: usize = 6
const ITEMS: usize = 7
const PER_CHUNK: usize = 8
const DY: usize = 9
const DQ: usize = 10
const DK: usize = 11
const DV: usize = 12

/** q: [batch, queries, size], k: [batch, keys, size], v: [size] → y: [batch, queries, keys]. */
export function additiveScore(
  batch: i32, queries: i32, keys: i32, size: i32, q: usize, k: usize, v: usize, y: usize,
): void {
  const each = <f64>keys * <f64>size * 1000
  const items = batch * queries
  const perChunk = max(1, <i32>min(<f64>items, 20e6 / max(each, 1)))
  put(QUERIES, queries)
  put(KEYS, keys)
  put(SIZE, size)
  put(Q, q)
  put(K, k)
  put(V, v)
  put(Y, y)
  put(ITEMS, items)
  put(PER_CHUNK, perChunk)
  share(scoreTask.index, (items + perChunk - 1) / perChunk, each * items)
}

function scoreTask(chunk: i32, thread: i32): void {
  const keys = arg<i32>(KEYS)
  const line = <usize>arg<i32>(SIZE) << 2
  const first = chunk * arg<i32>(PER_CHUNK)
  const end = min(first + arg<i32>(PER_CHUNK), arg<i32>(ITEMS))
  for (let item = first; item < end; item++) {
    const q = arg<usize>(Q) + <usize>item * line
    const k = arg<usize>(K) + <usize>(item / arg<i32>(QUERIES)) * <usize>keys * line
    const y = arg<usize>(Y) + (<usize>item * <usize>keys << 2)
    for (let j = 0; j < keys; j += 4) storeLeft(y + (<usize>j << 2), fourScores(q, k, j, keys - 1, line), keys - j)
  }
}

/** The scores of one query and four keys; beyond the last key, the last one's again. */
@inline function fourScores(q: usize, k: usize, j: i32, last: i32, line: usize): v128 {
  const k0 = k + <usize>j * line
  const k1 = k + <usize>min(j + 1, last) * line
  const k2 = k + <usize>min(j + 2, last) * line
  const k3 = k + <usize>min(j + 3, last) * line
  const v = arg<usize>(V)
  let s0 = f32x4.splat(0)
  let s1 = f32x4.splat(0)
  let s2 = f32x4.splat(0)
  let s3 = f32x4.splat(0)
  let at: usize = 0
  for (; at + 16 <= line; at += 16) {
    const query = v128.load(q + at)
    const weight = v128.load(v + at)
    s0 = madd(weight, tanh4(f32x4.add(query, v128.load(k0 + at))), s0)
    s1 = madd(weight, tanh4(f32x4.add(query, v128.load(k1 + at))), s1)
    s2 = madd(weight, tanh4(f32x4.add(query, v128.load(k2 + at))), s2)
    s3 = madd(weight, tanh4(f32x4.add(query, v128.load(k3 + at))), s3)
  }
  if (at < line) {
    const some = firstLanes((line - at) >> 2) // what is behind the end may be NaN
    const query = v128.and(v128.load(q + at), some)
    const weight = v128.and(v128.load(v + at), some)
    s0 = madd(weight, tanh4(f32x4.add(query, v128.and(v128.load(k0 + at), some))), s0)
    s1 = madd(weight, tanh4(f32x4.add(query, v128.and(v128.load(k1 + at), some))), s1)
    s2 = madd(weight, tanh4(f32x4.add(query, v128.and(v128.load(k2 + at), some))), s2)
    s3 = madd(weight, tanh4(f32x4.add(query, v128.and(v128.load(k3 + at), some))), s3)
  }
  return f32x4.add(
    f32x4.add(column0(s0, s1, s2, s3), column1(s0, s1, s2, s3)),
    f32x4.add(column2(s0, s1, s2, s3), column3(s0, s1, s2, s3)),
  )
}

/** Bytes of working memory for {@link additiveScoreGrad}. */
export function additiveScoreGradSpace(batch: i32, size: i32): usize {
  return (((<usize>batch * <usize>size << 2) + 63) & ~63) + reduceColumnsSpace(1, batch, size)
}

/** With t = tanh(q + k): dv = Σ dy t, dq = v Σⱼ dy (1 − t²), dk = v Σᵢ dy (1 − t²). */
export function additiveScoreGrad(
  batch: i32, queries: i32, keys: i32, size: i32, dy: usize, q: usize, k: usize, v: usize, dq: usize, dk: usize,
  dv: usize, space: usize,
): void {
  put(QUERIES, queries)
  put(KEYS, keys)
  put(SIZE, size)
  put(Q, q)
  put(K, k)
  put(V, v)
  put(DY, dy)
  put(DQ, dq)
  put(DK, dk)
  put(DV, space) // each batch row's part, added up in order afterwards
  share(gradTask.index, batch, <f64>batch * <f64>queries * <f64>keys * <f64>size * 1300)
  const line = <usize>size << 2
  reduceColumns(SUM, space, 1, 0, batch, line, size, dv, space + ((<usize>batch * line + 63) & ~63))
}

function gradTask(item: i32, thread: i32): void {
  const queries = arg<i32>(QUERIES)
  const keys = arg<i32>(KEYS)
  const line = <usize>arg<i32>(SIZE) << 2
  const dy = arg<usize>(DY) + (<usize>item * <usize>queries * <usize>keys << 2)
  for (let at: usize = 0; at < line; at += 16) {
    const left = (line - at) >> 2
    const weight = v128.load(arg<usize>(V) + at)
    let dv = f32x4.splat(0)
    let gradient = dy
    for (let i = 0; i < queries; i++) {
      const row = <usize>(item * queries + i) * line + at
      const query = v128.load(arg<usize>(Q) + row)
      let dq = f32x4.splat(0)
      let column = <usize>item * <usize>keys * line + at
      for (let j = 0; j < keys; j++) {
        const g = v128.load32_splat(gradient)
        const t = tanh4(f32x4.add(query, v128.load(arg<usize>(K) + column)))
        const u = f32x4.mul(g, f32x4.sub(constant(ONE), f32x4.mul(t, t)))
        dv = madd(g, t, dv)
        dq = f32x4.add(dq, u)
        const dk = arg<usize>(DK) + column
        let sum = i > 0 ? f32x4.add(v128.load(dk), u) : u
        if (i == queries - 1) sum = f32x4.mul(sum, weight)
        storeLeft(dk, sum, left)
        gradient += 4
        column += line
      }
      storeLeft(arg<usize>(DQ) + row, f32x4.mul(dq, weight), left)
    }
    storeLeft(arg<usize>(DV) + <usize>item * line + at, dv, left)
  }
}
