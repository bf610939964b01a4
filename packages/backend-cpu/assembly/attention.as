// Scaled dot-product attention, softmax(q kᵀ · scale) v, without ever holding the matrix of weights.
//
// Rounding: a row of queries meets keys in blocks of KEYS, from the first on; what was summed is scaled down whenever a later
// block holds a larger score (Milakov and Gimelshein 2018, arXiv:1805.02867). Blocks begin at fixed places, so that the result
// depends neither on threads nor on the other queries.
//
// Gradients compute the weights again from the logarithm of each row's sum (Dao et al. 2022, §3.1, arXiv:2205.14135).

import { packBlock, packPanel } from './gemm'
import { exp4, log4 } from './math'
import { arg, hands, put, share } from './team'
import { COLUMNS, madd, micro, ROWS } from './tile'
import { constant, maxOfLanes, sumOfLanes } from './vector'

/** Queries and keys that meet at a time. */
const QUERIES: i32 = (48 / ROWS) * ROWS
const KEYS: i32 = 256

const MINUS_INFINITY: usize = memory.data<f32>([-Infinity])
/** The logarithm of the sum of a row that may look nowhere: with it, each of its weights is 0. */
const NOWHERE: f32 = 1e30

// Arguments; starts are lists of addresses, a word for each head.
const HEADS: usize = 0
const QUERY_COUNT: usize = 1
const KEY_COUNT: usize = 2
const SIZE: usize = 3
const VALUE_SIZE: usize = 4
const SCALE: usize = 5
const CAUSAL: usize = 6 // whether query i sees only keys up to i + OFFSET
const OFFSET: usize = 7
const Q: usize = 8
const Q_ROW: usize = 9
const K: usize = 10
const K_ROW: usize = 11
const V: usize = 12
const V_ROW: usize = 13
const MASK: usize = 14 // or 0
const MASK_ROW: usize = 15
const Y: usize = 16
const LOG_SUMS: usize = 17
const SPACE: usize = 18
const OWN: usize = 19
const DY: usize = 20
const DQ: usize = 21
const DK: usize = 22
const DV: usize = 23

@inline function padded(n: i32): i32 {
  return ((n + COLUMNS - 1) / COLUMNS) * COLUMNS
}

/** Bytes of so many numbers, and some behind them. */
@inline function room(numbers: i32): usize {
  return ((<usize>numbers << 2) + 127) & ~63
}

/** From row to row of a block of scores; never a power of two, since such rows would share few lines of the cache. */
@inline function scoreRow(keys: i32): usize {
  return ((<usize>min(KEYS, padded(keys)) << 2) + 127) & ~63
}

@inline function blockRoom(keys: i32): usize {
  return room(QUERIES * <i32>(scoreRow(keys) >> 2))
}

/** Bytes of keys or values, packed in either way. */
@inline function panelRoom(keys: i32, size: i32): usize {
  return room(padded(keys) * padded(size))
}

@inline function ownForward(keys: i32, size: i32, valueSize: i32): usize {
  return (
    64 + room(QUERIES * 4) + room(ROWS * COLUMNS) + room(QUERIES * size) + 2 * blockRoom(keys) + panelRoom(keys, size) +
    panelRoom(keys, valueSize)
  )
}

@inline function ownBackward(keys: i32, size: i32, valueSize: i32): usize {
  return (
    ownForward(keys, size, valueSize) + blockRoom(keys) + panelRoom(keys, size) + room(QUERIES * valueSize) +
    room(QUERIES * padded(size)) + room(QUERIES * padded(valueSize))
  )
}

@inline function forwardWork(heads: i32, queries: i32, keys: i32, sizes: i32): f64 {
  return <f64>heads * <f64>queries * <f64>keys * (<f64>sizes * 40 + 1500)
}

/** Bytes of working memory for {@link attention}. */
export function attentionSpace(heads: i32, queries: i32, keys: i32, size: i32, valueSize: i32): usize {
  return ownForward(keys, size, valueSize) * hands(forwardWork(heads, queries, keys, size + valueSize))
}

/** Bytes of working memory for {@link attentionGrad}. */
export function attentionGradSpace(heads: i32, queries: i32, keys: i32, size: i32, valueSize: i32): usize {
  return ownBackward(keys, size, valueSize) * hands(forwardWork(heads, queries, keys, size + valueSize))
}

