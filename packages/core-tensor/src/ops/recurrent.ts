import { apply, applyAll } from '../dispatch.ts'
import { DTypeError, ShapeError } from '../errors.ts'
import type { Args, Op, Tape } from '../op.ts'
import { isFloat, show, type TensorSpec } from '../shape.ts'
import type { Tensor } from '../tensor.ts'
import { arange } from './creation.ts'

/** How a recurrence runs over a sequence. */
export interface Scan {
  /** From the last step to the first. */
  readonly reverse: boolean
  /** Whether a gradient will be asked for: the kernel then keeps what it needs, as the last result. */
  readonly save: boolean
}

/** @throws ShapeError, DTypeError unless everything fits: `gates` hidden units wide */
function check(
  name: string,
  gates: number,
  [x, h0, weight, bias, lengths]: Args<TensorSpec>,
): [batch: number, time: number, hidden: number] {
  const [batch, time, wide] = x.shape as [number, number, number]
  const hidden = h0.shape[1] as number
  const fit =
    x.shape.length === 3 && wide === gates * hidden && h0.shape.length === 2 && h0.shape[0] === batch &&
    weight.shape.length === 2 && weight.shape[0] === wide && weight.shape[1] === hidden &&
    bias.shape.length === 1 && bias.shape[0] === wide && lengths.shape.length === 1 && lengths.shape[0] === batch // biome-ignore format: one condition
  if (!fit)
    throw new ShapeError(
      `${name}: gates ${show(x.shape)}, state ${show(h0.shape)}, weight ${show(weight.shape)}, bias ${show(bias.shape)} and lengths ${show(lengths.shape)} do not fit; use [batch, time, ${gates}·hidden], [batch, hidden], [${gates}·hidden, hidden], [${gates}·hidden], [batch]`,
    )
  if (!isFloat(x.dtype) || [h0, weight, bias].some(t => t.dtype !== x.dtype) || lengths.dtype !== 'int32')
    throw new DTypeError(
      `${name}: ${x.dtype} gates with ${h0.dtype} state and ${lengths.dtype} lengths; use one float type, and int32 lengths`,
    )
  return [batch, time, hidden]
}

/**
 * A gated recurrent unit over a sequence whose input part `x W_ihᵀ + b_ih` is already made.
 *
 * r = σ(xᵣ + hᵣ), z = σ(x_z + h_z), n = tanh(xₙ + r ⊙ hₙ), h ← (1 − z) ⊙ n + z ⊙ h, where `h• = h W_hhᵀ + b_hh`.
 * PyTorch's form and gate order; Cho et al. 2014, arXiv:1406.1078, applies r before the product instead.
 *
 * Inputs: gates `[batch, time, 3·hidden]`, first state `[batch, hidden]`, `W_hh` `[3·hidden, hidden]`, `b_hh`
 * `[3·hidden]`, lengths `[batch]` (int32). Past a row's length the state stays and the output is 0.
 * Outputs: states `[batch, time, hidden]`, last state `[batch, hidden]`, and r, z, n, hₙ `[batch, time, 4·hidden]` if saved.
 */
export const gru: Op<Scan> = {
  name: 'gru',
  gradOp: 'gruGrad',
  saves: 'both',
  infer: (inputs, { save }) => {
    const [batch, time, hidden] = check('gru', 3, inputs)
    const { dtype } = inputs[0]
    return [
      { shape: [batch, time, hidden], dtype },
      { shape: [batch, hidden], dtype },
      { shape: save ? [batch, time, 4 * hidden] : [0], dtype },
    ]
  },
  grad: tape => {
    const { grads: [dStates, dLast], inputs: [, h0, weight, , lengths], outputs: [states, , saved] } = tape // biome-ignore format: one line reads best
    const [dx, dgates, dh0] = applyAll(
      gruGrad,
      [dStates, dLast, states, saved, h0, weight, lengths],
      tape.attrs,
    ) as [Tensor, Tensor, Tensor]
    return [dx, dh0, ...shared(dgates, states, tape), null]
  },
  compose: ([x, h0, weight, bias, lengths], { reverse }) =>
    unrolled(x, [h0], lengths, reverse, (xt, [h]) => {
      const hidden = h0.shape[1] as number
      const hs = h.matmul(weight.transpose()).add(bias)
      const part = (t: Tensor, i: number): Tensor =>
        t.slice([{}, { start: i * hidden, stop: (i + 1) * hidden }])
      const r = part(xt, 0).add(part(hs, 0)).sigmoid()
      const z = part(xt, 1).add(part(hs, 1)).sigmoid()
      const n = part(xt, 2)
        .add(r.mul(part(hs, 2)))
        .tanh()
      return [n.add(z.mul(h.sub(n)))]
    }),
}

