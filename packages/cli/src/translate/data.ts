import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { ConfigError, FormatError, tensor } from '@heed/core-tensor'
import {
  Batches,
  countTokens,
  createTokenizer,
  type DateLine,
  dates,
  type Epoch,
  examples,
  type IdPair,
  pad,
  pairFormat,
  readPairs,
  splitBySource,
  type TextPair,
  type Tokenizer,
  Vocabulary,
} from '@heed/datasets'
import type { Seq2SeqBatch } from '@heed/models'
import type { BatchSource } from '@heed/training'
import type { RunConfig, Vocabularies } from '../run.ts'

/** A pair, and the group that results are told by: the number of dates, or a length. */
export interface Line extends TextPair {
  readonly group: string
}

/** The three parts of a run's data, and how text becomes tokens. */
export interface TranslationData {
  readonly train: readonly Line[]
  readonly validation: readonly Line[]
  readonly test: readonly Line[]
  /** What the data is, for people. */
  readonly about: string
  /** What the groups of lines count. */
  readonly groupedBy: string
  readonly tokenizers: { readonly source: Tokenizer; readonly target: Tokenizer }
}

/** Lines of dates to test with: enough for a figure, and fewer for a quick look. */
function testLines(lines: number): number {
  return Math.min(1500, Math.max(60, Math.round(lines / 20)))
}

/** What decides on the data of a run. */
type DataConfig = Pick<RunConfig, 'data' | 'seed' | 'tokens' | 'lowercase' | 'maxLength'>

/** The data of a run: dates are made anew, files read again. @throws FormatError, ConfigError for bad files */
export async function loadData(config: DataConfig): Promise<TranslationData> {
  return config.data.kind === 'dates' ? dateData(config, config.data.lines) : fileData(config)
}

function dateData({ seed }: DataConfig, lines: number): TranslationData {
  const part = (split: 'train' | 'validation' | 'test', size: number): Line[] =>
    examples(dates({ seed, split, size })).map((line: DateLine) => ({
      source: line.source,
      target: line.target,
      group: String(line.dates),
    }))
  const tokenizer = createTokenizer({ kind: 'graphemes' })
  const { card } = dates({ seed, split: 'train', size: lines })
  return {
    train: part('train', lines),
    validation: part('validation', 120),
    test: part('test', testLines(lines)),
    about: `dates of 1950 to 2049 as people write them in ${card.sizes.locales} languages and regions (${card.source})`,
    groupedBy: 'number of dates',
    tokenizers: { source: tokenizer, target: tokenizer },
  }
}

/** The SHA-256 of a file of pairs. @throws ConfigError if there is no such file */
export function fileHash(path: string): string {
  return createHash('sha256').update(readData(path)).digest('hex')
}

