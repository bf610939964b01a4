import {
  apply,
  arange,
  ConfigError,
  defaultRng,
  gumbel,
  logSoftmax,
  noGrad,
  type Op,
  type Rng,
  softmax,
  type Tensor,
} from '@heed/core-tensor'
import { checkAxes } from '../check.ts'

/** One key for each query, picked at random by the scores. */
export interface HardChoice {
  /** Which key, `[..., query]`, int32. */
  readonly samples: Tensor
  /** log p of that choice, `[..., query]`; its gradient is what REINFORCE multiplies. */
  readonly logProb: Tensor
  /** −Σ p log p, `[..., query]`: how undecided the scores are. */
  readonly entropy: Tensor
}

/** What choices are drawn from. */
export interface SampleOptions {
  readonly rng?: Rng
}

/** Picks a key for each query by softmax of the scores, `[..., query, key]`. No gradient passes through the choice. */
export function sampleKeys(scores: Tensor, { rng = defaultRng() }: SampleOptions = {}): Tensor {
  return noGrad(() => scores.detach().add(noise(scores, rng)).argmax(-1))
}

/** Gumbel noise like another tensor. */
function noise({ shape, dtype, backend }: Tensor, rng: Rng): Tensor {
  return gumbel(shape, { rng, backend, dtype: dtype === 'float64' ? dtype : 'float32' })
}

/**
 * How likely given choices are: what a policy gradient needs. Xu et al. 2015, §4.1, arXiv:1502.03044; Williams 1992.
 *
 * @param scores `[..., query, key]`
 * @param samples `[..., query]`, int32; drawn from the scores unless given
 */
export function hardChoice(scores: Tensor, samples: Tensor = sampleKeys(scores)): HardChoice {
  const logP = logSoftmax(scores)
  return {
    samples,
    logProb: logP.gather(-1, samples.unsqueeze(-1)).squeeze(-1),
    entropy: logP.exp().mul(logP).sum(-1).neg(),
  }
}

/** The values that were chosen: `[batch, key, size]` and `[batch, query]` → `[batch, query, size]`. The gradient reaches these values, never the choice. */
export function readChosen(values: Tensor, samples: Tensor): Tensor {
  const [batch, queries] = samples.shape as [number, number]
  const size = values.shape.at(-1) as number
  return values.gather(1, samples.unsqueeze(-1).expand([batch, queries, size]))
}

/** What to maximise so that good choices become likelier: `Σ (reward − baseline) log p`; the advantage gets no gradient. Williams 1992. */
export function reinforce(logProb: Tensor, advantage: Tensor): Tensor {
  return logProb.mul(advantage.detach()).sum()
}

/** One-hot weights whose gradient is the soft weights': forward hard, backward soft. Bengio et al. 2013, arXiv:1308.3432. */
const straightThrough: Op = {
  name: 'straightThrough',
  saves: 'neither',
  infer: ([hard]) => [hard],
  grad: ({ grads: [dy] }) => [null, dy],
  compose: ([hard, soft]) => [hard.detach().add(soft.sub(soft.detach()))],
}

/**
 * A hard choice that gradients can pass: `softmax((scores + Gumbel noise) / τ)`, made one-hot on the way forward.
 *
 * Jang et al. 2017, arXiv:1611.01144. A normaliser for `attend`.
 */
export function gumbelSoftmax(
  scores: Tensor,
  {
    rng = defaultRng(),
    temperature = 1,
    hard = true,
  }: SampleOptions & { readonly temperature?: number; readonly hard?: boolean } = {},
): Tensor {
  checkAxes('gumbelSoftmax', { scores }, axes => axes > 0, '[..., query, key]')
  if (!(temperature > 0))
    throw new ConfigError(`gumbelSoftmax: the temperature is ${temperature}; use a number above 0`)
  const soft = softmax(scores.add(noGrad(() => noise(scores, rng))).mul(1 / temperature))
  if (!hard) return soft
  const keys = scores.shape.at(-1) as number
  const chosen = noGrad(() =>
    arange(0, keys, 1, { backend: scores.backend })
      .equal(soft.argmax(-1, { keepDims: true }))
      .cast(soft.dtype),
  )
  return apply(straightThrough, [chosen, soft], {})
}
