import { softmax, type Tensor } from '@heed/core-tensor'
import {
  Additive,
  CoverageAttention,
  coverSequence,
  type Module,
  PointerGate,
  pointerMixture,
  pointTo,
} from '@heed/layers'
import type { Case } from '../cases.ts'
import type { Adapter } from '../compare.ts'
import { attributes, given } from './settings.ts'

function loaded<M extends Module>(
  c: Case,
  module: M,
  names: Readonly<Record<string, string>>,
): { module: M; rename: (name: string) => string } {
  const rename = (name: string): string => names[name] ?? name
  const shapes = module.stateDict()
  const fitting = ([name, x]: [string, Tensor]): [string, Tensor] => [
    rename(name),
    x.detach().reshape(shapes[rename(name)]?.shape ?? x.shape),
  ]
  module.loadStateDict(Object.fromEntries(Object.entries(c.params).map(fitting)))
  return { module, rename }
}

const width = (c: Case, name: string): number => given(c, name).shape.at(-1) as number

export const pointer: Record<string, Adapter> = {
  pointer_generator: c => {
    const { module, rename } = loaded(c, new PointerGate(width(c, 'context'), width(c, 'state'), width(c, 'input')), {
      w_h: 'wContext', w_s: 'wState', w_x: 'wInput', b: 'bias',
    }) // biome-ignore format: one table
    const share = module.forward(given(c, 'context'), given(c, 'state'), given(c, 'input'))
    const weights = given(c, 'attention_scores')
    const final = pointerMixture(
      share,
      given(c, 'vocab_logits'),
      softmax(weights),
      given(c, 'source_ids'),
      attributes(c).number('extra_oov'),
    )
    const nll = final.gather(2, given(c, 'target').unsqueeze(-1)).squeeze(-1).log().neg()
    return { outputs: { p_gen: share, final, nll }, module, rename }
  },
  coverage_attention: c => {
    const size = given(c, 'v').shape[0] as number
    const { module, rename } = loaded(c, new CoverageAttention(width(c, 'state'), width(c, 'memory'), size), {
      W_h: 'wKey', W_s: 'wQuery', w_c: 'wCoverage', b: 'bias',
    }) // biome-ignore format: one table
    const { weights, coverage, coverageLoss, context } = coverSequence(
      module,
      given(c, 'state'),
      given(c, 'memory'),
      { mask: c.inputs.mask },
    )
    return { outputs: { attention: weights, coverage, coverage_loss: coverageLoss, context }, module, rename }
  },
  pointer_network: c => {
    const size = given(c, 'v').shape[0] as number
    const { module, rename } = loaded(c, new Additive(width(c, 'decoder'), width(c, 'encoder'), size), {
      W1: 'wKey',
      W2: 'wQuery',
    })
    return {
      outputs: { log_probs: pointTo(given(c, 'decoder'), given(c, 'encoder'), module, c.inputs.mask) },
      module,
      rename,
    }
  },
}
