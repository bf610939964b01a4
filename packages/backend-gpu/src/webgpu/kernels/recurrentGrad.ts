import type { Family, Input, Machine } from '../machine.ts'
import type { Storage } from '../pool.ts'
import type { Param, Program } from '../program.ts'
import { copied, type Kind, ROWS, rowsOf, type Scan, threadsFor } from './rows.ts'

const wide = { gru: 3, lstm: 4, rnn: 1 } as const

/** The slots of the rooms: the state's gradient on its way back, the cell's, the state (the cell) before the first step, the gates' gradients. */
const [STATE, CELL, FIRST, GATES] = [0, 1, 2, 3] as const

/** The way back through recurrences, in one launch, as the way there. */
export function recurrentGrad(machine: Machine): Family<'gruGrad' | 'lstmGrad' | 'rnnGrad'> {
  return {
    gruGrad: ([dStates, dLast, states, saved, h0, weight, lengths], outputs, attrs: Scan) => {
      const made = machine.outputs(outputs)
      const [dx, dGates, dh0] = made as [Storage, Storage, Storage]
      const run = backwards(machine, 'gru', dStates as Input, attrs)
      run(
        { [STATE]: dLast as Input, [FIRST]: h0 as Input },
        [dStates, states, saved, weight, lengths] as Input[],
        [dx, dGates],
        { [STATE]: dh0 },
      )
      return made
    },
    lstmGrad: ([dStates, dLast, dCell, saved, c0, weight, lengths], outputs, attrs: Scan) => {
      const made = machine.outputs(outputs)
      const [dx, dh0, dc0] = made as [Storage, Storage, Storage]
      const run = backwards(machine, 'lstm', dStates as Input, attrs)
      run(
        { [STATE]: dLast as Input, [CELL]: dCell as Input, [FIRST]: c0 as Input },
        [dStates, saved, weight, lengths] as Input[],
        [dx],
        { [STATE]: dh0, [CELL]: dc0 },
      )
      return made
    },
    rnnGrad: ([dStates, dLast, states, , weight, lengths], outputs, attrs: Scan) => {
      const made = machine.outputs(outputs)
      const [dx, dh0] = made as [Storage, Storage]
      const run = backwards(machine, 'rnn', dStates as Input, attrs)
      run({ [STATE]: dLast as Input }, [dStates, states, weight, lengths] as Input[], [dx], { [STATE]: dh0 })
      return made
    },
  }
}

function backwards(machine: Machine, kind: Kind, dStates: Input, attrs: Scan) {
  const [batch, time, hidden] = dStates.shape as [number, number, number]
  const groups = Math.ceil(batch / ROWS)
  // Where reading is dear, few threads take several units each, which share what they read.
  const [group, units] = machine.barriers ? [threadsFor(hidden), 1] : [64, 4]
  return (
    into: Readonly<Record<number, Input>>,
    inputs: readonly Input[],
    written: readonly Storage[],
    out: Readonly<Record<number, Storage>>,
  ): void => {
    if (batch * hidden === 0) return
    const key = `${kind}Grad${kind === 'rnn' ? ` ${attrs.activation}` : ''} ${group} x ${units}`
    const program = machine.program(key, () => steps(kind, attrs, group, units))
    const slots = GATES + wide[kind]
    machine.scratch([groups * slots * hidden * ROWS], rooms => {
      const storage = rooms as Storage
      const room = { storage, slots }
      for (const [slot, x] of Object.entries(into)) rowsOf(machine, x, room, Number(slot))
      machine.grouped(
        program,
        [groups, 1, 1],
        [batch, time, hidden, attrs.reverse ? 1 : 0, ...inputs.map(x => x.offset)],
        [...inputs.map(x => x.storage), ...written, storage],
      )
      for (const [slot, y] of Object.entries(out)) copied(machine, room, Number(slot), { batch, hidden }, y)
    })
  }
}

const reads = {
  gru: ['dStates', 'states', 'saved', 'weight', 'lengths'],
  lstm: ['dStates', 'saved', 'weight', 'lengths'],
  rnn: ['dStates', 'states', 'weight', 'lengths'],
} as const

