import { type ops, sizeOf, type TensorSpec } from '@heed/core-tensor'
import type { Cell, Family, Input, Runner } from '../runner.ts'
import { dense, product, turned } from './matmul.ts'
import { joinedRows } from './movement.ts'

export type Kind = 'gru' | 'lstm' | 'rnn'
export type Scan = ops.Scan & { readonly activation?: 'tanh' | 'relu' }

/** Gates of each kind, and numbers kept for the way back. */
export const wide = { gru: 3, lstm: 4, rnn: 1 } as const

/** Steps in the order of the recurrence. */
export function order(time: number, reverse: boolean): number[] {
  return Array.from({ length: time }, (_, i) => (reverse ? time - 1 - i : i))
}

/** The place of a unit's gate in x, and in the products of the step. */
const x = (gate: number, gates: number): string =>
  `x[xAt + (quotient(this.thread.x, hidden) * time + step) * ${gates} * hidden + ${gate} * hidden + remainder(this.thread.x, hidden)]`
const h = (gate: number, gates: number): string =>
  `hs[quotient(this.thread.x, hidden) * ${gates} * hidden + ${gate} * hidden + remainder(this.thread.x, hidden)]`

/** What a unit becomes: its state from \`before\`, the state that it had, for each kind. */
const states: Readonly<Record<Kind, (activation: string | undefined) => string>> = {
  gru: () => `let r = sigmoidOf(${x(0, 3)} + ${h(0, 3)});
let z = sigmoidOf(${x(1, 3)} + ${h(1, 3)});
let n = tanhOf(${x(2, 3)} + r * ${h(2, 3)});
return n + z * (before - n);`,
  lstm: () => `return sigmoidOf(${x(3, 4)} + ${h(3, 4)}) * tanhOf(c[cAt + this.thread.x]);`,
  rnn: activation => {
    const sum = `${x(0, 1)} + ${h(0, 1)}`
    return activation === 'relu' ? `return maximumOf(${sum}, 0);` : `return tanhOf(${sum});`
  },
}

/**
 * Recurrences: each step is a product and a launch for each of its states, since threads of a fragment shader cannot pass states on.
 * What the way back needs is made of all steps at once.
 */
export function recurrent(runner: Runner): Family<Kind> {
  const sequence =
    (kind: Kind) =>
    (inputs: readonly Input[], outputs: readonly TensorSpec[], attrs: Scan): Cell[] => {
      const [x, h0, weight, bias, lengths, c0] = inputs as readonly [Input, Input, Input, Input, Input, Input]
      const [batch, time, hidden] = (outputs[0] as TensorSpec).shape as [number, number, number]
      const saving = kind !== 'rnn' && sizeOf((outputs.at(-1) as TensorSpec).shape) > 0
      const size = batch * hidden
      const steps = order(time, attrs.reverse)
      const made: { h: Cell; hs: Cell | undefined; c: Cell | undefined }[] = []
      let state = h0
      let cell = c0
      for (const t of steps) {
        const sums = product(runner, state, turned(weight), [batch, wide[kind] * hidden], bias)
        const next = (name: string, body: string, before: Input, c?: Cell): Cell =>
          runner.run(
            `${kind} ${name}${attrs.activation ?? ''}`,
            () => ({
              tensors: ['x', 'hs', 'beforeData', 'lengths', ...(c ? ['c'] : [])],
              ints: ['xAt', 'beforeAt', 'lengthsAt', 'time', 'hidden', 'step', ...(c ? ['cAt'] : [])],
              body: `let before = beforeData[beforeAt + this.thread.x];
if (step >= lengths[lengthsAt + quotient(this.thread.x, hidden)]) { return before; }
${body}`,
            }),
            size,
            [x.storage, sums, before.storage, lengths.storage, ...(c ? [c] : [])],
            [x.offset, before.offset, lengths.offset, time, hidden, t, ...(c ? [0] : [])],
          )
        const c = kind === 'lstm' ? next('cell', cellState, cell) : undefined
        const after = next('state', states[kind](attrs.activation), state, c)
        if (!saving) runner.free(sums)
        made[t] = { h: after, hs: saving ? sums : undefined, c }
        state = dense(after, [batch, hidden])
        if (c) cell = dense(c, [batch, hidden])
      }
      const stacked = (part: (step: (typeof made)[number]) => Cell, each: number): Cell =>
        joinedRows(
          runner,
          batch,
          made.map(step => ({ cell: part(step), offset: 0, wide: each })),
        )
      const last = copied(runner, state, size)
      const lastCell = kind === 'lstm' ? copied(runner, cell, size) : undefined
      const empty = made.length === 0
      const all = empty ? runner.driver.take(0) : stacked(step => step.h, hidden)
      const shown = empty ? all : masked(runner, all, lengths, { batch, time, hidden })
      const kept: Cell[] = []
      if (saving) {
        const hs = stacked(step => step.hs as Cell, wide[kind] * hidden)
        const cs = kind === 'lstm' ? stacked(step => step.c as Cell, hidden) : undefined
        kept.push(savedOf(runner, kind, x, hs, cs, { batch, time, hidden }))
        runner.free(hs, ...(cs ? [cs] : []))
      } else if (kind !== 'rnn') kept.push(runner.driver.take(0))
      if (shown !== all) runner.free(all)
      for (const step of made) runner.free(step.h, ...(step.hs ? [step.hs] : []), ...(step.c ? [step.c] : []))
      return [shown, last, ...(lastCell ? [lastCell] : []), ...kept]
    }
  return { gru: sequence('gru'), lstm: sequence('lstm'), rnn: sequence('rnn') }
}

