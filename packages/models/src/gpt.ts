import { arange, ConfigError, concat, gelu, split, type Tensor } from '@heed/core-tensor'
import {
  crossEntropy,
  Dropout,
  Embedding,
  LayerNorm,
  type LayerOptions,
  Linear,
  Module,
  scaledDotProductAttention,
} from '@heed/layers'
import { repeatRows } from './decoding/rows.ts'
import type { Stepper } from './decoding/stepper.ts'

/** Everything that makes the model what it is: plain JSON. Names as in GPT-2. */
export interface GPTConfig {
  readonly vocab: number
  /** Places at most. */
  readonly maxLength: number
  readonly embedding: number
  readonly heads: number
  readonly layers: number
  /** Units in between; four times the embedding unless given. */
  readonly hidden?: number
  readonly dropout?: number
  readonly epsilon?: number
}

/** Keys and values of the places so far, for each layer: `[batch, time, heads, headSize]`. */
export type Cache = readonly { readonly keys: Tensor; readonly values: Tensor }[]

/** Causal self-attention whose keys and values can be kept. */
class CausalAttention extends Module {
  readonly qkv: Linear
  readonly proj: Linear
  readonly dropout: Dropout
  readonly heads: number

  constructor(size: number, heads: number, dropout: number, options: LayerOptions) {
    super()
    if (size % heads) throw new ConfigError(`GPT: ${heads} heads do not divide size ${size}; use a divisor`)
    this.heads = heads
    this.qkv = new Linear(size, 3 * size, options)
    this.proj = new Linear(size, size, options)
    this.dropout = new Dropout(dropout)
  }

  /** `[batch, time, size]`, the last places of those in the cache → the same, and the longer cache. */
  forward(x: Tensor, past?: Cache[number]): { y: Tensor; cache: Cache[number] } {
    const [batch, time, size] = x.shape as [number, number, number]
    const packed = this.qkv.forward(x).reshape([batch, time, 3 * this.heads, size / this.heads])
    const [q, k, v] = split(packed, [this.heads, this.heads, this.heads], 2) as [Tensor, Tensor, Tensor]
    const keys = past ? concat([past.keys, k], 1) : k
    const values = past ? concat([past.values, v], 1) : v
    const [asks, at, from] = [q, keys, values].map(t => t.transpose(1, 2)) as [Tensor, Tensor, Tensor] // [batch, heads, time, size]
    const { context } = scaledDotProductAttention(asks, at, from, {
      causal: 'end',
      dropout: this.dropout,
      owner: this,
    })
    return {
      y: this.proj.forward(context.transpose(1, 2).reshape([batch, time, size])),
      cache: { keys, values },
    }
  }
}

/** Two linear maps with GELU between (the tanh form, as GPT-2's). */
class MLP extends Module {
  readonly fc: Linear
  readonly proj: Linear

  constructor(size: number, hidden: number, options: LayerOptions) {
    super()
    this.fc = new Linear(size, hidden, options)
    this.proj = new Linear(hidden, size, options)
  }

  forward(x: Tensor): Tensor {
    return this.proj.forward(gelu(this.fc.forward(x), { approximate: 'tanh' }))
  }
}

class Block extends Module {
  readonly norm1: LayerNorm
  readonly attention: CausalAttention
  readonly norm2: LayerNorm
  readonly mlp: MLP
  readonly dropout: Dropout

  constructor(
    { embedding, heads, hidden = 4 * embedding, dropout = 0, epsilon = 1e-5 }: GPTConfig,
    options: LayerOptions,
  ) {
    super()
    this.norm1 = new LayerNorm(embedding, { epsilon, backend: options.backend })
    this.attention = new CausalAttention(embedding, heads, dropout, options)
    this.norm2 = new LayerNorm(embedding, { epsilon, backend: options.backend })
    this.mlp = new MLP(embedding, hidden, options)
    this.dropout = new Dropout(dropout)
  }

  protected override stateName(field: string): string {
    return { norm1: 'ln_1', attention: 'attn', norm2: 'ln_2' }[field] ?? field
  }

  forward(x: Tensor, past?: Cache[number]): { y: Tensor; cache: Cache[number] } {
    const { y, cache } = this.attention.forward(this.norm1.forward(x), past)
    const seen = x.add(this.dropout.forward(y))
    return { y: seen.add(this.dropout.forward(this.mlp.forward(this.norm2.forward(seen)))), cache }
  }
}

/**
 * A decoder-only Transformer, pre-norm, its output tied to its word vectors.
 *
 * Radford et al. 2019 ("Language models are unsupervised multitask learners", §2.3); parts as in GPT-2.
 */
export class GPT extends Module {
  readonly config: GPTConfig
  readonly words: Embedding
  readonly places: Embedding
  readonly blocks: readonly Block[]
  readonly norm: LayerNorm
  readonly dropout: Dropout

  constructor(config: GPTConfig, options: LayerOptions = {}) {
    super()
    const { vocab, maxLength, embedding, layers, dropout = 0, epsilon = 1e-5 } = config
    this.config = config
    this.words = new Embedding(vocab, embedding, options)
    this.places = new Embedding(maxLength, embedding, options)
    this.blocks = Array.from({ length: layers }, () => new Block(config, options))
    this.norm = new LayerNorm(embedding, { epsilon, backend: options.backend })
    this.dropout = new Dropout(dropout)
  }

  protected override stateName(field: string): string {
    return { words: 'wte', places: 'wpe', norm: 'ln_f' }[field] ?? field
  }

  /** `[batch, time]` (int32), the places behind those in the cache → scores of the next words `[batch, time, vocab]`, and the longer cache. @throws ConfigError beyond the longest length */
  forward(ids: Tensor, past?: Cache): { logits: Tensor; cache: Cache } {
    const time = ids.shape[1] as number
    const begun = past?.[0]?.keys.shape[1] ?? 0
    if (begun + time > this.config.maxLength)
      throw new ConfigError(
        `GPT: ${begun + time} places, the model has ${this.config.maxLength}; shorten the text, or raise maxLength`,
      )
    const at = arange(begun, begun + time, 1, { backend: ids.backend })
    let x = this.dropout.forward(this.words.forward(ids).add(this.places.forward(at))) // [batch, time, embedding]
    const cache: Cache[number][] = []
    for (const [i, block] of this.blocks.entries()) {
      const out = block.forward(x, past?.[i])
      x = out.y
      cache.push(out.cache)
    }
    return { logits: this.norm.forward(x).matmul(this.words.weight.transpose()), cache }
  }

  /** The mean cross-entropy of each next word: `input` and `target` `[batch, time]`, the second one place later. */
  loss({ input, target }: { readonly input: Tensor; readonly target: Tensor }): Tensor {
    return crossEntropy(this.forward(input).logits, target)
  }

  /** One word after the other behind a prompt `[batch, time]`, for decoding. The first step takes the prompt's last word. */
  stepper(prompt: Tensor): Stepper<Cache | undefined> {
    const [batch, time] = prompt.shape as [number, number]
    const start = time > 1 ? this.forward(prompt.slice([{}, { stop: time - 1 }])).cache : undefined
    return this.#stepper(start, batch, prompt)
  }

  #stepper(start: Cache | undefined, batch: number, like: Tensor): Stepper<Cache | undefined> {
    return {
      start,
      step: (ids, past) => {
        const { logits, cache } = this.forward(ids.unsqueeze(1), past)
        return { logits: logits.squeeze(1), state: cache, weights: null }
      },
      repeat: times => this.#stepper(repeatRows(start, batch, times, like), batch * times, like),
    }
  }
}
