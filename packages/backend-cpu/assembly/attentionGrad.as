// Gradients of scaled dot-product attention: the weights are computed again from the logarithm of each row's sum
// (Dao et al. 2022, §3.1, arXiv:2205.14135).
//
// Scores stand in slivers [query, COLUMNS keys]: so the products that sum over queries take them as they are.

import {
  anyZero, FEW, forwardWork, KEY_COUNT, KEYS, K, K_ROW, LOG_SUMS, limitOf, MASK, maskLine, multiplyAll, OWN, putInputs, Q,
  Q_ROW, QUERY_COUNT, room, rowsByColumns, SCALE, seenBy, SIZE, SPACE, V, V_ROW, VALUE_SIZE, Y,
} from './attention'
import { rowsGradTask, rowsRoom } from './attentionRows'
import { multiplyBlock, packBlock, packPanel } from './gemm'
import { expBelow4 } from './math'
import { arg, hands, put, share } from './team'
import { COLUMNS, madd, packRows, ROWS } from './tile'
import { sumOfLanes, turnInto } from './vector'

/** Queries that meet a block of keys at a time. */
const QUERIES: i32 = (96 / ROWS) * ROWS

export const DY: usize = 20
export const DQ: usize = 21
export const DK: usize = 22
export const DV: usize = 23

@inline function padded(n: i32): i32 {
  return ((n + COLUMNS - 1) / COLUMNS) * COLUMNS
}

@inline function ownRoom(queries: i32, keys: i32, size: i32, valueSize: i32): usize {
  if (queries <= FEW) return rowsRoom(keys, size)
  return (
    64 + room(QUERIES) + room(ROWS * COLUMNS) + 2 * room(QUERIES * size) + 2 * room(QUERIES * valueSize) +
    2 * room(QUERIES * COLUMNS) + room(QUERIES * KEYS) + 2 * room(padded(keys) * size) +
    2 * room(padded(keys) * valueSize) + room(keys * padded(size))
  )
}

/** Bytes of working memory for {@link attentionGrad}. */
export function attentionGradSpace(heads: i32, queries: i32, keys: i32, size: i32, valueSize: i32): usize {
  return ownRoom(queries, keys, size, valueSize) * hands(forwardWork(heads, queries, keys, size + valueSize) * 2.5)
}

/** Gradients of {@link attention} by q, k and v: dq, dk and dv are row-major, as are dy, y and logSums. */
export function attentionGrad(
  heads: i32, queries: i32, keys: i32, size: i32, valueSize: i32, scale: f32, causal: bool, offset: i32, q: usize,
  qRow: usize, k: usize, kRow: usize, v: usize, vRow: usize, mask: usize, maskRow: usize, y: usize, logSums: usize,
  dy: usize, dq: usize, dk: usize, dv: usize, space: usize,
): void {
  putInputs(
    queries, keys, size, valueSize, scale, causal, offset, q, qRow, k, kRow, v, vRow, mask, maskRow, space,
  )
  put(Y, y)
  put(LOG_SUMS, logSums)
  put(DY, dy)
  put(DQ, dq)
  put(DK, dk)
  put(DV, dv)
  put(OWN, ownRoom(queries, keys, size, valueSize))
  const task = queries <= FEW ? rowsGradTask.index : backwardTask.index
  share(task, heads, forwardWork(heads, queries, keys, size + valueSize) * 2.5)
}