/** The way back through {@link gru}: gradients of the input gates, of the recurrent gates, and of the first state. */
export const gruGrad: Op<Scan> = {
  name: 'gruGrad',
  infer: ([, dLast, states]) => {
    const [batch, time, hidden] = states.shape as [number, number, number]
    const gates = { shape: [batch, time, 3 * hidden], dtype: states.dtype }
    return [gates, gates, dLast]
  },
}

/**
 * A long short-term memory over a sequence whose input part `x W_ihᵀ + b_ih` is already made.
 *
 * i, f, o = σ(•), g = tanh(•), c ← f ⊙ c + i ⊙ g, h ← o ⊙ tanh(c); PyTorch's gate order i, f, g, o.
 * Hochreiter and Schmidhuber 1997; the forget gate by Gers et al. 2000.
 *
 * Inputs: gates `[batch, time, 4·hidden]`, first h `[batch, hidden]`, `W_hh` `[4·hidden, hidden]`, `b_hh` `[4·hidden]`,
 * lengths `[batch]` (int32), first c `[batch, hidden]`.
 * Outputs: states `[batch, time, hidden]`, last h and last c `[batch, hidden]`, and i, f, g, o, c `[batch, time, 5·hidden]` if saved.
 */
export const lstm: Op<Scan> = {
  name: 'lstm',
  gradOp: 'lstmGrad',
  saves: 'both',
  infer: (inputs, { save }) => {
    const [batch, time, hidden] = check('lstm', 4, inputs)
    const { dtype } = inputs[0]
    const c0 = inputs[5]
    if (c0.shape.length !== 2 || c0.shape[0] !== batch || c0.shape[1] !== hidden)
      throw new ShapeError(`lstm: the first cell state is ${show(c0.shape)}; use ${show([batch, hidden])}`)
    const last = { shape: [batch, hidden], dtype }
    return [
      { shape: [batch, time, hidden], dtype },
      last,
      last,
      { shape: save ? [batch, time, 5 * hidden] : [0], dtype },
    ]
  },
  grad: tape => {
    const { grads: [dStates, dLast, dCell], inputs: [, , weight, , lengths, c0], outputs: [states, , , saved] } = tape // biome-ignore format: one line reads best
    const [dx, dh0, dc0] = applyAll(
      lstmGrad,
      [dStates, dLast, dCell, saved, c0, weight, lengths],
      tape.attrs,
    ) as [Tensor, Tensor, Tensor]
    return [dx, dh0, ...shared(dx, states, tape), null, dc0]
  },
  compose: ([x, h0, weight, bias, lengths, c0], { reverse }) =>
    unrolled(x, [h0, c0], lengths, reverse, (xt, [h, c]) => {
      const hidden = h0.shape[1] as number
      const gates = xt.add(h.matmul(weight.transpose())).add(bias)
      const part = (i: number): Tensor => gates.slice([{}, { start: i * hidden, stop: (i + 1) * hidden }])
      const cell = part(1)
        .sigmoid()
        .mul(c as Tensor)
        .add(part(0).sigmoid().mul(part(2).tanh()))
      return [part(3).sigmoid().mul(cell.tanh()), cell]
    }),
}

/** The way back through {@link lstm}: gradients of the gates, of the first h and of the first c. */
export const lstmGrad: Op<Scan> = {
  name: 'lstmGrad',
  infer: ([dStates, dLast]) => {
    const [batch, time, hidden] = dStates.shape as [number, number, number]
    return [{ shape: [batch, time, 4 * hidden], dtype: dStates.dtype }, dLast, dLast]
  },
}

/**
 * Elman's recurrence over a sequence whose input part is already made, h ← f(x + h W_hhᵀ + b_hh), f = tanh or relu.
 *
 * Inputs and outputs as of {@link gru}, with `hidden` wide gates and nothing saved beside the states.
 */
