import type { Args, TypedArray } from '@heed/core-tensor'

/** Sizes and direction of a recurrence over a sequence. */
export interface Scan {
  readonly batch: number
  readonly time: number
  readonly hidden: number
  readonly reverse: boolean
}

type Numbers = TypedArray
/** Tensors of an operation, in its order. */
type All = Args<Numbers>

const at = (numbers: Numbers, i: number): number => numbers[i] as number
const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x))

/** Calls with each step of each row that it has, in the order of the recurrence: its time, and the time of the step before or −1. */
function eachStep(
  { time, reverse }: Scan,
  lengths: Numbers,
  row: number,
  visit: (t: number, before: number) => void,
  back = false,
): void {
  const length = Math.min(time, at(lengths, row))
  const forward = reverse === back
  for (let i = 0; i < length; i++) {
    const t = forward ? i : length - 1 - i
    const before = reverse ? t + 1 : t - 1
    visit(t, before < length ? before : -1)
  }
}

/** x W-row · h + b, for one gate's number. */
function product(weight: Numbers, row: number, h: Float64Array): number {
  let sum = 0
  for (let k = 0; k < h.length; k++) sum += at(weight, row * h.length + k) * at(h, k)
  return sum
}

/** The formulas of `gru` in recurrent.ts of core-tensor, plainly. `saved` may be empty. */
export function gru(scan: Scan, [x, h0, weight, bias, lengths]: All, [states, last, saved]: All): void {
  const { batch, time, hidden } = scan
  states.fill(0)
  saved.fill(0)
  for (let row = 0; row < batch; row++) {
    const h = Float64Array.from(h0.subarray(row * hidden, (row + 1) * hidden))
    eachStep(scan, lengths, row, t => {
      const place = row * time + t
      const hs = Float64Array.from({ length: 3 * hidden }, (_, j) => product(weight, j, h) + at(bias, j))
      for (let j = 0; j < hidden; j++) {
        const [xr, xz, xn] = [0, 1, 2].map(g => at(x, (place * 3 + g) * hidden + j)) as [
          number,
          number,
          number,
        ]
        const r = sigmoid(xr + at(hs, j))
        const z = sigmoid(xz + at(hs, hidden + j))
        const hn = at(hs, 2 * hidden + j)
        const n = Math.tanh(xn + r * hn)
        h[j] = n + z * (at(h, j) - n)
        states[place * hidden + j] = at(h, j)
        if (saved.length > 0)
          for (const [g, value] of [r, z, n, hn].entries()) saved[(place * 4 + g) * hidden + j] = value
      }
    })
    last.set(h, row * hidden)
  }
}

/** The way back through {@link gru}. */
export function gruGrad(
  scan: Scan,
  [dStates, dLast, states, saved, h0, weight, ...rest]: All,
  [dx, dGates, dh0]: All,
): void {
  const [lengths] = rest as [Numbers]
  const { batch, time, hidden } = scan
  dx.fill(0)
  dGates.fill(0)
  for (let row = 0; row < batch; row++) {
    const dh = Float64Array.from(dLast.subarray(row * hidden, (row + 1) * hidden))
    const visit = (t: number, before: number): void => {
      const place = row * time + t
      const gates = new Float64Array(3 * hidden)
      for (let j = 0; j < hidden; j++) {
        const [r, z, n, hn] = [0, 1, 2, 3].map(g => at(saved, (place * 4 + g) * hidden + j)) as [
          number,
          number,
          number,
          number,
        ]
        const h = before < 0 ? at(h0, row * hidden + j) : at(states, (row * time + before) * hidden + j)
        const d = at(dh, j) + at(dStates, place * hidden + j)
        const dn = d * (1 - z) * (1 - n * n)
        const dz = d * (h - n) * z * (1 - z)
        const dr = dn * hn * r * (1 - r)
        for (const [g, value] of [dr, dz, dn].entries()) {
          gates[g * hidden + j] = g === 2 ? value * r : value
          dx[(place * 3 + g) * hidden + j] = value
        }
        dh[j] = d * z
      }
      dGates.set(gates, place * 3 * hidden)
      addTransposed(weight, gates, dh)
    }
    eachStep(scan, lengths, row, visit, true)
    dh0.set(dh, row * hidden)
  }
}