/** With P the weights and D = Σ dy y by row: dv = Pᵀ dy, dS = P (dy vᵀ − D), dq = dS k · scale, dk = dSᵀ q · scale. */
function backwardTask(head: i32, thread: i32): void {
  const queries = arg<i32>(QUERY_COUNT)
  const keys = arg<i32>(KEY_COUNT)
  const size = arg<i32>(SIZE)
  const valueSize = arg<i32>(VALUE_SIZE)
  const line = <usize>size << 2
  const valueLine = <usize>valueSize << 2

  const own = arg<usize>(SPACE) + <usize>thread * arg<usize>(OWN)
  const inner = own + 64
  const edge = inner + room(QUERIES)
  const rowsQ = edge + room(ROWS * COLUMNS) // [query, size] in slivers of queries, times the scale
  const linesQ = rowsQ + room(QUERIES * size) // [size, query] in slivers of size, times the scale
  const rowsDy = linesQ + room(QUERIES * size)
  const linesDy = rowsDy + room(QUERIES * valueSize)
  const weights = linesDy + room(QUERIES * valueSize) // a sliver of scores, then weights
  const changes = weights + room(QUERIES * COLUMNS) // the same of their gradients
  const rowsChanges = changes + room(QUERIES * COLUMNS) // [query, key] in slivers of queries
  const columnsK = rowsChanges + room(QUERIES * KEYS) // [size, key] in slivers of keys
  const linesDk = columnsK + room(padded(keys) * size) // the same of the gradients
  const columnsV = linesDk + room(padded(keys) * size)
  const linesDv = columnsV + room(padded(keys) * valueSize)
  const panelK = linesDv + room(padded(keys) * valueSize) // [key, size] in slivers of size, block by block, times the scale

  const q = load<usize>(arg<usize>(Q) + (<usize>head << 2))
  const k = load<usize>(arg<usize>(K) + (<usize>head << 2))
  const qRow = arg<usize>(Q_ROW)
  const kRow = arg<usize>(K_ROW)
  const scale = arg<f32>(SCALE)
  packPanel(k, 4, kRow, keys, size, columnsK)
  packPanel(load<usize>(arg<usize>(V) + (<usize>head << 2)), 4, arg<usize>(V_ROW), keys, valueSize, columnsV)
  for (let j = 0; j < keys; j += KEYS)
    packPanel(k + <usize>j * kRow, kRow, 4, size, min(KEYS, keys - j), panelK + (<usize>(j * padded(size)) << 2))
  multiplyAll(panelK, keys * padded(size), scale)
  memory.fill(linesDk, 0, <usize>(padded(keys) * size) << 2)
  memory.fill(linesDv, 0, <usize>(padded(keys) * valueSize) << 2)

  for (let first = 0; first < queries; first += QUERIES) {
    const rows = min(QUERIES, queries - first)
    const at = head * queries + first
    const dy = arg<usize>(DY) + <usize>at * valueLine
    const y = arg<usize>(Y) + <usize>at * valueLine
    const dq = arg<usize>(DQ) + <usize>at * line
    const logSums = arg<usize>(LOG_SUMS) + (<usize>at << 2)
    const seen = seenBy(first + rows - 1)
    if (seen == 0) {
      memory.fill(dq, 0, <usize>rows * line)
      continue
    }
    for (let r = 0; r < rows; r++)
      store<f32>(inner + (<usize>r << 2), innerProduct(dy + <usize>r * valueLine, y + <usize>r * valueLine, valueSize))
    packBlock(q + <usize>first * qRow, qRow, 4, rows, size, rowsQ)
    packBlock(q + <usize>first * qRow, 4, qRow, size, rows, linesQ)
    multiplyAll(rowsQ, rows * size, scale)
    multiplyAll(linesQ, rows * size, scale)
    packBlock(dy, valueLine, 4, rows, valueSize, rowsDy)
    packBlock(dy, 4, valueLine, valueSize, rows, linesDy)
    for (let j = 0; j < seen; j += KEYS) {
      const depth = min(KEYS, keys - j)
      const count = min(depth, seen - j)
      for (let c = 0; c < count; c += COLUMNS) {
        const key = j + c
        const width = min(COLUMNS, count - c)
        const sliver = <usize>(key * size) << 2
        const valueSliver = <usize>(key * valueSize) << 2
        rowsByColumns(rows, size, rowsQ, rows, size, columnsK + sliver, weights, false)
        rowsByColumns(rows, valueSize, rowsDy, rows, valueSize, columnsV + valueSliver, changes, false)
        hide(weights, head, first, rows, key, width)
        change(weights, changes, rows, logSums, inner)
        rowsByColumns(valueSize, rows, linesDy, valueSize, rows, weights, linesDv + valueSliver, true)
        rowsByColumns(size, rows, linesQ, size, rows, changes, linesDk + sliver, true)
        for (let r = 0; r < rows; r += ROWS) {
          const height = min(ROWS, rows - r)
          packRows(
            changes + (<usize>(r * COLUMNS) << 2), COLUMNS << 2, 4, height, width,
            rowsChanges + (<usize>(r * count + c * height) << 2),
          )
        }
      }
      multiplyBlock(
        rows, size, count, rowsChanges, panelK + (<usize>(j * padded(size)) << 2), depth, dq, line, j > 0 ? dq : 0, line,
        edge,
      )
    }
  }
  const dk = arg<usize>(DK) + <usize>(head * keys) * line
  const dv = arg<usize>(DV) + <usize>(head * keys) * valueLine
  for (let c = 0; c < keys; c += COLUMNS) {
    const width = min(COLUMNS, keys - c)
    turnInto(linesDk + (<usize>(c * size) << 2), COLUMNS << 2, size, width, dk + <usize>c * line, line)
    turnInto(linesDv + (<usize>(c * valueSize) << 2), COLUMNS << 2, valueSize, width, dv + <usize>c * valueLine, valueLine)
  }
}

