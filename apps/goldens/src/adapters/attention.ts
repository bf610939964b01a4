import { concat, linear, type Tensor } from '@heed/core-tensor'
import {
  Additive,
  attend,
  Concat,
  Cosine,
  dot,
  General,
  Location,
  LowRank,
  type Module,
  type Score,
  scaledDot,
} from '@heed/layers'
import type { Case } from '../cases.ts'
import type { Adapter } from '../compare.ts'
import { given } from './settings.ts'

/** Attends with a score; the group's mask `[batch, key]` says which keys are valid. */
function attended(c: Case, score: Score): { weights: Tensor; context: Tensor } {
  const { mask, values } = c.inputs
  const { weights, context } = attend(given(c, 'query'), given(c, 'keys'), values, {
    score,
    mask: mask?.unsqueeze(1),
  })
  return { weights, context }
}

/** The formula's names for a score's parameters, where they differ. */
const rename =
  (names: Readonly<Record<string, string>>) =>
  (name: string): string =>
    names[name] ?? name

const learned =
  (
    make: (sizes: { query: number; keys: number; size: number; count: number }) => Module & Score,
    names: Readonly<Record<string, string>>,
  ): Adapter =>
  c => {
    const size = Number(c.attributes.d_attn)
    const module = make({
      query: given(c, 'query').shape.at(-1) as number,
      keys: given(c, 'keys').shape.at(-1) as number,
      size,
      count: given(c, 'keys').shape.at(-2) as number,
    })
    const state = Object.entries(c.params).map(([name, x]): [string, Tensor] => [
      rename(names)(name),
      x.detach(),
    ])
    module.loadStateDict(Object.fromEntries(state))
    return { outputs: attended(c, module), module, rename: rename(names) }
  }

export const attention: Record<string, Adapter> = {
  additive: learned(s => new Additive(s.query, s.keys, s.size), { W1: 'wQuery', W2: 'wKey' }),
  additive_bias: learned(s => new Additive(s.query, s.keys, s.size, { bias: true }), {
    W1: 'wQuery',
    W2: 'wKey',
    b: 'bias',
  }),
  luong_dot: c => ({ outputs: attended(c, dot) }),
  scaled_dot: c => ({ outputs: attended(c, scaledDot) }),
  luong_general: learned(s => new General(s.query, s.keys), { W: 'weight' }),
  biased_general: learned(s => new General(s.query, s.keys, { bias: true }), { W: 'weight', b: 'bias' }),
  luong_concat: learned(s => new Concat(s.query, s.keys, s.size), { W: 'weight' }),
  cosine_content: learned(() => new Cosine(), { g: 'scale' }),
  location_base: learned(s => new Location(s.query, s.count), { W: 'weight' }),
  low_rank_bilinear: learned(s => new LowRank(s.query, s.keys, s.size), { U: 'wQuery', V: 'wKey' }),
  luong_attentional_vector: c => {
    const { weights, context } = attended(c, dot)
    return {
      outputs: { weights, h_tilde: linear(concat([context, given(c, 'query')], -1), given(c, 'Wc')).tanh() },
    }
  },
}
