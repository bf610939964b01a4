// Long short-term memories: see recurrent.ts of core-tensor for formulas, shapes and what is saved.

import { sigmoid4, tanh4 } from './math'
import { clearLine, copyLine } from './move'
import {
  firstRow, HIDDEN, lengthOf, longest, MORE, ownMemory, padded, recur, recurrenceSpace, REVERSE, TIME, timed, timesWeight,
} from './recurrence'
import { arg, put } from './team'
import { constant, storeLeft } from './vector'

const ONE: usize = memory.data<f32>([1])

// ── forward ──

const X: usize = MORE
const H0: usize = MORE + 1
const C0: usize = MORE + 2
const BIAS: usize = MORE + 3
const STATES: usize = MORE + 4
const LAST: usize = MORE + 5
const LAST_CELL: usize = MORE + 6
const SAVED: usize = MORE + 7 // or 0

export function lstmSpace(batch: i32, time: i32, hidden: i32): usize {
  return recurrenceSpace(batch, time, hidden, 4 * hidden, hidden, padded(hidden))
}

export function lstm(
  batch: i32, time: i32, hidden: i32, reverse: bool, space: usize,
  x: usize, h0: usize, weight: usize, bias: usize, lengths: usize, c0: usize,
  states: usize, last: usize, lastCell: usize, saved: usize,
): void {
  put(X, x)
  put(H0, h0)
  put(C0, c0)
  put(BIAS, bias)
  put(STATES, states)
  put(LAST, last)
  put(LAST_CELL, lastCell)
  put(SAVED, saved)
  recur(lstmTask.index, batch, time, hidden, hidden, 4 * hidden, true, padded(hidden), weight, lengths, reverse, space)
}

function lstmTask(chunk: i32, thread: i32): void {
  const time = arg<i32>(TIME)
  const hidden = arg<i32>(HIDDEN)
  const reverse = arg<i32>(REVERSE)
  const first = firstRow(chunk)
  const rows = firstRow(chunk + 1) - first
  const line = <usize>hidden << 2
  const hRow = <usize>padded(hidden) << 2
  const hsRow = <usize>padded(4 * hidden) << 2
  const h = ownMemory(thread) // [rows, hidden]
  const c = h + <usize>rows * hRow // [rows, hidden]
  const hs = c + <usize>rows * hRow // [rows, 4·hidden]
  const packed = hs + <usize>rows * hsRow
  const saved = arg<usize>(SAVED)
  const most = longest(first, rows)
  for (let i = 0; i < rows; i++) {
    copyLine(arg<usize>(H0) + <usize>(first + i) * line, h + <usize>i * hRow, hidden)
    copyLine(arg<usize>(C0) + <usize>(first + i) * line, c + <usize>i * hRow, hidden)
  }
  for (let step = 0; step < time; step++) {
    const t = reverse ? time - 1 - step : step
    if (t < most) timesWeight(rows, h, hRow, hs, false, packed)
    for (let i = 0; i < rows; i++) {
      const row = first + i
      const state = timed(arg<usize>(STATES), row, t, hidden)
      const kept = saved ? timed(saved, row, t, 5 * hidden) : 0
      if (t < lengthOf(row))
        lstmGates(
          hidden, timed(arg<usize>(X), row, t, 4 * hidden), hs + <usize>i * hsRow, h + <usize>i * hRow,
          c + <usize>i * hRow, state, kept,
        )
      else {
        clearLine(state, hidden)
        if (kept) clearLine(kept, 5 * hidden)
      }
    }
  }
  for (let i = 0; i < rows; i++) {
    copyLine(h + <usize>i * hRow, arg<usize>(LAST) + <usize>(first + i) * line, hidden)
    copyLine(c + <usize>i * hRow, arg<usize>(LAST_CELL) + <usize>(first + i) * line, hidden)
  }
}

/** One step of one row: c ← f ⊙ c + i ⊙ g, h ← o ⊙ tanh c. */
function lstmGates(hidden: i32, x: usize, hs: usize, h: usize, c: usize, state: usize, saved: usize): void {
  const line = <usize>hidden << 2
  let bias = arg<usize>(BIAS)
  for (let left = hidden; left > 0; left -= 4) {
    const i = sigmoid4(gate(x, hs, bias))
    const f = sigmoid4(gate(x + line, hs + line, bias + line))
    const g = tanh4(gate(x + 2 * line, hs + 2 * line, bias + 2 * line))
    const o = sigmoid4(gate(x + 3 * line, hs + 3 * line, bias + 3 * line))
    const cell = f32x4.add(f32x4.mul(f, v128.load(c)), f32x4.mul(i, g))
    const next = f32x4.mul(o, tanh4(cell))
    v128.store(c, cell)
    v128.store(h, next)
    storeLeft(state, next, left)
    if (saved) {
      storeLeft(saved, i, left)
      storeLeft(saved + line, f, left)
      storeLeft(saved + 2 * line, g, left)
      storeLeft(saved + 3 * line, o, left)
      storeLeft(saved + 4 * line, cell, left)
      saved += 16
    }
    x += 16
    hs += 16
    h += 16
    c += 16
    bias += 16
    state += 16
  }
}

@inline function gate(x: usize, hs: usize, bias: usize): v128 {
  return f32x4.add(v128.load(x), f32x4.add(v128.load(hs), v128.load(bias)))
}

