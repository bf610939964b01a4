import { noGrad, Rng, scope, type Tensor, tensor } from '@heed/core-tensor'
import {
  Batches,
  countTokens,
  examples,
  type IdPair,
  PAD,
  type TweetsOptions,
  tweets,
  Vocabulary,
  type WordVectors,
} from '@heed/datasets'
import { Seq2Seq, type Seq2SeqBatch, type Seq2SeqConfig, seq2seqConfig } from '@heed/models'
import { Adam, type BatchSource, type Trainable, Trainer, warmupCosine } from '@heed/training'
import { Interrupted } from '../failure.ts'
import type { SentimentConfig } from '../run.ts'
import { classify, type Judge, type SentimentScore, scoreTexts } from '../sentiment/classify.ts'
import { buildVocabulary, textBatches } from '../sentiment/data.ts'
import { buildClassifier, type Pretrained } from '../sentiment/train.ts'
import { tableOf } from '../sentiment/vectors.ts'

/** How {@link train} goes about it. */
export interface TrainOptions<Batch> {
  readonly learningRate: number
  readonly seed: number
  readonly signal: AbortSignal
  /** What is made small; `model.loss(batch)` unless given. */
  readonly loss?: (batch: Batch) => Tensor
  /** After each step, of which there were so many; a reason given ends training. */
  readonly onStep?: (step: number) => Promise<{ readonly stop: string } | undefined>
}

/** One pass over some batches: the budget every arm of an experiment shares. @throws Interrupted if the signal says so */
export async function train<Batch>(
  model: Trainable<Batch>,
  batches: BatchSource<Batch>,
  { learningRate, seed, signal, loss, onStep }: TrainOptions<Batch>,
): Promise<void> {
  const total = batches.steps(0)
  const trainer = new Trainer(model, {
    optimizer: new Adam(model.namedParameters()),
    clipNorm: 1,
    schedule: warmupCosine(learningRate, { warmup: Math.ceil(total / 10), total }),
    seed,
    ...(loss ? { loss } : {}),
    ...(onStep ? { callbacks: [{ name: 'looking', onStep: ({ total: step }) => onStep(step) }] } : {}),
  })
  if (!(await trainer.fit(batches, { epochs: 1, signal }))) throw new Interrupted('stopped')
}

/** What a classifier of tweets is trained by. */
export interface TweetLesson {
  readonly readout: SentimentConfig['readout']
  readonly cell: SentimentConfig['cell']
  readonly bidirectional?: boolean
  readonly hidden: number
  /** Tweets learned from, 32 a step. */
  readonly lines: number
  readonly tests: number
  readonly length?: number
  readonly gap?: number
  /** Word vectors to begin with, of the sizes below; learned from nothing unless given. */
  readonly vectors?: { readonly of: WordVectors; readonly use: Pretrained['use'] } | undefined
  readonly seed: number
  readonly signal: AbortSignal
}

/** Trains a classifier on tweets with an early cue, and tests it on others. */
export async function learnTweets(lesson: TweetLesson): Promise<{ judge: Judge; score: SentimentScore }> {
  const { seed, lines, tests, length, gap, signal } = lesson
  const shape: Pick<TweetsOptions, 'length' | 'gap'> = gap === undefined ? { length: length ?? 44 } : { gap }
  const part = (split: 'train' | 'test', size: number) => examples(tweets({ seed, split, size, ...shape }))
  const data = { train: part('train', lines), validation: [], test: part('test', tests), about: '' }
  const time = gap === undefined ? (length ?? 44) : gap + 2
  const config: SentimentConfig = {
    schema: 'heed-run/1',
    task: 'sentiment',
    data: { kind: 'tweets', lines, length: time },
    lowercase: false,
    maxVocabulary: 20_000,
    maxLength: 1000,
    time,
    labels: ['negative', 'positive'],
    cell: lesson.cell,
    readout: lesson.readout,
    bidirectional: lesson.bidirectional ?? false,
    layers: 1,
    embedding: lesson.vectors?.of.size ?? 32,
    hidden: lesson.hidden,
    dropout: 0,
    epochs: 1,
    batchSize: 32,
    learningRate: 0.005,
    clipNorm: 1,
    seed,
    compare: false,
  }
  const vocabulary = buildVocabulary(data, config)
  const { vectors } = lesson
  const pretrained = vectors && { table: tableOf(vocabulary, vectors.of, seed), use: vectors.use }
  const model = buildClassifier(config, config.readout, vocabulary, pretrained)
  await train(model, textBatches(data.train, vocabulary, config), { ...config, signal })
  const judge = { model, vocabulary, config }
  const judged = await classify(judge, data.test.map(({ text }) => text)) // biome-ignore format: one line
  return { judge, score: scoreTexts(data.test, judged, config.labels) }
}

