import type { Tensor } from '@heed/core-tensor'
import {
  type Attended,
  AttentionPool,
  attend,
  blocks,
  causal,
  eluFeatures,
  hardChoice,
  KeyValueAttention,
  Linformer,
  LocalPredictive,
  linearAttention,
  localMonotonic,
  longformer,
  type Mask,
  type Module,
  type Projected,
  positiveFeatures,
  RelativeAttention,
  readChosen,
  redundancy,
  reinforce,
  StructuredSelfAttention,
  scaledDot,
  strided,
  window,
} from '@heed/layers'
import type { Case } from '../cases.ts'
import type { Adapter } from '../compare.ts'
import { attributes, given } from './settings.ts'

/** A module with the case's parameters under other names. */
function loaded<M extends Module>(
  c: Case,
  module: M,
  names: Readonly<Record<string, string>>,
): { module: M; rename: (name: string) => string } {
  const rename = (name: string): string => names[name] ?? name
  module.loadStateDict(
    Object.fromEntries(Object.entries(c.params).map(([name, x]) => [rename(name), x.detach()])),
  )
  return { module, rename }
}

const projected = (c: Case): Projected => ({
  query: given(c, 'query'),
  key: given(c, 'key'),
  value: given(c, 'value'),
})
const output = ({ context, weights }: Attended): { outputs: { output: Tensor; weights: Tensor } } => ({
  outputs: { output: context, weights },
})
const masked =
  (mask: (c: Case) => Mask): Adapter =>
  c => {
    const { query, key, value } = projected(c)
    return output(attend(query, key, value, { score: scaledDot, mask: mask(c) }))
  }
const size = (c: Case): number => attributes(c).number('window')

const monotonic =
  (gaussian: boolean): Adapter =>
  c => {
    const [query, keys] = [given(c, 'query'), given(c, 'keys')]
    const { weights, context } = localMonotonic(query, keys, keys, { window: size(c), gaussian })
    return { outputs: { weights, context } }
  }

const predictive =
  (cut: boolean): Adapter =>
  c => {
    const [query, keys] = [given(c, 'query'), given(c, 'keys')]
    const [hidden, querySize] = given(c, 'Wp').shape as [number, number]
    const { module, rename } = loaded(
      c,
      new LocalPredictive(querySize, { size: hidden, window: size(c), cut }),
      { Wp: 'weight', vp: 'v' },
    )
    const { weights, context, centres } = module.forward(query, keys)
    return { outputs: { p: centres, weights, context }, module, rename }
  }

export const local: Record<string, Adapter> = {
  local_m: monotonic(false),
  local_m_gauss: monotonic(true),
  local_p: predictive(true),
  local_p_nowindow: predictive(false),
  sliding_window_attention: masked(c =>
    attributes(c).flag('causal') ? causal.and(window(size(c))) : window(size(c)),
  ),
  block_local_attention: masked(c => blocks(attributes(c).number('block'))),
  strided_sparse_attention: masked(c => strided(attributes(c).number('stride'))),
  longformer_attention: c => {
    const options = { size: size(c), globals: attributes(c).numbers('global_tokens') }
    if (!attributes(c).flag('separate_global_projections')) return output(longformer(projected(c), options))
    const globalProjections = {
      query: given(c, 'query_global'),
      key: given(c, 'key_global'),
      value: given(c, 'value_global'),
    }
    return output(longformer(projected(c), { ...options, globalProjections }))
  },
  linformer_attention: c => {
    const [k, time] = given(c, 'E').shape as [number, number]
    const { module, rename } = loaded(c, new Linformer(time, k), { E: 'projectKeys', F: 'projectValues' })
    const { query, key, value } = projected(c)
    return { ...output(module.forward(query, key, value)), module, rename }
  },
  performer_attention: c => {
    const { query, key, value } = projected(c)
    const map = positiveFeatures(given(c, 'features'))
    return {
      outputs: { output: linearAttention(query, key, value, map, { causal: attributes(c).flag('causal') }) },
    }
  },
  linear_attention: c => {
    const { query, key, value } = projected(c)
    return {
      outputs: {
        output: linearAttention(query, key, value, eluFeatures, { causal: attributes(c).flag('causal') }),
      },
    }
  },
  relative_position_attention_shaw: c => {
    const { query, key, value } = projected(c)
    const module = new RelativeAttention(query.shape.at(-1) as number, attributes(c).number('clip'))
    const { rename } = loaded(c, module, { rel_key: 'keyTable', rel_value: 'valueTable' })
    return { ...output(module.forward(query, key, value)), module, rename }
  },

  attention_pooling: c => {
    const [hidden, inputSize] = given(c, 'W').shape as [number, number]
    const { module, rename } = loaded(c, new AttentionPool(inputSize, { size: hidden }), {
      W: 'weight',
      b: 'bias',
      u: 'query',
    })
    const { context, weights } = module.forward(given(c, 'x'), { mask: c.inputs.mask })
    return { outputs: { pooled: context, weights }, module, rename }
  },
  attention_pooling_linear: c => {
    const x = given(c, 'x')
    const { module, rename } = loaded(c, new AttentionPool(x.shape.at(-1) as number, { size: 0 }), {
      w: 'query',
    })
    const { context, weights } = module.forward(x, { mask: c.inputs.mask })
    return { outputs: { pooled: context, weights }, module, rename }
  },
  structured_self_attention: c => {
    const [hidden, inputSize] = given(c, 'W1').shape as [number, number]
    const { module, rename } = loaded(
      c,
      new StructuredSelfAttention(inputSize, hidden, attributes(c).number('hops')),
      { W1: 'w1', W2: 'w2' },
    )
    const { context, weights } = module.forward(given(c, 'x'), { mask: c.inputs.mask })
    return { outputs: { weights, embedding: context, penalty: redundancy(weights) }, module, rename }
  },
  key_value_attention: keyValue(2),
  key_value_predict_attention: keyValue(3),
  hard_attention: c => {
    const samples = given(c, 'samples')
    const { logProb, entropy } = hardChoice(given(c, 'scores'), samples)
    const context = readChosen(given(c, 'values'), samples)
    return {
      outputs: {
        log_prob: logProb,
        entropy,
        context,
        reinforce_surrogate: reinforce(logProb, given(c, 'advantage')),
      },
    }
  },
}

function keyValue(parts: 2 | 3): Adapter {
  return c => {
    const names = { WY: 'wKeys', Wh: 'wKey', Wr: 'wRead', Wx: 'wPredict', w: 'v' }
    const { module, rename } = loaded(c, new KeyValueAttention(attributes(c).number('k'), { parts }), names)
    const { context, weights } = module.forward(given(c, 'memory'), given(c, 'current'))
    return { outputs: { weights, h_star: context }, module, rename }
  }
}
