import type { TensorSpec } from '@heed/core-tensor'
import type { Cell, Family, Input, Runner } from '../runner.ts'
import { held, type Parts } from '../text.ts'
import { dense } from './matmul.ts'
import { joinedRows } from './movement.ts'
import { copied, type Kind, order, type Scan } from './recurrent.ts'

/** A unit's number at the step, and how it is found: of \`many\` numbers a unit. */
const at = (name: string, many: number, which: number): string =>
  `${name}[${name}At + (quotient(this.thread.x, hidden) * time + step) * ${many} * hidden + ${which} * hidden + remainder(this.thread.x, hidden)]`
/** The state (or another number) of the step before; `first` before the first of a row. */
const before = (
  name: string,
  many: number,
  which: number,
): string => `let old = first[firstAt + this.thread.x];
let end = lengths[lengthsAt + quotient(this.thread.x, hidden)];
${held(
  {
    from: `earlierAt(${at(name, many, which).replace(/^.*?\[|\]$/g, '')}, step, reverse, end, ${many} * hidden)`,
  },
  `if (from >= 0) { old = ${name}[from]; }`,
)}`

/** Statements that make the gradients d0, d1, … of a unit's gates of \`d\`, that of its state. */
interface Way {
  /** Tensors that they look at, beside the gradients and the lengths. */
  readonly tensors: readonly string[]
  readonly gates: string
  /** How many gradients a unit has, and what each is. */
  readonly slopes: readonly string[]
  /** What passes by the gates, if anything does, and the tensor it takes for that. */
  readonly past?: { readonly tensor: string; readonly value: string }
  /** Which of the gradients go through the recurrent weight. */
  readonly through: readonly number[]
}

const ways: Readonly<Record<Kind, (activation: string | undefined) => Way>> = {
  gru: () => ({
    tensors: ['states', 'saved', 'first'],
    gates: `let r = ${at('saved', 4, 0)};
let z = ${at('saved', 4, 1)};
let n = ${at('saved', 4, 2)};
let hn = ${at('saved', 4, 3)};
${before('states', 1, 0)}
let dn = d * (1 - z) * (1 - n * n);`,
    slopes: ['dn * hn * r * (1 - r)', 'd * (old - n) * z * (1 - z)', 'dn', 'dn * r'],
    past: { tensor: 'saved', value: `d * ${at('saved', 4, 1)}` },
    through: [0, 1, 3],
  }),
  lstm: () => ({
    tensors: ['saved', 'first'],
    gates: `let i = ${at('saved', 5, 0)};
let f = ${at('saved', 5, 1)};
let g = ${at('saved', 5, 2)};
let o = ${at('saved', 5, 3)};
let tc = tanhOf(${at('saved', 5, 4)});
${before('saved', 5, 4)}
let dc = dCell[dCellAt + this.thread.x] + d * o * (1 - tc * tc);`,
    slopes: [
      'dc * g * i * (1 - i)',
      'dc * old * f * (1 - f)',
      'dc * i * (1 - g * g)',
      'd * tc * o * (1 - o)',
      'dc * f',
    ],
    through: [0, 1, 2, 3],
  }),
  rnn: activation => ({
    tensors: ['states'],
    gates: `let h = ${at('states', 1, 0)};`,
    slopes: [activation === 'relu' ? 'd * lessOf(0, h)' : 'd * (1 - h * h)'],
    through: [0],
  }),
}

