import { ConfigError, concat, linear, ShapeError, stack, type Tensor, unstack } from '@heed/core-tensor'
import {
  Additive,
  type AttendOptions,
  attend,
  Concat,
  crossEntropy,
  Dropout,
  dot,
  Embedding,
  General,
  GRU,
  GRUCell,
  type LayerOptions,
  Linear,
  Module,
  paddingMask,
  type Score,
} from '@heed/layers'
import type { Stepper } from './decoding/stepper.ts'

/** How the decoder looks back at the source; `none` gives it one fixed vector. */
export type Seq2SeqAttention = 'none' | 'bahdanau' | 'dot' | 'general' | 'concat'

/** Everything that makes the model what it is: plain JSON. */
export interface Seq2SeqConfig {
  readonly sourceVocab: number
  readonly targetVocab: number
  readonly attention: Seq2SeqAttention
  /** Size of a token's vector. 64: date and word tasks of a few thousand tokens gain nothing from more. */
  readonly embedding: number
  /** Hidden units of the decoder. 128 trains in a minute on two cores. */
  readonly hidden: number
  /** Hidden units of each direction of the encoder; for `dot`, half of `hidden`, since both sides must be equally long. */
  readonly encoderHidden: number
  /** Size in which additive and concat scores compare. */
  readonly attentionSize: number
  readonly dropout: number
  /** The token that fills short rows, on both sides. */
  readonly padding: number
}

/** The configuration around the words that must be given. */
export function seq2seqConfig(
  given: Pick<Seq2SeqConfig, 'sourceVocab' | 'targetVocab'> & Partial<Seq2SeqConfig>,
): Seq2SeqConfig {
  const { attention = 'bahdanau', hidden = 128 } = given
  return {
    attention,
    embedding: 64,
    hidden,
    encoderHidden: attention === 'dot' ? hidden / 2 : hidden,
    attentionSize: hidden,
    dropout: 0,
    padding: 0,
    ...given,
  }
}

/** What the encoder leaves for the decoder. */
export interface Memory {
  /** The source's states, `[batch, sourceTime, 2·encoderHidden]`. */
  readonly states: Tensor
  /** Where the source has tokens, `[batch, 1, sourceTime]`, bool. */
  readonly mask: Tensor
  /** The last state of each direction, `[batch, 2·encoderHidden]`: the fixed "thought vector". */
  readonly summary: Tensor
  /** What the score made of the states. */
  readonly prepared: Tensor | null
  /** The first state of the decoder, `[batch, hidden]`. */
  readonly first: Tensor
}

/** One batch of padded pairs. */
export interface Seq2SeqBatch {
  /** `[batch, sourceTime]`, int32 */
  readonly source: Tensor
  /** `[batch]`, int32 */
  readonly sourceLengths: Tensor
  /** `[batch, targetTime]`, int32, from the token that begins to the one that ends */
  readonly target: Tensor
}

export interface Seq2SeqOutput {
  /** `[batch, targetTime, targetVocab]` */
  readonly logits: Tensor
  /** How much each target place looked at each source place, `[batch, targetTime, sourceTime]`; null without attention. */
  readonly weights: Tensor | null
}

/** What the decoder carries from step to step. */
interface State {
  /** `[batch, hidden]` */
  readonly hidden: Tensor
  /** Luong's attentional vector, fed to the next step, `[batch, hidden]`. */
  readonly feed: Tensor | null
}

interface Step {
  readonly state: State
  /** What the output layer reads, beside the word: `[batch, …]`. */
  readonly read: readonly Tensor[]
  /** `[batch, sourceTime]` */
  readonly weights: Tensor | null
}

/** How a decoder of one family makes a step, given the word's part of the gates `[batch, 3·hidden]`. */
interface Rule {
  /** What enters the gates beside the word. */
  readonly fed: number
  /** What the output layer reads. */
  readonly readSize: number
  /** Whether it reads the word as well. */
  readonly readsWord: boolean
  step(model: Seq2Seq, wordGates: Tensor, state: State, memory: Memory): Step
}

/**
 * A bidirectional GRU encoder and a GRU decoder that looks back.
 *
 * `none`: the decoder is given the last encoder states at every step (Cho et al. 2014, arXiv:1406.1078).
 * `bahdanau`: additive attention by the previous state, before the step; `s_t = GRU([y; c_t], s_{t−1})`, output from
 * `[s_t; c_t; y]` (Bahdanau et al. 2015, §A.2, arXiv:1409.0473; a linear output in place of their maxout).
 * `dot`, `general`, `concat`: attention by the current state, after the step; `h̃_t = tanh(W_c [c_t; h_t])` is the output
 * and is fed to the next step (Luong et al. 2015, §3.1 and §3.3, arXiv:1508.04025).
 */
