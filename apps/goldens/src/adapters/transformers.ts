import type { Tensor } from '@heed/core-tensor'
import { tensor } from '@heed/core-tensor'
import {
  type Attended,
  alibi,
  alibiSlopes,
  GroupedQueryAttention,
  groupedQueryAttention,
  type LayerMasks,
  type Module,
  MultiHeadAttention,
  type MultiHeadCall,
  RelativeBias,
  rotary,
  scaledDotProductAttention,
  sinusoidalPositions,
  Transformer,
  TransformerDecoder,
  TransformerDecoderLayer,
  TransformerEncoder,
  TransformerEncoderLayer,
  type TransformerLayerOptions,
} from '@heed/layers'
import type { Case } from '../cases.ts'
import type { Adapter } from '../compare.ts'
import { attributes, constructed, given } from './settings.ts'

function loaded<M extends Module>(c: Case, module: M, rename: (name: string) => string = name => name): M {
  module.loadStateDict(
    Object.fromEntries(Object.entries(c.params).map(([name, x]) => [rename(name), x.detach()])),
  )
  return module
}

/**
 * Masks of torch.nn, where true (or −∞) means "not allowed": those over keys `[batch, key]`, and those over pairs
 * `[query, key]` or `[batch · heads, query, key]`; float ones are added.
 */
function masks(attention: Tensor | undefined, padding: Tensor | undefined, heads: number): MultiHeadCall {
  const pairs =
    attention && attention.shape.length === 3
      ? attention.reshape([-1, heads, ...attention.shape.slice(1)])
      : attention
  const keys = padding?.unsqueeze(1).unsqueeze(1)
  const allowed = [pairs, keys].filter((m): m is Tensor => m?.dtype === 'bool').map(m => m.logicalNot())
  const added = [pairs, keys].filter((m): m is Tensor => m !== undefined && m.dtype !== 'bool')
  const [mask, second] = allowed
  const [bias, more] = added
  return { mask: mask && second ? mask.logicalAnd(second) : mask, bias: bias && more ? bias.add(more) : bias }
}

const multihead: Adapter = c => {
  const s = constructed(c)
  const [size, heads] = [s.number('embed_dim'), s.number('num_heads')]
  const module = loaded(
    c,
    new MultiHeadAttention(size, heads, {
      bias: s.flag('bias', true),
      keySize: s.has('kdim') ? s.number('kdim') : undefined,
      valueSize: s.has('vdim') ? s.number('vdim') : undefined,
      addBiasKv: s.flag('add_bias_kv'),
      addZeroAttention: s.flag('add_zero_attn'),
      timeFirst: !s.flag('batch_first'),
    }),
  )
  const { key, value, attn_mask, key_padding_mask } = c.inputs
  const query = given(c, 'query')
  const { context, weights } = module.forward(
    query,
    key ?? query,
    value ?? key ?? query,
    masks(attn_mask, key_padding_mask, heads),
  )
  return {
    outputs: {
      output: context,
      weights: attributes(c).flag('average_attn_weights', true) ? weights.mean(1) : weights,
    },
    module,
  }
}

/** Results whose context the files call output. */
const named = ({ context, weights }: Attended): { outputs: { output: Tensor; weights: Tensor } } => ({
  outputs: { output: context, weights },
})

const order = (c: Case): boolean | 'end' =>
  attributes(c).flag('causal') &&
  (attributes(c).word<string>('causal_alignment', 'top_left') === 'bottom_right' ? 'end' : true)

const scaled: Adapter = c => {
  const { mask } = c.inputs
  const bool = mask?.dtype === 'bool'
  return named(
    scaledDotProductAttention(given(c, 'query'), given(c, 'key'), given(c, 'value'), {
      mask: bool ? mask : undefined,
      bias: bool ? undefined : mask,
      causal: order(c),
      scale: attributes(c).has('scale') ? attributes(c).number('scale') : undefined,
    }),
  )
}

function layerOptions(c: Case): TransformerLayerOptions {
  const s = constructed(c)
  return {
    feedforwardSize: s.number('dim_feedforward', 2048),
    dropout: s.number('dropout', 0),
    activation: s.word<'relu' | 'gelu'>('activation', 'relu'),
    epsilon: s.number('layer_norm_eps', 1e-5),
    normFirst: s.flag('norm_first'),
    timeFirst: !s.flag('batch_first'),
  }
}

/** Masks of one side of a layer, by torch's names. */
function side(c: Case, attention: string, padding: string): LayerMasks {
  const { mask, bias } = masks(c.inputs[attention], c.inputs[padding], constructed(c).number('nhead'))
  return { mask, bias }
}

const sizes = (c: Case): [number, number] => [
  constructed(c).number('d_model'),
  constructed(c).number('nhead'),
]
const layers = (c: Case): number => constructed(c).number('num_layers')

