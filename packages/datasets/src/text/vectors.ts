import { ConfigError, FormatError, Rng } from '@heed/core-tensor'
import { decodeUtf8 } from '../files/decode.ts'
import { listed } from '../files/rows.ts'
import { SPECIALS, type Vocabulary } from './vocabulary.ts'

/** Vectors for words. */
export interface WordVectors {
  readonly words: readonly string[]
  /** Numbers of each vector. */
  readonly size: number
  /** `[words, size]`, row by row */
  readonly vectors: Float32Array
}

/** How a file of word vectors is read. */
export interface ReadVectorsOptions {
  /** Only these words, and memory for these alone: a file of 400,000 words is read, some thousands are kept. */
  readonly only?: (word: string) => boolean
  /** The name of the file in messages. */
  readonly name?: string
}

/**
 * Word vectors as text, one word with its numbers a line: GloVe's format, or word2vec's and fastText's, which begins with
 * a line of the two sizes. Spaces or tabs between; a word can hold spaces itself (some of GloVe's do). Of a word that
 * comes twice the first one counts, as elsewhere.
 *
 * @example
 * const vectors = readVectors(bytes, { only: word => vocabulary.id(word) !== UNKNOWN })
 * const { table } = vectorTable(vocabulary, vectors, { seed: 1 }) // [vocab, size], to initialise an embedding
 *
 * @param content the file's bytes, also of more than a text can hold
 * @throws FormatError if it is not UTF-8, or a line has not as many numbers as the first: which lines
 */
export function readVectors(
  content: Uint8Array | string,
  { only = () => true, name = 'vectors' }: ReadVectorsOptions = {},
): WordVectors {
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content
  const words: string[] = []
  const known = new Set<string>()
  const rows: Float32Array[] = []
  const wrong: string[] = []
  let size = 0
  let line = 0
  for (const text of linesOf(bytes, name)) {
    line++
    const cells = text.trim().split(/[ \t]+/)
    if (line === 1 && cells.length === 2 && cells.every(cell => /^\d+$/.test(cell))) continue // word2vec's sizes
    if (!text.trim()) continue
    size ||= cells.length - 1
    const at = cells.length - size
    const word = cells.slice(0, at).join(' ')
    if (at < 1) wrong.push(`line ${line} has ${cells.length - 1}`)
    else if (!known.has(word) && only(word)) {
      const row = Float32Array.from(cells.slice(at), Number)
      if (row.every(Number.isFinite)) {
        known.add(word)
        words.push(word)
        rows.push(row)
      } else wrong.push(`line ${line} (${JSON.stringify(word)}) holds what is no number`)
    }
    if (wrong.length > 100) break
  }
  if (!size) throw new FormatError(`${name}: there are no vectors in it; give a word and its numbers a line`)
  if (wrong.length)
    throw new FormatError(
      `${name}: ${size} numbers a word are expected, ${listed(wrong)}; the file is damaged`,
    )
  const vectors = new Float32Array(words.length * size)
  for (const [i, row] of rows.entries()) vectors.set(row, i * size)
  return { words, size, vectors }
}

/** Line by line, some megabytes at a time: the whole can be too large for one text. */
function* linesOf(bytes: Uint8Array, name: string): Generator<string, void, undefined> {
  const step = 2 ** 22
  for (let start = 0; start < bytes.length; ) {
    const cut = start + step < bytes.length ? bytes.indexOf(0x0a, start + step) : -1
    const end = cut < 0 ? bytes.length : cut + 1
    yield* decodeUtf8(bytes.subarray(start, end), name)
      .replace(/\r?\n$/, '')
      .split(/\r?\n/)
    start = end
  }
}

/** A table of vectors for the ids of a vocabulary. */
export interface VectorTable {
  /** `[vocab, size]`, row by row: to initialise an embedding */
  readonly table: Float32Array
  /** `[vocab]`, 1 where a vector was found */
  readonly found: Uint8Array
  /** The share of the vocabulary's words (special tokens left out) that have a vector. */
  readonly coverage: number
}

/**
 * The vector of each id: that of the word, or of the word in lower case; otherwise drawn from a normal distribution with
 * the deviation of the vectors that were found. Padding is zero.
 *
 * @throws ConfigError if no word of the vocabulary has a vector
 */
export function vectorTable(
  vocabulary: Vocabulary,
  { words, size, vectors }: WordVectors,
  { seed }: { readonly seed: number },
): VectorTable {
  const places = new Map(words.map((word, i) => [word, i]))
  const table = new Float32Array(vocabulary.size * size)
  const found = new Uint8Array(vocabulary.size)
  for (let id = SPECIALS.length; id < vocabulary.size; id++) {
    const word = vocabulary.token(id)
    const place = places.get(word) ?? places.get(word.toLowerCase())
    if (place === undefined) continue
    table.set(vectors.subarray(place * size, (place + 1) * size), id * size)
    found[id] = 1
  }
  const covered = found.reduce((sum, one) => sum + one, 0)
  if (!covered)
    throw new ConfigError(
      `vectors: none of the ${vocabulary.size - SPECIALS.length} words has a vector among ${words.length}; check language and case`,
    )
  const deviation = Math.sqrt(table.reduce((sum, x) => sum + x * x, 0) / (covered * size))
  const rng = new Rng(seed).split('vectors')
  for (let id = 1; id < vocabulary.size; id++) {
    if (found[id]) continue
    const draws = rng.split(id)
    for (let i = 0; i < size; i++) table[id * size + i] = deviation * draws.normal()
  }
  return { table, found, coverage: covered / (vocabulary.size - SPECIALS.length) }
}