/** Two sequences of symbols. */
export interface SymbolPair {
  readonly source: string
  readonly target: string
}

/** What a model from symbols to symbols is trained by. */
export interface PairLesson {
  readonly model: Partial<Seq2SeqConfig>
  readonly train: readonly SymbolPair[]
  readonly test: readonly SymbolPair[]
  readonly seed: number
  readonly signal: AbortSignal
  readonly learningRate?: number
}

/** Of each test line: the share of its tokens that are right with the right ones before them given, and whether all are. */
export interface PairScore {
  readonly length: number
  readonly tokens: number
  readonly exact: number
}

const BATCH = 32

/** Trains a model on pairs of symbol sequences, and tests it by teacher forcing. */
export async function learnPairs({
  model: given,
  train: lines,
  test,
  seed,
  signal,
  learningRate = 0.005,
}: PairLesson): Promise<PairScore[]> {
  // biome-ignore format: one line
  const cut = (text: string): string[] => [...text]
  const vocabulary = Vocabulary.fromCounts(countTokens(lines.map(line => cut(line.source))))
  const encode = (pairs: readonly SymbolPair[]): IdPair[] =>
    pairs.map(({ source, target }) => ({
      source: vocabulary.encode(cut(source), { end: true }),
      target: vocabulary.encode(cut(target), { begin: true, end: true }),
    }))
  const batches = new Batches(encode(lines), { size: BATCH, seed }).epoch(0)
  const config = seq2seqConfig({ sourceVocab: vocabulary.size, targetVocab: vocabulary.size, embedding: 32, padding: PAD, ...given }) // biome-ignore format: one line
  const model = new Seq2Seq(config, { rng: new Rng(seed).split('weights') })
  const tensors = (b: ReturnType<typeof batches.at>): Seq2SeqBatch => ({
    source: tensor(b.source, { shape: b.sourceShape }),
    sourceLengths: tensor(b.sourceLengths),
    target: tensor(b.target, { shape: b.targetShape }),
  })
  await train(model, { steps: () => batches.length, batch: (_, step) => tensors(batches.at(step)) }, { learningRate, seed, signal }) // biome-ignore format: one line
  model.eval()
  const pairs = encode(test)
  const scores: PairScore[] = []
  for (const batch of new Batches(pairs, { size: 128, seed: 0 }).epoch(0)) {
    const said = await noGrad(() =>
      scope(async () => {
        const { source, sourceLengths, target } = tensors(batch)
        return (await model.forward(source, sourceLengths, target).logits.argmax(-1).data()) as Int32Array
      }),
    )
    const width = said.length / batch.indices.length
    for (const [row, index] of batch.indices.entries()) {
      const wanted = Array.from((pairs[index] as IdPair).target).slice(1) // begin is given
      const right = wanted.slice(0, -1).filter((id, t) => said[row * width + t] === id).length
      const length = wanted.length - 1
      scores.push({ length, tokens: right / length, exact: Number(right === length) })
    }
  }
  return scores
}
