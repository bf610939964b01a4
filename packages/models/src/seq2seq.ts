import {
  concat,
  defaultRng,
  linear,
  type Rng,
  ShapeError,
  stack,
  type Tensor,
  uniform,
  unstack,
} from '@heed/core-tensor'
import {
  crossEntropy,
  Dropout,
  Embedding,
  type LayerOptions,
  Linear,
  type LocalPredictive,
  Module,
  PointerGate,
  paddingMask,
  pointerMixture,
} from '@heed/layers'
import { repeatRows } from './decoding/rows.ts'
import type { Stepper } from './decoding/stepper.ts'
import { coverageLoss, guidedAlignmentLoss } from './losses.ts'
import { checkSeq2Seq, isLuong, type Seq2SeqConfig } from './seq2seq/config.ts'
import {
  type CopySource,
  type Decoder,
  fedSize,
  feeds,
  type Gates,
  gatesOf,
  independent,
  type Made,
  type Memory,
  reverseRows,
  type State,
  start,
  step,
  steps,
} from './seq2seq/decoder.ts'
import { centreModule, type LearnedScore, prepare, scoreModule } from './seq2seq/look.ts'
import { recurrentCell, recurrentLayer } from './seq2seq/recurrence.ts'

/** One batch of padded pairs. */
export interface Seq2SeqBatch {
  /** `[batch, sourceTime]`, int32 */
  readonly source: Tensor
  /** `[batch]`, int32 */
  readonly sourceLengths: Tensor
  /** `[batch, targetTime]`, int32, from the token that begins to the one that ends; a copying model's may go beyond its vocabulary */
  readonly target: Tensor
  /** Needed by a model that copies. */
  readonly copy?: CopySource
  /** Where each target token comes from, `[batch, targetTime, sourceTime]`: rows sum to 1, or to 0 where nothing is known. Makes a guided alignment loss. */
  readonly alignment?: Tensor
}

export interface Seq2SeqOutput {
  /** `[batch, targetTime, targetVocab]`; of a model that copies log probabilities, `[batch, targetTime, targetVocab + extra]` */
  readonly logits: Tensor
  /** How much each target place looked at each source place, `[batch, targetTime, sourceTime]`; null without attention. */
  readonly weights: Tensor | null
  /** What each target place saw, `[batch, targetTime, annotation]`; without attention the same at all. */
  readonly contexts: Tensor
}

export interface ForcingOptions {
  /** Needed by a model that copies. */
  readonly copy?: CopySource | undefined
  /** The share of words that are given the right word before; the others are given what the model would have said (scheduled sampling). Bengio et al. 2015, arXiv:1506.03099. */
  readonly teacherForcing?: number
  /** What decides on each word; the default generator unless given. */
  readonly rng?: Rng
}

export interface Seq2SeqLossOptions extends Omit<ForcingOptions, 'copy'> {
  readonly labelSmoothing?: number
  /** λ of the coverage loss; 1 where the model has coverage (See et al. 2017, §2.3), else 0. */
  readonly coverageWeight?: number
  /** What the guided alignment loss counts against the cross-entropy, where a batch has alignments. */
  readonly guidedWeight?: number
}

/** The parts of a loss, each one number. */
export interface Seq2SeqTerms {
  readonly crossEntropy: Tensor
  readonly coverage?: Tensor
  readonly guided?: Tensor
}

/**
 * A recurrent encoder and a recurrent decoder that looks back.
 *
 * `none`: the decoder is given the last encoder states at every step (Cho et al. 2014, arXiv:1406.1078).
 * `bahdanau`: additive attention by the previous state, before the step; `s_t = GRU([y; c_t], s_{t−1})`, output from
 * `[s_t; c_t; y]` (Bahdanau et al. 2015, §A.2, arXiv:1409.0473; a linear output in place of their maxout). With
 * `queryState: 'current'` the step is given the last context, `s_t = GRU([y; c_{t−1}], s_{t−1})`, and then looks
 * (Chan et al. 2016, eq. 6-7, arXiv:1508.01211; See et al. 2017).
 * `dot`, `general`, `concat`, `location`: attention by the current state, after the step; `h̃_t = tanh(W_c [c_t; h_t])` is the
 * output and is fed to the next step (Luong et al. 2015, §3.1 and §3.3, arXiv:1508.04025).
 * `copy`: `p_gen` shares between writing and copying (See et al. 2017, eq. 8-9, arXiv:1704.04368).
 *
 * Where no step waits for what another saw (`none`, or without input feeding), a whole target takes one scan and one look.
 */
export class Seq2Seq extends Module implements Decoder {
  readonly config: Seq2SeqConfig
  readonly sourceEmbedding: Embedding
  readonly targetEmbedding: Embedding
  readonly encoder: ReturnType<typeof recurrentLayer>
  /** From the last state of the encoder (the backward one, if there is one) to the decoder's first. */
  readonly init: Linear
  /** The same for the cells of an LSTM. */
  readonly initCell: Linear | null
  readonly score: LearnedScore | null
  readonly centre: LocalPredictive | null
  readonly cell: ReturnType<typeof recurrentCell>
  /** From what is fed to the width of a word, where it is added to the word. */
  readonly feed: Linear | null
  /** Luong's W_c. */
  readonly combine: Linear | null
  readonly output: Linear
  readonly gate: PointerGate | null
  readonly dropout: Dropout

