import { arange, defaultRng, gelu, linear, Parameter, type Tensor, withRng, zeros } from '@heed/core-tensor'
import {
  crossEntropy,
  Dropout,
  Embedding,
  LayerNorm,
  type LayerOptions,
  Linear,
  type Mask,
  Module,
  MultiHeadAttention,
  maskOf,
} from '@heed/layers'

/** Everything that makes the model what it is: plain JSON. */
export interface BERTConfig {
  readonly vocab: number
  readonly maxLength: number
  readonly embedding: number
  readonly heads: number
  readonly layers: number
  /** Units in between. */
  readonly hidden: number
  readonly segments?: number
  readonly dropout?: number
  readonly epsilon?: number
}

class Layer extends Module {
  readonly attention: MultiHeadAttention
  readonly norm1: LayerNorm
  readonly fc1: Linear
  readonly fc2: Linear
  readonly norm2: LayerNorm
  readonly dropout: Dropout

  constructor({ embedding, heads, hidden, dropout = 0, epsilon = 1e-12 }: BERTConfig, options: LayerOptions) {
    super()
    // Dropout draws from each step's own stream, not from the generator of the first weights: training can stop and go on.
    const { rng = defaultRng(), backend } = options
    this.attention = withRng(rng, () => new MultiHeadAttention(embedding, heads, { dropout, ...(backend ? { backend } : {}) })) // biome-ignore format: one line
    this.norm1 = new LayerNorm(embedding, { epsilon, backend: options.backend })
    this.fc1 = new Linear(embedding, hidden, options)
    this.fc2 = new Linear(hidden, embedding, options)
    this.norm2 = new LayerNorm(embedding, { epsilon, backend: options.backend })
    this.dropout = new Dropout(dropout)
  }

  forward(x: Tensor, mask: Mask | undefined): Tensor {
    const seen = this.norm1.forward(x.add(this.dropout.forward(this.attention.read(x, x, x, { mask }))))
    return this.norm2.forward(seen.add(this.dropout.forward(this.fc2.forward(gelu(this.fc1.forward(seen))))))
  }
}

export interface BERTInput {
  /** `[batch, time]`, int32 */
  readonly ids: Tensor
  /** Which sentence each place belongs to, `[batch, time]`, int32; the first unless given. */
  readonly segments?: Tensor
  /** Where there is something, `[batch, time]`, bool. */
  readonly valid?: Tensor | undefined
}

export interface BERTBatch extends BERTInput {
  /** The hidden words, `[batch, time]`, int32, −100 elsewhere. */
  readonly masked: Tensor
  /** Whether the second sentence follows (0) or not (1), `[batch]`, int32. */
  readonly next: Tensor
}

/**
 * A Transformer encoder learned from hidden words and neighbouring sentences.
 *
 * Devlin et al. 2019, §3.1, arXiv:1810.04805. Post-norm; the head for hidden words is tied to the word vectors.
 */
export class BERT extends Module {
  readonly config: BERTConfig
  readonly words: Embedding
  readonly places: Embedding
  readonly sentences: Embedding
  readonly norm: LayerNorm
  readonly layers: readonly Layer[]
  readonly pooler: Linear
  readonly dense: Linear
  readonly denseNorm: LayerNorm
  /** `[vocab]` */
  readonly wordBias: Parameter
  readonly nextHead: Linear
  readonly dropout: Dropout

  constructor(config: BERTConfig, options: LayerOptions = {}) {
    super()
    const { vocab, maxLength, embedding, layers, segments = 2, dropout = 0, epsilon = 1e-12 } = config
    this.config = config
    this.words = new Embedding(vocab, embedding, options)
    this.places = new Embedding(maxLength, embedding, options)
    this.sentences = new Embedding(segments, embedding, options)
    this.norm = new LayerNorm(embedding, { epsilon, backend: options.backend })
    this.layers = Array.from({ length: layers }, () => new Layer(config, options))
    this.pooler = new Linear(embedding, embedding, options)
    this.dense = new Linear(embedding, embedding, options)
    this.denseNorm = new LayerNorm(embedding, { epsilon, backend: options.backend })
    this.wordBias = new Parameter(zeros([vocab], options.backend ? { backend: options.backend } : {}))
    this.nextHead = new Linear(embedding, 2, options)
    this.dropout = new Dropout(dropout)
  }

  /** A vector for each place that has seen all others, `[batch, time, embedding]`, and one for the whole, `[batch, embedding]`. */
  forward({ ids, segments, valid }: BERTInput): { hidden: Tensor; pooled: Tensor } {
    const at = arange(0, ids.shape[1] as number, 1, { backend: ids.backend })
    const which = segments ?? ids.mul(0)
    const words = this.words.forward(ids).add(this.places.forward(at)).add(this.sentences.forward(which))
    const mask = valid && maskOf(valid.unsqueeze(1).unsqueeze(1)) // [batch, 1, 1, time]
    const hidden = this.layers.reduce(
      (x, layer) => layer.forward(x, mask),
      this.dropout.forward(this.norm.forward(words)),
    )
    const pooled = this.pooler.forward(hidden.slice([{}, { stop: 1 }]).squeeze(1)).tanh()
    return { hidden, pooled }
  }

  /** Scores of the hidden words, `[batch, time, vocab]`, and of whether the sentences follow each other, `[batch, 2]`. */
  heads(input: BERTInput): { hidden: Tensor; words: Tensor; next: Tensor } {
    const { hidden, pooled } = this.forward(input)
    const read = this.denseNorm.forward(gelu(this.dense.forward(hidden)))
    return {
      hidden,
      words: linear(read, this.words.weight, this.wordBias),
      next: this.nextHead.forward(pooled),
    }
  }

  /** Both tasks' mean cross-entropies, added. */
  loss({ masked, next: follows, ...input }: BERTBatch): Tensor {
    const { words, next } = this.heads(input)
    return crossEntropy(words, masked).add(crossEntropy(next, follows))
  }
}
