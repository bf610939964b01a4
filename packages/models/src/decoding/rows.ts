import { ConfigError, indexSelect, Tensor, type TypedArray, tensor } from '@heed/core-tensor'
import type { DecodeOptions, Stepper } from './stepper.ts'

/** Rows of every tensor in a state, by number along the first axis: `rows` `[n]` (int32). Everything else stays. */
export function selectRows<State>(state: State, rows: Tensor): State {
  if (state instanceof Tensor) return indexSelect(state, 0, rows) as State
  if (Array.isArray(state)) return state.map(item => selectRows(item, rows)) as State
  if (typeof state !== 'object' || state === null) return state
  return Object.fromEntries(
    Object.entries(state).map(([name, item]) => [name, selectRows(item, rows)]),
  ) as State
}

/** Each row of every tensor in a state `times` times side by side. */
export function repeatRows<State>(state: State, batch: number, times: number, like: Tensor): State {
  const rows = Int32Array.from({ length: batch * times }, (_, i) => Math.floor(i / times))
  return selectRows(state, tensor(rows, { backend: like.backend }))
}

/** {@link Stepper.repeat}. @throws ConfigError where a stepper cannot */
export function repeated<State>(stepper: Stepper<State>, times: number, where: string): Stepper<State> {
  if (times === 1) return stepper
  if (!stepper.repeat)
    throw new ConfigError(`${where}: this stepper has no repeat(); give it one, or use a single row for each`)
  return stepper.repeat(times)
}

/** The first words of so many rows. */
export function firstWords({ begin }: DecodeOptions, batch: number): Int32Array {
  return typeof begin === 'number' ? new Int32Array(batch).fill(begin) : Int32Array.from(begin)
}

/** log Σ eˣ of one row of scores, in float64. */
export function logSumExpOf(scores: TypedArray): number {
  let top = Number.NEGATIVE_INFINITY
  for (const x of scores) if (x > top) top = x
  let sum = 0
  for (const x of scores) sum += Math.exp(x - top)
  return top + Math.log(sum)
}

/** Row `i` of so many numbers each; nothing is copied. */
export function rowOf(data: TypedArray, i: number, width: number): TypedArray {
  return data.subarray(i * width, (i + 1) * width)
}