function putInputs(
  heads: i32, queries: i32, keys: i32, size: i32, valueSize: i32, scale: f32, causal: bool, offset: i32, q: usize,
  qRow: usize, k: usize, kRow: usize, v: usize, vRow: usize, mask: usize, maskRow: usize, space: usize,
): void {
  put(HEADS, heads)
  put(QUERY_COUNT, queries)
  put(KEY_COUNT, keys)
  put(SIZE, size)
  put(VALUE_SIZE, valueSize)
  put(SCALE, scale)
  put(CAUSAL, <i32>causal)
  put(OFFSET, offset)
  put(Q, q)
  put(Q_ROW, qRow)
  put(K, k)
  put(K_ROW, kRow)
  put(V, v)
  put(V_ROW, vRow)
  put(MASK, mask)
  put(MASK_ROW, maskRow)
  put(SPACE, space)
}

/**
 * y: [heads, queries, valueSize] and the logarithms of the rows' sums: [heads, queries]. q, k, v and mask are lists of
 * addresses; the numbers of a row lie side by side; a mask has a byte for each query and key.
 */
export function attention(
  heads: i32, queries: i32, keys: i32, size: i32, valueSize: i32, scale: f32, causal: bool, offset: i32, q: usize,
  qRow: usize, k: usize, kRow: usize, v: usize, vRow: usize, mask: usize, maskRow: usize, y: usize, logSums: usize,
  space: usize,
): void {
  putInputs(
    heads, queries, keys, size, valueSize, scale, causal, offset, q, qRow, k, kRow, v, vRow, mask, maskRow, space,
  )
  put(Y, y)
  put(LOG_SUMS, logSums)
  const own = ownForward(keys, size, valueSize)
  put(OWN, own)
  const work = forwardWork(heads, queries, keys, size + valueSize)
  for (let thread = hands(work) - 1; thread >= 0; thread--) store<i32>(space + <usize>thread * own, -1)
  share(forwardTask.index, heads * ((queries + QUERIES - 1) / QUERIES), causal ? work / 2 : work)
}

/** C = or C += of packed rows times slivers of columns that were packed over `depth`, of which the first k count. */
@inline function product(
  m: i32, n: i32, k: i32, a: usize, b: usize, depth: i32, c: usize, cRow: usize, accumulate: bool, edge: usize,
): void {
  for (let j = 0; j < n; j += COLUMNS) {
    const width = min(COLUMNS, n - j)
    const column = c + (<usize>j << 2)
    let rows = a
    for (let i = 0; i < m; i += ROWS) {
      const height = min(ROWS, m - i)
      const at = column + <usize>i * cRow
      if (width == COLUMNS) micro(height, k, rows, b, at, cRow, accumulate)
      else {
        micro(height, k, rows, b, edge, COLUMNS << 2, false)
        copyEdge(edge, at, cRow, height, width, accumulate)
      }
      rows += <usize>(height * k) << 2
    }
    b += <usize>(COLUMNS * depth) << 2
  }
}

function copyEdge(from: usize, c: usize, cRow: usize, height: i32, width: i32, accumulate: bool): void {
  for (let i = 0; i < height; i++) {
    for (let j = 0; j < width; j++) {
      const at = c + (<usize>j << 2)
      const value = load<f32>(from + (<usize>j << 2))
      store<f32>(at, accumulate ? load<f32>(at) + value : value)
    }
    from += COLUMNS << 2
    c += cRow
  }
}

/** Packs the keys of a head as columns, and its values as columns, block by block. */
function packHead(head: i32, keyPanel: usize, valuePanel: usize): void {
  const keys = arg<i32>(KEY_COUNT)
  const valueSize = arg<i32>(VALUE_SIZE)
  const vRow = arg<usize>(V_ROW)
  packPanel(load<usize>(arg<usize>(K) + (<usize>head << 2)), 4, arg<usize>(K_ROW), keys, arg<i32>(SIZE), keyPanel)
  packBlocks(load<usize>(arg<usize>(V) + (<usize>head << 2)), vRow, keys, valueSize, valuePanel)
}

/** Packs rows as columns over their places, KEYS of them at a time. */
function packBlocks(x: usize, row: usize, keys: i32, size: i32, to: usize): void {
  for (let j = 0; j < keys; j += KEYS) {
    packPanel(x + <usize>j * row, row, 4, size, min(KEYS, keys - j), to)
    to += <usize>(min(KEYS, keys - j) * padded(size)) << 2
  }
}

/** How many keys the last of some queries may see. */
@inline function seenBy(last: i32): i32 {
  const keys = arg<i32>(KEY_COUNT)
  return arg<i32>(CAUSAL) ? max(0, min(keys, last + arg<i32>(OFFSET) + 1)) : keys
}

