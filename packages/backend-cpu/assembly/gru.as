// Gated recurrent units: see recurrent.ts of core-tensor for formulas, shapes and what is saved.

import { sigmoid4, tanh4 } from './math'
import { clearLine, copyLine } from './move'
import {
  firstRow, HIDDEN, lengthOf, longest, MORE, ownMemory, padded, recur, recurrenceSpace, REVERSE, TIME, timed,
  timesWeight,
} from './recurrence'
import { arg, put } from './team'
import { constant, storeLeft } from './vector'

const ONE: usize = memory.data<f32>([1])

// ── forward ──

const X: usize = MORE
const H0: usize = MORE + 1
const BIAS: usize = MORE + 2
const STATES: usize = MORE + 3
const LAST: usize = MORE + 4
const SAVED: usize = MORE + 5 // or 0

export function gruSpace(batch: i32, time: i32, hidden: i32): usize {
  return recurrenceSpace(batch, time, hidden, 3 * hidden, hidden, 0)
}

export function gru(
  batch: i32, time: i32, hidden: i32, reverse: bool, space: usize,
  x: usize, h0: usize, weight: usize, bias: usize, lengths: usize,
  states: usize, last: usize, saved: usize,
): void {
  put(X, x)
  put(H0, h0)
  put(BIAS, bias)
  put(STATES, states)
  put(LAST, last)
  put(SAVED, saved)
  recur(gruTask.index, batch, time, hidden, hidden, 3 * hidden, true, 0, weight, lengths, reverse, space)
}

function gruTask(chunk: i32, thread: i32): void {
  const time = arg<i32>(TIME)
  const hidden = arg<i32>(HIDDEN)
  const reverse = arg<i32>(REVERSE)
  const first = firstRow(chunk)
  const rows = firstRow(chunk + 1) - first
  const line = <usize>hidden << 2
  const hRow = <usize>padded(hidden) << 2
  const hsRow = <usize>padded(3 * hidden) << 2
  const h = ownMemory(thread) // [rows, hidden]
  const hs = h + <usize>rows * hRow // [rows, 3·hidden]
  const packed = hs + <usize>rows * hsRow
  const saved = arg<usize>(SAVED)
  const most = longest(first, rows)
  for (let i = 0; i < rows; i++) copyLine(arg<usize>(H0) + <usize>(first + i) * line, h + <usize>i * hRow, hidden)
  for (let step = 0; step < time; step++) {
    const t = reverse ? time - 1 - step : step
    if (t < most) timesWeight(rows, h, hRow, hs, false, packed)
    for (let i = 0; i < rows; i++) {
      const row = first + i
      const state = timed(arg<usize>(STATES), row, t, hidden)
      const kept = saved ? timed(saved, row, t, 4 * hidden) : 0
      if (t < lengthOf(row))
        gruGates(hidden, timed(arg<usize>(X), row, t, 3 * hidden), hs + <usize>i * hsRow, h + <usize>i * hRow, state, kept)
      else {
        clearLine(state, hidden)
        if (kept) clearLine(kept, 4 * hidden)
      }
    }
  }
  for (let i = 0; i < rows; i++) copyLine(h + <usize>i * hRow, arg<usize>(LAST) + <usize>(first + i) * line, hidden)
}

/** One step of one row: h ← n + z ⊙ (h − n). */
function gruGates(hidden: i32, x: usize, hs: usize, h: usize, state: usize, saved: usize): void {
  const line = <usize>hidden << 2
  let bias = arg<usize>(BIAS)
  for (let left = hidden; left > 0; left -= 4) {
    const r = sigmoid4(f32x4.add(v128.load(x), f32x4.add(v128.load(hs), v128.load(bias))))
    const z = sigmoid4(f32x4.add(v128.load(x + line), f32x4.add(v128.load(hs + line), v128.load(bias + line))))
    const hn = f32x4.add(v128.load(hs + 2 * line), v128.load(bias + 2 * line))
    const n = tanh4(f32x4.add(v128.load(x + 2 * line), f32x4.mul(r, hn)))
    const next = f32x4.add(n, f32x4.mul(z, f32x4.sub(v128.load(h), n)))
    v128.store(h, next)
    storeLeft(state, next, left)
    if (saved) {
      storeLeft(saved, r, left)
      storeLeft(saved + line, z, left)
      storeLeft(saved + 2 * line, n, left)
      storeLeft(saved + 3 * line, hn, left)
      saved += 16
    }
    x += 16
    hs += 16
    h += 16
    bias += 16
    state += 16
  }
}

// ── back ──

