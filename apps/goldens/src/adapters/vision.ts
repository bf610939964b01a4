import {
  CaptionAttention,
  ChannelAttention,
  doublyStochasticPenalty,
  SpatialAttention,
  SqueezeExcitation,
} from '@heed/layers'
import type { Adapter } from '../compare.ts'
import { loaded } from './loaded.ts'
import { attributes, constructed, given } from './settings.ts'

const channelGate =
  (Layer: typeof SqueezeExcitation | typeof ChannelAttention): Adapter =>
  c => {
    const s = constructed(c)
    const { module } = loaded(c, new Layer(s.number('channels'), { reduction: s.number('reduction') }))
    const { context, weights } = module.forward(given(c, 'x'))
    return { outputs: { output: context, scale: weights }, module }
  }

export const vision: Record<string, Adapter> = {
  squeeze_excitation: channelGate(SqueezeExcitation),
  cbam_channel_attention: channelGate(ChannelAttention),
  cbam_spatial_attention: c => {
    const names = { weight: 'conv.weight', bias: 'conv.bias' }
    const held = loaded(c, new SpatialAttention(constructed(c).number('kernel_size')), names)
    const { context, weights } = held.module.forward(given(c, 'x'))
    return { outputs: { output: context, map: weights }, ...held }
  },
  show_attend_tell: c => {
    const [features, hidden] = [given(c, 'features'), given(c, 'hidden')]
    const [place, state] = [features, hidden].map(x => x.shape.at(-1)) as [number, number]
    const names = {
      W_a: 'score.wKey', W_h: 'score.wQuery', b: 'score.bias', v: 'score.v', w_beta: 'wGate', b_beta: 'bGate',
    } // biome-ignore format: a table
    const held = loaded(c, new CaptionAttention(place, state, given(c, 'v').shape[0] as number), names)
    const { context, weights, gate } = held.module.forward(hidden, features)
    const regulariser = doublyStochasticPenalty(weights).mul(attributes(c).number('lambda', 1))
    return { outputs: { alpha: weights, beta: gate, context, regulariser }, ...held }
  },
}