export const transformers: Record<string, Adapter> = {
  multihead_attention: multihead,
  scaled_dot_product_attention: scaled,
  grouped_query_attention: c =>
    named(groupedQueryAttention(given(c, 'query'), given(c, 'key'), given(c, 'value'), { causal: order(c) })),
  grouped_query_attention_layer: c => {
    const s = constructed(c)
    const rename = (name: string): string =>
      ({ wq: 'wQuery.weight', wk: 'wKey.weight', wv: 'wValue.weight', wo: 'wOut.weight' })[name] ?? name
    const settings = Object.keys(c.constructor).length ? s : attributes(c)
    const [heads, kv, headSize] = ['num_heads', 'num_kv_heads', 'head_dim'].map(name =>
      settings.number(name),
    ) as [number, number, number]
    const x = given(c, 'x')
    const module = loaded(
      c,
      new GroupedQueryAttention(x.shape.at(-1) as number, heads, { numKvHeads: kv, headSize }),
      rename,
    )
    return {
      outputs: { output: module.forward(x, x, x, { causal: attributes(c).flag('causal') }).context },
      module,
      rename,
    }
  },

  transformer_encoder_layer: c => {
    const module = loaded(c, new TransformerEncoderLayer(...sizes(c), layerOptions(c)))
    return {
      outputs: { out: module.forward(given(c, 'src'), side(c, 'src_mask', 'src_key_padding_mask')) },
      module,
    }
  },
  transformer_encoder: c => {
    const module = loaded(
      c,
      new TransformerEncoder(...sizes(c), {
        ...layerOptions(c),
        numLayers: layers(c),
        finalNorm: constructed(c).flag('final_norm'),
      }),
    )
    return {
      outputs: { out: module.forward(given(c, 'src'), side(c, 'src_mask', 'src_key_padding_mask')) },
      module,
    }
  },
  transformer_decoder_layer: c => {
    const module = loaded(c, new TransformerDecoderLayer(...sizes(c), layerOptions(c)))
    return { outputs: { out: module.forward(given(c, 'tgt'), given(c, 'memory'), decoderMasks(c)) }, module }
  },
  transformer_decoder: c => {
    const module = loaded(
      c,
      new TransformerDecoder(...sizes(c), {
        ...layerOptions(c),
        numLayers: layers(c),
        finalNorm: constructed(c).flag('final_norm'),
      }),
    )
    return { outputs: { out: module.forward(given(c, 'tgt'), given(c, 'memory'), decoderMasks(c)) }, module }
  },
  transformer: c => {
    const s = constructed(c)
    const [numEncoderLayers, numDecoderLayers] = [
      s.number('num_encoder_layers'),
      s.number('num_decoder_layers'),
    ]
    const module = loaded(
      c,
      new Transformer(...sizes(c), { ...layerOptions(c), numEncoderLayers, numDecoderLayers }),
    )
    // The files hide the padded source places from the decoder as well.
    const sourceMask = side(c, 'src_mask', 'src_key_padding_mask').mask
    const memoryMask = side(c, 'memory_mask', 'src_key_padding_mask').mask
    return {
      outputs: {
        out: module.forward(given(c, 'src'), given(c, 'tgt'), { ...decoderMasks(c), sourceMask, memoryMask }),
      },
      module,
    }
  },

  sinusoidal_positions: c => {
    const s = attributes(c)
    return {
      outputs: {
        out: sinusoidalPositions(s.number('length'), s.number('d_model'), { base: s.number('base', 10_000) }),
      },
    }
  },
  t5_relative_position_bias: c => {
    const s = attributes(c)
    const heads = given(c, 'weight').shape[1] as number
    const module = loaded(
      c,
      new RelativeBias(heads, {
        numBuckets: s.number('num_buckets'),
        maxDistance: s.number('max_distance'),
        bidirectional: s.flag('bidirectional'),
      }),
    )
    const [queries, keys] = [s.number('query_length'), s.number('key_length')]
    return {
      outputs: { buckets: module.buckets(queries, keys), bias: module.forward(queries, keys) },
      module,
    }
  },
  alibi: c => {
    const s = attributes(c)
    const heads = s.number('num_heads')
    return {
      outputs: {
        slopes: tensor(alibiSlopes(heads)),
        bias: alibi(heads, s.number('query_length'), s.number('key_length')),
      },
    }
  },
  rope: c => {
    const s = attributes(c)
    const options = {
      base: s.number('base', 10_000),
      offset: s.number('position_offset', 0),
      rotarySize: s.number('rotary_dim'),
      style: s.word<'interleaved' | 'half'>('style'),
    }
    return { outputs: { out: rotary(given(c, 'x'), options) } }
  },
}

function decoderMasks(c: Case): LayerMasks {
  return {
    ...side(c, 'tgt_mask', 'tgt_key_padding_mask'),
    memoryMask: side(c, 'memory_mask', 'memory_key_padding_mask').mask,
  }
}