const D_STATES: usize = MORE
const D_LAST: usize = MORE + 1
const B_STATES: usize = MORE + 2
const B_SAVED: usize = MORE + 3
const B_H0: usize = MORE + 4
const DX: usize = MORE + 5
const D_GATES: usize = MORE + 6
const D_H0: usize = MORE + 7

export function gruGradSpace(batch: i32, time: i32, hidden: i32): usize {
  return recurrenceSpace(batch, time, 3 * hidden, hidden, hidden, 0)
}

export function gruGrad(
  batch: i32, time: i32, hidden: i32, reverse: bool, space: usize,
  dStates: usize, dLast: usize, states: usize, saved: usize, h0: usize, weight: usize, lengths: usize,
  dx: usize, dGates: usize, dh0: usize,
): void {
  put(D_STATES, dStates)
  put(D_LAST, dLast)
  put(B_STATES, states)
  put(B_SAVED, saved)
  put(B_H0, h0)
  put(DX, dx)
  put(D_GATES, dGates)
  put(D_H0, dh0)
  recur(gruGradTask.index, batch, time, hidden, 3 * hidden, hidden, false, 0, weight, lengths, reverse, space)
}

function gruGradTask(chunk: i32, thread: i32): void {
  const time = arg<i32>(TIME)
  const hidden = arg<i32>(HIDDEN)
  const reverse = arg<i32>(REVERSE)
  const first = firstRow(chunk)
  const rows = firstRow(chunk + 1) - first
  const line = <usize>hidden << 2
  const dRow = <usize>padded(hidden) << 2
  const dh = ownMemory(thread) // [rows, hidden], what the state's gradient is so far
  const packed = dh + <usize>rows * dRow
  const most = longest(first, rows)
  for (let i = 0; i < rows; i++) copyLine(arg<usize>(D_LAST) + <usize>(first + i) * line, dh + <usize>i * dRow, hidden)
  for (let step = time - 1; step >= 0; step--) {
    const t = reverse ? time - 1 - step : step
    for (let i = 0; i < rows; i++) {
      const row = first + i
      const length = lengthOf(row)
      const dx = timed(arg<usize>(DX), row, t, 3 * hidden)
      const dGates = timed(arg<usize>(D_GATES), row, t, 3 * hidden)
      if (t < length) {
        const before = reverse ? t + 1 : t - 1 // the time of the step before, if there is one
        const h = before >= 0 && before < min(length, time)
          ? timed(arg<usize>(B_STATES), row, before, hidden)
          : arg<usize>(B_H0) + <usize>row * line
        gruGatesBack(
          hidden, timed(arg<usize>(D_STATES), row, t, hidden), timed(arg<usize>(B_SAVED), row, t, 4 * hidden), h, dx,
          dGates, dh + <usize>i * dRow,
        )
      } else {
        clearLine(dx, 3 * hidden)
        clearLine(dGates, 3 * hidden)
      }
    }
    // Rows that have ended have no gates' gradients and keep their own.
    if (t < most) timesWeight(rows, timed(arg<usize>(D_GATES), first, t, 3 * hidden), <usize>time * 3 * line, dh, true, packed)
  }
  for (let i = 0; i < rows; i++) copyLine(dh + <usize>i * dRow, arg<usize>(D_H0) + <usize>(first + i) * line, hidden)
}

/** One step of one row; what comes through the product is added to dh later. */
function gruGatesBack(hidden: i32, dState: usize, saved: usize, h: usize, dx: usize, dGates: usize, dh: usize): void {
  const line = <usize>hidden << 2
  for (let left = hidden; left > 0; left -= 4) {
    const one = constant(ONE)
    const d = f32x4.add(v128.load(dh), v128.load(dState))
    const r = v128.load(saved)
    const z = v128.load(saved + line)
    const n = v128.load(saved + 2 * line)
    const hn = v128.load(saved + 3 * line)
    const dn = f32x4.mul(f32x4.mul(d, f32x4.sub(one, z)), f32x4.sub(one, f32x4.mul(n, n)))
    const dz = f32x4.mul(f32x4.mul(d, f32x4.sub(v128.load(h), n)), f32x4.mul(z, f32x4.sub(one, z)))
    const dr = f32x4.mul(f32x4.mul(dn, hn), f32x4.mul(r, f32x4.sub(one, r)))
    storeLeft(dx, dr, left)
    storeLeft(dx + line, dz, left)
    storeLeft(dx + 2 * line, dn, left)
    storeLeft(dGates, dr, left)
    storeLeft(dGates + line, dz, left)
    storeLeft(dGates + 2 * line, f32x4.mul(dn, r), left)
    v128.store(dh, f32x4.mul(d, z))
    dState += 16
    saved += 16
    h += 16
    dx += 16
    dGates += 16
    dh += 16
  }
}