/** The way back through recurrences: each step makes the gradients of its gates, and from them that of the state before. */
export function recurrentGrad(runner: Runner): Family<'gruGrad' | 'lstmGrad' | 'rnnGrad'> {
  return {
    gruGrad: (
      [dStates, dLast, states, saved, h0, weight, lengths],
      _: readonly TensorSpec[],
      attrs: Scan,
    ) => {
      const named = { states, saved, first: h0 } as Readonly<Record<string, Input>>
      const { slopes, dh, batch, time, hidden } = backwards(runner, 'gru', dStates as Input, dLast as Input, named, weight as Input, lengths as Input, attrs) // biome-ignore format: one line reads best
      const dx = chosen(runner, slopes, [0, 1, 2], 4, batch * time, hidden)
      const dGates = chosen(runner, slopes, [0, 1, 3], 4, batch * time, hidden)
      runner.free(slopes)
      return [dx, dGates, dh]
    },
    lstmGrad: (
      [dStates, dLast, dCell, saved, c0, weight, lengths],
      _: readonly TensorSpec[],
      attrs: Scan,
    ) => {
      const named = { saved, first: c0 } as Readonly<Record<string, Input>>
      const { slopes, dh, dc, batch, time, hidden } = backwards(runner, 'lstm', dStates as Input, dLast as Input, named, weight as Input, lengths as Input, attrs, dCell) // biome-ignore format: one line reads best
      const dx = chosen(runner, slopes, [0, 1, 2, 3], 5, batch * time, hidden)
      runner.free(slopes)
      return [dx, dh, dc as Cell]
    },
    rnnGrad: ([dStates, dLast, states, , weight, lengths], _: readonly TensorSpec[], attrs: Scan) => {
      const named = { states } as Readonly<Record<string, Input>>
      const { slopes, dh } = backwards(runner, 'rnn', dStates as Input, dLast as Input, named, weight as Input, lengths as Input, attrs) // biome-ignore format: one line reads best
      return [slopes, dh]
    },
  }
}

function backwards(
  runner: Runner,
  kind: Kind,
  dStates: Input,
  dLast: Input,
  named: Readonly<Record<string, Input>>,
  weight: Input,
  lengths: Input,
  { reverse, activation }: Scan,
  dCell?: Input,
) {
  const [batch, time, hidden] = dStates.shape as [number, number, number]
  const size = batch * hidden
  const way = ways[kind](activation)
  const many = way.slopes.length
  const looked = way.tensors.map(name => named[name] as Input)
  const names = ['dStates', 'dh', 'lengths', ...way.tensors, ...(dCell ? ['dCell'] : [])]
  const ints = [...names.map(name => `${name}At`), 'time', 'hidden', 'step', 'reverse']
  const made: Cell[] = []
  let dh = dLast
  let dc = dCell
  for (const t of order(time, !reverse)) {
    const inputs = [dStates, dh, lengths, ...looked, ...(dc ? [dc] : [])]
    const numbers = [...inputs.map(({ offset }) => offset), time, hidden, t, reverse ? 1 : 0]
    const cells = inputs.map(({ storage }) => storage)
    // The gradients of a step, [batch, many, hidden].
    const slopes = runner.run(
      `${kind} slopes${activation ?? ''}`,
      () => ({ tensors: names, ints, body: slopesOf(way) }),
      size * many,
      cells,
      numbers,
    )
    const also = way.past?.tensor
    const given = [...(also ? [dStates, named[also] as Input] : []), dh, lengths, weight]
    const past = runner.run(
      `${kind} state before`,
      () => stateBefore(way, many),
      size,
      [slopes, ...given.map(({ storage }) => storage)],
      [...given.map(({ offset }) => offset), time, hidden, t],
    )
    const cell =
      dc &&
      runner.run(
        `${kind} cell before`,
        () => ({
          tensors: ['dCell', 'slopes', 'lengths'],
          ints: ['dCellAt', 'lengthsAt', 'hidden', 'step'],
          body: `if (step >= lengths[lengthsAt + quotient(this.thread.x, hidden)]) { return dCell[dCellAt + this.thread.x]; }
return slopes[quotient(this.thread.x, hidden) * 5 * hidden + 4 * hidden + remainder(this.thread.x, hidden)];`,
        }),
        size,
        [dc.storage, slopes, lengths.storage],
        [dc.offset, lengths.offset, hidden, t],
      )
    if (dh !== dLast) runner.free(dh.storage)
    if (dc && dc !== dCell) runner.free(dc.storage)
    made[t] = slopes
    dh = dense(past, [batch, hidden])
    if (cell) dc = dense(cell, [batch, hidden])
  }
  const own = (x: Input, given: Input): Cell => (x === given ? copied(runner, x, size) : x.storage)
  const slopes = made.length
    ? joinedRows(
        runner,
        batch,
        made.map(cell => ({ cell, offset: 0, wide: many * hidden })),
      )
    : runner.driver.take(0)
  runner.free(...made)
  return { slopes, dh: own(dh, dLast), dc: dc && own(dc, dCell as Input), batch, time, hidden }
}