// ── back ──

const D_STATES: usize = MORE
const D_LAST: usize = MORE + 1
const D_CELL: usize = MORE + 2
const B_SAVED: usize = MORE + 3
const B_C0: usize = MORE + 4
const DX: usize = MORE + 5
const D_H0: usize = MORE + 6
const D_C0: usize = MORE + 7

export function lstmGradSpace(batch: i32, time: i32, hidden: i32): usize {
  return recurrenceSpace(batch, time, 4 * hidden, hidden, hidden, padded(hidden))
}

export function lstmGrad(
  batch: i32, time: i32, hidden: i32, reverse: bool, space: usize,
  dStates: usize, dLast: usize, dCell: usize, saved: usize, c0: usize, weight: usize, lengths: usize,
  dx: usize, dh0: usize, dc0: usize,
): void {
  put(D_STATES, dStates)
  put(D_LAST, dLast)
  put(D_CELL, dCell)
  put(B_SAVED, saved)
  put(B_C0, c0)
  put(DX, dx)
  put(D_H0, dh0)
  put(D_C0, dc0)
  recur(lstmGradTask.index, batch, time, hidden, 4 * hidden, hidden, false, padded(hidden), weight, lengths, reverse, space)
}

function lstmGradTask(chunk: i32, thread: i32): void {
  const time = arg<i32>(TIME)
  const hidden = arg<i32>(HIDDEN)
  const reverse = arg<i32>(REVERSE)
  const first = firstRow(chunk)
  const rows = firstRow(chunk + 1) - first
  const line = <usize>hidden << 2
  const dRow = <usize>padded(hidden) << 2
  const dh = ownMemory(thread) // [rows, hidden]
  const dc = dh + <usize>rows * dRow // [rows, hidden]
  const packed = dc + <usize>rows * dRow
  const most = longest(first, rows)
  for (let i = 0; i < rows; i++) {
    copyLine(arg<usize>(D_LAST) + <usize>(first + i) * line, dh + <usize>i * dRow, hidden)
    copyLine(arg<usize>(D_CELL) + <usize>(first + i) * line, dc + <usize>i * dRow, hidden)
  }
  for (let step = time - 1; step >= 0; step--) {
    const t = reverse ? time - 1 - step : step
    for (let i = 0; i < rows; i++) {
      const row = first + i
      const length = lengthOf(row)
      const dx = timed(arg<usize>(DX), row, t, 4 * hidden)
      if (t < length) {
        const before = reverse ? t + 1 : t - 1 // the time of the step before, if there is one
        const cell = before >= 0 && before < min(length, time)
          ? timed(arg<usize>(B_SAVED), row, before, 5 * hidden) + 4 * line
          : arg<usize>(B_C0) + <usize>row * line
        lstmGatesBack(
          hidden, timed(arg<usize>(D_STATES), row, t, hidden), timed(arg<usize>(B_SAVED), row, t, 5 * hidden), cell, dx,
          dh + <usize>i * dRow, dc + <usize>i * dRow,
        )
      } else clearLine(dx, 4 * hidden)
    }
    if (t < most) timesWeight(rows, timed(arg<usize>(DX), first, t, 4 * hidden), <usize>time * 4 * line, dh, true, packed)
  }
  for (let i = 0; i < rows; i++) {
    copyLine(dh + <usize>i * dRow, arg<usize>(D_H0) + <usize>(first + i) * line, hidden)
    copyLine(dc + <usize>i * dRow, arg<usize>(D_C0) + <usize>(first + i) * line, hidden)
  }
}

/** One step of one row; dh is what comes through the product alone, which is added later. */
function lstmGatesBack(hidden: i32, dState: usize, saved: usize, before: usize, dx: usize, dh: usize, dc: usize): void {
  const line = <usize>hidden << 2
  for (let left = hidden; left > 0; left -= 4) {
    const one = constant(ONE)
    const d = f32x4.add(v128.load(dh), v128.load(dState))
    const i = v128.load(saved)
    const f = v128.load(saved + line)
    const g = v128.load(saved + 2 * line)
    const o = v128.load(saved + 3 * line)
    const shown = tanh4(v128.load(saved + 4 * line))
    const dCell = f32x4.add(v128.load(dc), f32x4.mul(f32x4.mul(d, o), f32x4.sub(one, f32x4.mul(shown, shown))))
    storeLeft(dx, f32x4.mul(f32x4.mul(dCell, g), f32x4.mul(i, f32x4.sub(one, i))), left)
    storeLeft(dx + line, f32x4.mul(f32x4.mul(dCell, v128.load(before)), f32x4.mul(f, f32x4.sub(one, f))), left)
    storeLeft(dx + 2 * line, f32x4.mul(f32x4.mul(dCell, i), f32x4.sub(one, f32x4.mul(g, g))), left)
    storeLeft(dx + 3 * line, f32x4.mul(f32x4.mul(d, shown), f32x4.mul(o, f32x4.sub(one, o))), left)
    v128.store(dc, f32x4.mul(dCell, f))
    v128.store(dh, f32x4.splat(0))
    dState += 16
    saved += 16
    before += 16
    dx += 16
    dh += 16
    dc += 16
  }
}