function steps(kind: Kind, { activation }: Scan, group: number, units: number): Omit<Program, 'name'> {
  const names: readonly string[] = reads[kind]
  const each = (code: (unit: number) => string): string =>
    Array.from({ length: units }, (_, u) => code(u)).join(' ')
  return {
    params: [
      ...(['batch', 'time', 'hidden', 'reverse'] as const).map((name): Param => [name, 'u32']),
      ...names.map((name): Param => [`${name}At`, 'u32']),
    ],
    reads: Object.fromEntries(names.map(name => [name, name === 'lengths' ? 'i32' : 'f32'])),
    writes: {
      dx: 'f32',
      ...(kind === 'gru' ? { dGates: 'f32' as const } : {}),
      rooms: 'vec4f',
    },
    grouped: true,
    group,
    body: `let firstRow = group.x * ${ROWS}u;
  let room = group.x * ${GATES + wide[kind]}u * p.hidden;
  let gates = room + ${GATES}u * p.hidden;
  var ends = vec4u();
  for (var r = 0u; r < ${ROWS}u; r++) {
    if (firstRow + r < p.batch) { ends[r] = min(p.time, u32(max(0, lengths[p.lengthsAt + firstRow + r]))); }
  }
  for (var step = 0u; step < p.time; step++) {
    let t = select(p.time - 1u - step, step, p.reverse == 1u);
    storageBarrier();
    for (var j = thread; j < p.hidden; j += ${group}u) {
      var dh = rooms[room + j];
      ${Array.from({ length: wide[kind] }, (_, g) => `var d${g} = vec4f();`).join(' ')}
      for (var r = 0u; r < ${ROWS}u; r++) {
        let row = firstRow + r;
        if (row >= p.batch) { break; }
        let place = row * p.time + t;
        let xs = place * ${wide[kind]}u * p.hidden + j;
        if (t < ends[r]) {
          let d = dh[r] + dStates[p.dStatesAt + place * p.hidden + j];
          // The step before in the order of the recurrence: none before the first of a row.
          let isFirst = select(t == 0u, t + 1u == ends[r], p.reverse == 1u);
          let earlier = select(place - 1u, place + 1u, p.reverse == 1u);
          ${cell[kind](activation).replaceAll('\n', '\n          ')}
        }
        ${Array.from({ length: wide[kind] }, (_, g) => `dx[xs + ${g}u * p.hidden] = d${g}[r];`).join(' ')}
        ${kind === 'gru' ? 'dGates[xs] = d0[r]; dGates[xs + p.hidden] = d1[r]; dGates[xs + 2u * p.hidden] = gr2[r];' : ''}
      }
      rooms[room + j] = dh;
      ${Array.from({ length: wide[kind] }, (_, g) => `rooms[gates + ${g}u * p.hidden + j] = ${kind === 'gru' && g === 2 ? 'gr2' : `d${g}`};`).join(' ')}
    }
    storageBarrier();
    for (var first = thread; first < p.hidden; first += ${group * units}u) {
      ${each(u => `let k${u} = min(first + ${u * group}u, p.hidden - 1u); var sum${u} = rooms[room + k${u}];`)}
      for (var j = 0u; j < p.hidden; j++) {
        ${Array.from({ length: wide[kind] }, (_, g) => `{ let g = j + ${g}u * p.hidden; let d = rooms[gates + g]; let at = p.weightAt + g * p.hidden; ${each(u => `sum${u} = fma(vec4f(weight[at + k${u}]), d, sum${u});`)} }`).join('\n        ')}
      }
      ${each(u => `if (first + ${u * group}u < p.hidden) { rooms[room + k${u}] = sum${u}; }`)}
    }
  }`.replace('var d0 = vec4f();', `var d0 = vec4f();${kind === 'gru' ? ' var gr2 = vec4f();' : ''}`),
  }
}

/** The gates' gradients d0, d1, … of one unit of one row from that of its state, d; `dh[r]` is what passes by the gates. */
const cell: Readonly<Record<Kind, (activation: string | undefined) => string>> = {
  gru: () => `let ks = p.savedAt + place * 4u * p.hidden + j;
let gr = saved[ks];
let gz = saved[ks + p.hidden];
let gn = saved[ks + 2u * p.hidden];
let hn = saved[ks + 3u * p.hidden];
var h = rooms[room + ${FIRST}u * p.hidden + j][r];
if (!isFirst) { h = states[p.statesAt + earlier * p.hidden + j]; }
let dn = d * (1.0 - gz) * (1.0 - gn * gn);
d0[r] = dn * hn * gr * (1.0 - gr);
d1[r] = d * (h - gn) * gz * (1.0 - gz);
d2[r] = dn;
gr2[r] = dn * gr;
dh[r] = d * gz;`,
  lstm: () => `let ks = p.savedAt + place * 5u * p.hidden + j;
let gi = saved[ks];
let gf = saved[ks + p.hidden];
let gg = saved[ks + 2u * p.hidden];
let go = saved[ks + 3u * p.hidden];
let tc = tanhOf(saved[ks + 4u * p.hidden]);
var c = rooms[room + ${FIRST}u * p.hidden + j][r];
if (!isFirst) { c = saved[p.savedAt + (earlier * 5u + 4u) * p.hidden + j]; }
let dc = rooms[room + ${CELL}u * p.hidden + j][r] + d * go * (1.0 - tc * tc);
d0[r] = dc * gg * gi * (1.0 - gi);
d1[r] = dc * c * gf * (1.0 - gf);
d2[r] = dc * gi * (1.0 - gg * gg);
d3[r] = d * tc * go * (1.0 - go);
rooms[room + ${CELL}u * p.hidden + j][r] = dc * gf;
dh[r] = 0.0;`,
  rnn: activation => `let h = states[p.statesAt + place * p.hidden + j];
d0[r] = d * ${activation === 'relu' ? 'select(0.0, 1.0, h > 0.0)' : '(1.0 - h * h)'};
dh[r] = 0.0;`,
}