/** One of a unit's gradients; all 0 behind the end of a row. Threads are counted by unit first, then by gradient, then by row. */
function slopesOf({ gates, slopes }: Way): string {
  const many = slopes.length
  const unit = `unitOf(this.thread.x, ${many}, hidden)`
  const which = `remainder(quotient(this.thread.x, hidden), ${many})`
  const body = `if (step >= lengths[lengthsAt + quotient(this.thread.x, hidden)]) { return 0; }
let d = dStates[dStatesAt + (quotient(this.thread.x, hidden) * time + step) * hidden + remainder(this.thread.x, hidden)] + dh[dhAt + this.thread.x];
${gates}`
  const returns = slopes.map((slope, i) =>
    i + 1 === many ? `return ${slope};` : `if (${which} === ${i}) { return ${slope}; }`,
  )
  return `${body.replaceAll('this.thread.x', many === 1 ? 'this.thread.x' : unit)}
${returns.join('\n')}`
}

/**
 * The gradient of the state before: what passes by the gates, and what comes through the recurrent weight `[gates · hidden, hidden]`.
 * Six tensors at most: devices need not let a shader have more than eight, its result among them.
 */
function stateBefore({ past, through }: Way, many: number): Parts {
  const names = [...(past ? ['dStates', past.tensor] : []), 'dh', 'lengths', 'weight']
  const d = `let d = dStates[dStatesAt + (quotient(this.thread.x, hidden) * time + step) * hidden + remainder(this.thread.x, hidden)] + dh[dhAt + this.thread.x];`
  return {
    tensors: ['slopes', ...names],
    ints: [...names.map(name => `${name}At`), 'time', 'hidden', 'step'],
    body: `if (step >= lengths[lengthsAt + quotient(this.thread.x, hidden)]) { return dh[dhAt + this.thread.x]; }
${past ? d : ''}
let sum = ${past ? past.value : '0'};
for (let k = 0; k < hidden; k++) {
  ${through.map((slope, gate) => `sum += slopes[(quotient(this.thread.x, hidden) * ${many} + ${slope}) * hidden + k] * weight[weightAt + (${gate} * hidden + k) * hidden + remainder(this.thread.x, hidden)];`).join('\n  ')}
}
return sum;`,
  }
}

/** Some of the gradients of every unit: `[rows, chosen · hidden]` of `[rows, many · hidden]`. */
function chosen(
  runner: Runner,
  slopes: Cell,
  which: readonly number[],
  many: number,
  rows: number,
  hidden: number,
): Cell {
  const gate = `remainder(quotient(this.thread.x, hidden), ${which.length})`
  const picks = which.map((from, i) => `if (${gate} === ${i}) { return slopes[(quotient(this.thread.x, ${which.length} * hidden) * ${many} + ${from}) * hidden + remainder(this.thread.x, hidden)]; }`) // biome-ignore format: one line reads best
  return runner.run(
    `chosen ${which.join(' ')} of ${many}`,
    () => ({ tensors: ['slopes'], ints: ['hidden'], body: `${picks.join('\n')}\nreturn 0;` }),
    rows * which.length * hidden,
    [slopes],
    [hidden],
  )
}