/** The bytes of a file the user named. @throws ConfigError if there is no such file, or it is a folder */
export function readData(path: string): Uint8Array {
  try {
    return readFileSync(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') throw new ConfigError(`${path}: there is no such file; check --data`)
    if (code === 'EISDIR') throw new ConfigError(`${path}: this is a folder; give a file of pairs`)
    throw error
  }
}

async function fileData(config: DataConfig): Promise<TranslationData> {
  const { data, seed } = config
  if (data.kind !== 'file') throw new Error('internal: not a file')
  const bytes = readData(data.path)
  if (createHash('sha256').update(bytes).digest('hex') !== data.sha256)
    throw new FormatError(
      `${data.path}: the file has changed since this run began; restore it, or start a new run`,
    )
  const pairs = await readPairs(bytes, {
    ...pairFormat(basename(data.path)),
    ...(data.columns ? { columns: data.columns } : {}),
    ...(data.header === undefined ? {} : { header: data.header }),
    name: data.path,
  })
  const tokenizer = createTokenizer(
    config.tokens === 'words' ? { kind: 'words', lowercase: config.lowercase } : { kind: 'graphemes' },
  )
  const lengths = pairs.map(pair => tokenizer.encode(pair.source).length)
  const fitting = pairs.flatMap((pair, i) =>
    (lengths[i] as number) <= config.maxLength && tokenizer.encode(pair.target).length <= config.maxLength
      ? [{ source: pair.source, target: pair.target, group: lengthGroup(lengths[i] as number) }]
      : [],
  )
  if (!fitting.length)
    throw new ConfigError(
      `${data.path}: none of ${pairs.length} pairs has at most ${config.maxLength} tokens a side; raise --max-length`,
    )
  const limit = data.limit ?? fitting.length
  const parts = splitBySource(fitting, {
    seed,
    validation: Math.min(1000, Math.ceil(fitting.length / 20)),
    test: Math.min(1000, Math.ceil(fitting.length / 20)),
  })
  return {
    ...parts,
    train: limit < parts.train.length ? pickEvenly(parts.train, limit) : parts.train,
    about: `${pairs.length.toLocaleString('en')} pairs of ${data.path}${fitting.length < pairs.length ? `, ${(pairs.length - fitting.length).toLocaleString('en')} of them too long` : ''}`,
    groupedBy: `source length (${config.tokens})`,
    tokenizers: { source: tokenizer, target: tokenizer },
  }
}

/** What a run cuts its texts into. */
export function tokenizersOf({
  tokens,
  lowercase,
}: Pick<RunConfig, 'tokens' | 'lowercase'>): TranslationData['tokenizers'] {
  const tokenizer = createTokenizer(tokens === 'words' ? { kind: 'words', lowercase } : { kind: 'graphemes' })
  return { source: tokenizer, target: tokenizer }
}

/** All pairs of a file, to be tested on. @throws FormatError, ConfigError for bad files */
export async function parsePairs(
  bytes: Uint8Array,
  path: string,
  {
    columns,
    header,
  }: {
    readonly columns?: [string | number, string | number] | undefined
    readonly header?: boolean | undefined
  },
): Promise<Line[]> {
  const pairs = await readPairs(bytes, {
    ...pairFormat(basename(path)),
    ...(columns ? { columns } : {}),
    ...(header === undefined ? {} : { header }),
    name: path,
  })
  return pairs.map(({ source, target }) => ({ source, target, group: 'all' }))
}

/** `limit` of the lines, from all over the file. */
function pickEvenly(lines: readonly Line[], limit: number): Line[] {
  return Array.from({ length: limit }, (_, i) => lines[Math.floor((i * lines.length) / limit)] as Line)
}

function lengthGroup(length: number): string {
  const top = [5, 10, 15, 20, 30, 50].find(bound => length <= bound)
  return top ? `up to ${top}` : 'over 50'
}

/** The vocabularies of the training part. @throws ConfigError if a side has fewer than two tokens */
export function buildVocabularies(
  { train, tokenizers }: TranslationData,
  { maxVocabulary }: Pick<RunConfig, 'maxVocabulary'>,
): Vocabularies {
  const side = (name: 'source' | 'target'): Vocabulary =>
    Vocabulary.fromCounts(countTokens(train.map(line => tokenizers[name].encode(line[name]))), {
      maxSize: maxVocabulary,
      minCount: train.length > 5000 ? 2 : 1,
    })
  return { source: side('source'), target: side('target') }
}

/** Tokens of the longest target to learn from, the one that ends included. */
export function longestTarget({ train, tokenizers }: TranslationData): number {
  return train.reduce((most, line) => Math.max(most, tokenizers.target.encode(line.target).length), 0) + 1
}

/** Lines as numbers. */
export function encodeLines(
  lines: readonly TextPair[],
  { tokenizers }: TranslationData,
  { source, target }: Vocabularies,
  reverseSource: boolean,
): IdPair[] {
  return lines.map(line => {
    const ids = source.encode(tokenizers.source.encode(line.source), { end: true })
    return {
      source: reverseSource ? ids.reverse() : ids,
      target: target.encode(tokenizers.target.encode(line.target), { begin: true, end: true }),
    }
  })
}

/** Training batches, bucketed by length; a function of seed, epoch and step alone. */
export function trainingBatches(
  pairs: readonly IdPair[],
  size: number,
  seed: number,
): BatchSource<Seq2SeqBatch> {
  const batches = new Batches(pairs, { size, seed })
  let current: { readonly epoch: number; readonly batches: Epoch } | undefined
  const of = (epoch: number): Epoch => {
    if (current?.epoch !== epoch) current = { epoch, batches: batches.epoch(epoch) }
    return current.batches
  }
  return {
    steps: epoch => of(epoch).length,
    batch(epoch, step) {
      const { source, sourceShape, sourceLengths, target, targetShape } = of(epoch).at(step)
      return {
        source: tensor(source, { shape: sourceShape }),
        sourceLengths: tensor(sourceLengths),
        target: tensor(target, { shape: targetShape }),
      }
    },
  }
}

/** Sources alone, padded, for decoding. */
export function sourceBatch(
  sources: readonly ArrayLike<number>[],
): Pick<Seq2SeqBatch, 'source' | 'sourceLengths'> {
  const { ids, shape, lengths } = pad(sources)
  return { source: tensor(ids, { shape }), sourceLengths: tensor(lengths) }
}
