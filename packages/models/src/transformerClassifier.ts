import { arange, ConfigError, defaultRng, type Tensor } from '@heed/core-tensor'
import {
  alibi,
  crossEntropy,
  Dropout,
  Embedding,
  type LayerMasks,
  type LayerOptions,
  LearnedPositions,
  Linear,
  lengthMask,
  Module,
  RelativeBias,
  rotary,
  sinusoidalPositions,
  TransformerEncoder,
} from '@heed/layers'
import type { ClassifierBatch } from './classifier.ts'

/** How a model without recurrence knows where its words stand. */
export type PositionKind = (typeof POSITIONS)[number]

/**
 * `alibi` takes the same from both sides, so it cannot tell a text from its mirror image: it was made for models that look
 * back only. `two-sided alibi` halves the slopes for what comes after the query.
 */
const POSITIONS = ['none', 'sinusoidal', 'learned', 'relative', 'alibi', 'two-sided alibi', 'rotary'] as const

/** Everything that makes the model what it is: plain JSON. */
export interface TransformerClassifierConfig {
  readonly vocab: number
  readonly classes: number
  readonly positions: PositionKind
  /** The longest text that `learned` has places for. */
  readonly maxLength: number
  /** Size of a word's vector and of everything behind it. */
  readonly embedding: number
  readonly heads: number
  readonly layers: number
  /** Units in between. */
  readonly hidden: number
  readonly dropout: number
  /** The token that fills short rows. */
  readonly padding: number
}

/** The configuration around the words that must be given. */
export function transformerClassifierConfig(
  given: Pick<TransformerClassifierConfig, 'vocab' | 'classes'> & Partial<TransformerClassifierConfig>,
): TransformerClassifierConfig {
  const { embedding = 32 } = given
  return {
    positions: 'sinusoidal',
    maxLength: 512,
    embedding,
    heads: 4, // four slopes, four ways to look
    layers: 2, // the second can compare what the first has found
    hidden: 2 * embedding,
    dropout: 0,
    padding: 0,
    ...given,
  }
}

/**
 * Words, positions of any kind, layers of self-attention, the mean over places, a linear head.
 *
 * Vaswani et al. 2017, §3.1, arXiv:1706.03762, pre-norm. Positions are added to the words (`sinusoidal`, `learned`), or to
 * the scores (`relative`: Raffel et al. 2020; `alibi`: Press et al. 2022), or turn queries and keys (`rotary`: Su et al.
 * 2021); `none` sees a bag of words.
 */
export class TransformerClassifier extends Module {
  readonly config: TransformerClassifierConfig
  readonly embedding: Embedding
  readonly places: LearnedPositions | null
  readonly distances: RelativeBias | null
  readonly encoder: TransformerEncoder
  readonly head: Linear
  readonly dropout: Dropout

  /** @throws ConfigError naming everything that makes no sense */
  constructor(config: TransformerClassifierConfig, options: LayerOptions = {}) {
    super()
    check(config)
    const { vocab, classes, positions, maxLength, embedding, heads, layers, hidden, dropout, padding } =
      config
    const rng = options.rng ?? defaultRng()
    const layer = { ...options, rng }
    this.config = config
    this.embedding = new Embedding(vocab, embedding, { paddingIndex: padding, ...layer })
    this.places = positions === 'learned' ? new LearnedPositions(maxLength, embedding, layer) : null
    this.distances = positions === 'relative' ? new RelativeBias(heads, layer) : null
    this.encoder = new TransformerEncoder(embedding, heads, {
      numLayers: layers,
      feedforwardSize: hidden,
      dropout,
      normFirst: true,
      finalNorm: true,
      ...layer,
    })
    this.head = new Linear(embedding, classes, layer)
    this.dropout = new Dropout(dropout)
  }

  /** `[batch, time]` with lengths `[batch]`, both int32 → logits `[batch, classes]`. @throws ShapeError for texts that `learned` has no places for */
  forward(ids: Tensor, lengths: Tensor): Tensor {
    const time = ids.shape[1] as number
    const inside = lengthMask(lengths, time) // [batch, time]
    const words = this.#placed(this.embedding.forward(ids)) // [batch, time, embedding]
    const mask = inside.unsqueeze(1).unsqueeze(1) // of keys
    const states = this.encoder.forward(this.dropout.forward(words), { mask, ...this.#between(time, ids) })
    const counted = states.where(inside.unsqueeze(-1), 0).sum(1) // [batch, embedding]
    return this.head.forward(counted.div(lengths.cast(states.dtype).unsqueeze(1)))
  }

  /** Minus the mean log probability of the right classes. */
  loss({ ids, lengths, labels }: ClassifierBatch): Tensor {
    return crossEntropy(this.forward(ids, lengths), labels)
  }

  /** Positions that words carry themselves. */
  #placed(words: Tensor): Tensor {
    if (this.places) return this.places.forward(words)
    if (this.config.positions !== 'sinusoidal') return words
    const [, time, size] = words.shape as [number, number, number]
    return words.add(sinusoidalPositions(time, size, { backend: words.backend }))
  }

  /** Positions that stand between a query and a key. */
  #between(time: number, { backend }: Tensor): LayerMasks {
    const { positions, heads } = this.config
    if (this.distances) return { bias: this.distances.forward(time, time) }
    if (positions === 'rotary') return { turn: rotary }
    if (!positions.endsWith('alibi')) return {}
    const bias = alibi(heads, time, time, { backend }) // [heads, query, key]
    if (positions === 'alibi') return { bias }
    const places = arange(0, time, 1, { backend })
    const behind = places.unsqueeze(0).lessEqual(places.unsqueeze(1)) // [query, key]
    return { bias: bias.where(behind, bias.mul(0.5)) }
  }
}

function check(config: TransformerClassifierConfig): void {
  const sizes = ['vocab', 'classes', 'maxLength', 'embedding', 'heads', 'layers', 'hidden'] as const
  const problems: string[] = sizes
    .filter(name => !Number.isInteger(config[name]) || config[name] < 1)
    .map(name => `${name} is ${config[name]}, use a whole number of 1 or more`)
  const { positions, embedding, heads } = config
  if (!POSITIONS.includes(positions)) problems.push(`positions are ${positions}, use ${POSITIONS.join(', ')}`)
  if (embedding % heads)
    problems.push(`${heads} heads do not divide the embedding, ${embedding}; use a divisor`)
  else if (positions === 'rotary' && (embedding / heads) % 2)
    problems.push(
      `rotary turns pairs of numbers, heads have ${embedding / heads}; use an embedding of ${heads * 2}, ${heads * 4}, …`,
    )
  if (problems.length) throw new ConfigError(`TransformerClassifier: ${problems.join('; ')}`)
}
