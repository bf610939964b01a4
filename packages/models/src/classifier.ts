import { ConfigError, concat, defaultRng, ShapeError, type Tensor, unstack, withRng } from '@heed/core-tensor'
import {
  binaryCrossEntropy,
  crossEntropy,
  Dropout,
  Embedding,
  type LayerOptions,
  Linear,
  Module,
} from '@heed/layers'
import {
  AttentionReadout,
  ConcatReadout,
  LastReadout,
  MaxReadout,
  MeanReadout,
  type Read,
  type Readout,
  type ReadoutKind,
} from './readouts.ts'
import { recurrentLayer } from './seq2seq/recurrence.ts'

/** Everything that makes the model what it is: plain JSON. */
export interface ClassifierConfig {
  readonly vocab: number
  /** What is asked: yes or no; one of several classes; any of several labels. */
  readonly task: 'binary' | 'multi-class' | 'multi-label'
  /** Classes or labels; 1 for a binary task. */
  readonly classes: number
  /** How the states become one vector. */
  readonly readout: ReadoutKind
  readonly cell: 'rnn' | 'gru' | 'lstm'
  /** Size of a word's vector. 64 learns in a minute from nothing; 100 to 300 are common for pretrained ones. */
  readonly embedding: number
  /** Whether word vectors are learned from nothing, given and left as they are, or given and learned further. */
  readonly embeddings: 'learned' | 'frozen' | 'fine-tuned'
  /** Hidden units of each direction. */
  readonly hidden: number
  /** Recurrences on top of each other. */
  readonly layers: number
  readonly bidirectional: boolean
  /** Width of the network that scores states, for attention; 0 for a linear score. */
  readonly attentionSize: number
  /** The one length that `concat` takes. 44: the tweet. */
  readonly time: number
  readonly dropout: number
  /** The token that fills short rows. */
  readonly padding: number
}

/** The configuration around the words that must be given. */
export function classifierConfig(
  given: Pick<ClassifierConfig, 'vocab'> & Partial<ClassifierConfig>,
): ClassifierConfig {
  const { hidden = 64, bidirectional = false } = given
  return {
    task: 'binary',
    classes: 1,
    readout: 'attention',
    cell: 'gru',
    embedding: 64,
    embeddings: 'learned',
    hidden,
    layers: 1,
    bidirectional,
    attentionSize: bidirectional ? 2 * hidden : hidden,
    time: 44,
    dropout: 0,
    padding: 0,
    ...given,
  }
}

/** One batch of padded texts. */
export interface ClassifierBatch {
  /** `[batch, time]`, int32 */
  readonly ids: Tensor
  /** `[batch]`, int32 */
  readonly lengths: Tensor
  /** `[batch]`, int32: 0 or 1, or the class; `[batch, classes]`, 0 or 1 each, for several labels */
  readonly labels: Tensor
}

export interface ClassifierOutput extends Read {
  /** `[batch, classes]`; of a binary task `[batch]` */
  readonly logits: Tensor
}

export interface ClassifierOptions extends LayerOptions {
  /** Word vectors to begin with, `[vocab, embedding]`; needed unless embeddings are learned from nothing. */
  readonly vectors?: Tensor | undefined
}

export interface ClassifierLossOptions {
  readonly labelSmoothing?: number
}

/**
 * Reads a text with a recurrence, makes one vector of its states, and tells what it says: the many-to-one classifier.
 *
 * Word vectors, a recurrence (Elman 1990, Hochreiter and Schmidhuber 1997, Cho et al. 2014; stacked, in one or two
 * directions), a {@link Readout}, a linear head. With `readout: 'attention'`: Yang et al. 2016, §2.2, NAACL.
 */
export class SequenceClassifier extends Module {
  readonly config: ClassifierConfig
  readonly embedding: Embedding
  readonly recurrence: ReturnType<typeof recurrentLayer>
  readonly readout: Readout
  readonly head: Linear
  readonly dropout: Dropout

  /** @throws ConfigError naming everything that makes no sense, ShapeError if given vectors do not fit */
  constructor(config: ClassifierConfig, { vectors, ...options }: ClassifierOptions = {}) {
    super()
    check(config, vectors)
    const { vocab, embedding, hidden, layers, bidirectional, dropout, padding, classes } = config
    this.config = config
    this.embedding = new Embedding(vocab, embedding, { paddingIndex: padding, ...options })
    if (vectors) this.embedding.weight.assign(vectors.to(this.embedding.weight.backend))
    if (config.embeddings === 'frozen') this.embedding.weight.requiresGrad = false
    const { rng = defaultRng(), backend } = options
    // Dropout between layers draws from each step's own stream, not from `rng`: training can stop and go on.
    this.recurrence = withRng(
      rng,
      () =>
      recurrentLayer(config.cell, embedding, hidden, { numLayers: layers, bidirectional, dropout: layers > 1 ? dropout : 0, ...(backend ? { backend } : {}) }), // biome-ignore format: one line
    )
    this.readout = readoutOf(config, options)
    this.head = new Linear(this.readout.size, classes, options)
    this.dropout = new Dropout(dropout)
  }

