import { ConfigError, FormatError } from '@heed/core-tensor'
import { byteLetters, fromLetters, toLetters } from './bytes.ts'
import type { Tokenizer } from './tokenizer.ts'
import { countTokens, Vocabulary } from './vocabulary.ts'

/** A tokeniser of byte pairs, with the vocabulary of all its tokens. */
export interface Bpe extends Tokenizer {
  /** Which two tokens become one, first learned first: `'Ġl o'`. */
  readonly merges: readonly string[]
  /** All tokens there can be: 256 bytes, then one for each merge. No text has an unknown token. */
  vocabulary(): Vocabulary
}

/** Settings of {@link learnBpe}. */
export interface BpeOptions {
  /** The most tokens, the 256 bytes among them, the four special ones of a vocabulary not. */
  readonly size: number
  /** A pair that occurs less often is not merged; 2 unless given. */
  readonly minCount?: number
  /** Writes everything in lower case first. */
  readonly lowercase?: boolean
}

/**
 * Learns byte-pair encoding from a text: the pair of tokens that occurs most often becomes a token, over and over.
 *
 * Sennrich et al. 2016, §3.2, arXiv:1508.07909, on bytes as in GPT-2 (Radford et al. 2019, §2.2), within GPT-2's words. Of
 * equally frequent pairs the one with the lower token numbers is merged, as in Hugging Face's trainer: merges and tokens
 * are the same.
 *
 * @example
 * const { encode, join } = learnBpe(['low low low lower', 'lowest newest new newest'], { size: 264 })
 * encode('lowest newt') // ['low', 'est', 'Ġnew', 't']
 *
 * @throws ConfigError unless `size` is a whole number from 256
 */
export function learnBpe(
  texts: Iterable<string>,
  { size, minCount = 2, lowercase = false }: BpeOptions,
): Bpe {
  if (!Number.isInteger(size) || size < 256)
    throw new ConfigError(
      `bpe: size must be a whole number from 256, the bytes, got ${size}; use for example 4000`,
    )
  if (!Number.isInteger(minCount) || minCount < 1)
    throw new ConfigError(`bpe: minCount must be a whole number from 1, got ${minCount}; use for example 2`)
  const counts = countTokens(wordsOf(texts, lowercase))
  const letters = byteLetters()
  const first = new Map(letters.map((letter, id) => [letter, id]))
  const words = Array.from(counts, ([word, count]) => ({
    ids: Array.from(toLetters(word), letter => first.get(letter) as number),
    count,
  }))
  const tokens = [...letters]
  const ids = new Map(first)
  const merges: string[] = []
  const pairs = new PairCounts(words)
  while (tokens.length < size) {
    const best = pairs.pop()
    if (!best || best.count < minCount) break
    const [left, right] = [tokens[best.left] as string, tokens[best.right] as string]
    // Two ways can lead to one token, which then keeps its number.
    const merged = ids.get(left + right) ?? tokens.length
    if (merged === tokens.length) {
      ids.set(left + right, merged)
      tokens.push(left + right)
    }
    merges.push(`${left} ${right}`)
    pairs.merge(best.left, best.right, merged)
  }
  return bpe(merges, { lowercase })
}

function* wordsOf(texts: Iterable<string>, lowercase: boolean): Generator<string[], void, undefined> {
  for (const text of texts) yield (lowercase ? text.toLowerCase() : text).match(WORDS) ?? []
}

/** GPT-2's words: letters, digits or signs with the space before them, other spaces, English endings. */
const WORDS = /'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/gu

/**
 * The byte-pair tokeniser with these merges, as `merges` or `config` of another one holds them.
 *
 * `join(encode(text))` is the text exactly, whatever the text (in lower case if so asked; a half of a surrogate pair,
 * which is no character, becomes U+FFFD). Words are kept once encoded, so a corpus is fast and an endless stream of
 * different words is forgotten from time to time.
 *
 * @throws FormatError if a merge is not two known tokens
 */
