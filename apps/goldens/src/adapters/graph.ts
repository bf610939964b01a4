import { GraphAttention, GraphAttentionV2 } from '@heed/layers'
import type { Adapter } from '../compare.ts'
import { loaded } from './loaded.ts'
import { constructed, given } from './settings.ts'

const layer =
  (
    Layer: typeof GraphAttention | typeof GraphAttentionV2,
    names: Readonly<Record<string, string>>,
  ): Adapter =>
  c => {
    const s = constructed(c)
    const options = {
      heads: s.number('heads', 1),
      concat: s.flag('concat', true),
      negativeSlope: s.number('negative_slope', 0.2),
      bias: 'bias' in c.params,
    }
    const held = loaded(c, new Layer(s.number('in_features'), s.number('out_features'), options), names)
    const { context, weights } = held.module.forward(given(c, 'x'), given(c, 'adj'))
    return { outputs: { attention: weights, output: context }, ...held }
  }

export const graph: Record<string, Adapter> = {
  gat: layer(GraphAttention, { W: 'weight', a_self: 'aSelf', a_neigh: 'aNeighbour' }),
  gatv2: layer(GraphAttentionV2, { W_l: 'wSelf', W_r: 'wNeighbour' }),
}
