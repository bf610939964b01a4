import { linear, logSoftmax, type Parameter, softmax, stack, type Tensor, zeros } from '@heed/core-tensor'
import { type LayerOptions, parameter, uniformInit, xavierUniform } from '../init.ts'
import { Module } from '../module.ts'
import { type Attended, attend, type Score } from './attend.ts'

/** What one step of {@link CoverageAttention} is given. */
export interface CoverageCall {
  /** How much each key has been looked at so far, `[batch, key]`; zeros at first. */
  readonly coverage?: Tensor
  /** Where there are keys, `[batch, key]`, bool: true = may be looked at. */
  readonly mask?: Tensor | undefined
}

/** What attending with coverage yields: the coverage to go on with, and what looking again cost, `[batch]`. */
export interface Covered extends Attended {
  readonly coverage: Tensor
  readonly coverageLoss: Tensor
}

/**
 * Additive attention that knows where it has looked: `e_i = vᵀ tanh(W_h h_i + W_s s + w_c c_i + b)`, `c ← c + α`.
 *
 * See et al. 2017, §2.3, eq. 10-13, arXiv:1704.04368. The loss of a step is `Σ min(α_i, c_i)`.
 */
export class CoverageAttention extends Module {
  /** `[size, keySize]` */
  readonly wKey: Parameter
  /** `[size, querySize]` */
  readonly wQuery: Parameter
  /** `[size]`, for the coverage of a key */
  readonly wCoverage: Parameter
  /** `[size]` */
  readonly bias: Parameter
  /** `[size]` */
  readonly v: Parameter

  constructor(querySize: number, keySize: number, size: number, options: LayerOptions = {}) {
    super()
    const small = uniformInit(1 / Math.sqrt(size))
    this.wKey = parameter([size, keySize], xavierUniform(), options)
    this.wQuery = parameter([size, querySize], xavierUniform(), options)
    this.wCoverage = parameter([size], small, options)
    this.bias = parameter([size], small, options)
    this.v = parameter([size], small, options)
  }

  /** One step: `[batch, querySize]` and `[batch, key, keySize]` → context `[batch, keySize]`, weights and coverage `[batch, key]`. */
  forward(query: Tensor, keys: Tensor, { coverage, mask }: CoverageCall = {}): Covered {
    const [batch, count] = keys.shape as [number, number]
    const before = coverage ?? zeros([batch, count], { backend: keys.backend, dtype: keys.dtype })
    const score: Score = {
      prepare: k => linear(k, this.wKey, this.bias).add(before.unsqueeze(-1).mul(this.wCoverage)),
      score: (q, prepared) => prepared.add(linear(q, this.wQuery)).tanh().matmul(this.v).unsqueeze(1),
    }
    const { context, weights, scores } = attend(query.unsqueeze(1), keys, keys, {
      score,
      mask: mask?.unsqueeze(1),
      owner: this,
    })
    const now = weights.squeeze(1)
    return {
      context: context.squeeze(1),
      weights: now,
      scores: scores.squeeze(1),
      coverage: before.add(now),
      coverageLoss: now.minimum(before).sum(-1),
    }
  }
}

/**
 * The share of writing a word of one's own against copying one: `p = σ(w_h context + w_s state + w_x input + b)`.
 *
 * See et al. 2017, eq. 8.
 */
export class PointerGate extends Module {
  readonly wContext: Parameter
  readonly wState: Parameter
  readonly wInput: Parameter
  /** `[]` */
  readonly bias: Parameter

  constructor(contextSize: number, stateSize: number, inputSize: number, options: LayerOptions = {}) {
    super()
    const row = (size: number): Parameter => parameter([size], uniformInit(1 / Math.sqrt(size)), options)
    this.wContext = row(contextSize)
    this.wState = row(stateSize)
    this.wInput = row(inputSize)
    this.bias = parameter([], uniformInit(0), options)
  }

  /** `[..., size]` each → `[...]`, between 0 and 1. */
  forward(context: Tensor, state: Tensor, input: Tensor): Tensor {
    return context
      .matmul(this.wContext)
      .add(state.matmul(this.wState))
      .add(input.matmul(this.wInput))
      .add(this.bias)
      .sigmoid()
  }
}

/**
 * The probability of every word, written or copied: `p softmax(logits)(w) + (1 − p) Σ_{i: source_i = w} α_i`.
 *
 * See et al. 2017, eq. 9.
 *
 * @param share p, `[..., query]`
 * @param logits `[..., query, vocab]`
 * @param weights `[..., query, key]`
 * @param sourceIds `[..., key]`, int32, words of the source in the extended vocabulary
 * @param extra words of this source that the vocabulary lacks; they follow it
 * @returns `[..., query, vocab + extra]`
 */
export function pointerMixture(
  share: Tensor,
  logits: Tensor,
  weights: Tensor,
  sourceIds: Tensor,
  extra = 0,
): Tensor {
  const p = share.unsqueeze(-1)
  const written = softmax(logits).mul(p)
  const rank = written.shape.length
  const padded = extra
    ? written.pad([...written.shape.slice(1).map(() => [0, 0] as const), [0, extra] as const])
    : written
  return padded.scatterAdd(
    rank - 1,
    sourceIds.unsqueeze(-2).expand(weights.shape),
    weights.mul(p.neg().add(1)),
  )
}

/**
 * Points at a key: log probabilities `[batch, query, key]` of additive scores. Vinyals et al. 2015, eq. 3, arXiv:1506.03134.
 *
 * @param query `[batch, query, querySize]`
 * @param keys `[batch, key, keySize]`
 * @param mask where there are keys, `[batch, key]`, bool: true = may be pointed at
 */
export function pointTo(query: Tensor, keys: Tensor, score: Score, mask?: Tensor): Tensor {
  return logSoftmax(attend(query, keys, keys, { score, mask: mask?.unsqueeze(1) }).scores)
}

/** Takes the steps of {@link CoverageAttention} over a sequence of queries, `[batch, query, querySize]`; context and weights gain the axis of queries, losses `[batch, query]`. */
export function coverSequence(
  attention: CoverageAttention,
  queries: Tensor,
  keys: Tensor,
  { mask }: Pick<CoverageCall, 'mask'> = {},
): Covered {
  const steps: Covered[] = []
  for (let t = 0; t < (queries.shape[1] as number); t++) {
    const query = queries.slice([{}, { start: t, stop: t + 1 }]).squeeze(1)
    const coverage = steps.at(-1)?.coverage
    steps.push(attention.forward(query, keys, { mask, ...(coverage ? { coverage } : {}) }))
  }
  const all = (of: (step: Covered) => Tensor): Tensor => stack(steps.map(of), 1)
  return {
    context: all(s => s.context),
    weights: all(s => s.weights),
    scores: all(s => s.scores),
    coverage: (steps.at(-1) as Covered).coverage,
    coverageLoss: all(s => s.coverageLoss),
  }
}
