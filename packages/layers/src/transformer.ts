import { gelu, relu, type Tensor } from '@heed/core-tensor'
import { MultiHeadAttention, type MultiHeadCall } from './attention/multiHead.ts'
import { checkWhole } from './check.ts'
import { within } from './containers.ts'
import { Dropout } from './dropout.ts'
import type { LayerOptions } from './init.ts'
import { Linear } from './linear.ts'
import type { Mask } from './masks.ts'
import { Module } from './module.ts'
import { LayerNorm } from './normalization.ts'

/** How a layer is made; defaults as in PyTorch. */
export interface TransformerLayerOptions extends LayerOptions {
  /** Units of the layer in between. */
  readonly feedforwardSize?: number
  readonly dropout?: number
  readonly activation?: 'relu' | 'gelu' | ((x: Tensor) => Tensor)
  readonly epsilon?: number
  /** Whether each part normalises what it reads (pre-norm) in place of what it has added (post-norm). */
  readonly normFirst?: boolean
  readonly bias?: boolean
  /** Whether sequences are `[time, batch, features]`, PyTorch's default; ours is batch first. */
  readonly timeFirst?: boolean
}

/** What a layer may look at: true = may, the opposite of PyTorch's masks. `padding(lengths)` for padded sequences. */
export interface LayerMasks {
  /** Of its own sequence, stretched to `[batch, heads, query, key]`. */
  readonly mask?: Tensor | Mask | undefined
  /** Of the other sequence, stretched to `[batch, heads, query, key]`. */
  readonly memoryMask?: Tensor | Mask | undefined
  /** Whether each place looks at itself and those before it alone. */
  readonly causal?: boolean
  /** Added to the scores of its own sequence. */
  readonly bias?: Tensor | undefined
  /** Changes queries and keys of its own sequence before they meet: see {@link MultiHeadCall.turn}. */
  readonly turn?: MultiHeadCall['turn']
}

const activations = { relu, gelu: (x: Tensor): Tensor => gelu(x) }

/** What both kinds of layer share: two linear maps, and norms around residual parts. */
abstract class TransformerLayer extends Module {
  readonly selfAttention: MultiHeadAttention
  readonly linear1: Linear
  readonly linear2: Linear
  readonly norm1: LayerNorm
  readonly norm2: LayerNorm
  readonly dropout: Dropout
  readonly normFirst: boolean
  readonly #activation: (x: Tensor) => Tensor

  protected constructor(size: number, numHeads: number, options: TransformerLayerOptions) {
    super()
    const {
      feedforwardSize = 2048,
      dropout = 0.1,
      activation = 'relu',
      epsilon = 1e-5,
      normFirst = false,
      bias = true,
      timeFirst = false,
      ...layer
    } = options
    this.selfAttention = new MultiHeadAttention(size, numHeads, { dropout, bias, timeFirst, ...layer })
    this.linear1 = new Linear(size, feedforwardSize, { bias, ...layer })
    this.linear2 = new Linear(feedforwardSize, size, { bias, ...layer })
    this.norm1 = new LayerNorm(size, { epsilon, ...layer })
    this.norm2 = new LayerNorm(size, { epsilon, ...layer })
    this.dropout = new Dropout(dropout)
    this.normFirst = normFirst
    this.#activation = typeof activation === 'function' ? activation : activations[activation]
  }

  protected override stateName(field: string): string {
    return field === 'selfAttention' ? 'self_attn' : field === 'crossAttention' ? 'multihead_attn' : field
  }

  /** `x + part(norm(x))` or `norm(x + part(x))`. */
  protected residual(x: Tensor, norm: LayerNorm, part: (x: Tensor) => Tensor): Tensor {
    return this.normFirst
      ? x.add(this.dropout.forward(part(norm.forward(x))))
      : norm.forward(x.add(this.dropout.forward(part(x))))
  }

