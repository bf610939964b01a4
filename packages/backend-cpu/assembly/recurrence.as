// What gated recurrences have in common. A chunk is a few rows of the batch, through the whole sequence; the recurrent weight
// is packed once for all of them. Rounding is as in './gemm', so neither rows nor threads change a result.

import { DEPTH, multiplyBlock, packBlock, packingWork, packPanel } from './gemm'
import { arg, hands, put, share } from './team'
import { COLUMNS, ROWS } from './tile'

// Arguments that all of them have
export const BATCH: usize = 0
export const TIME: usize = 1
export const HIDDEN: usize = 2
export const LENGTHS: usize = 3
export const REVERSE: usize = 4
const WEIGHT: usize = 5 // W_hh, [wide, hidden]
const PACKED: usize = 6
const OWN: usize = 7 // memory of the first thread
const OWN_BYTES: usize = 8
const CHUNKS: usize = 9
const DEPTHS: usize = 10 // the product's inner size
const WIDTH: usize = 11 // its outer size
const TURNED: usize = 12 // whether it is with Wᵀ (forward), not with W (back)
const BANDS: usize = 13
/** Where each recurrence's own arguments begin. */
export const MORE: usize = 16

/** Columns of the weight that one thread packs at a time: whole tiles. */
const BAND: i32 = 64
/** Picoseconds that a gate costs, beside its row of the product. */
const GATE: f64 = 2000

@inline export function padded(n: i32): i32 {
  return ((n + COLUMNS - 1) / COLUMNS) * COLUMNS
}

/** The most rows in a chunk: more make better use of a weight that does not fit into the second-level cache. */
@inline function mostRows(hidden: i32): i32 {
  return hidden <= 256 ? ROWS : 4 * ROWS
}

@inline function work(batch: i32, time: i32, inner: i32, outer: i32): f64 {
  return <f64>batch * <f64>time * <f64>outer * (<f64>inner * 40 + GATE)
}

/** Bytes of one thread for rows of states, of the product, and packed, and for what else the recurrence keeps for each row. */
function ownBytes(rows: i32, inner: i32, outer: i32, extra: i32): usize {
  return <usize>(rows * (padded(outer) + padded(inner) + inner + extra)) << 2
}

/** Bytes of working memory, for a product `[batch, inner] × [inner, outer]` at each step. */
export function recurrenceSpace(batch: i32, time: i32, inner: i32, outer: i32, hidden: i32, extra: i32): usize {
  const threads = hands(work(batch, time, inner, outer))
  const own = (ownBytes(min(batch, mostRows(hidden)), inner, outer, extra) + 127) & ~63
  return (<usize>padded(outer) * <usize>inner << 2) + own * threads
}

/** Packs the weight and runs the task, whose arguments are in place but for those up to MORE. */
export function recur(
  task: i32, batch: i32, time: i32, hidden: i32, inner: i32, outer: i32, turned: bool, extra: i32, weight: usize,
  lengths: usize, reverse: bool, space: usize,
): void {
  const threads = hands(work(batch, time, inner, outer))
  const rows = mostRows(hidden)
  // As many chunks as threads can share evenly.
  let chunks = (batch + rows - 1) / rows
  chunks = min(batch, ((chunks + threads - 1) / threads) * threads)
  put(BATCH, batch)
  put(TIME, time)
  put(HIDDEN, hidden)
  put(LENGTHS, lengths)
  put(REVERSE, <i32>reverse)
  put(WEIGHT, weight)
  put(PACKED, space)
  put(OWN, space + (<usize>padded(outer) * <usize>inner << 2))
  put(OWN_BYTES, (ownBytes(min(batch, rows), inner, outer, extra) + 127) & ~63)
  put(CHUNKS, chunks)
  put(DEPTHS, inner)
  put(WIDTH, outer)
  put(TURNED, <i32>turned)
  const bands = (outer + BAND - 1) / BAND
  put(BANDS, bands)
  share(packTask.index, ((inner + DEPTH - 1) / DEPTH) * bands, packingWork(inner, outer, turned))
  share(task, chunks, work(batch, time, inner, outer))
}

/** Packs some columns of a block along the inner size. */
function packTask(chunk: i32, thread: i32): void {
  const inner = arg<i32>(DEPTHS)
  const outer = arg<i32>(WIDTH)
  const l = (chunk / arg<i32>(BANDS)) * DEPTH
  const j = (chunk % arg<i32>(BANDS)) * BAND
  const depth = min(DEPTH, inner - l)
  const row: usize = arg<i32>(TURNED) ? 4 : <usize>outer << 2
  const column: usize = arg<i32>(TURNED) ? <usize>inner << 2 : 4
  const panel = arg<usize>(PACKED) + (<usize>l * <usize>padded(outer) << 2)
  packPanel(
    arg<usize>(WEIGHT) + <usize>l * row + <usize>j * column, row, column, min(BAND, outer - j), depth,
    panel + (<usize>(j * depth) << 2),
  )
}

/** The first row of a chunk. */
@inline export function firstRow(chunk: i32): i32 {
  return <i32>((<i64>chunk * arg<i32>(BATCH)) / arg<i32>(CHUNKS))
}

/** Memory of a thread's own. */
@inline export function ownMemory(thread: i32): usize {
  return arg<usize>(OWN) + <usize>thread * arg<usize>(OWN_BYTES)
}

/** y = or y += a × the packed weight, for some rows; rows of y are padded to whole tiles. `space` is for the packed rows. */
export function timesWeight(rows: i32, a: usize, aRow: usize, y: usize, accumulate: bool, space: usize): void {
  const inner = arg<i32>(DEPTHS)
  const outer = padded(arg<i32>(WIDTH))
  const line = <usize>outer << 2
  for (let l = 0; l < inner; l += DEPTH) {
    const depth = min(DEPTH, inner - l)
    packBlock(a + (<usize>l << 2), aRow, 4, rows, depth, space)
    multiplyBlock(
      rows, outer, depth, space, arg<usize>(PACKED) + (<usize>l * <usize>outer << 2), depth, y, line,
      accumulate || l > 0 ? y : 0, line, 0,
    )
  }
}

/** How many steps a row has. */
@inline export function lengthOf(row: i32): i32 {
  return load<i32>(arg<usize>(LENGTHS) + (<usize>row << 2))
}

/** The most steps that some rows have, up to TIME. */
export function longest(first: i32, rows: i32): i32 {
  let most = 0
  for (let i = 0; i < rows; i++) most = max(most, lengthOf(first + i))
  return min(most, arg<i32>(TIME))
}

/** The address of `width` numbers of a row at a time, in a tensor [batch, time, width]. */
@inline export function timed(tensor: usize, row: i32, time: i32, width: i32): usize {
  return tensor + ((<usize>row * <usize>arg<i32>(TIME) + <usize>time) * <usize>width << 2)
}
