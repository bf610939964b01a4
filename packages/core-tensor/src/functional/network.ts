import { full } from '../creation.ts'
import { apply, applyAll } from '../dispatch.ts'
import { ConfigError, ShapeError } from '../errors.ts'
import { gradEnabled } from '../gradMode.ts'
import {
  additiveScore as additiveScoreOp,
  scaledDotAttention as scaledDotAttentionOp,
} from '../ops/attention.ts'
import { linear as linearOp } from '../ops/matmul.ts'
import {
  layerNorm as layerNormOp,
  logSoftmax as logSoftmaxOp,
  softmax as softmaxOp,
} from '../ops/normalize.ts'
import { gru, lstm, rnn } from '../ops/recurrent.ts'
import { axisOf, broadcast, show, sizeOf } from '../shape.ts'
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

/**
 * `(x − mean) / √(variance + ε) · weight + bias` over the last axis, `[..., size]`; weight and bias `[size]`, both or neither.
 *
 * Ba et al. 2016, eq. 4, arXiv:1607.06450.
 *
 * @throws ShapeError, DTypeError unless they fit
 */
export function layerNorm(
  x: Tensor,
  {
    weight,
    bias,
    epsilon = 1e-5,
  }: {
    readonly weight?: Tensor | undefined
    readonly bias?: Tensor | undefined
    readonly epsilon?: number
  } = {},
): Tensor {
  if (!weight !== !bias)
    throw new ConfigError(`layerNorm: ${weight ? 'a weight without a bias' : 'a bias without a weight'}; give both or neither`) // biome-ignore format: one sentence
  return apply(layerNormOp, weight && bias ? [x, weight, bias] : [x], { epsilon })
}

/** Affine map of the last axis, `x Wᵀ + b`: `[..., in]`, weight `[out, in]`, bias `[out]` → `[..., out]`. */
export function linear(x: Tensor, weight: Tensor, bias?: Tensor | null): Tensor {
  return apply(linearOp, bias ? [x, weight, bias] : [x, weight], {})
}

/**
 * Additive score of all pairs, `Σₐ vₐ tanh(queryᵢₐ + keyⱼₐ)`: `[..., query, size]`, `[..., key, size]`, `[size]` →
 * `[..., query, key]`; axes in front stretch.
 */
export function additiveScore(query: Tensor, key: Tensor, v: Tensor): Tensor {
  const [a, b] = [query.shape.slice(0, -2), key.shape.slice(0, -2)]
  if (a.length === 1 && b.length === 1 && a[0] === b[0]) return apply(additiveScoreOp, [query, key, v], {})
  if (query.shape.length < 2 || key.shape.length < 2)
    throw new ShapeError(
      `additiveScore: query ${show(query.shape)} and key ${show(key.shape)}; use [..., query, size] and [..., key, size]`,
    )
  const lead = broadcast('additiveScore', a, b)
  const flat = (x: Tensor): Tensor =>
    x.expand([...lead, ...x.shape.slice(-2)]).reshape([sizeOf(lead), ...x.shape.slice(-2)])
  const scores = apply(additiveScoreOp, [flat(query), flat(key), v], {})
  return scores.reshape([...lead, ...scores.shape.slice(1)])
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
  /** `[batch, time, hidden]` */
  readonly states: Tensor
  /** `[batch, hidden]` */
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

/** What {@link scaledDotAttention} may look at, and how scores are scaled. */
export interface ScaledDotAttentionOptions {
  /** What products are multiplied by; 1/√size unless given. */
  readonly scale?: number
  /** bool, true = may look; stretches to `[..., query, key]`. */
  readonly mask?: Tensor | undefined
  /** Query i sees keys up to i + offset. */
  readonly offset?: number | undefined
}

/**
 * `softmax(q kᵀ · scale) v`, where a backend can without ever holding the matrix of weights. A query that may look nowhere gets
 * zeros. `attend` of `@heed/layers` is the same with every other score, and can be looked into.
 *
 * Vaswani et al. 2017, eq. 1, arXiv:1706.03762.
 *
 * @param q `[batch, query, size]`, or with heads `[batch, heads, query, size]`
 * @param k `[batch, key, size]`, or with heads
 * @param v `[batch, key, valueSize]`, or with heads
 * @returns `[batch, query, valueSize]`, or with heads
 * @throws ShapeError where sizes do not fit, DTypeError where types do not
 */
export function scaledDotAttention(
  q: Tensor,
  k: Tensor,
  v: Tensor,
  { scale = 1 / Math.sqrt(q.shape.at(-1) ?? 1), mask, offset }: ScaledDotAttentionOptions = {},
): Tensor {
  const attrs = { scale, offset: offset ?? null }
  const flat = q.shape.length === 3
  const headed = (x: Tensor): Tensor => (flat && x.shape.length === 3 ? x.unsqueeze(1) : x)
  const inputs = [q, k, v, ...(mask ? [mask] : [])].map(headed)
  const y = apply(scaledDotAttentionOp, inputs, attrs)
  return flat ? y.squeeze(1) : y
}