/** Scores of what may not be looked at become −∞: of some queries, and of a sliver's first `width` keys; the others are hidden. */
function hide(scores: usize, head: i32, first: i32, rows: i32, firstKey: i32, width: i32): void {
  const mask = arg<usize>(MASK)
  if (mask == 0 && limitOf(first, firstKey, width) == COLUMNS) return
  for (let r = 0; r < rows; r++) {
    const row = scores + (<usize>(r * COLUMNS) << 2)
    const limit = limitOf(first + r, firstKey, width)
    for (let c = limit; c < COLUMNS; c++) store<f32>(row + (<usize>c << 2), -Infinity)
    if (mask == 0) continue
    const line = maskLine(head, first + r, firstKey)
    for (let c = 0; c < limit; c += 8)
      if (anyZero(load<u64>(line + c)))
        for (let at = c; at < min(limit, c + 8); at++)
          if (load<u8>(line + at) == 0) store<f32>(row + (<usize>at << 2), -Infinity)
  }
}

/** Scores become weights; gradients of weights become gradients of scores. */
function change(weights: usize, changes: usize, rows: i32, logSums: usize, inner: usize): void {
  for (let r = 0; r < rows; r++) {
    const log = v128.load32_splat(logSums)
    const sum = v128.load32_splat(inner)
    for (let c = 0; c < COLUMNS; c += 8) {
      const p0 = expBelow4(f32x4.sub(v128.load(weights), log))
      const p1 = expBelow4(f32x4.sub(v128.load(weights, 16), log))
      v128.store(weights, p0)
      v128.store(weights, p1, 16)
      const c0 = f32x4.mul(p0, f32x4.sub(v128.load(changes), sum))
      const c1 = f32x4.mul(p1, f32x4.sub(v128.load(changes, 16), sum))
      v128.store(changes, c0)
      v128.store(changes, c1, 16)
      weights += 32
      changes += 32
    }
    logSums += 4
    inner += 4
  }
}

export function innerProduct(a: usize, b: usize, n: i32): f32 {
  let sum = f32x4.splat(0)
  for (; n >= 4; n -= 4) {
    sum = madd(v128.load(a), v128.load(b), sum)
    a += 16
    b += 16
  }
  let total = sumOfLanes(sum)
  for (; n > 0; n--) {
    total += load<f32>(a) * load<f32>(b)
    a += 4
    b += 4
  }
  return total
}
