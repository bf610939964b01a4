import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { ConfigError, FormatError, type Tensor, tensor } from '@heed/core-tensor'
import {
  Batches,
  countTokens,
  createTokenizer,
  type DateLine,
  dates,
  type Epoch,
  examples,
  type IdPair,
  type Links,
  pad,
  pairFormat,
  parseAlignments,
  readPairs,
  spaces,
  splitBySource,
  summaries,
  type TextPair,
  type Tokenizer,
  translation,
  Vocabulary,
} from '@heed/datasets'
import type { Seq2SeqBatch } from '@heed/models'
import type { BatchSource } from '@heed/training'
import type { RunConfig, Vocabularies } from '../run.ts'
import { type Copyable, copiedTarget, copyable, copyBatch } from './copy.ts'

/** A pair, and the group that results are told by: the number of dates, or a length. */
export interface Line extends TextPair {
  readonly group: string
  /** Which words belong together, where that is known. */
  readonly links?: Links
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

/** The data of a run: what is generated is made anew, files read again. @throws FormatError, ConfigError for bad files */
export async function loadData(config: DataConfig): Promise<TranslationData> {
  const { data } = config
  if (data.kind === 'file') return fileData(config)
  return data.kind === 'dates' ? dateData(config, data.lines) : alignedData(config, data.kind, data.lines)
}

/** Tasks whose alignment is known by construction. */
const ALIGNED = {
  translation: { make: translation, about: 'toy English and German' },
  summaries: { make: summaries, about: 'articles, and who did what in them' },
} as const

function alignedData({ seed }: DataConfig, kind: keyof typeof ALIGNED, lines: number): TranslationData {
  const { make, about } = ALIGNED[kind]
  const tokenizer = spaces()
  const part = (split: 'train' | 'validation' | 'test', size: number): Line[] =>
    examples(make({ seed, split, size })).map(pair => ({
      ...pair,
      group: lengthGroup(tokenizer.encode(pair.source).length),
    }))
  const { card } = make({ seed, split: 'train', size: lines })
  return {
    train: part('train', lines),
    validation: part('validation', 120),
    test: part('test', testLines(lines)),
    about: `${about} (${card.source}): ${card.task}`,
    groupedBy: 'source length (words)',
    tokenizers: { source: tokenizer, target: tokenizer },
  }
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
export function fileHash(path: string, option?: string): string {
  return createHash('sha256').update(readData(path, option)).digest('hex')
}

/** The bytes of a file the user named. @throws ConfigError if there is no such file, or it is a folder */
export function readData(path: string, option: string = '--data'): Uint8Array {
  try {
    return readFileSync(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') throw new ConfigError(`${path}: there is no such file; check ${option}`)
    if (code === 'EISDIR') throw new ConfigError(`${path}: this is a folder; give a file`)
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
  const { source: tokenizer } = tokenizersOf(config)
  const links = data.alignments && readLinks(data.alignments, pairs, tokenizer)
  const lengths = pairs.map(pair => tokenizer.encode(pair.source).length)
  const fitting = pairs.flatMap((pair, i) =>
    (lengths[i] as number) <= config.maxLength && tokenizer.encode(pair.target).length <= config.maxLength
      ? [
          {
            source: pair.source,
            target: pair.target,
            group: lengthGroup(lengths[i] as number),
            ...(links ? { links: links[i] as Links } : {}),
          },
        ]
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
  const kind = ({ characters: 'graphemes', words: 'words', spaces: 'spaces' } as const)[tokens]
  const tokenizer = createTokenizer({ kind, ...(kind === 'words' ? { lowercase } : {}) })
  return { source: tokenizer, target: tokenizer }
}

/** The links of every pair of a file. @throws FormatError if the file has changed, or links do not fit the pairs */
function readLinks(
  { path, sha256 }: { readonly path: string; readonly sha256: string },
  pairs: readonly TextPair[],
  tokenizer: Tokenizer,
): Links[] {
  const bytes = readData(path, '--alignments')
  if (createHash('sha256').update(bytes).digest('hex') !== sha256)
    throw new FormatError(
      `${path}: the file has changed since this run began; restore it, or start a new run`,
    )
  const found = parseAlignments(bytes, { base: 0, name: path })
  if (found.length !== pairs.length)
    throw new FormatError(
      `${path}: there are links of ${found.length} pairs, the data has ${pairs.length}; give a line for each pair`,
    )
  return found.map(({ possible }, i) => {
    const { source, target } = pairs[i] as TextPair
    const [words, others] = [tokenizer.encode(source).length, tokenizer.encode(target).length]
    const beyond = possible.find(([from, to]) => from >= words || to >= others)
    if (beyond)
      throw new FormatError(
        `${path}: line ${i + 1} links ${beyond.join('-')}, its pair has ${words} and ${others} words; count words from 0, parted by spaces`,
      )
    return possible
  })
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

/** A line as numbers. */
export interface EncodedLine extends IdPair {
  /** What a model that copies is told of the source. */
  readonly copied?: Copyable
  /** Which source token each target token comes from, in the order they are fed. */
  readonly links?: Links
}

/** What lines are encoded for. */
export interface EncodeLinesOptions {
  readonly reverseSource: boolean
  /** Whether the model copies. */
  readonly copy?: boolean | undefined
  /** Whether it learns from known alignments. */
  readonly guided?: boolean | undefined
}

/** Lines as numbers, as a run's models are fed them. */
export function encodeLines(
  lines: readonly (TextPair & Pick<Line, 'links'>)[],
  { tokenizers }: Pick<TranslationData, 'tokenizers'>,
  { source, target }: Vocabularies,
  { reverseSource, copy = false, guided = false }: EncodeLinesOptions,
): EncodedLine[] {
  return lines.map(line => {
    const [words, wanted] = [tokenizers.source.encode(line.source), tokenizers.target.encode(line.target)]
    const ids = source.encode(words, { end: true })
    const copied = copyable(words, target, { end: true })
    const last = words.length // where the token that ends stands
    const place = (i: number): number => (reverseSource ? last - i : i)
    return {
      source: reverseSource ? ids.reverse() : ids,
      target: copy ? copiedTarget(wanted, target, copied) : target.encode(wanted, { begin: true, end: true }),
      ...(copy ? { copied: reverseSource ? { ...copied, ids: copied.ids.reverse() } : copied } : {}),
      ...(guided && line.links ? { links: line.links.map(([i, t]) => [place(i), t + 1] as const) } : {}), // behind the token that begins
    }
  })
}

/** Training batches, bucketed by length; a function of seed, epoch and step alone. */
export function trainingBatches(
  lines: readonly EncodedLine[],
  size: number,
  seed: number,
): BatchSource<Seq2SeqBatch> {
  const batches = new Batches(lines, { size, seed })
  let current: { readonly epoch: number; readonly batches: Epoch } | undefined
  const of = (epoch: number): Epoch => {
    if (current?.epoch !== epoch) current = { epoch, batches: batches.epoch(epoch) }
    return current.batches
  }
  return {
    steps: epoch => of(epoch).length,
    batch(epoch, step) {
      const { indices, source, sourceShape, sourceLengths, target, targetShape } = of(epoch).at(step)
      const rows = Array.from(indices, i => lines[i] as EncodedLine)
      return {
        source: tensor(source, { shape: sourceShape }),
        sourceLengths: tensor(sourceLengths),
        target: tensor(target, { shape: targetShape }),
        ...copiesOf(rows),
        ...(rows.some(({ links }) => links) ? { alignment: alignmentOf(rows, targetShape[1], sourceShape[1]) } : {}), // biome-ignore format: one line
      }
    },
  }
}

/** What the sources of a batch can be copied from, where the model copies. */
export function copiesOf(rows: readonly EncodedLine[]): Pick<Seq2SeqBatch, 'copy'> {
  const copied = rows.flatMap(row => row.copied ?? [])
  return copied.length ? { copy: copyBatch(copied) } : {}
}

/** Each target token’s source tokens in equal parts: `[batch, targetTime, sourceTime]`, rows of 0 where nothing is known. */
function alignmentOf(rows: readonly EncodedLine[], targetTime: number, sourceTime: number): Tensor {
  const shares = new Float32Array(rows.length * targetTime * sourceTime)
  for (const [row, { links = [] }] of rows.entries()) {
    const counts = new Map<number, number>()
    for (const [, t] of links) counts.set(t, (counts.get(t) ?? 0) + 1)
    for (const [i, t] of links) shares[(row * targetTime + t) * sourceTime + i] = 1 / (counts.get(t) ?? 1)
  }
  return tensor(shares, { shape: [rows.length, targetTime, sourceTime] })
}

/** Sources alone, padded, for decoding. */
export function sourceBatch(
  sources: readonly ArrayLike<number>[],
): Pick<Seq2SeqBatch, 'source' | 'sourceLengths'> {
  const { ids, shape, lengths } = pad(sources)
  return { source: tensor(ids, { shape }), sourceLengths: tensor(lengths) }
}