export class Seq2Seq extends Module {
  readonly config: Seq2SeqConfig
  readonly sourceEmbedding: Embedding
  readonly targetEmbedding: Embedding
  readonly encoder: GRU
  /** From the backward encoder's last state to the decoder's first. */
  readonly init: Linear
  readonly score: (Module & Score) | null
  readonly cell: GRUCell
  /** Luong's W_c. */
  readonly combine: Linear | null
  readonly output: Linear
  readonly dropout: Dropout
  readonly #rule: Rule

  /** @throws ConfigError naming every size that makes no sense */
  constructor(config: Seq2SeqConfig, options: LayerOptions = {}) {
    super()
    check(config)
    const { sourceVocab, targetVocab, attention, embedding, hidden, encoderHidden, attentionSize, padding } =
      config
    const annotation = 2 * encoderHidden
    this.config = config
    this.#rule =
      attention === 'none'
        ? fixed(annotation, hidden)
        : attention === 'bahdanau'
          ? bahdanau(annotation, hidden)
          : luong(hidden)
    this.sourceEmbedding = new Embedding(sourceVocab, embedding, { paddingIndex: padding, ...options })
    this.targetEmbedding = new Embedding(targetVocab, embedding, { paddingIndex: padding, ...options })
    this.encoder = new GRU(embedding, encoderHidden, { bidirectional: true, ...options })
    this.init = new Linear(encoderHidden, hidden, options)
    this.score =
      attention === 'bahdanau'
        ? new Additive(hidden, annotation, attentionSize, options)
        : attention === 'concat'
          ? new Concat(hidden, annotation, attentionSize, options)
          : attention === 'general'
            ? new General(hidden, annotation, options)
            : null
    this.cell = new GRUCell(embedding + this.#rule.fed, hidden, options)
    this.combine = isLuong(attention)
      ? new Linear(annotation + hidden, hidden, { bias: false, ...options })
      : null
    this.output = new Linear(
      this.#rule.readSize + (this.#rule.readsWord ? embedding : 0),
      targetVocab,
      options,
    )
    this.dropout = new Dropout(config.dropout)
  }

  /** Reads the source, `[batch, sourceTime]` with lengths `[batch]`, both int32. */
  encode(source: Tensor, lengths: Tensor): Memory {
    const words = this.dropout.forward(this.sourceEmbedding.forward(source)) // [batch, sourceTime, embedding]
    const { outputs: states, state } = this.encoder.forward(words, { lengths }) // [batch, sourceTime, 2·encoderHidden]
    const [forward, backward] = unstack(state.hidden) as [Tensor, Tensor] // [batch, encoderHidden] each
    return {
      states,
      mask: paddingMask(lengths, source.shape[1] as number),
      summary: concat([forward, backward], 1),
      prepared: this.score?.prepare(states) ?? null,
      first: this.init.forward(backward).tanh(), // [batch, hidden]
    }
  }

  /**
   * Scores of every next word, the right words before it given (teacher forcing).
   *
   * @param target `[batch, targetTime]`, int32, beginning with the token that begins
   */
  forward(source: Tensor, sourceLengths: Tensor, target: Tensor): Seq2SeqOutput {
    const memory = this.encode(source, sourceLengths)
    const words = this.dropout.forward(this.targetEmbedding.forward(target)) // [batch, targetTime, embedding]
    const reads: Tensor[][] = []
    const weights: Tensor[] = []
    let state = this.#start(memory)
    for (const gates of unstack(this.#wordGates(words), 1)) {
      const step = this.#rule.step(this, gates, state, memory)
      state = step.state
      step.read.forEach((x, i) => {
        const column = reads[i] ?? []
        reads[i] = column
        column.push(x)
      })
      if (step.weights) weights.push(step.weights)
    }
    const read = [...reads.map(column => stack(column, 1)), ...(this.#rule.readsWord ? [words] : [])]
    return {
      logits: this.output.forward(this.dropout.forward(concat(read, 2))), // [batch, targetTime, targetVocab]
      weights: weights.length ? stack(weights, 1) : null,
    }
  }

  /** The mean cross-entropy of the batch's target tokens, padding left out. */
  loss({ source, sourceLengths, target }: Seq2SeqBatch): Tensor {
    const time = target.shape[1] as number
    if (time < 2)
      throw new ShapeError(
        `Seq2Seq: targets of ${time} tokens have no next word; begin and end them with their tokens`,
      )
    const { logits } = this.forward(source, sourceLengths, target.slice([{}, { stop: time - 1 }]))
    return crossEntropy(logits, target.slice([{}, { start: 1 }]), { ignoreIndex: this.config.padding })
  }

  /** One word after the other, for decoding: see `greedy`. */
  stepper(source: Tensor, sourceLengths: Tensor): Stepper<State> {
    const memory = this.encode(source, sourceLengths)
    return {
      start: this.#start(memory),
      step: (ids, state) => {
        const word = this.targetEmbedding.forward(ids) // [batch, embedding]
        const next = this.#rule.step(this, this.#wordGates(word), state, memory)
        const logits = this.output.forward(concat([...next.read, ...(this.#rule.readsWord ? [word] : [])], 1))
        return { logits, state: next.state, weights: next.weights }
      },
    }
  }

  #start(memory: Memory): State {
    return { hidden: memory.first, feed: this.combine ? memory.first.mul(0) : null }
  }

  /** The word's part of the gates, with the input bias: `[..., embedding]` → `[..., 3·hidden]`. */
  #wordGates(words: Tensor): Tensor {
    const { weightIh, biasIh } = this.cell.weights
    return linear(words, weightIh.slice([{}, { stop: this.config.embedding }]), biasIh)
  }

  /** One step of the cell, with something beside the word. */
  advance(wordGates: Tensor, fed: Tensor, hidden: Tensor): Tensor {
    const part = this.cell.weights.weightIh.slice([{}, { start: this.config.embedding }])
    return this.cell.advance(wordGates.add(linear(fed, part)), { hidden }).hidden
  }

  /** What a state sees in the source: context `[batch, 2·encoderHidden]`, weights `[batch, sourceTime]`. */
  look(hidden: Tensor, { states, mask, prepared }: Memory): { context: Tensor; weights: Tensor } {
    const options: AttendOptions = {
      score: this.score ?? dot,
      owner: this.score ?? this,
      mask,
      ...(prepared ? { prepared } : {}),
    }
    const { context, weights } = attend(hidden.unsqueeze(1), states, states, options)
    return { context: context.squeeze(1), weights: weights.squeeze(1) }
  }
}

const fixed = (annotation: number, hidden: number): Rule => ({
  fed: annotation,
  readSize: hidden + annotation,
  readsWord: true,
  step(model, wordGates, { hidden: before }, { summary }) {
    const hidden = model.advance(wordGates, summary, before)
    return { state: { hidden, feed: null }, read: [hidden, summary], weights: null }
  },
})

const bahdanau = (annotation: number, hidden: number): Rule => ({
  fed: annotation,
  readSize: hidden + annotation,
  readsWord: true,
  step(model, wordGates, { hidden: before }, memory) {
    const { context, weights } = model.look(before, memory)
    const hidden = model.advance(wordGates, context, before)
    return { state: { hidden, feed: null }, read: [hidden, context], weights }
  },
})

const luong = (hidden: number): Rule => ({
  fed: hidden,
  readSize: hidden,
  readsWord: false,
  step(model, wordGates, { hidden: before, feed }, memory) {
    const now = model.advance(wordGates, feed as Tensor, before)
    const { context, weights } = model.look(now, memory)
    const attentional = (model.combine as Linear).forward(concat([context, now], 1)).tanh()
    return { state: { hidden: now, feed: attentional }, read: [attentional], weights }
  },
})

function isLuong(attention: Seq2SeqAttention): boolean {
  return attention === 'dot' || attention === 'general' || attention === 'concat'
}

const KINDS: readonly Seq2SeqAttention[] = ['none', 'bahdanau', 'dot', 'general', 'concat']

function check(config: Seq2SeqConfig): void {
  const problems = (
    ['sourceVocab', 'targetVocab', 'embedding', 'hidden', 'encoderHidden', 'attentionSize'] as const
  )
    .filter(name => !Number.isInteger(config[name]) || config[name] < 1)
    .map(name => `${name} is ${config[name]}, use a whole number of 1 or more`)
  if (!KINDS.includes(config.attention))
    problems.push(`attention is ${config.attention}, use ${KINDS.join(', ')}`)
  if (config.attention === 'dot' && 2 * config.encoderHidden !== config.hidden)
    problems.push(
      `dot needs equal sizes, the decoder has ${config.hidden} and the source states ${2 * config.encoderHidden}; halve encoderHidden, or use general`,
    )
  if (problems.length) throw new ConfigError(`Seq2Seq: ${problems.join('; ')}`)
}
