import { ConfigError } from '@heed/core-tensor'
import { clippedMatches, ngrams, total } from './ngrams.ts'

export interface ChrfOptions {
  /** The longest n-gram of characters. */
  readonly charOrder?: number
  /** The longest n-gram of words: 0 for chrF, 2 for chrF++. */
  readonly wordOrder?: number
  /** How much more recall counts than precision. */
  readonly beta?: number
  readonly lowercase?: boolean
  /** Whether spaces are characters too. */
  readonly whitespace?: boolean
}

export interface Chrf {
  /** From 0 to 100. */
  readonly score: number
  /** How it was computed, in sacreBLEU's words. */
  readonly signature: string
}

/** N-grams of one sentence, of each order: in the hypothesis, in the reference, in both. Sums of them make the score of many. */
export type ChrfCounts = readonly (readonly [hypothesis: number, reference: number, matched: number])[]

/**
 * F-score of character n-grams over a corpus, and with `wordOrder: 2` of words too (chrF++).
 *
 * Popović 2015, "chrF: character n-gram F-score for automatic MT evaluation", eq. 1, and 2017 for chrF++; computed as
 * sacreBLEU 2 does: orders that a text is too short for are left out, and the best reference of each sentence counts.
 *
 * @param references one list for each hypothesis, of one text or more
 * @throws ConfigError if the lists differ in length or a hypothesis has no reference
 */
export function chrf(
  hypotheses: readonly string[],
  references: readonly (readonly string[])[],
  options: ChrfOptions = {},
): Chrf {
  const most = Math.max(0, ...references.map(list => list.length))
  return chrfOf(chrfCounts(hypotheses, references, options), options, most)
}

/** What each sentence adds to {@link chrf}. Options and errors as there. */
export function chrfCounts(
  hypotheses: readonly string[],
  references: readonly (readonly string[])[],
  options: ChrfOptions = {},
): ChrfCounts[] {
  const { charOrder = 6, wordOrder = 0, beta = 2, lowercase = false, whitespace = false } = options
  if (hypotheses.length !== references.length)
    throw new ConfigError(
      `chrf: ${hypotheses.length} hypotheses and ${references.length} lists of references; give one list each`,
    )
  const grams = (given: string): Map<string, number>[] => {
    const text = lowercase ? given.toLowerCase() : given
    const characters = [...(whitespace ? text : text.replace(/\s+/g, ''))]
    const words = apart(text)
    return [
      ...Array.from({ length: charOrder }, (_, i) => ngrams(characters, i + 1)),
      ...Array.from({ length: wordOrder }, (_, i) => ngrams(words, i + 1)),
    ]
  }
  return hypotheses.map((hypothesis, i) => {
    const mine = grams(hypothesis)
    const found = (references[i] as readonly string[]).map(reference =>
      grams(reference).map((theirs, order): ChrfCounts[number] => {
        const own = mine[order] as Map<string, number>
        return [theirs.size ? total(own) : 0, total(theirs), clippedMatches(own, [theirs])]
      }),
    )
    if (!found.length) throw new ConfigError(`chrf: hypothesis ${i} has no reference; give one at least`)
    return found.reduce((best, counts) => (fScore(counts, beta) > fScore(best, beta) ? counts : best))
  })
}

/** The score of sentences already counted, any of them any number of times; `references` only names itself in the signature. */
export function chrfOf(sentences: readonly ChrfCounts[], options: ChrfOptions = {}, references = 1): Chrf {
  const { charOrder = 6, wordOrder = 0, beta = 2, lowercase = false, whitespace = false } = options
  const sums = Array.from({ length: charOrder + wordOrder }, (): [number, number, number] => [0, 0, 0])
  for (const sentence of sentences)
    for (const [order, counts] of sentence.entries())
      for (const part of [0, 1, 2] as const) (sums[order] as [number, number, number])[part] += counts[part]
  const signature = [
    `nrefs:${references}`,
    `case:${lowercase ? 'lc' : 'mixed'}`,
    'eff:yes',
    `nc:${charOrder}`,
    `nw:${wordOrder}`,
    `space:${whitespace ? 'yes' : 'no'}`,
  ].join('|')
  return { score: 100 * fScore(sums, beta), signature }
}

/** `(1 + β²) P R / (β² P + R)` of the mean precision and recall of the orders that both texts have. */
function fScore(counts: ChrfCounts, beta: number): number {
  const both = counts.filter(([hypothesis, reference]) => hypothesis > 0 && reference > 0)
  if (!both.length) return 0
  const precision = both.reduce((sum, [all, , matched]) => sum + matched / all, 0) / both.length
  const recall = both.reduce((sum, [, all, matched]) => sum + matched / all, 0) / both.length
  if (precision + recall === 0) return 0
  return ((1 + beta ** 2) * precision * recall) / (beta ** 2 * precision + recall)
}

const PUNCTUATION: ReadonlySet<string> = /* @__PURE__ */ new Set('!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~')

/** Words, with one mark of punctuation taken off the end of each or else its beginning, as chrF++ does. */
function apart(text: string): string[] {
  return text
    .split(/\s+/)
    .filter(Boolean)
    .flatMap(word => {
      const characters = [...word]
      if (characters.length === 1) return [word]
      if (PUNCTUATION.has(characters.at(-1) as string))
        return [characters.slice(0, -1).join(''), characters.at(-1) as string]
      if (PUNCTUATION.has(characters[0] as string))
        return [characters[0] as string, characters.slice(1).join('')]
      return [word]
    })
}
