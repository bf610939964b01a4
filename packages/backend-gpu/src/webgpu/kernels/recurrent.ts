import { sizeOf, type TensorSpec } from '@heed/core-tensor'
import type { Family, Input, Machine } from '../machine.ts'
import type { Storage } from '../pool.ts'
import type { Param, Program } from '../program.ts'
import { copied, type Kind, ROWS, rowsOf, type Scan, threadsFor, turnedWeight } from './rows.ts'

const wide = { gru: 3, lstm: 4, rnn: 1 } as const
const saved = { gru: 4, lstm: 5, rnn: 0 } as const

/**
 * Recurrences over whole sequences in one launch: a group of threads carries four rows of the batch through all steps, each thread
 * some hidden units. Weights are read once a step for all four rows; states pass from thread to thread through memory.
 */
export function recurrent(machine: Machine): Family<Kind> {
  const sequence =
    (kind: Kind) =>
    (inputs: readonly Input[], outputs: readonly TensorSpec[], attrs: Scan): Storage[] => {
      const [x, h0, weight, bias, lengths, c0] = inputs as readonly [Input, Input, Input, Input, Input, Input]
      const [batch, time, hidden] = (outputs[0] as TensorSpec).shape as [number, number, number]
      const made = machine.outputs(outputs)
      const saving = kind !== 'rnn' && sizeOf((outputs.at(-1) as TensorSpec).shape) > 0
      if (batch * hidden === 0) return made
      const group = threadsFor(hidden)
      const key = `${kind}${kind === 'rnn' ? ` ${attrs.activation}` : ''}${saving ? ' saving' : ''} ${group}`
      const program = machine.program(key, () => steps(kind, attrs, saving, group))
      const groups = Math.ceil(batch / ROWS)
      // Per group: two states in turn, and the cell's.
      // Threads side by side shall read numbers side by side, which is worth a copy of the weight where they read at once.
      const turns = machine.barriers
      const outputsOf = wide[kind] * hidden
      machine.scratch([groups * 3 * hidden * ROWS, turns ? outputsOf * hidden : 0], (rooms, turned) => {
        const [storage, columns] = [rooms as Storage, turns ? (turned as Storage) : weight.storage]
        const room = { storage, slots: 3 }
        if (turns) turnedWeight(machine, weight, columns)
        rowsOf(machine, h0, room, 0)
        if (kind === 'lstm') rowsOf(machine, c0, room, 2)
        machine.grouped(
          program,
          [groups, 1, 1],
          [
            batch,
            time,
            hidden,
            attrs.reverse ? 1 : 0,
            x.offset,
            bias.offset,
            lengths.offset,
            ...(turns ? [0, outputsOf, 1] : [weight.offset, 1, hidden]),
          ],
          [
            x.storage,
            columns,
            bias.storage,
            lengths.storage,
            made[0] as Storage,
            storage,
            ...(saving ? [made.at(-1) as Storage] : []),
          ],
        )
        copied(machine, room, time % 2, { batch, hidden }, made[1] as Storage)
        if (kind === 'lstm') copied(machine, room, 2, { batch, hidden }, made[2] as Storage)
      })
      return made
    }
  return { gru: sequence('gru'), lstm: sequence('lstm'), rnn: sequence('rnn') }
}

const params: readonly Param[] = [
  ...(['batch', 'time', 'hidden', 'reverse', 'xAt', 'biasAt', 'lengthsAt', 'weightAt', 'weightIn', 'weightOut'] as const).map(name => [name, 'u32'] as const),
] // biome-ignore format: a list

