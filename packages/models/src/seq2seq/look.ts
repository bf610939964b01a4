import { additiveScore, arange, indexSelect, linear, softmax, type Tensor } from '@heed/core-tensor'
import {
  Additive,
  attend,
  type Change,
  Concat,
  CoverageAttention,
  dot,
  General,
  type LayerOptions,
  LocalPredictive,
  Location,
  type Module,
  NEVER,
  type Score,
  scaledDot,
} from '@heed/layers'
import type { Seq2SeqConfig } from './config.ts'

/** A score with parameters. */
export type LearnedScore = (Module & Score) | CoverageAttention

/** The score that a configuration names; null where it has no parameters. */
export function scoreModule(
  { attention, hidden, attentionSize, maxSource, coverage }: Seq2SeqConfig,
  annotation: number,
  options: LayerOptions,
): LearnedScore | null {
  if (coverage) return new CoverageAttention(hidden, annotation, attentionSize, options)
  switch (attention) {
    case 'bahdanau':
      return new Additive(hidden, annotation, attentionSize, options)
    case 'concat':
      return new Concat(hidden, annotation, attentionSize, options)
    case 'general':
      return new General(hidden, annotation, options)
    case 'location':
      return new Location(hidden, maxSource, options)
    default:
      return null
  }
}

/** Says where a step looks: `σ(vᵀ tanh(W h))`, as a share of the source. Luong et al. 2015, eq. 9; null unless locality is predictive. */
export function centreModule(
  { locality, hidden, window }: Seq2SeqConfig,
  options: LayerOptions,
): LocalPredictive | null {
  return locality === 'predictive' ? new LocalPredictive(hidden, { window, ...options }) : null
}

/** {@link CoverageAttention}'s score, with the part that depends on keys alone made once; coverage joins it at each step. */
const withCoverage = ({ wKey, wQuery, bias, v }: CoverageAttention): Score => ({
  prepare: keys => linear(keys, wKey, bias),
  score: (query, prepared) => additiveScore(linear(query, wQuery), prepared, v),
})

const scoreOf = (module: LearnedScore | null, { attention }: Pick<Seq2SeqConfig, 'attention'>): Score =>
  module === null
    ? attention === 'scaled-dot'
      ? scaledDot
      : dot
    : module instanceof CoverageAttention
      ? withCoverage(module)
      : module

/** What is looked at, and with what. */
export interface View {
  /** `[batch, sourceTime, annotation]` */
  readonly states: Tensor
  /** `[batch, 1, sourceTime]`, bool */
  readonly mask: Tensor
  /** `[batch]`, int32 */
  readonly lengths: Tensor
  readonly prepared: Tensor | null
}

/** Who looks: a model's parts for it. */
export interface Looker {
  readonly config: Seq2SeqConfig
  readonly score: LearnedScore | null
  readonly centre: LocalPredictive | null
}

export interface Seen {
  /** `[batch, query, annotation]` */
  readonly context: Tensor
  /** `[batch, query, sourceTime]` */
  readonly weights: Tensor
}

/** The part of the score that depends on the source alone. */
export function prepare(score: LearnedScore, states: Tensor): Tensor {
  return (score instanceof CoverageAttention ? withCoverage(score) : score).prepare(states)
}

/**
 * What decoder states see in the source.
 *
 * @param queries `[batch, query, hidden]`
 * @param from the target place of the first query: where a monotonic window stands
 * @param coverage how much each source place was looked at so far, `[batch, sourceTime]`, for a score that knows it
 */
export function look(
  looker: Module & Looker,
  queries: Tensor,
  { states, mask, lengths, prepared }: View,
  from: number,
  coverage: Tensor | null = null,
): Seen {
  const { config, score, centre } = looker
  const { locality, window } = config
  const known = prepared ?? states
  const keys =
    coverage && score instanceof CoverageAttention
      ? known.add(coverage.unsqueeze(-1).mul(score.wCoverage))
      : known
  // What the mask hides are the encoder's own zeros.
  const options = {
    score: scoreOf(score, config),
    owner: score ?? looker,
    mask,
    prepared: keys,
    finite: true,
  }
  if (locality === 'global') return attend(queries, states, states, options)
  const counts = lengths.unsqueeze(1) // [batch, 1]
  const centres = centre
    ? centre.centres(queries, 1).mul(counts.cast(queries.dtype)) // p = S · σ(…), [batch, query]
    : along(queries, from, counts)
  return attend(queries, states, states, {
    ...options,
    normalize: around(window, centre !== null),
    uses: [centres],
  })
}

/** p_t = t, and the last place of the source behind its end: `[batch, query]`. Luong et al. 2015, §3.2, "local-m". */
function along(queries: Tensor, from: number, counts: Tensor): Tensor {
  const asked = queries.shape[1] as number
  return arange(from, from + asked, 1, { backend: queries.backend })
    .minimum(counts.sub(1))
    .cast(queries.dtype)
}

/** Softmax over the keys at most D from the centre, faded by a Gaussian with σ = D/2 where asked. Luong et al. 2015, eq. 10. */
function around(window: number, gaussian: boolean): Change {
  return (scores, { query, key, batch }, [centres]) => {
    const all = centres as Tensor // [batch, query]
    const asked = indexSelect(all, 1, query.reshape([-1]))
    const own = batch === undefined ? asked : asked.slice([{ start: batch, stop: batch + 1 }])
    const distance = key.cast(all.dtype).sub(own.unsqueeze(-1)) // [batch, query, key]
    const near = distance.abs().lessEqual(window)
    const inside = softmax(scores.where(near, NEVER)).where(near, 0)
    return gaussian
      ? inside.mul(
          distance
            .mul(distance)
            .mul(-2 / window ** 2)
            .exp(),
        )
      : inside
  }
}