export function bpe(merges: readonly string[], { lowercase = false }: { lowercase?: boolean } = {}): Bpe {
  const tokens = byteLetters()
  const ids = new Map(tokens.map((token, id) => [token, id]))
  const rules = new Map<number, Rule>()
  for (const [rank, merge] of merges.entries()) {
    const [left, right, ...more] = typeof merge === 'string' ? merge.split(' ') : []
    const [a, b] = [ids.get(left ?? ''), ids.get(right ?? '')]
    if (a === undefined || b === undefined || more.length)
      throw new FormatError(
        `bpe: merge ${rank} is ${JSON.stringify(merge)}, not two tokens known before it; load the file that was saved`,
      )
    const whole = (left as string) + (right as string)
    const merged = ids.get(whole) ?? tokens.length
    if (merged === tokens.length) {
      ids.set(whole, merged)
      tokens.push(whole)
    }
    if (!rules.has(keyOf(a, b))) rules.set(keyOf(a, b), { rank, left: a, right: b, merged })
  }
  const known = new Map<string, readonly string[]>()
  const encodeWord = (word: string): readonly string[] => {
    const found = known.get(word)
    if (found) return found
    let places = Array.from(toLetters(word), letter => ids.get(letter) as number)
    for (;;) {
      let best: Rule | undefined
      for (let i = 1; i < places.length; i++) {
        const rule = rules.get(keyOf(places[i - 1] as number, places[i] as number))
        if (rule && (!best || rule.rank < best.rank)) best = rule
      }
      if (!best) break
      places = mergePair(places, best)
    }
    const cut = places.map(id => tokens[id] as string)
    if (known.size >= 100_000) known.clear()
    if (word.length < 100) known.set(word, cut)
    return cut
  }
  return {
    config: { kind: 'bpe', merges, ...(lowercase && { lowercase }) },
    merges,
    vocabulary: () => new Vocabulary(tokens),
    encode: text => ((lowercase ? text.toLowerCase() : text).match(WORDS) ?? []).flatMap(encodeWord),
    join: pieces => fromLetters(pieces.join('')),
  }
}

/** A pair of token numbers as one number; exact below 2²⁶ tokens. */
function keyOf(left: number, right: number): number {
  return left * 2 ** 26 + right
}

/** Which two tokens become which one; rules of lower rank go first. */
interface Rule {
  readonly rank: number
  readonly left: number
  readonly right: number
  readonly merged: number
}

/** Each occurrence of the pair as one token, from the left. */
function mergePair(
  ids: readonly number[],
  { left, right, merged }: Pick<Rule, 'left' | 'right' | 'merged'>,
): number[] {
  const made: number[] = []
  for (let i = 0; i < ids.length; i++) {
    const found = ids[i] === left && ids[i + 1] === right
    made.push(found ? merged : (ids[i] as number))
    if (found) i++
  }
  return made
}

interface Pair {
  readonly left: number
  readonly right: number
  readonly count: number
}

/** How often each pair occurs in words, kept up as pairs are merged. */
class PairCounts {
  readonly #words: { ids: number[]; readonly count: number }[]
  readonly #counts = new Map<number, number>()
  /** The words in which a pair occurs, or once did. */
  readonly #where = new Map<number, Set<number>>()
  /** A heap: frequent pairs first, then those of lower numbers. An entry whose count has changed since is put back. */
  readonly #heap: Pair[] = []

  constructor(words: { ids: number[]; readonly count: number }[]) {
    this.#words = words
    const seen = new Set<number>()
    for (const i of words.keys()) this.#add(i, 1, seen)
    for (const key of seen) this.#push(key)
  }

  /** The most frequent pair, which then has to be merged. */
  pop(): Pair | undefined {
    for (;;) {
      const top = this.#heap[0]
      if (!top) return undefined
      const last = this.#heap.pop() as Pair
      if (this.#heap.length) this.#sink(last)
      const key = keyOf(top.left, top.right)
      const count = this.#counts.get(key) ?? 0
      if (count === top.count) return top
      if (count > 0) this.#push(key)
    }
  }

  merge(left: number, right: number, merged: number): void {
    const key = keyOf(left, right)
    const risen = new Set<number>()
    for (const i of this.#where.get(key) ?? []) {
      const word = this.#words[i] as { ids: number[]; readonly count: number }
      this.#add(i, -1)
      word.ids = mergePair(word.ids, { left, right, merged })
      this.#add(i, 1, risen)
    }
    this.#counts.delete(key)
    this.#where.delete(key)
    for (const pair of risen) this.#push(pair)
  }

  /** Counts the pairs of a word in or out. */
  #add(i: number, sign: 1 | -1, seen?: Set<number>): void {
    const { ids, count } = this.#words[i] as { ids: number[]; readonly count: number }
    for (let at = 1; at < ids.length; at++) {
      const key = keyOf(ids[at - 1] as number, ids[at] as number)
      this.#counts.set(key, (this.#counts.get(key) ?? 0) + sign * count)
      if (!seen) continue
      seen.add(key)
      const where = this.#where.get(key)
      if (where) where.add(i)
      else this.#where.set(key, new Set([i]))
    }
  }

  #push(key: number): void {
    const heap = this.#heap
    const pair = { left: Math.floor(key / 2 ** 26), right: key % 2 ** 26, count: this.#counts.get(key) ?? 0 }
    let at = heap.push(pair) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (before(heap[parent] as Pair, pair)) break
      heap[at] = heap[parent] as Pair
      at = parent
    }
    heap[at] = pair
  }

  /** Puts a pair at the top, where it sinks to its place. */
  #sink(pair: Pair): void {
    const heap = this.#heap
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && before(heap[child + 1] as Pair, heap[child] as Pair)) child++
      if (before(pair, heap[child] as Pair)) break
      heap[at] = heap[child] as Pair
      at = child
    }
    heap[at] = pair
  }
}

function before(a: Pair, b: Pair): boolean {
  return (a.count - b.count || b.left - a.left || b.right - a.right) > 0
}
