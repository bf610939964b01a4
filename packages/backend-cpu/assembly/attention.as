// Scaled dot-product attention, softmax(q kᵀ · scale) v, without ever holding the matrix of weights.
//
// Rounding: a query meets keys in blocks of KEYS, from the first on; what was summed is scaled down whenever a later block
// holds a larger score (Milakov and Gimelshein 2018, arXiv:1805.02867). Blocks begin at fixed places, so that the result
// depends neither on threads nor on the other queries.

import { rowsRoom, rowsTask } from './attentionRows'
import { packBlock, packPanel } from './gemm'
import { exp4, expBelow4, log4 } from './math'
import { arg, hands, put, share } from './team'
import { COLUMNS, micro, ROWS } from './tile'
import { constant, turnInto } from './vector'

/** So many queries meet keys where they lie, see './attentionRows'. */
export const FEW: i32 = 4
/** Queries of a chunk of work, and keys that they meet at a time. */
const QUERIES: i32 = 48
export const KEYS: i32 = 256

export const MINUS_INFINITY: usize = memory.data<f32>([-Infinity])
/** The logarithm of the sum of a row that may look nowhere: with it, each of its weights is 0. */
export const NOWHERE: f32 = 1e30

// Arguments; starts are lists of addresses, a word for each head.
export const QUERY_COUNT: usize = 1
export const KEY_COUNT: usize = 2
export const SIZE: usize = 3
export const VALUE_SIZE: usize = 4
export const SCALE: usize = 5
export const CAUSAL: usize = 6 // whether query i sees only keys up to i + OFFSET
export const OFFSET: usize = 7
export const Q: usize = 8
export const Q_ROW: usize = 9
export const K: usize = 10
export const K_ROW: usize = 11
export const V: usize = 12
export const V_ROW: usize = 13
export const MASK: usize = 14 // or 0
export const MASK_ROW: usize = 15
export const Y: usize = 16
export const LOG_SUMS: usize = 17
export const SPACE: usize = 18
export const OWN: usize = 19

/** Bytes of so many numbers, and some behind them. */
@inline export function room(numbers: i32): usize {
  return ((<usize>numbers << 2) + 127) & ~63
}

@inline function ownRoom(queries: i32, keys: i32, size: i32, valueSize: i32): usize {
  if (queries <= FEW) return rowsRoom(keys, size)
  return (
    64 + room(2 * COLUMNS) + room(COLUMNS * size) + room(COLUMNS * KEYS) + room(COLUMNS * valueSize) +
    room(keys * size) + room(keys * valueSize)
  )
}

@inline export function forwardWork(heads: i32, queries: i32, keys: i32, sizes: i32): f64 {
  return <f64>heads * <f64>queries * <f64>keys * (<f64>sizes * 40 + 1000)
}

/** Bytes of working memory for {@link attention}. */
export function attentionSpace(heads: i32, queries: i32, keys: i32, size: i32, valueSize: i32): usize {
  return ownRoom(queries, keys, size, valueSize) * hands(forwardWork(heads, queries, keys, size + valueSize))
}

export function putInputs(
  queries: i32, keys: i32, size: i32, valueSize: i32, scale: f32, causal: bool, offset: i32, q: usize,
  qRow: usize, k: usize, kRow: usize, v: usize, vRow: usize, mask: usize, maskRow: usize, space: usize,
): void {
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
    queries, keys, size, valueSize, scale, causal, offset, q, qRow, k, kRow, v, vRow, mask, maskRow, space,
  )
  put(Y, y)
  put(LOG_SUMS, logSums)
  const work = forwardWork(heads, queries, keys, size + valueSize)
  const own = ownRoom(queries, keys, size, valueSize)
  put(OWN, own)
  if (queries <= FEW) {
    share(rowsTask.index, heads, work)
    return
  }
  for (let thread = hands(work) - 1; thread >= 0; thread--) store<i32>(space + <usize>thread * own, -1)
  share(forwardTask.index, heads * ((queries + QUERIES - 1) / QUERIES), causal ? work / 2 : work)
}

/**
 * C = or C += A B: the first m of A's rows, packed in slivers of ROWS over `packedDepth`, of which the first k count, times
 * COLUMNS columns. C's rows have COLUMNS numbers.
 */
@inline export function rowsByColumns(
  m: i32, k: i32, a: usize, packedRows: i32, packedDepth: i32, b: usize, c: usize, accumulate: bool,
): void {
  for (let i = 0; i < m; i += ROWS) {
    const height = min(ROWS, packedRows - i)
    micro(height, k, a, b, c, COLUMNS << 2, accumulate ? c : 0, COLUMNS << 2)
    a += <usize>(height * packedDepth) << 2
    c += <usize>(ROWS * COLUMNS) << 2
  }
}

/** How many keys the last of some queries may see. */
@inline export function seenBy(last: i32): i32 {
  const keys = arg<i32>(KEY_COUNT)
  return arg<i32>(CAUSAL) ? max(0, min(keys, last + arg<i32>(OFFSET) + 1)) : keys
}