  /** @throws ConfigError naming everything that makes no sense */
  constructor(config: Seq2SeqConfig, options: LayerOptions = {}) {
    super()
    checkSeq2Seq(config)
    const { sourceVocab, targetVocab, embedding, hidden, encoderHidden, bidirectional, padding } = config
    const annotation = bidirectional ? 2 * encoderHidden : encoderHidden
    const fed = fedSize({ config }, annotation)
    const added = config.feedBy === 'add' && feeds({ config })
    const luong = isLuong(config)
    this.config = config
    this.sourceEmbedding = new Embedding(sourceVocab, embedding, { paddingIndex: padding, ...options })
    this.targetEmbedding = new Embedding(targetVocab, embedding, { paddingIndex: padding, ...options })
    this.encoder = recurrentLayer(config.cell, embedding, encoderHidden, { bidirectional, ...options })
    this.init = new Linear(encoderHidden, hidden, options)
    this.initCell = config.cell === 'lstm' ? new Linear(encoderHidden, hidden, options) : null
    this.score = scoreModule(config, annotation, options)
    this.centre = centreModule(config, options)
    this.cell = recurrentCell(config.cell, embedding + (added ? 0 : fed), hidden, options)
    this.feed = added ? new Linear(fed, embedding, { bias: false, ...options }) : null
    this.combine = luong ? new Linear(annotation + hidden, hidden, { bias: false, ...options }) : null
    this.output = new Linear(luong ? hidden : hidden + annotation + embedding, targetVocab, options)
    this.gate = config.copy ? new PointerGate(annotation, hidden, embedding, options) : null
    this.dropout = new Dropout(config.dropout)
  }

  /**
   * Reads the source, `[batch, sourceTime]` with lengths `[batch]`, both int32.
   *
   * @throws ShapeError if the model copies and is not told what
   */
  encode(source: Tensor, lengths: Tensor, copied: CopySource | null = null): Memory {
    const { reverseSource, bidirectional } = this.config
    if (this.gate && !copied)
      throw new ShapeError(
        'Seq2Seq: this model copies, but is not given the source in the target’s vocabulary; pass copy: { ids, extra }',
      )
    const read = reverseSource ? reverseRows(source, lengths) : source
    const words = this.dropout.forward(this.sourceEmbedding.forward(read)) // [batch, sourceTime, embedding]
    const { outputs, state } = this.encoder.forward(words, { lengths }) // [batch, sourceTime, annotation]
    const states = reverseSource ? reverseRows(outputs, lengths) : outputs
    const ends = unstack(state.hidden) // [batch, encoderHidden] for each direction
    const cells = state.cell && unstack(state.cell)
    return {
      states,
      mask: paddingMask(lengths, source.shape[1] as number),
      lengths,
      summary: concat(ends, 1),
      prepared: this.score && prepare(this.score, states),
      first: this.init.forward(ends.at(-1) as Tensor).tanh(), // [batch, hidden]
      firstCell:
        cells && this.initCell ? this.initCell.forward(cells[bidirectional ? 1 : 0] as Tensor) : null,
      copied,
    }
  }