/** dh += Wᵀ gates */
function addTransposed(weight: Numbers, gates: Float64Array, dh: Float64Array): void {
  for (let i = 0; i < gates.length; i++)
    for (let k = 0; k < dh.length; k++) dh[k] = at(dh, k) + at(weight, i * dh.length + k) * at(gates, i)
}

/** The formulas of `lstm` in recurrent.ts of core-tensor, plainly. `saved` may be empty. */
export function lstm(
  scan: Scan,
  [x, h0, weight, bias, lengths, c0]: All,
  [states, last, lastCell, saved]: All,
): void {
  const { batch, time, hidden } = scan
  states.fill(0)
  saved.fill(0)
  for (let row = 0; row < batch; row++) {
    const h = Float64Array.from(h0.subarray(row * hidden, (row + 1) * hidden))
    const c = Float64Array.from(c0.subarray(row * hidden, (row + 1) * hidden))
    eachStep(scan, lengths, row, t => {
      const place = row * time + t
      const gates = Float64Array.from(
        { length: 4 * hidden },
        (_, j) => at(x, place * 4 * hidden + j) + product(weight, j, h) + at(bias, j),
      )
      for (let j = 0; j < hidden; j++) {
        const [i, f] = [sigmoid(at(gates, j)), sigmoid(at(gates, hidden + j))]
        const [g, o] = [Math.tanh(at(gates, 2 * hidden + j)), sigmoid(at(gates, 3 * hidden + j))]
        c[j] = f * at(c, j) + i * g
        h[j] = o * Math.tanh(at(c, j))
        states[place * hidden + j] = at(h, j)
        if (saved.length > 0)
          for (const [k, value] of [i, f, g, o, at(c, j)].entries())
            saved[(place * 5 + k) * hidden + j] = value
      }
    })
    last.set(h, row * hidden)
    lastCell.set(c, row * hidden)
  }
}

/** The way back through {@link lstm}. */
export function lstmGrad(
  scan: Scan,
  [dStates, dLast, dCell, saved, c0, weight, ...rest]: All,
  [dx, dh0, dc0]: All,
): void {
  const [lengths] = rest as [Numbers]
  const { batch, time, hidden } = scan
  dx.fill(0)
  for (let row = 0; row < batch; row++) {
    const dh = Float64Array.from(dLast.subarray(row * hidden, (row + 1) * hidden))
    const dc = Float64Array.from(dCell.subarray(row * hidden, (row + 1) * hidden))
    const visit = (t: number, before: number): void => {
      const place = row * time + t
      const gates = new Float64Array(4 * hidden)
      for (let j = 0; j < hidden; j++) {
        const [i, f, g, o, c] = [0, 1, 2, 3, 4].map(k => at(saved, (place * 5 + k) * hidden + j)) as [
          number,
          number,
          number,
          number,
          number,
        ]
        const held =
          before < 0 ? at(c0, row * hidden + j) : at(saved, ((row * time + before) * 5 + 4) * hidden + j)
        const d = at(dh, j) + at(dStates, place * hidden + j)
        const shown = Math.tanh(c)
        const dNow = at(dc, j) + d * o * (1 - shown * shown)
        gates[j] = dNow * g * i * (1 - i)
        gates[hidden + j] = dNow * held * f * (1 - f)
        gates[2 * hidden + j] = dNow * i * (1 - g * g)
        gates[3 * hidden + j] = d * shown * o * (1 - o)
        dc[j] = dNow * f
      }
      dx.set(gates, place * 4 * hidden)
      dh.fill(0)
      addTransposed(weight, gates, dh)
    }
    eachStep(scan, lengths, row, visit, true)
    dh0.set(dh, row * hidden)
    dc0.set(dc, row * hidden)
  }
}