/** How many keys of a block a query may see by its place. */
@inline export function limitOf(query: i32, firstKey: i32, count: i32): i32 {
  return arg<i32>(CAUSAL) ? max(0, min(count, query + arg<i32>(OFFSET) + 1 - firstKey)) : count
}

@inline export function maskLine(head: i32, query: i32, firstKey: i32): usize {
  return load<usize>(arg<usize>(MASK) + (<usize>head << 2)) + <usize>query * arg<usize>(MASK_ROW) + <usize>firstKey
}

/** Whether one of eight bytes is 0. */
@inline export function anyZero(bytes: u64): bool {
  return ((bytes - 0x0101010101010101) & ~bytes & 0x8080808080808080) != 0
}

/**
 * Queries stand side by side in vectors, COLUMNS at a time: scores are [key, query], which is how the product with the values
 * takes them, and results are [value, query] until they are done.
 */
function forwardTask(chunk: i32, thread: i32): void {
  const queries = arg<i32>(QUERY_COUNT)
  const keys = arg<i32>(KEY_COUNT)
  const size = arg<i32>(SIZE)
  const valueSize = arg<i32>(VALUE_SIZE)
  const blocks = (queries + QUERIES - 1) / QUERIES
  const head = chunk / blocks
  const start = (chunk % blocks) * QUERIES
  const end = min(queries, start + QUERIES)

  const own = arg<usize>(SPACE) + <usize>thread * arg<usize>(OWN)
  const most = own + 64 // of each query the largest score yet, and the sum of exponentials yet
  const sums = most + (COLUMNS << 2)
  const columns = most + room(2 * COLUMNS)
  const scores = columns + room(COLUMNS * size)
  const mixed = scores + room(COLUMNS * KEYS)
  const keyRows = mixed + room(COLUMNS * valueSize)
  const valueRows = keyRows + room(keys * size)
  if (load<i32>(own) != head) {
    packHead(head, keyRows, valueRows)
    store<i32>(own, head)
  }
  for (let first = start; first < end; first += COLUMNS) {
    const width = min(COLUMNS, end - first)
    const qRow = arg<usize>(Q_ROW)
    packPanel(load<usize>(arg<usize>(Q) + (<usize>head << 2)) + <usize>first * qRow, 4, qRow, width, size, columns)
    multiplyAll(columns, size * COLUMNS, arg<f32>(SCALE))
    for (let c: usize = 0; c < <usize>COLUMNS << 2; c += 4) {
      store<f32>(most + c, -Infinity)
      store<f32>(sums + c, 0)
    }
    const seen = seenBy(first + width - 1)
    for (let j = 0; j < seen; j += KEYS) {
      const depth = min(KEYS, keys - j)
      const count = min(depth, seen - j)
      rowsByColumns(count, size, keyRows + (<usize>(j * size) << 2), depth, size, columns, scores, false)
      hide(scores, head, first, width, j, count)
      for (let c: usize = 0; c < <usize>COLUMNS << 2; c += 32)
        absorb(scores + c, count, most + c, sums + c, mixed + c, j > 0 ? valueSize : 0)
      rowsByColumns(
        valueSize, count, valueRows + (<usize>(j * valueSize) << 2), valueSize, depth, scores, mixed, j > 0,
      )
    }
    const at = head * queries + first
    finish(mixed, seen > 0 ? valueSize : 0, most, sums)
    const y = arg<usize>(Y) + (<usize>(at * valueSize) << 2)
    if (seen > 0) turnInto(mixed, COLUMNS << 2, valueSize, width, y, <usize>valueSize << 2)
    else memory.fill(y, 0, <usize>(width * valueSize) << 2)
    memory.copy(arg<usize>(LOG_SUMS) + (<usize>at << 2), sums, <usize>width << 2)
  }
}

/** Packs the keys of a head, and its values as rows of [value, key], block by block. */
function packHead(head: i32, keyRows: usize, valueRows: usize): void {
  const keys = arg<i32>(KEY_COUNT)
  const valueSize = arg<i32>(VALUE_SIZE)
  const vRow = arg<usize>(V_ROW)
  packRowsOf(load<usize>(arg<usize>(K) + (<usize>head << 2)), arg<usize>(K_ROW), keys, arg<i32>(SIZE), keyRows)
  const v = load<usize>(arg<usize>(V) + (<usize>head << 2))
  for (let j = 0; j < keys; j += KEYS)
    packBlock(
      v + <usize>j * vRow, 4, vRow, valueSize, min(KEYS, keys - j), valueRows + (<usize>(j * valueSize) << 2),
    )
}

/** Packs rows, block by block. */
function packRowsOf(x: usize, row: usize, keys: i32, size: i32, to: usize): void {
  for (let j = 0; j < keys; j += KEYS)
    packBlock(x + <usize>j * row, row, 4, min(KEYS, keys - j), size, to + (<usize>(j * size) << 2))
}

/** Multiplies numbers side by side, a multiple of eight of them. */
export function multiplyAll(x: usize, n: i32, factor: f32): void {
  const factors = f32x4.splat(factor)
  for (; n > 0; n -= 8) {
    const x0 = f32x4.mul(v128.load(x), factors)
    const x1 = f32x4.mul(v128.load(x, 16), factors)
    v128.store(x, x0)
    v128.store(x, x1, 16)
    x += 32
  }
}

