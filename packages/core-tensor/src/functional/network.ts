import { full } from '../creation.ts'
import { apply, applyAll } from '../dispatch.ts'
import { ShapeError } from '../errors.ts'
import { gradEnabled } from '../gradMode.ts'
import { additiveScore as additiveScoreOp } from '../ops/attention.ts'
import { linear as linearOp } from '../ops/matmul.ts'
import { logSoftmax as logSoftmaxOp, softmax as softmaxOp } from '../ops/normalize.ts'
import { gru, lstm, rnn } from '../ops/recurrent.ts'
import { axisOf, show } from '../shape.ts'
import type { Tensor } from '../tensor.ts'

/** Positive and summing to 1 along an axis: eˣ / Σ eˣ. */
export function softmax(x: Tensor, axis = -1): Tensor {
  return overLast('softmax', x, axis, last => apply(softmaxOp, [last], {}))
}

/** log of the {@link softmax}, without overflow. */
export function logSoftmax(x: Tensor, axis = -1): Tensor {
  return overLast('logSoftmax', x, axis, last => apply(logSoftmaxOp, [last], {}))
}

function overLast(name: string, x: Tensor, axis: number, body: (x: Tensor) => Tensor): Tensor {
  if (x.shape.length === 0) return body(x.reshape([1])).reshape([])
  const at = axisOf(name, axis, x.shape)
  return at === x.shape.length - 1 ? body(x) : body(x.transpose(at, -1)).transpose(at, -1)
}

/** Affine map of the last axis, `x Wᵀ + b`: `[..., in]`, weight `[out, in]`, bias `[out]` → `[..., out]`. */
export function linear(x: Tensor, weight: Tensor, bias?: Tensor | null): Tensor {
  const size = x.shape.at(-1)
  if (weight.shape.length !== 2 || size !== weight.shape[1])
    throw new ShapeError(
      `linear: input ${show(x.shape)} against weight ${show(weight.shape)}, ${size} features against ${weight.shape[1]}; the input's last axis must equal the weight's last`,
    )
  if (!bias) return x.matmul(weight.transpose())
  const rows =
    x.shape.length === 2
      ? x
      : x.reshape([x.shape.slice(0, -1).reduce((a, b) => a * b, 1), weight.shape[1] as number])
  const y = apply(linearOp, [rows, weight, bias], {})
  return x.shape.length === 2 ? y : y.reshape([...x.shape.slice(0, -1), weight.shape[0] as number])
}

/** Additive score of all pairs, `Σₐ vₐ tanh(queryᵢₐ + keyⱼₐ)`: `[batch, query, size]`, `[batch, key, size]`, `[size]` → `[batch, query, key]`. */
export function additiveScore(query: Tensor, key: Tensor, v: Tensor): Tensor {
  return apply(additiveScoreOp, [query, key, v], {})
}

/** What a recurrence over a sequence is given beside its input part. */
export interface Recurrence {
  /** `[batch, hidden]` */
  readonly state: Tensor
  /** `W_hh`, `[gates·hidden, hidden]` */
  readonly weight: Tensor
  /** `b_hh`, `[gates·hidden]` */
  readonly bias: Tensor
  /** Steps of each row, `[batch]` (int32); all unless given. Past them the output is 0 and the state stays. */
  readonly lengths?: Tensor | undefined
  /** From the last step to the first. */
  readonly reverse?: boolean
}

/** A recurrence's states at every step, `[batch, time, hidden]`, and after its last, `[batch, hidden]`. */
export interface Run {
  readonly states: Tensor
  readonly last: Tensor
}

function inputs(gates: Tensor, { state, weight, bias, lengths }: Recurrence, ...more: Tensor[]): Tensor[] {
  const all =
    lengths ??
    full([gates.shape[0] as number], gates.shape[1] as number, { dtype: 'int32', backend: gates.backend })
  return [gates, state, weight, bias, all, ...more]
}

function saves(tensors: readonly Tensor[]): boolean {
  return gradEnabled() && tensors.some(x => x.requiresGrad)
}

/** Gated recurrent units over a sequence, given its input part `x W_ihᵀ + b_ih`, `[batch, time, 3·hidden]`, gates r, z, n as in PyTorch. */
export function gruSequence(gates: Tensor, run: Recurrence): Run {
  const all = inputs(gates, run)
  const [states, last] = applyAll(gru, all, { reverse: run.reverse ?? false, save: saves(all) }) as [
    Tensor,
    Tensor,
  ]
  return { states, last }
}

/** Long short-term memory over a sequence, given its input part `[batch, time, 4·hidden]`, gates i, f, g, o as in PyTorch. */
export function lstmSequence(
  gates: Tensor,
  run: Recurrence & { readonly cell: Tensor },
): Run & { readonly cell: Tensor } {
  const all = inputs(gates, run, run.cell)
  const [states, last, cell] = applyAll(lstm, all, { reverse: run.reverse ?? false, save: saves(all) }) as [
    Tensor,
    Tensor,
    Tensor,
  ]
  return { states, last, cell }
}

/** Elman's recurrence over a sequence, given its input part `[batch, time, hidden]`. */
export function rnnSequence(gates: Tensor, run: Recurrence & { readonly activation?: 'tanh' | 'relu' }): Run {
  const { reverse = false, activation = 'tanh' } = run
  const [states, last] = applyAll(rnn, inputs(gates, run), { reverse, save: false, activation }) as [
    Tensor,
    Tensor,
  ]
  return { states, last }
}
