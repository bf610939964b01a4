// Attention of few queries, above all of one: a reader or writer that goes word by word. Packing keys for them would cost more
// than meeting them where they lie.
//
// Rounding: all keys at once, the products as in './gemv'. Sums over the keys go in their order.

import {
  K, K_ROW, KEY_COUNT, limitOf, LOG_SUMS, MASK, maskLine, NOWHERE, OWN, Q, Q_ROW, QUERY_COUNT, room,
  SCALE, SIZE, SPACE, V, V_ROW, VALUE_SIZE, Y,
} from './attention'
import { DK, DQ, DV, DY, innerProduct } from './attentionGrad'
import { rowByColumns } from './gemv'
import { expBelow4, log4 } from './math'
import { arg } from './team'
import { madd } from './tile'
import { exponentials, mostOf, scale } from './softmax'
import { storeSome } from './vector'

/** Bytes of working memory of one thread: a query, times the scale, and a line of keys; the latter twice for gradients. */
export function rowsRoom(keys: i32, size: i32): usize {
  return room(size) + 2 * room(keys)
}

/** A chunk of attention of './attention' where queries are few: a head. */
export function rowsTask(head: i32, thread: i32): void {
  const queries = arg<i32>(QUERY_COUNT)
  const valueSize = arg<i32>(VALUE_SIZE)
  const vRow = arg<usize>(V_ROW)
  const own = arg<usize>(SPACE) + <usize>thread * arg<usize>(OWN)
  const weights = own + room(arg<i32>(SIZE))
  const v = load<usize>(arg<usize>(V) + (<usize>head << 2))
  for (let i = 0; i < queries; i++) {
    const at = head * queries + i
    const y = arg<usize>(Y) + (<usize>(at * valueSize) << 2)
    const count = scoresOf(head, i, own, weights)
    const most = mostOf(weights, count)
    const above: f32 = most == -Infinity ? 0 : most // nothing may be looked at, or all is NaN
    const sum = <f32>exponentials(weights, weights, count, above)
    if (sum == 0) {
      memory.fill(y, 0, <usize>valueSize << 2)
      store<f32>(arg<usize>(LOG_SUMS) + (<usize>at << 2), NOWHERE)
      continue
    }
    rowByColumns(0, valueSize, count, weights, 4, v, 4, vRow, y, 0)
    scale(y, valueSize, 1 / sum)
    store<f32>(arg<usize>(LOG_SUMS) + (<usize>at << 2), above + f32x4.extract_lane(log4(f32x4.splat(sum)), 0))
  }
}

/** Writes the scores of a query, −∞ where it may not look; how many it has at most. */
function scoresOf(head: i32, query: i32, own: usize, scores: usize): i32 {
  const size = arg<i32>(SIZE)
  const count = limitOf(query, 0, arg<i32>(KEY_COUNT))
  memory.copy(
    own, load<usize>(arg<usize>(Q) + (<usize>head << 2)) + <usize>query * arg<usize>(Q_ROW), <usize>size << 2,
  )
  scale(own, size, arg<f32>(SCALE))
  if (size == 0) memory.fill(scores, 0, <usize>count << 2)
  else rowByColumns(0, count, size, own, 4, load<usize>(arg<usize>(K) + (<usize>head << 2)), arg<usize>(K_ROW), 4, scores, 0)
  if (arg<usize>(MASK)) {
    const line = maskLine(head, query, 0)
    for (let key = 0; key < count; key++)
      if (load<u8>(line + key) == 0) store<f32>(scores + (<usize>key << 2), -Infinity)
  }
  return count
}

/** The same of its gradients: as backwardTask of './attentionGrad', query by query. */
export function rowsGradTask(head: i32, thread: i32): void {
  const queries = arg<i32>(QUERY_COUNT)
  const keys = arg<i32>(KEY_COUNT)
  const size = arg<i32>(SIZE)
  const valueSize = arg<i32>(VALUE_SIZE)
  const line = <usize>size << 2
  const valueLine = <usize>valueSize << 2
  const own = arg<usize>(SPACE) + <usize>thread * arg<usize>(OWN)
  const weights = own + room(size)
  const changes = weights + room(keys)
  const k = load<usize>(arg<usize>(K) + (<usize>head << 2))
  const v = load<usize>(arg<usize>(V) + (<usize>head << 2))
  const dk = arg<usize>(DK) + <usize>(head * keys) * line
  const dv = arg<usize>(DV) + <usize>(head * keys) * valueLine
  memory.fill(dk, 0, <usize>keys * line)
  memory.fill(dv, 0, <usize>keys * valueLine)
  for (let i = 0; i < queries; i++) {
    const at = head * queries + i
    const dy = arg<usize>(DY) + <usize>at * valueLine
    const dq = arg<usize>(DQ) + <usize>at * line
    const count = scoresOf(head, i, own, weights)
    if (valueSize == 0) memory.fill(changes, 0, <usize>count << 2)
    else rowByColumns(0, count, valueSize, dy, 4, v, arg<usize>(V_ROW), 4, changes, 0)
    change(
      weights, changes, count, load<f32>(arg<usize>(LOG_SUMS) + (<usize>at << 2)),
      innerProduct(dy, arg<usize>(Y) + <usize>at * valueLine, valueSize),
    )
    if (count == 0) memory.fill(dq, 0, line)
    else rowByColumns(0, size, count, changes, 4, k, 4, arg<usize>(K_ROW), dq, 0)
    scale(dq, size, arg<f32>(SCALE))
    for (let j = 0; j < count; j++) {
      addTimes(dk + <usize>j * line, own, size, load<f32>(changes + (<usize>j << 2)))
      addTimes(dv + <usize>j * valueLine, dy, valueSize, load<f32>(weights + (<usize>j << 2)))
    }
  }
}

/** Scores become weights; gradients of weights become gradients of scores. */
function change(weights: usize, changes: usize, count: i32, logSum: f32, inner: f32): void {
  const log = f32x4.splat(logSum)
  const sum = f32x4.splat(inner)
  for (; count > 0; count -= 4) {
    const p = expBelow4(f32x4.sub(v128.load(weights), log))
    v128.store(weights, p)
    v128.store(changes, f32x4.mul(p, f32x4.sub(v128.load(changes), sum)))
    weights += 16
    changes += 16
  }
}

/** y += x times a number. */
function addTimes(y: usize, x: usize, n: i32, factor: f32): void {
  const factors = f32x4.splat(factor)
  for (; n >= 4; n -= 4) {
    v128.store(y, madd(factors, v128.load(x), v128.load(y)))
    x += 16
    y += 16
  }
  if (n) storeSome(y, madd(factors, v128.load(x), v128.load(y)), n)
}