const cellState = `return sigmoidOf(${x(1, 4)} + ${h(1, 4)}) * before + sigmoidOf(${x(0, 4)} + ${h(0, 4)}) * tanhOf(${x(2, 4)} + ${h(2, 4)});`

interface Sizes {
  readonly batch: number
  readonly time: number
  readonly hidden: number
}

/** The elements of a tensor in memory of their own. */
export function copied(runner: Runner, from: Input, size: number): Cell {
  return runner.run(
    'copied',
    () => ({ tensors: ['x'], ints: ['start'], body: 'return x[start + this.thread.x];' }),
    size,
    [from.storage],
    [from.offset],
  )
}

/** States `[batch, time, hidden]`, 0 behind the end of each row; the same cell where no row is shorter. */
function masked(runner: Runner, all: Cell, lengths: Input, { batch, time, hidden }: Sizes): Cell {
  const range = runner.rangeOf(lengths.storage)
  if (range && range[0] >= time) return all
  return runner.run(
    'states within rows',
    () => ({
      tensors: ['x', 'lengths'],
      ints: ['lengthsAt', 'time', 'hidden'],
      body: `if (remainder(quotient(this.thread.x, hidden), time) >= lengths[lengthsAt + quotient(this.thread.x, hidden * time)]) { return 0; }
return x[this.thread.x];`,
    }),
    batch * time * hidden,
    [all, lengths.storage],
    [lengths.offset, time, hidden],
  )
}

/** What the way back needs, at all steps: r, z, n and hₙ of a gated unit; i, f, g, o and c of an LSTM. */
function savedOf(
  runner: Runner,
  kind: 'gru' | 'lstm' | 'rnn',
  x: Input,
  hs: Cell,
  cs: Cell | undefined,
  { batch, time, hidden }: Sizes,
): Cell {
  const gates = wide[kind]
  const numbers = gates + 1
  // Row and step together, the number of the kept one, and the unit.
  const place = `quotient(this.thread.x, ${numbers} * hidden)`
  const which = `remainder(quotient(this.thread.x, hidden), ${numbers})`
  const unit = 'remainder(this.thread.x, hidden)'
  const at = (gate: string): string => `${place} * ${gates} * hidden + ${gate} * hidden + ${unit}`
  const sum = (gate: string): string => `x[xAt + ${at(gate)}] + hs[${at(gate)}]`
  const gru = `if (${which} < 2) { return sigmoidOf(${sum(which)}); }
if (${which} === 3) { return hs[${at('2')}]; }
return tanhOf(x[xAt + ${at('2')}] + sigmoidOf(${sum('0')}) * hs[${at('2')}]);`
  const lstm = `if (${which} === 4) { return cs[${place} * hidden + ${unit}]; }
if (${which} === 2) { return tanhOf(${sum('2')}); }
return sigmoidOf(${sum(which)});`
  return runner.run(
    `${kind} saved`,
    () => ({
      tensors: ['x', 'hs', ...(cs ? ['cs'] : [])],
      ints: ['xAt', 'hidden'],
      body: kind === 'gru' ? gru : lstm,
    }),
    batch * time * numbers * hidden,
    [x.storage, hs, ...(cs ? [cs] : [])],
    [x.offset, hidden],
  )
}