export const rnn: Op<Scan & { readonly activation: 'tanh' | 'relu' }> = {
  name: 'rnn',
  gradOp: 'rnnGrad',
  infer: inputs => {
    const [batch, time, hidden] = check('rnn', 1, inputs)
    const { dtype } = inputs[0]
    return [
      { shape: [batch, time, hidden], dtype },
      { shape: [batch, hidden], dtype },
    ]
  },
  saves: 'both',
  grad: tape => {
    const { grads: [dStates, dLast], inputs: [, h0, weight, , lengths], outputs: [states] } = tape // biome-ignore format: one line reads best
    const [dx, dh0] = applyAll(rnnGrad, [dStates, dLast, states, h0, weight, lengths], tape.attrs) as [
      Tensor,
      Tensor,
    ]
    return [dx, dh0, ...shared(dx, states, tape), null]
  },
  compose: ([x, h0, weight, bias, lengths], { reverse, activation }) =>
    unrolled(x, [h0], lengths, reverse, (xt, [h]) => {
      const sum = xt.add(h.matmul(weight.transpose())).add(bias)
      return [activation === 'tanh' ? sum.tanh() : sum.where(sum.greater(0), 0)]
    }),
}

/** The way back through {@link rnn}: gradients of the input part and of the first state. */
export const rnnGrad: Op<Scan & { readonly activation: 'tanh' | 'relu' }> = {
  name: 'rnnGrad',
  infer: ([dStates, dLast]) => [dStates, dLast],
}

/** Gradients of the recurrent weight and bias, which every step shares: one product over all steps. */
function shared(
  dgates: Tensor,
  states: Tensor,
  { inputs: [, h0, , , lengths], attrs: { reverse }, needs }: Tape<Scan>,
): [weight: Tensor | null, bias: Tensor | null] {
  const [batch, time, wide] = dgates.shape as [number, number, number]
  const flat = dgates.reshape([batch * time, wide])
  const bias = needs[3] ? flat.sum(0) : null
  if (!needs[2] || time === 0)
    return [needs[2] ? flat.transpose().matmul(h0.slice([{ stop: 0 }])) : null, bias]
  const before = stateBefore(states, h0.unsqueeze(1), lengths, reverse)
  return [flat.transpose().matmul(before.reshape([batch * time, before.shape[2] as number])), bias]
}

/** The state that each step began with, `[batch, time, hidden]`. */
function stateBefore(states: Tensor, first: Tensor, lengths: Tensor, reverse: boolean): Tensor {
  const time = states.shape[1] as number
  if (!reverse) return first.concat([states.slice([{}, { stop: time - 1 }])], 1)
  // Backwards, a row begins at its own end; behind it the output is 0, which is not the state.
  const next = states.slice([{}, { start: 1 }]).concat([first], 1)
  const steps = apply(arange, [], { start: 1, step: 1, length: time, dtype: 'int32' }, states.backend)
  return first.where(steps.equal(lengths.unsqueeze(1)).unsqueeze(2), next)
}

/** The recurrence step by step, for backends without the kernel and for gradients of gradients. */
function unrolled(
  x: Tensor,
  first: readonly Tensor[],
  lengths: Tensor,
  reverse: boolean,
  step: (xt: Tensor, states: Args<Tensor>) => readonly Tensor[],
): readonly Tensor[] {
  const time = x.shape[1] as number
  let states = first
  const outputs: Tensor[] = []
  for (let i = 0; i < time; i++) {
    const t = reverse ? time - 1 - i : i
    const next = step(
      x.slice([{}, { start: t, stop: t + 1 }]).squeeze(1),
      states as readonly Tensor[] as Args<Tensor>,
    )
    const within = lengths.greater(t).unsqueeze(1) // [batch, 1]
    states = next.map((s, k) => s.where(within, states[k] as Tensor))
    outputs[t] = (states[0] as Tensor).where(within, 0).unsqueeze(1)
  }
  const [head, ...rest] = outputs
  return [head ? head.concat(rest, 1) : x.slice([{}, {}, { stop: first[0]?.shape[1] ?? 0 }]), ...states]
}