/** Scores of what may not be looked at become −∞. */
function hide(scores: usize, head: i32, first: i32, width: i32, firstKey: i32, count: i32): void {
  const mask = arg<usize>(MASK)
  if (mask && arg<usize>(MASK_ROW) == 0) {
    const line = maskLine(head, 0, firstKey)
    for (let key = 0; key < count; key++)
      if (load<u8>(line + key) == 0)
        for (let c = 0; c < COLUMNS; c++) hideOne(scores, key, c)
  }
  for (let c = 0; c < width; c++) {
    const limit = limitOf(first + c, firstKey, count)
    for (let key = limit; key < count; key++) hideOne(scores, key, c)
    if (mask && arg<usize>(MASK_ROW)) {
      const line = maskLine(head, first + c, firstKey)
      for (let key = 0; key < limit; key += 8)
        if (anyZero(load<u64>(line + key)))
          for (let k = key; k < min(limit, key + 8); k++) if (load<u8>(line + k) == 0) hideOne(scores, k, c)
    }
  }
}

@inline function hideOne(scores: usize, key: i32, column: i32): void {
  store<f32>(scores + (<usize>(key * COLUMNS + column) << 2), -Infinity)
}

/** Eight queries take a block of keys in: scores become exponentials; what was summed and mixed before is scaled down. */
function absorb(scores: usize, count: i32, most: usize, sums: usize, mixed: usize, n: i32): void {
  const was0 = v128.load(most)
  const was1 = v128.load(most, 16)
  let most0 = was0
  let most1 = was1
  let at = scores
  for (let i = count; i > 0; i--) {
    most0 = f32x4.pmax(most0, v128.load(at)) // NaN is left to the exponentials
    most1 = f32x4.pmax(most1, v128.load(at, 16))
    at += COLUMNS << 2
  }
  v128.store(most, most0)
  v128.store(most, most1, 16)
  const hidden = constant(MINUS_INFINITY)
  const above0 = v128.andnot(most0, f32x4.eq(most0, hidden))
  const above1 = v128.andnot(most1, f32x4.eq(most1, hidden))
  let sum0 = f32x4.splat(0)
  let sum1 = f32x4.splat(0)
  at = scores
  for (let i = count; i > 0; i--) {
    const e0 = expBelow4(f32x4.sub(v128.load(at), above0))
    const e1 = expBelow4(f32x4.sub(v128.load(at, 16), above1))
    v128.store(at, e0)
    v128.store(at, e1, 16)
    sum0 = f32x4.add(sum0, e0)
    sum1 = f32x4.add(sum1, e1)
    at += COLUMNS << 2
  }
  if (n == 0 || (i32x4.all_true(f32x4.eq(was0, most0)) && i32x4.all_true(f32x4.eq(was1, most1)))) {
    sum0 = f32x4.add(v128.load(sums), sum0)
    sum1 = f32x4.add(v128.load(sums, 16), sum1)
    v128.store(sums, sum0)
    v128.store(sums, sum1, 16)
    return
  }
  const factor0 = exp4(f32x4.sub(was0, above0))
  const factor1 = exp4(f32x4.sub(was1, above1))
  sum0 = f32x4.add(f32x4.mul(v128.load(sums), factor0), sum0)
  sum1 = f32x4.add(f32x4.mul(v128.load(sums, 16), factor1), sum1)
  v128.store(sums, sum0)
  v128.store(sums, sum1, 16)
  scaleColumns(mixed, n, factor0, factor1)
}

/** Eight columns times a number each. */
@inline function scaleColumns(x: usize, n: i32, factor0: v128, factor1: v128): void {
  for (; n > 0; n--) {
    const x0 = f32x4.mul(v128.load(x), factor0)
    const x1 = f32x4.mul(v128.load(x, 16), factor1)
    v128.store(x, x0)
    v128.store(x, x1, 16)
    x += COLUMNS << 2
  }
}

/** Mixtures are divided by the sums of exponentials, and these become the logarithms of the sums. */
function finish(mixed: usize, n: i32, most: usize, sums: usize): void {
  const nothing = f32x4.splat(0)
  for (let c: usize = 0; c < <usize>COLUMNS << 2; c += 32) {
    const sum0 = v128.load(sums + c)
    const sum1 = v128.load(sums + c, 16)
    const nowhere0 = f32x4.eq(sum0, nothing)
    const nowhere1 = f32x4.eq(sum1, nothing)
    const one = f32x4.splat(1)
    scaleColumns(
      mixed + c, n, v128.andnot(f32x4.div(one, sum0), nowhere0), v128.andnot(f32x4.div(one, sum1), nowhere1),
    )
    const far = f32x4.splat(NOWHERE)
    v128.store(sums + c, v128.bitselect(far, f32x4.add(v128.load(most + c), log4(sum0)), nowhere0))
    v128.store(sums + c, v128.bitselect(far, f32x4.add(v128.load(most + c, 16), log4(sum1)), nowhere1), 16)
  }
}