function forwardTask(chunk: i32, thread: i32): void {
  const queries = arg<i32>(QUERY_COUNT)
  const keys = arg<i32>(KEY_COUNT)
  const size = arg<i32>(SIZE)
  const valueSize = arg<i32>(VALUE_SIZE)
  const blocks = (queries + QUERIES - 1) / QUERIES
  const head = chunk / blocks
  const first = (chunk % blocks) * QUERIES
  const rows = min(QUERIES, queries - first)
  const scoreStep = scoreRow(keys)

  const own = arg<usize>(SPACE) + <usize>thread * arg<usize>(OWN)
  const most = own + 64 // per query: the largest score yet, the sum of exponentials yet
  const sums = most + (<usize>QUERIES << 2)
  const edge = most + room(QUERIES * 4)
  const packedQ = edge + room(ROWS * COLUMNS)
  const scores = packedQ + room(QUERIES * size)
  const packedScores = scores + blockRoom(keys)
  const keyPanel = packedScores + blockRoom(keys)
  const valuePanel = keyPanel + panelRoom(keys, size)
  if (load<i32>(own) != head) {
    packHead(head, keyPanel, valuePanel)
    store<i32>(own, head)
  }

  const yRow = <usize>valueSize << 2
  const y = arg<usize>(Y) + <usize>(head * queries + first) * yRow
  const logSums = arg<usize>(LOG_SUMS) + (<usize>(head * queries + first) << 2)
  const seen = seenBy(first + rows - 1)
  if (seen == 0) memory.fill(y, 0, <usize>rows * yRow)
  for (let r = 0; r < rows; r++) {
    store<f32>(most + (<usize>r << 2), -Infinity)
    store<f32>(sums + (<usize>r << 2), 0)
  }
  const qRow = arg<usize>(Q_ROW)
  packBlock(load<usize>(arg<usize>(Q) + (<usize>head << 2)) + <usize>first * qRow, qRow, 4, rows, size, packedQ)
  for (let j = 0; j < seen; j += KEYS) {
    const depth = min(KEYS, keys - j)
    const count = min(depth, seen - j)
    product(rows, padded(count), size, packedQ, keyPanel + (<usize>(j * size) << 2), size, scores, scoreStep, false, edge)
    for (let r = 0; r < rows; r++) {
      const at = <usize>r << 2
      const line = scores + <usize>r * scoreStep
      const before = load<f32>(most + at)
      const now = prepare(line, head, first + r, j, count, before)
      const sum = exponentials(line, count, now)
      store<f32>(most + at, now)
      if (now == before || j == 0) store<f32>(sums + at, load<f32>(sums + at) + sum)
      else {
        const factor = f32x4.extract_lane(exp4(f32x4.splat(before - now)), 0)
        store<f32>(sums + at, load<f32>(sums + at) * factor + sum)
        scaleRow(y + <usize>r * yRow, valueSize, factor)
      }
    }
    packBlock(scores, scoreStep, 4, rows, count, packedScores)
    product(
      rows, valueSize, count, packedScores, valuePanel + (<usize>(j * padded(valueSize)) << 2), depth, y, yRow, j > 0, edge,
    )
  }
  for (let r = 0; r < rows; r++) {
    const at = <usize>r << 2
    const sum = load<f32>(sums + at)
    scaleRow(y + <usize>r * yRow, valueSize, sum == 0 ? 0 : 1 / sum)
    const log = f32x4.extract_lane(log4(f32x4.splat(sum)), 0)
    store<f32>(logSums + at, sum == 0 ? NOWHERE : load<f32>(most + at) + log)
  }
}

/** Four bytes of a mask as lanes: all bits where it is true. */
@inline function open4(mask: usize): v128 {
  const wide = i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(mask)))
  return i32x4.ne(wide, i32x4.splat(0))
}

/** How many keys of a block a query may see by its place. */
@inline function limitOf(query: i32, firstKey: i32, count: i32): i32 {
  return arg<i32>(CAUSAL) ? max(0, min(count, query + arg<i32>(OFFSET) + 1 - firstKey)) : count
}

@inline function maskLine(head: i32, query: i32, firstKey: i32): usize {
  const mask = arg<usize>(MASK)
  if (mask == 0) return 0
  return load<usize>(mask + (<usize>head << 2)) + <usize>query * arg<usize>(MASK_ROW) + <usize>firstKey
}

const LANES: usize = memory.data<i32>([0, 1, 2, 3])