  protected feedforward(x: Tensor): Tensor {
    return this.linear2.forward(this.dropout.forward(this.#activation(this.linear1.forward(x))))
  }
}

/** Self-attention, then two linear maps, each added to what it read. Vaswani et al. 2017, §3.1; names and defaults as PyTorch's. */
export class TransformerEncoderLayer extends TransformerLayer {
  constructor(size: number, numHeads: number, options: TransformerLayerOptions = {}) {
    super(size, numHeads, options)
  }

  /** `[batch, time, size]` → the same. */
  forward(x: Tensor, { mask, causal = false, bias, turn }: LayerMasks = {}): Tensor {
    const call: MultiHeadCall = { mask, causal, bias, turn }
    const seen = this.residual(x, this.norm1, y => this.selfAttention.read(y, y, y, call))
    return this.residual(seen, this.norm2, y => this.feedforward(y))
  }
}

/** An encoder layer that also looks at another sequence. Vaswani et al. 2017, §3.1; names and defaults as PyTorch's. */
export class TransformerDecoderLayer extends TransformerLayer {
  readonly crossAttention: MultiHeadAttention
  readonly norm3: LayerNorm

  constructor(size: number, numHeads: number, options: TransformerLayerOptions = {}) {
    super(size, numHeads, options)
    const { dropout = 0.1, epsilon = 1e-5, bias = true, timeFirst = false, rng, backend } = options
    this.crossAttention = new MultiHeadAttention(size, numHeads, { dropout, bias, timeFirst, rng, backend })
    this.norm3 = new LayerNorm(size, { epsilon, backend })
  }

  /** `[batch, query, size]` and the other sequence `[batch, key, size]` → `[batch, query, size]`. */
  forward(
    x: Tensor,
    memory: Tensor,
    { mask, memoryMask, causal = false, bias, turn }: LayerMasks = {},
  ): Tensor {
    const call: MultiHeadCall = { mask, causal, bias, turn }
    const own = this.residual(x, this.norm1, y => this.selfAttention.read(y, y, y, call))
    const seen = this.residual(own, this.norm2, y =>
      this.crossAttention.read(y, memory, memory, { mask: memoryMask }),
    )
    return this.residual(seen, this.norm3, y => this.feedforward(y))
  }
}

/** How a stack is made. */
export interface TransformerStackOptions extends TransformerLayerOptions {
  readonly numLayers: number
  /** Whether the last output is normalised. */
  readonly finalNorm?: boolean
}

/** Encoder layers one on the other. */
export class TransformerEncoder extends Module {
  readonly layers: readonly TransformerEncoderLayer[]
  readonly norm: LayerNorm | null

  constructor(
    size: number,
    numHeads: number,
    { numLayers, finalNorm = false, ...options }: TransformerStackOptions,
  ) {
    super()
    checkWhole('TransformerEncoder', { numLayers })
    this.layers = Array.from(
      { length: numLayers },
      () => new TransformerEncoderLayer(size, numHeads, options),
    )
    this.norm = finalNorm
      ? new LayerNorm(size, { epsilon: options.epsilon ?? 1e-5, backend: options.backend })
      : null
  }

  /** `[batch, time, size]` → the same. */
  forward(x: Tensor, masks: LayerMasks = {}): Tensor {
    const y = this.layers.reduce(
      (state, layer, i) => within(`layers.${i}`, () => layer.forward(state, masks)),
      x,
    )
    return this.norm?.forward(y) ?? y
  }
}

/** Decoder layers one on the other. */
export class TransformerDecoder extends Module {
  readonly layers: readonly TransformerDecoderLayer[]
  readonly norm: LayerNorm | null

  constructor(
    size: number,
    numHeads: number,
    { numLayers, finalNorm = false, ...options }: TransformerStackOptions,
  ) {
    super()
    checkWhole('TransformerDecoder', { numLayers })
    this.layers = Array.from(
      { length: numLayers },
      () => new TransformerDecoderLayer(size, numHeads, options),
    )
    this.norm = finalNorm
      ? new LayerNorm(size, { epsilon: options.epsilon ?? 1e-5, backend: options.backend })
      : null
  }

  /** `[batch, query, size]` and the other sequence `[batch, key, size]` → `[batch, query, size]`. */
  forward(x: Tensor, memory: Tensor, masks: LayerMasks = {}): Tensor {
    const y = this.layers.reduce(
      (state, layer, i) => within(`layers.${i}`, () => layer.forward(state, memory, masks)),
      x,
    )
    return this.norm?.forward(y) ?? y
  }
}

/** How both stacks are made; defaults as in PyTorch. */
export interface TransformerOptions extends TransformerLayerOptions {
  readonly numEncoderLayers?: number
  readonly numDecoderLayers?: number
}

/** Both stacks, each with a norm at its end. Vaswani et al. 2017, arXiv:1706.03762; names and defaults as PyTorch's. */
export class Transformer extends Module {
  readonly encoder: TransformerEncoder
  readonly decoder: TransformerDecoder

  constructor(
    size = 512,
    numHeads = 8,
    { numEncoderLayers = 6, numDecoderLayers = 6, ...options }: TransformerOptions = {},
  ) {
    super()
    this.encoder = new TransformerEncoder(size, numHeads, {
      numLayers: numEncoderLayers,
      finalNorm: true,
      ...options,
    })
    this.decoder = new TransformerDecoder(size, numHeads, {
      numLayers: numDecoderLayers,
      finalNorm: true,
      ...options,
    })
  }

  /** Source `[batch, sourceTime, size]` and target `[batch, targetTime, size]` → `[batch, targetTime, size]`. */
  forward(
    source: Tensor,
    target: Tensor,
    { sourceMask, ...masks }: LayerMasks & { readonly sourceMask?: Tensor | Mask | undefined } = {},
  ): Tensor {
    return this.decoder.forward(target, this.encoder.forward(source, { mask: sourceMask }), masks)
  }
}