  /**
   * Scores of every next word, the right words before it given (teacher forcing).
   *
   * @param target `[batch, targetTime]`, int32, beginning with the token that begins
   */
  forward(
    source: Tensor,
    sourceLengths: Tensor,
    target: Tensor,
    { copy, teacherForcing = 1, rng = defaultRng() }: ForcingOptions = {},
  ): Seq2SeqOutput {
    const memory = this.encode(source, sourceLengths, copy)
    const gates = gatesOf(this, this.config.embedding)
    if (teacherForcing < 1) return this.#freely(memory, gates, target, teacherForcing, rng)
    const words = this.#words(target) // [batch, targetTime, embedding]
    const before = start(this, memory)
    const entering = this.#wordGates(words, gates)
    const made = independent(this)
      ? steps(this, gates, entering, before, memory)
      : this.#unrolled(gates, entering, before, memory)
    return { logits: this.#write(words, made, memory), weights: made.weights, contexts: made.context }
  }

  /** The parts of the {@link loss}. @throws ShapeError if targets have no next word */
  terms(batch: Seq2SeqBatch, options: Seq2SeqLossOptions = {}): Seq2SeqTerms {
    const { source, sourceLengths, target, copy, alignment } = batch
    const { labelSmoothing = 0, coverageWeight = this.config.coverage ? 1 : 0, guidedWeight = 1, ...forcing } = options // biome-ignore format: one line
    const time = target.shape[1] as number
    if (time < 2)
      throw new ShapeError(
        `Seq2Seq: targets of ${time} tokens have no next word; begin and end them with their tokens`,
      )
    const given = target.slice([{}, { stop: time - 1 }])
    const wanted = target.slice([{}, { start: 1 }])
    const { logits, weights } = this.forward(source, sourceLengths, given, { copy, ...forcing })
    const ignoreIndex = this.config.padding
    return {
      crossEntropy: crossEntropy(logits, wanted, { ignoreIndex, labelSmoothing }),
      ...(weights && coverageWeight
        ? { coverage: coverageLoss(weights, wanted.equal(ignoreIndex).logicalNot()).mul(coverageWeight) }
        : {}),
      ...(weights && alignment && guidedWeight
        ? { guided: guidedAlignmentLoss(weights, alignment.slice([{}, { start: 1 }])).mul(guidedWeight) }
        : {}),
    }
  }

  /** The mean cross-entropy of the batch's target tokens, padding left out, and what looking wrongly costs. */
  loss(batch: Seq2SeqBatch, options: Seq2SeqLossOptions = {}): Tensor {
    const { crossEntropy: words, coverage, guided } = this.terms(batch, options)
    return [coverage, guided].reduce<Tensor>((sum, term) => (term ? sum.add(term) : sum), words)
  }

  /** One word after the other, for decoding: see `greedy`, `beam`, `sample`. */
  stepper(source: Tensor, sourceLengths: Tensor, copy: CopySource | null = null): Stepper<State> {
    return this.#stepper(this.encode(source, sourceLengths, copy))
  }

  #stepper(memory: Memory): Stepper<State> {
    const gates = gatesOf(this, this.config.embedding)
    return {
      start: start(this, memory),
      lengths: memory.lengths,
      step: (ids, before) => {
        const word = this.#words(ids) // [batch, embedding]
        const { state, made } = step(this, gates, this.#wordGates(word, gates), before, memory)
        return { logits: this.#write(word, made, memory), state, weights: made.weights }
      },
      repeat: times =>
        this.#stepper(repeatRows(memory, memory.first.shape[0] as number, times, memory.first)),
    }
  }

  /** Step by step, since each is fed what the one before saw. */
  #unrolled(gates: Gates, words: Tensor, first: State, memory: Memory): Made {
    const all: Made[] = []
    let state = first
    for (const word of unstack(words, 1)) {
      const next = step(this, gates, word, state, memory)
      state = next.state
      all.push(next.made)
    }
    return together(all)
  }

  /** Step by step, some words given, the others the model's own. */
  #freely(memory: Memory, gates: Gates, target: Tensor, share: number, rng: Rng): Seq2SeqOutput {
    const given = uniform(target.shape, { rng, backend: target.backend }).less(share)
    const coins = unstack(given, 1)
    const all: Made[] = []
    const logits: Tensor[] = []
    let state = start(this, memory)
    for (const [t, right] of unstack(target, 1).entries()) {
      const own = logits.at(-1)?.detach().argmax(-1)
      const word = this.#words(own ? right.where(coins[t] as Tensor, own) : right)
      const next = step(this, gates, this.#wordGates(word, gates), state, memory)
      state = next.state
      all.push(next.made)
      logits.push(this.#write(word, next.made, memory))
    }
    const { weights, context } = together(all)
    return { logits: stack(logits, 1), weights, contexts: context }
  }

  /** `[...]` (int32) → `[..., embedding]`; copied words that the vocabulary lacks are read as the unknown one. */
  #words(ids: Tensor): Tensor {
    const { targetVocab, unknown, copy, without } = this.config
    const known = copy ? ids.where(ids.less(targetVocab), unknown) : ids
    const words = this.dropout.forward(this.targetEmbedding.forward(known))
    return without.includes('word') ? words.mul(0) : words
  }

  /** The words' part of the gates, with the input bias: `[..., embedding]` → `[..., gates·hidden]`. */
  #wordGates(words: Tensor, { word }: Gates): Tensor {
    return linear(words, word, this.cell.weights.biasIh)
  }

  /** From what steps made to scores of words, `[..., targetVocab]`. */
  #write(words: Tensor, { hidden, context, attentional, weights }: Made, { copied }: Memory): Tensor {
    const read = attentional ?? concat([hidden, context, words], hidden.shape.length - 1)
    const logits = this.output.forward(this.dropout.forward(read))
    if (!this.gate || !copied || !weights) return logits
    const share = this.gate.forward(context, hidden, words)
    const one = logits.shape.length === 2 // a single step
    const [p, l, w] = one ? [share.unsqueeze(1), logits.unsqueeze(1), weights.unsqueeze(1)] : [share, logits, weights] // biome-ignore format: one line
    const logProbs = pointerMixture(p, l, w, copied.ids, copied.extra).maximum(1e-12).log()
    return one ? logProbs.squeeze(1) : logProbs
  }
}

/** Steps side by side. */
function together(all: readonly Made[]): Made {
  const side = (of: (made: Made) => Tensor | null): Tensor | null => {
    const columns = all.flatMap(made => of(made) ?? [])
    return columns.length ? stack(columns, 1) : null
  }
  return {
    hidden: side(made => made.hidden) as Tensor,
    context: side(made => made.context) as Tensor,
    attentional: side(made => made.attentional),
    weights: side(made => made.weights),
  }
}