  /** `[batch, time]` with lengths `[batch]`, both int32 → logits, the vector they were made of, and how much each state counts. */
  forward(ids: Tensor, lengths: Tensor): ClassifierOutput {
    return this.read(this.embedding.forward(ids), lengths)
  }

  /** The same from vectors of words, `[batch, time, embedding]`: an encoder's features, or to see what each word changes. */
  read(vectors: Tensor, lengths: Tensor): ClassifierOutput {
    const { outputs, state } = this.recurrence.forward(this.dropout.forward(vectors), { lengths }) // [batch, time, directions·hidden]
    const directions = this.config.bidirectional ? 2 : 1
    const last = concat(unstack(state.hidden).slice(-directions), 1) // of the uppermost layer
    const read = this.readout.forward({ states: outputs, last, lengths })
    const logits = this.head.forward(this.dropout.forward(read.context)) // [batch, classes]
    return { logits: this.config.task === 'binary' ? logits.squeeze(1) : logits, ...read }
  }

  /** Minus the mean log probability of the right labels. */
  loss(
    { ids, lengths, labels }: ClassifierBatch,
    { labelSmoothing = 0 }: ClassifierLossOptions = {},
  ): Tensor {
    const { logits } = this.forward(ids, lengths)
    if (this.config.task === 'multi-class') return crossEntropy(logits, labels, { labelSmoothing })
    const wanted = labels.cast(logits.dtype)
    const smooth = labelSmoothing ? wanted.mul(1 - labelSmoothing).add(labelSmoothing / 2) : wanted
    return binaryCrossEntropy(logits, smooth)
  }

  /** From logits to probabilities of the same shape: of yes, of each class, or of each label by itself. */
  probabilities(logits: Tensor): Tensor {
    if (this.config.task !== 'multi-class') return logits.sigmoid()
    const e = logits.sub(logits.max(-1, { keepDims: true })).exp()
    return e.div(e.sum(-1, { keepDims: true }))
  }

  /** From logits to labels, int32: 0 or 1, `[batch]` or `[batch, classes]`, or the class, `[batch]`. */
  decide(logits: Tensor): Tensor {
    return this.config.task === 'multi-class' ? logits.argmax(-1) : logits.greater(0).cast('int32')
  }
}

function readoutOf(
  { readout, hidden, bidirectional, attentionSize, time }: ClassifierConfig,
  options: LayerOptions,
): Readout {
  const size = bidirectional ? 2 * hidden : hidden
  switch (readout) {
    case 'last':
      return new LastReadout(size)
    case 'concat':
      return new ConcatReadout(size, time)
    case 'mean':
      return new MeanReadout(size)
    case 'max':
      return new MaxReadout(size)
    case 'attention':
      return new AttentionReadout(size, attentionSize, options)
  }
}

function check(config: ClassifierConfig, vectors: Tensor | undefined): void {
  const { vocab, embedding, embeddings, task, classes } = config
  const problems: string[] = (['vocab', 'classes', 'embedding', 'hidden', 'layers', 'time'] as const)
    .filter(name => !Number.isInteger(config[name]) || config[name] < 1)
    .map(name => `${name} is ${config[name]}, use a whole number of 1 or more`)
  const oneOf = <N extends keyof ClassifierConfig>(name: N, words: readonly ClassifierConfig[N][]): void => {
    if (!words.includes(config[name])) problems.push(`${name} is ${config[name]}, use ${words.join(', ')}`)
  }
  oneOf('task', ['binary', 'multi-class', 'multi-label'])
  oneOf('readout', ['last', 'concat', 'mean', 'max', 'attention'])
  oneOf('cell', ['rnn', 'gru', 'lstm'])
  oneOf('embeddings', ['learned', 'frozen', 'fine-tuned'])
  if (task === 'binary' && classes !== 1)
    problems.push(`a binary task has 1 output, classes is ${classes}; leave it out, or use multi-class`)
  if (task === 'multi-class' && classes < 2)
    problems.push(`multi-class needs 2 classes or more, classes is ${classes}; use binary`)
  if (embeddings !== 'learned' && !vectors)
    problems.push(`embeddings are ${embeddings}, but no vectors are given; pass { vectors }`)
  if (problems.length) throw new ConfigError(`SequenceClassifier: ${problems.join('; ')}`)
  if (vectors && vectors.shape.join() !== `${vocab},${embedding}`)
    throw new ShapeError(
      `SequenceClassifier: vectors are [${vectors.shape.join(', ')}], the words need [${vocab}, ${embedding}]; give a row for each word`,
    )
}