function steps(kind: Kind, { activation }: Scan, saving: boolean, group: number): Omit<Program, 'name'> {
  const gates = Array.from({ length: wide[kind] }, (_, g) => g)
  return {
    params,
    reads: { x: 'f32', weight: 'f32', bias: 'f32', lengths: 'i32' },
    writes: { states: 'f32', rooms: 'vec4f', ...(saving ? { saved: 'f32' as const } : {}) },
    grouped: true,
    group,
    body: `let firstRow = group.x * ${ROWS}u;
  let room = group.x * 3u * p.hidden;
  var ends = vec4u();
  for (var r = 0u; r < ${ROWS}u; r++) {
    if (firstRow + r < p.batch) { ends[r] = u32(max(0, lengths[p.lengthsAt + firstRow + r])); }
  }
  for (var step = 0u; step < p.time; step++) {
    let t = select(step, p.time - 1u - step, p.reverse == 1u);
    let now = room + (step & 1u) * p.hidden;
    let next = room + ((step + 1u) & 1u) * p.hidden;
    storageBarrier();
    for (var j = thread; j < p.hidden; j += ${group}u) {
      ${gates.map(g => `var h${g} = vec4f(bias[p.biasAt + ${g}u * p.hidden + j]);`).join(' ')}
      let column = p.weightAt + j * p.weightOut;
      var k = 0u;
      for (; k + 4u <= p.hidden; k += 4u) {
        ${[0, 1, 2, 3].map(u => multiplied(kind, `k + ${u}u`)).join('\n        ')}
      }
      for (; k < p.hidden; k++) { ${multiplied(kind, 'k')} }
      let before = rooms[now + j];
      var after = before;
      for (var r = 0u; r < ${ROWS}u; r++) {
        let row = firstRow + r;
        if (row >= p.batch) { break; }
        let place = row * p.time + t;
        let live = t < ends[r];
        let xs = p.xAt + place * ${wide[kind]}u * p.hidden + j;
        ${indented(cell[kind](activation, saving))}
        states[place * p.hidden + j] = select(0.0, after[r], live);
      }
      rooms[next + j] = after;
    }
  }`,
  }
}

/** Takes one unit's state into the sums of all gates. */
function multiplied(kind: Kind, k: string): string {
  const sums = Array.from({ length: wide[kind] }, (_, g) => `h${g} = fma(vec4f(weight[at + ${g}u * p.hidden * p.weightOut]), h, h${g});`) // biome-ignore format: one line reads best
  return `{ let h = rooms[now + ${k}]; let at = column + (${k}) * p.weightIn; ${sums.join(' ')} }`
}

const indented = (text: string): string => text.replaceAll('\n', '\n        ')

/** What one unit of one row makes of its sums; `after[r]` is its next state. */
const cell: Readonly<Record<Kind, (activation: string | undefined, saving: boolean) => string>> = {
  gru: (_, saving) => `let gr = sigmoidOf(x[xs] + h0[r]);
let gz = sigmoidOf(x[xs + p.hidden] + h1[r]);
let gn = tanhOf(x[xs + 2u * p.hidden] + gr * h2[r]);
if (live) { after[r] = gn + gz * (before[r] - gn); }
${kept(saving, 'gru', ['gr', 'gz', 'gn', 'h2[r]'])}`,
  lstm: (_, saving) => `let gi = sigmoidOf(x[xs] + h0[r]);
let gf = sigmoidOf(x[xs + p.hidden] + h1[r]);
let gg = tanhOf(x[xs + 2u * p.hidden] + h2[r]);
let go = sigmoidOf(x[xs + 3u * p.hidden] + h3[r]);
let cells = room + 2u * p.hidden + j;
let c = gf * rooms[cells][r] + gi * gg;
if (live) { rooms[cells][r] = c; after[r] = go * tanhOf(c); }
${kept(saving, 'lstm', ['gi', 'gf', 'gg', 'go', 'c'])}`,
  rnn: activation => `let sum = x[xs] + h0[r];
if (live) { after[r] = ${activation === 'relu' ? 'select(sum, 0.0, sum <= 0.0)' : 'tanhOf(sum)'}; }`,
}

function kept(saving: boolean, kind: 'gru' | 'lstm', values: readonly string[]): string {
  if (!saving) return ''
  const lines = values.map((v, g) => `saved[ks + ${g}u * p.hidden] = select(0.0, ${v}, live);`)
  return [`let ks = place * ${saved[kind]}u * p.hidden + j;`, ...lines].join('\n')
}
