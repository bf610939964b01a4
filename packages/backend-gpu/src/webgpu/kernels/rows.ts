import type { Input, Machine } from '../machine.ts'
import type { Storage } from '../pool.ts'
import { zip } from './elementwise.ts'

export type Kind = 'gru' | 'lstm' | 'rnn'

/** How a recurrence runs. */
export interface Scan {
  readonly reverse: boolean
  readonly activation?: 'tanh' | 'relu'
}

/** Rows of the batch that a group of threads carries along. */
export const ROWS = 4

/** What a group of threads keeps between steps: so many numbers for each hidden unit of each of its rows. */
export interface Rooms {
  readonly storage: Storage
  readonly slots: number
}

/** Threads of a group: one for each hidden unit, as far as that goes. */
export function threadsFor(hidden: number): number {
  return hidden <= 64 ? 64 : hidden <= 128 ? 128 : 256
}

/** `[rows, columns]` of a weight as `[columns, rows]`, so that threads side by side read numbers side by side. */
export function turnedWeight(machine: Machine, weight: Input, to: Storage): void {
  const [rows, columns] = weight.shape as [number, number]
  const turned: Input = { ...flat(weight), shape: [columns, rows], strides: [1, columns] }
  zip(machine, 'copy', { x: 'f32' }, 'f32', 'x', [turned], { shape: [columns, rows], dtype: 'float32' }, to)
}

function flat({ dtype, storage, offset }: Input): Pick<Input, 'dtype' | 'storage' | 'offset'> {
  return { dtype, storage, offset }
}

/** Sets a state, `[batch, hidden]`, into its slot of the rooms: the four rows of a group side by side, rows that lack as 0. */
export function rowsOf(machine: Machine, state: Input, { storage: rooms, slots }: Rooms, slot: number): void {
  const [batch, hidden] = state.shape as [number, number]
  const program = machine.program('rows in', () => ({
    params: [['n', 'u32'], ['batch', 'u32'], ['hidden', 'u32'], ['slots', 'u32'], ['slot', 'u32'], ['first', 'u32']],
    reads: { x: 'f32' },
    writes: { rooms: 'f32' },
    body: `let j = i / ${ROWS}u % p.hidden;
  let g = i / ${ROWS}u / p.hidden;
  let row = g * ${ROWS}u + i % ${ROWS}u;
  var v = 0.0;
  if (row < p.batch) { v = x[p.first + row * p.hidden + j]; }
  rooms[((g * p.slots + p.slot) * p.hidden + j) * ${ROWS}u + i % ${ROWS}u] = v;`,
  })) // biome-ignore format: a record
  const n = Math.ceil(batch / ROWS) * ROWS * hidden
  machine.each(program, n, [batch, hidden, slots, slot, state.offset], [state.storage, rooms])
}

/** The opposite of {@link rowsOf}: a slot of the rooms as `[batch, hidden]`. */
export function copied(
  machine: Machine,
  { storage: rooms, slots }: Rooms,
  slot: number,
  { batch, hidden }: { readonly batch: number; readonly hidden: number },
  to: Storage,
): void {
  const program = machine.program('rows out', () => ({
    params: [['n', 'u32'], ['hidden', 'u32'], ['slots', 'u32'], ['slot', 'u32']],
    reads: { rooms: 'f32' },
    writes: { y: 'f32' },
    body: `let row = i / p.hidden;
  let j = i % p.hidden;
  y[i] = rooms[((row / ${ROWS}u * p.slots + p.slot) * p.hidden + j) * ${ROWS}u + row % ${ROWS}u];`,
  })) // biome-ignore format: a record
  machine.each(program, batch * hidden, [hidden, slots, slot], [rooms, to])
}
