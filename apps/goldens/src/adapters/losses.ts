import { logSoftmax, Parameter, type Tensor, tensor, zerosLike } from '@heed/core-tensor'
import {
  binaryCrossEntropy,
  type CrossEntropyOptions,
  cosineSimilarity,
  crossEntropy,
  ctcLoss,
  huberLoss,
  klDivergence,
  l1Loss,
  mseLoss,
  nllLoss,
  type Reduction,
  smoothL1Loss,
  softCrossEntropy,
} from '@heed/layers'
import { clipGradNorm } from '@heed/training'
import type { Case } from '../cases.ts'
import type { Adapter } from '../compare.ts'
import { attributes, given } from './settings.ts'

const reduction = (c: Case): { reduction: Reduction } => ({
  reduction: attributes(c).word<Reduction>('reduction', 'mean'),
})

function classes(c: Case): CrossEntropyOptions {
  const settings = attributes(c)
  return {
    ...reduction(c),
    ignoreIndex: settings.number('ignore_index', -100),
    labelSmoothing: settings.number('label_smoothing', 0),
    classAxis: settings.number('class_axis', -1),
    ...(c.buffers.weight ? { weight: c.buffers.weight } : {}),
  }
}

const loss =
  (make: (c: Case) => Tensor): Adapter =>
  c => ({ outputs: { out: make(c) } })

export const losses: Record<string, Adapter> = {
  cross_entropy: loss(c => crossEntropy(given(c, 'logits'), given(c, 'target'), classes(c))),
  nll: loss(c => nllLoss(given(c, 'log_probs'), given(c, 'target'), classes(c))),
  cross_entropy_soft: loss(c => softCrossEntropy(given(c, 'logits'), given(c, 'target'), reduction(c))),
  bce_with_logits: loss(c =>
    binaryCrossEntropy(given(c, 'logits'), given(c, 'target'), {
      ...reduction(c),
      ...(c.buffers.pos_weight ? { positiveWeight: c.buffers.pos_weight } : {}),
    }),
  ),
  smooth_l1: loss(c =>
    smoothL1Loss(given(c, 'x'), given(c, 'target'), {
      ...reduction(c),
      beta: attributes(c).number('beta', 1),
    }),
  ),
  huber: loss(c =>
    huberLoss(given(c, 'x'), given(c, 'target'), {
      ...reduction(c),
      delta: attributes(c).number('delta', 1),
    }),
  ),
  kl_div: loss(c => klDivergence(given(c, 'log_probs'), given(c, 'target'), reduction(c))),
  cosine_similarity: loss(c =>
    cosineSimilarity(given(c, 'a'), given(c, 'b'), {
      axis: attributes(c).number('dim', 1),
      epsilon: attributes(c).number('eps', 1e-8),
    }),
  ),
  ctc_loss: c => {
    const s = attributes(c)
    const lengths = (name: string): Tensor => tensor(s.numbers(name), { dtype: 'int32' })
    const loss = ctcLoss(logSoftmax(given(c, 'logits')), given(c, 'targets'), {
      ...reduction(c),
      blank: s.number('blank', 0),
      inputLengths: lengths('input_lengths'),
      targetLengths: lengths('target_lengths'),
      zeroInfinity: s.flag('zero_infinity'),
    })
    return { outputs: { loss } }
  },
  mse: loss(c => mseLoss(given(c, 'x'), given(c, 'target'), reduction(c))),
  clip_grad_norm: c => {
    const held = Object.entries(c.inputs).map(([name, gradient]): [string, Parameter] => {
      const parameter = new Parameter(zerosLike(gradient))
      parameter.giveGrad(gradient.detach())
      return [name, parameter]
    })
    const norm = clipGradNorm(
      held.map(([, p]) => p),
      attributes(c).number('max_norm'),
      attributes(c).number('norm_type', 2),
    )
    return {
      outputs: { total_norm: norm, ...Object.fromEntries(held.map(([name, p]) => [name, p.grad as Tensor])) },
    }
  },
  l1: loss(c => l1Loss(given(c, 'x'), given(c, 'target'), reduction(c))),
}
