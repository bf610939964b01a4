import { createHash } from 'node:crypto'
import { basename } from 'node:path'
import { ConfigError, FormatError, tensor } from '@heed/core-tensor'
import {
  Batches,
  countTokens,
  type Epoch,
  examples,
  pad,
  pairFormat,
  readPairs,
  splitBySource,
  tweets,
  Vocabulary,
  words,
} from '@heed/datasets'
import type { ClassifierBatch } from '@heed/models'
import type { BatchSource } from '@heed/training'
import type { SentimentConfig } from '../run.ts'
import { readData } from '../translate/data.ts'

/** A text and what it says. */
export interface Labelled {
  readonly text: string
  readonly label: string
  /** The place of the word that decides, where that is known. */
  readonly cue?: number
}

/** The three parts of a classifier's data. */
export interface LabelledData {
  readonly train: readonly Labelled[]
  readonly validation: readonly Labelled[]
  readonly test: readonly Labelled[]
  /** What the data is, for people. */
  readonly about: string
}

/** What decides on the data of a run. */
export type TextConfig = Pick<SentimentConfig, 'data' | 'seed'>

/** The data of a run: tweets are made anew, files read again. @throws FormatError, ConfigError for bad files */
export async function loadTexts({ data, seed }: TextConfig): Promise<LabelledData> {
  if (data.kind === 'tweets') {
    const part = (split: 'train' | 'validation' | 'test', size: number) =>
      tweets({ seed, split, size, length: data.length })
    const train = part('train', data.lines)
    return {
      train: examples(train),
      validation: examples(part('validation', 200)),
      test: examples(part('test', Math.min(1000, Math.max(60, Math.round(data.lines / 6))))),
      about: `tweets of ${data.length} words, ${train.card.source}: ${train.card.task}`,
    }
  }
  const bytes = readData(data.path)
  if (createHash('sha256').update(bytes).digest('hex') !== data.sha256)
    throw new FormatError(
      `${data.path}: the file has changed since this run began; restore it, or start a new run`,
    )
  const texts = await parseTexts(bytes, data.path, data)
  const parts = splitBySource(
    texts.map(({ text, label }) => ({ source: text, target: label })),
    {
      seed,
      validation: Math.min(300, Math.ceil(texts.length / 10)),
      test: Math.min(2000, Math.ceil(texts.length / 10)),
    },
  )
  const back = (pairs: typeof parts.train): Labelled[] =>
    pairs.map(({ source, target }) => ({ text: source, label: target }))
  const limit = data.limit ?? parts.train.length
  const train = back(parts.train)
  return {
    train:
      limit < train.length
        ? Array.from({ length: limit }, (_, i) => train[Math.floor((i * train.length) / limit)] as Labelled)
        : train,
    validation: back(parts.validation),
    test: back(parts.test),
    about: `${texts.length.toLocaleString('en')} texts of ${data.path}`,
  }
}

interface FileShape {
  readonly columns?: readonly [string | number, string | number] | undefined
  readonly header?: boolean | undefined
}

/** Texts and labels of a file; a first row `text,label` is known for a header. @throws FormatError, ConfigError for bad files */
export async function parseTexts(
  bytes: Uint8Array,
  path: string,
  { columns, header }: FileShape,
): Promise<Labelled[]> {
  const format = pairFormat(basename(path))
  const pairs = await readPairs(bytes, {
    ...format,
    columns: columns ?? (format.format === 'jsonl' ? ['text', 'label'] : [1, 2]),
    ...(header === undefined ? {} : { header }),
    name: path,
  })
  const titles = /^(text|sentence|tweet|review)\n(label|sentiment|class)$/i
  const [first] = pairs
  const titled = !columns && header === undefined && first && titles.test(`${first.source}\n${first.target}`)
  return (titled ? pairs.slice(1) : pairs).map(({ source, target }) => ({ text: source, label: target }))
}

const MOST_LABELS = 100

/** The labels of the training part, in the order of their numbers. @throws ConfigError if that is one, or too many to be labels */
export function labelsOf({ train }: LabelledData): string[] {
  const labels = [...new Set(train.map(({ label }) => label))].sort((a, b) =>
    a.localeCompare(b, 'en', { numeric: true }),
  )
  if (labels.length < 2)
    throw new ConfigError(
      `labels: all ${train.length} texts are labelled ${JSON.stringify(labels[0])}; give texts of two kinds or more`,
    )
  if (labels.length > MOST_LABELS)
    throw new ConfigError(
      `labels: there are ${labels.length} different ones; that looks like text, check --columns (text,label)`,
    )
  return labels
}

/** Words of a text, as many as are read; one at least. */
export function wordsOf(
  text: string,
  { lowercase, maxLength }: Pick<SentimentConfig, 'lowercase' | 'maxLength'>,
): string[] {
  return words({ lowercase }).encode(text).slice(0, maxLength)
}

/** The vocabulary of the training part. @throws ConfigError if it has fewer than two words */
export function buildVocabulary(
  { train }: LabelledData,
  config: Pick<SentimentConfig, 'lowercase' | 'maxLength' | 'maxVocabulary'>,
): Vocabulary {
  return Vocabulary.fromCounts(countTokens(train.map(({ text }) => wordsOf(text, config))), {
    maxSize: config.maxVocabulary,
    minCount: train.length > 5000 ? 2 : 1,
  })
}

/** Texts as a padded batch; for the read-out `concat` all are of the one length it takes. */
export function textBatch(
  ids: readonly ArrayLike<number>[],
  labels: ArrayLike<number>,
  { readout, time }: Pick<SentimentConfig, 'readout' | 'time'>,
): ClassifierBatch {
  const rows = readout === 'concat' ? ids.map(row => Array.from(row).slice(0, time)) : ids
  const { ids: flat, shape, lengths } = pad(readout === 'concat' ? [...rows, new Int32Array(time)] : rows)
  const [, width] = shape
  return {
    ids: tensor(flat.subarray(0, ids.length * width), { shape: [ids.length, width] }),
    lengths: tensor(lengths.subarray(0, ids.length)),
    labels: tensor(Int32Array.from(labels)),
  }
}

/** Training batches, bucketed by length; a function of seed, epoch and step alone. */
export function textBatches(
  texts: readonly Labelled[],
  vocabulary: Vocabulary,
  config: SentimentConfig,
): BatchSource<ClassifierBatch> {
  const pairs = texts.map(({ text, label }) => ({
    source: vocabulary.encode(wordsOf(text, config)),
    target: [config.labels.indexOf(label)],
  }))
  const batches = new Batches(pairs, { size: config.batchSize, seed: config.seed })
  let current: { readonly epoch: number; readonly batches: Epoch } | undefined
  const of = (epoch: number): Epoch => {
    if (current?.epoch !== epoch) current = { epoch, batches: batches.epoch(epoch) }
    return current.batches
  }
  return {
    steps: epoch => of(epoch).length,
    batch(epoch, step) {
      const chosen = Array.from(of(epoch).at(step).indices, i => pairs[i] as (typeof pairs)[number])
      return textBatch(
        chosen.map(pair => pair.source),
        chosen.map(pair => pair.target[0] as number),
        config,
      )
    },
  }
}