/** Scales scores and hides what may not be looked at; returns the largest of them and of `before`. */
function prepare(line: usize, head: i32, query: i32, firstKey: i32, count: i32, before: f32): f32 {
  const limit = limitOf(query, firstKey, count)
  const scale = f32x4.splat(arg<f32>(SCALE))
  const hidden = constant(MINUS_INFINITY)
  let mask = maskLine(head, query, firstKey)
  let largest = f32x4.splat(before)
  let i = 0
  for (; i + 4 <= limit; i += 4) {
    let x = f32x4.mul(v128.load(line), scale)
    if (mask) {
      x = v128.bitselect(x, hidden, open4(mask))
      mask += 4
    }
    v128.store(line, x)
    largest = f32x4.max(largest, x)
    line += 16
  }
  if (i < limit) {
    let x = f32x4.mul(v128.load(line), scale)
    if (mask) x = v128.bitselect(x, hidden, open4(mask))
    x = v128.bitselect(x, hidden, i32x4.lt_s(v128.load(LANES), i32x4.splat(limit - i)))
    v128.store(line, x)
    largest = f32x4.max(largest, x)
    line += 16
    i += 4
  }
  for (; i < count; i += 4) {
    v128.store(line, hidden)
    line += 16
  }
  return maxOfLanes(largest)
}

/** Scores become exponentials of what they are above `most`; returns their sum. */
function exponentials(line: usize, count: i32, most: f32): f32 {
  const above = f32x4.splat(most == -Infinity ? 0 : most)
  let s0 = f32x4.splat(0)
  let s1 = f32x4.splat(0)
  for (; count > 4; count -= 8) {
    const e0 = exp4(f32x4.sub(v128.load(line), above))
    const e1 = exp4(f32x4.sub(v128.load(line, 16), above))
    v128.store(line, e0)
    v128.store(line, e1, 16)
    s0 = f32x4.add(s0, e0)
    s1 = f32x4.add(s1, e1)
    line += 32
  }
  if (count > 0) {
    const e = exp4(f32x4.sub(v128.load(line), above))
    v128.store(line, e)
    s0 = f32x4.add(s0, e)
  }
  return sumOfLanes(f32x4.add(s0, s1))
}

function scaleRow(y: usize, n: i32, factor: f32): void {
  for (; n >= 4; n -= 4) {
    v128.store(y, f32x4.mul(v128.load(y), f32x4.splat(factor)))
    y += 16
  }
  for (; n > 0; n--) {
    store<f32>(y, load<f32>(y) * factor)
    y += 4
  }
}

/** Gradients of {@link attention} by q, k and v: dq, dk and dv are row-major, as are dy, y and logSums. */
export function attentionGrad(
  heads: i32, queries: i32, keys: i32, size: i32, valueSize: i32, scale: f32, causal: bool, offset: i32, q: usize,
  qRow: usize, k: usize, kRow: usize, v: usize, vRow: usize, mask: usize, maskRow: usize, y: usize, logSums: usize,
  dy: usize, dq: usize, dk: usize, dv: usize, space: usize,
): void {
  putInputs(
    heads, queries, keys, size, valueSize, scale, causal, offset, q, qRow, k, kRow, v, vRow, mask, maskRow, space,
  )
  put(Y, y)
  put(LOG_SUMS, logSums)
  put(DY, dy)
  put(DQ, dq)
  put(DK, dk)
  put(DV, dv)
  put(OWN, ownBackward(keys, size, valueSize))
  share(backwardTask.index, heads, forwardWork(heads, queries, keys, size + valueSize) * 2.5)
}

