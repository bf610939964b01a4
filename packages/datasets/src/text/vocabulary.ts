import { ConfigError, FormatError } from '@heed/core-tensor'

/** The ids of the special tokens; they come first in every vocabulary. */
export const PAD = 0
export const UNKNOWN = 1
export const BEGIN = 2
export const END = 3

/** What the first ids stand for. */
export const SPECIALS: readonly string[] = ['<pad>', '<unknown>', '<begin>', '<end>']
const FORMAT = 'heed-vocabulary-1'

/** A vocabulary as JSON. */
export interface VocabularyJson {
  readonly format: string
  /** In the order of their ids, special tokens left out. */
  readonly tokens: readonly string[]
}

/** Which tokens get an id of their own. */
export interface VocabularyOptions {
  /** Tokens that occur less often are unknown; 1 unless given. */
  readonly minCount?: number
  /** The most ids, special tokens among them. */
  readonly maxSize?: number
}

/** What goes around the ids of a text. */
export interface EncodeOptions {
  /** {@link BEGIN} before the first id. */
  readonly begin?: boolean
  /** {@link END} behind the last id. */
  readonly end?: boolean
}

/** How often each token occurs. */
export function countTokens(sequences: Iterable<readonly string[]>): Map<string, number> {
  const counts = new Map<string, number>()
  for (const tokens of sequences) for (const token of tokens) counts.set(token, (counts.get(token) ?? 0) + 1)
  return counts
}

/**
 * Tokens and their ids: padding 0, unknown 1, begin 2, end 3, then the frequent tokens before the rare ones.
 *
 * @example
 * const vocabulary = Vocabulary.fromCounts(countTokens([['to', 'be', 'or', 'not', 'to', 'be']]))
 * vocabulary.encode(['to', 'see']) // Int32Array [5, 1]
 */
export class Vocabulary {
  readonly #tokens: readonly string[]
  readonly #ids: ReadonlyMap<string, number>

  /** @param tokens in the order of their ids, special tokens left out @throws ConfigError if one occurs twice */
  constructor(tokens: readonly string[]) {
    this.#tokens = [...SPECIALS, ...tokens]
    this.#ids = new Map(tokens.map((token, i) => [token, i + SPECIALS.length]))
    if (this.#ids.size < tokens.length)
      throw new ConfigError(
        `vocabulary: ${tokens.length - this.#ids.size} of ${tokens.length} tokens occur twice; give each one once`,
      )
  }

  /**
   * The vocabulary of a text, most frequent tokens first, equally frequent ones in the order of their code points.
   *
   * @throws ConfigError if fewer than two tokens are left: there is nothing to choose between
   */
  static fromCounts(
    counts: ReadonlyMap<string, number>,
    { minCount = 1, maxSize = Number.POSITIVE_INFINITY }: VocabularyOptions = {},
  ): Vocabulary {
    const tokens = [...counts]
      .filter(([, count]) => count >= minCount)
      .sort(([a, countA], [b, countB]) => countB - countA || byCodePoint(a, b))
      .slice(0, Math.max(0, maxSize - SPECIALS.length))
      .map(([token]) => token)
    if (tokens.length < 2) {
      const left = tokens.length ? `only one word, "${tokens[0]}"` : 'no word at all'
      throw new ConfigError(
        `vocabulary: ${left} of ${counts.size} different ones is left with minCount ${minCount} and maxSize ${maxSize}; ` +
          'give more text, a lower minCount or a higher maxSize',
      )
    }
    return new Vocabulary(tokens)
  }

  /** Reads what {@link toJSON} wrote. @throws FormatError if it is something else, saying what */
  static fromJSON(json: unknown): Vocabulary {
    return new Vocabulary(checkJson(json))
  }

  /** The number of ids, special tokens among them. */
  get size(): number {
    return this.#tokens.length
  }

  /** The id of a token, {@link UNKNOWN} if it has none. */
  id(token: string): number {
    return this.#ids.get(token) ?? UNKNOWN
  }

  /** The token of an id, also of a special one: `'<pad>'`. @throws ConfigError if there is no such id */
  token(id: number): string {
    const token = this.#tokens[id]
    if (token === undefined)
      throw new ConfigError(
        `vocabulary: no token has id ${id}, ids are 0 to ${this.size - 1}; use the vocabulary of this model`,
      )
    return token
  }

  /** The ids of tokens, one each, {@link UNKNOWN} for those that have none. */
  encode(tokens: readonly string[], { begin = false, end = false }: EncodeOptions = {}): Int32Array {
    const start = begin ? 1 : 0
    const ids = new Int32Array(start + tokens.length + (end ? 1 : 0))
    if (begin) ids[0] = BEGIN
    for (const [i, token] of tokens.entries()) ids[start + i] = this.id(token)
    if (end) ids[ids.length - 1] = END
    return ids
  }

  /** The tokens of ids up to the first {@link END}, without padding and begin. @throws ConfigError if there is no such id */
  decode(ids: ArrayLike<number>): string[] {
    const tokens: string[] = []
    for (let i = 0; i < ids.length && ids[i] !== END; i++)
      if (ids[i] !== PAD && ids[i] !== BEGIN) tokens.push(this.token(ids[i] as number))
    return tokens
  }

  toJSON(): VocabularyJson {
    return { format: FORMAT, tokens: this.#tokens.slice(SPECIALS.length) }
  }
}

function checkJson(json: unknown): string[] {
  const fail = (wrong: string): never => {
    throw new FormatError(`vocabulary: ${wrong}; the file is damaged or of another kind, train again`)
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    return fail(`expected a JSON object, got ${Array.isArray(json) ? 'an array' : JSON.stringify(json)}`)
  const { format, tokens } = json as Partial<Record<string, unknown>>
  if (format !== FORMAT) return fail(`format is ${JSON.stringify(format)}, expected "${FORMAT}"`)
  if (!Array.isArray(tokens)) return fail('tokens is not an array')
  const wrong = tokens.findIndex(token => typeof token !== 'string')
  if (wrong >= 0) return fail(`token ${wrong} is ${JSON.stringify(tokens[wrong])}, not a text`)
  if (tokens.length < 2) return fail(`it holds ${tokens.length} tokens, at least 2 are needed`)
  const first = new Map<string, number>()
  for (const [i, token] of tokens.entries()) {
    if (first.has(token)) return fail(`tokens ${first.get(token)} and ${i} are both ${JSON.stringify(token)}`)
    first.set(token, i)
  }
  return tokens
}

/** Order by code point; plain `<` compares UTF-16 units, which puts 😀 before ﬁ. */
function byCodePoint(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    // where the units differ, either both are halves of pairs or whole code points begin there
    if (a.charCodeAt(i) !== b.charCodeAt(i)) return rank(a.charCodeAt(i)) - rank(b.charCodeAt(i))
  }
  return a.length - b.length
}

/** A UTF-16 unit, with halves of pairs after all others. */
function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit
}
