import { tensor } from '@heed/core-tensor'
import { Batches, concatenated, type Dataset, type Epoch, examples, type IdPair, learnBpe, multi30k, type Shelf, type TextPair, type Tokenizer, type Vocabulary, words } from '@heed/datasets' // biome-ignore format: one line
import type { Seq2SeqBatch } from '@heed/models'
import type { BatchSource } from '@heed/training'

/** How texts become numbers. */
export interface Side {
  readonly tokenizer: Tokenizer
  readonly vocabulary: Vocabulary
}

/** Two languages as numbers. */
export interface Sides {
  readonly source: Side
  readonly target: Side
}

/** Pairs to learn from and to test on. */
export interface Corpus {
  readonly train: Dataset<TextPair>
  readonly validation: Dataset<TextPair>
  readonly test: Dataset<TextPair>
  /** One to four pairs of the test set behind each other. */
  readonly long: Dataset<TextPair>
}

/** Multi30k, task 1, German to English, as its authors split it. */
export async function captions(from: Shelf, seed: number, longSize = 400): Promise<Corpus> {
  const part = (split: 'train' | 'validation' | 'test') =>
    multi30k(from, { split, source: 'de', target: 'en' })
  const [train, validation, test] = await Promise.all([part('train'), part('validation'), part('test')])
  return { train, validation, test, long: concatenated(test, { seed, size: longSize, maxPairs: 4 }) }
}

/** The same pairs to learn from, one to four behind each other: as many pairs an epoch, of other lengths. */
export function longer(corpus: Corpus, seed: number): Corpus {
  const texts = (part: Dataset<TextPair>) =>
    concatenated(part, { seed, size: Math.ceil(part.length / 2.5), maxPairs: 4 })
  return { ...corpus, train: texts(corpus.train), validation: texts(corpus.validation) }
}

/** Byte pairs of each language by itself, in lower case, learned from the training part. */
export function learnSides(train: Dataset<TextPair>, size: number): Sides {
  const pairs = examples(train)
  const side = (texts: readonly string[]): Side => {
    const tokenizer = learnBpe(texts, { size, lowercase: true })
    return { tokenizer, vocabulary: tokenizer.vocabulary() }
  }
  return { source: side(pairs.map(pair => pair.source)), target: side(pairs.map(pair => pair.target)) }
}

/** A pair as numbers, both sides ended, the target begun. */
export function encodePair({ source, target }: TextPair, sides: Sides): IdPair {
  return {
    source: sides.source.vocabulary.encode(sides.source.tokenizer.encode(source), { end: true }),
    target: sides.target.vocabulary.encode(sides.target.tokenizer.encode(target), { begin: true, end: true }),
  }
}

/** Training batches of similar length, a function of seed, epoch and step alone. */
export function pairBatches(pairs: readonly IdPair[], size: number, seed: number): BatchSource<Seq2SeqBatch> {
  const batches = new Batches(pairs, { size, seed })
  let current: { readonly epoch: number; readonly batches: Epoch } | undefined
  const of = (epoch: number): Epoch => {
    if (current?.epoch !== epoch) current = { epoch, batches: batches.epoch(epoch) }
    return current.batches
  }
  return {
    steps: epoch => of(epoch).length,
    batch: (epoch, step) => batchOf(of(epoch).at(step)),
  }
}

/** A batch of numbers as tensors. */
export function batchOf(batch: ReturnType<Epoch['at']>): Seq2SeqBatch {
  return {
    source: tensor(batch.source, { shape: batch.sourceShape }),
    sourceLengths: tensor(batch.sourceLengths),
    target: tensor(batch.target, { shape: batch.targetShape }),
  }
}

const wordsOf = /* @__PURE__ */ words({ lowercase: true })

/** Words and punctuation marks of a text: the unit of lengths and of word perplexity, whatever a model's tokens are. */
export const countWords = (text: string): number => wordsOf.encode(text).length