/** With P the weights and D = Σ dy y by row: dv = Pᵀ dy, dS = P (dy vᵀ − D) · scale, dq = dS k, dk = dSᵀ q. */
function backwardTask(head: i32, thread: i32): void {
  const queries = arg<i32>(QUERY_COUNT)
  const keys = arg<i32>(KEY_COUNT)
  const size = arg<i32>(SIZE)
  const valueSize = arg<i32>(VALUE_SIZE)
  const scoreStep = scoreRow(keys)
  const line = <usize>size << 2
  const valueLine = <usize>valueSize << 2

  const own = arg<usize>(SPACE) + <usize>thread * arg<usize>(OWN)
  const inner = own + 64
  const edge = inner + room(QUERIES * 4)
  const packedQ = edge + room(ROWS * COLUMNS)
  const weights = packedQ + room(QUERIES * size)
  const changes = weights + blockRoom(keys)
  const packed = changes + blockRoom(keys)
  const keyPanel = packed + blockRoom(keys)
  const valuePanel = keyPanel + panelRoom(keys, size)
  const keyBlocks = valuePanel + panelRoom(keys, valueSize)
  const packedDy = keyBlocks + panelRoom(keys, size)
  const columnsQ = packedDy + room(QUERIES * valueSize)
  const columnsDy = columnsQ + room(QUERIES * padded(size))

  const q = load<usize>(arg<usize>(Q) + (<usize>head << 2))
  const k = load<usize>(arg<usize>(K) + (<usize>head << 2))
  const v = load<usize>(arg<usize>(V) + (<usize>head << 2))
  const qRow = arg<usize>(Q_ROW)
  const dq = arg<usize>(DQ) + <usize>(head * queries) * line
  const dk = arg<usize>(DK) + <usize>(head * keys) * line
  const dv = arg<usize>(DV) + <usize>(head * keys) * valueLine
  memory.fill(dk, 0, <usize>keys * line)
  memory.fill(dv, 0, <usize>keys * valueLine)
  packPanel(k, 4, arg<usize>(K_ROW), keys, size, keyPanel)
  packPanel(v, 4, arg<usize>(V_ROW), keys, valueSize, valuePanel)
  packBlocks(k, arg<usize>(K_ROW), keys, size, keyBlocks)

  for (let first = 0; first < queries; first += QUERIES) {
    const rows = min(QUERIES, queries - first)
    const dy = arg<usize>(DY) + <usize>(head * queries + first) * valueLine
    const y = arg<usize>(Y) + <usize>(head * queries + first) * valueLine
    const logSums = arg<usize>(LOG_SUMS) + (<usize>(head * queries + first) << 2)
    const seen = seenBy(first + rows - 1)
    const dqRows = dq + <usize>first * line
    if (seen == 0) {
      memory.fill(dqRows, 0, <usize>rows * line)
      continue
    }
    for (let r = 0; r < rows; r++)
      store<f32>(inner + (<usize>r << 2), innerProduct(dy + <usize>r * valueLine, y + <usize>r * valueLine, valueSize))
    packBlock(q + <usize>first * qRow, qRow, 4, rows, size, packedQ)
    packBlock(dy, valueLine, 4, rows, valueSize, packedDy)
    packPanel(q + <usize>first * qRow, qRow, 4, size, rows, columnsQ)
    packPanel(dy, valueLine, 4, valueSize, rows, columnsDy)
    for (let j = 0; j < seen; j += KEYS) {
      const depth = min(KEYS, keys - j)
      const count = min(depth, seen - j)
      const wide = padded(count)
      product(rows, wide, size, packedQ, keyPanel + (<usize>(j * size) << 2), size, weights, scoreStep, false, edge)
      product(
        rows, wide, valueSize, packedDy, valuePanel + (<usize>(j * valueSize) << 2), valueSize, changes, scoreStep, false,
        edge,
      )
      for (let r = 0; r < rows; r++) {
        const at = <usize>r << 2
        const row = <usize>r * scoreStep
        prepare(weights + row, head, first + r, j, count, 0)
        changeRow(weights + row, changes + row, count, load<f32>(logSums + at), load<f32>(inner + at))
      }
      packBlock(weights, 4, scoreStep, count, rows, packed)
      product(count, valueSize, rows, packed, columnsDy, rows, dv + <usize>j * valueLine, valueLine, true, edge)
      packBlock(changes, 4, scoreStep, count, rows, packed)
      product(count, size, rows, packed, columnsQ, rows, dk + <usize>j * line, line, true, edge)
      packBlock(changes, scoreStep, 4, rows, count, packed)
      product(
        rows, size, count, packed, keyBlocks + (<usize>(j * padded(size)) << 2), depth, dqRows, line, j > 0, edge,
      )
    }
  }
}

/** Scores become weights; changes of weights become changes of scores. */
function changeRow(weights: usize, changes: usize, count: i32, logSum: f32, inner: f32): void {
  const scale = f32x4.splat(arg<f32>(SCALE))
  const logs = f32x4.splat(logSum)
  const inners = f32x4.splat(inner)
  for (; count > 0; count -= 4) {
    const p = exp4(f32x4.sub(v128.load(weights), logs))
    v128.store(weights, p)
    v128.store(changes, f32x4.mul(f32x4.mul(p, scale), f32x4.sub(v128.load(changes), inners)))
    weights += 16
    changes += 16
  }
}

function innerProduct(a: usize, b: usize, n: i32): f32 {
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
