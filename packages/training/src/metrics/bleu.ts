import { ConfigError } from '@heed/core-tensor'
import { clippedMatches, ngrams } from './ngrams.ts'

/** What a word is: as mteval-v13a splits, every character, or what spaces part. */
export type BleuTokens = '13a' | 'char' | 'none'

/** What an order without a match counts as: ever smaller shares, a floor of 0.1, one more everywhere above order 1, nothing. */
export type BleuSmoothing = 'exp' | 'floor' | 'add-k' | 'none'

export interface BleuOptions {
  /** Compares in lower case. */
  readonly lowercase?: boolean
  /** The longest n-gram counted. */
  readonly maxOrder?: number
  readonly tokenize?: BleuTokens
  readonly smooth?: BleuSmoothing
  /** Whether orders longer than the text are left out; for single sentences. */
  readonly effectiveOrder?: boolean
}

export interface Bleu {
  /** From 0 to 100. */
  readonly score: number
  /** Of each order, in percent; smoothed where nothing matched. */
  readonly precisions: readonly number[]
  /** Matching n-grams of each order. */
  readonly counts: readonly number[]
  /** N-grams of each order in the hypotheses. */
  readonly totals: readonly number[]
  readonly brevityPenalty: number
  readonly hypothesisLength: number
  readonly referenceLength: number
  /** How it was computed, in sacreBLEU's words. */
  readonly signature: string
}

/** What BLEU needs of one sentence; sums of them make the BLEU of many, so that resampling does not count again. */
export interface BleuCounts {
  readonly counts: readonly number[]
  readonly totals: readonly number[]
  readonly hypothesisLength: number
  readonly referenceLength: number
}

/**
 * BLEU over a corpus, of detokenised text: Papineni et al. 2002, computed as sacreBLEU does by default (Post 2018,
 * arXiv:1804.08771): 13a tokens, clipped counts over all references, the closest reference length, exponential smoothing.
 *
 * @param references one list for each hypothesis, of one text or more
 * @throws ConfigError if the lists differ in length or a hypothesis has no reference
 */
export function corpusBleu(
  hypotheses: readonly string[],
  references: readonly (readonly string[])[],
  options: BleuOptions = {},
): Bleu {
  const most = Math.max(0, ...references.map(list => list.length))
  return bleuOf(bleuCounts(hypotheses, references, options), options, most)
}

/** {@link corpusBleu} of one sentence, orders longer than it left out. */
export function sentenceBleu(
  hypothesis: string,
  references: readonly string[],
  options: BleuOptions = {},
): Bleu {
  return corpusBleu([hypothesis], [references], { effectiveOrder: true, ...options })
}

/** What each sentence adds to {@link corpusBleu}. Options and errors as there. */
export function bleuCounts(
  hypotheses: readonly string[],
  references: readonly (readonly string[])[],
  { lowercase = false, maxOrder = 4, tokenize = '13a' }: BleuOptions = {},
): BleuCounts[] {
  if (hypotheses.length !== references.length)
    throw new ConfigError(
      `corpusBleu: ${hypotheses.length} hypotheses and ${references.length} lists of references; give one list each`,
    )
  const tokens = (text: string): string[] => TOKENIZERS[tokenize](lowercase ? text.toLowerCase() : text)
  const orders = Array.from({ length: maxOrder }, (_, i) => i + 1)
  return hypotheses.map((hypothesis, i) => {
    const given = (references[i] as readonly string[]).map(tokens)
    if (!given.length)
      throw new ConfigError(`corpusBleu: hypothesis ${i} has no reference; give one at least`)
    const words = tokens(hypothesis)
    return {
      counts: orders.map(n => clippedMatches(ngrams(words, n), given.map(text => ngrams(text, n)))), // biome-ignore format: one line
      totals: orders.map(n => Math.max(0, words.length - n + 1)),
      hypothesisLength: words.length,
      referenceLength: closest(
        words.length,
        given.map(reference => reference.length),
      ),
    }
  })
}

/** The BLEU of sentences already counted, any of them any number of times; `references` only names itself in the signature. */
export function bleuOf(
  sentences: readonly BleuCounts[],
  {
    lowercase = false,
    maxOrder = 4,
    tokenize = '13a',
    smooth = 'exp',
    effectiveOrder = false,
  }: BleuOptions = {},
  references = 1,
): Bleu {
  const counts = new Array<number>(maxOrder).fill(0)
  const totals = new Array<number>(maxOrder).fill(0)
  let hypothesisLength = 0
  let referenceLength = 0
  for (const sentence of sentences) {
    hypothesisLength += sentence.hypothesisLength
    referenceLength += sentence.referenceLength
    for (let n = 0; n < maxOrder; n++) {
      counts[n] = (counts[n] as number) + (sentence.counts[n] as number)
      totals[n] = (totals[n] as number) + (sentence.totals[n] as number)
    }
  }
  const brevityPenalty = penalty(hypothesisLength, referenceLength)
  const precisions = smoothed(counts, totals, smooth)
  const missing = totals.indexOf(0)
  const order = effectiveOrder && missing > 0 ? missing : maxOrder
  const counted = precisions.slice(0, order)
  const score = counted.includes(0)
    ? 0
    : brevityPenalty * Math.exp(counted.reduce((sum, p) => sum + Math.log(p), 0) / order)
  const signature = [
    `nrefs:${references}`,
    `case:${lowercase ? 'lc' : 'mixed'}`,
    `eff:${effectiveOrder ? 'yes' : 'no'}`,
    `tok:${tokenize}`,
    `smooth:${smooth}${{ floor: '[0.10]', 'add-k': '[1.00]', exp: '', none: '' }[smooth]}`,
  ].join('|')
  return { score, precisions, counts, totals, brevityPenalty, hypothesisLength, referenceLength, signature }
}

/** The reference length nearest to the hypothesis, the shorter of two equally near. */
function closest(length: number, references: readonly number[]): number {
  return references.reduce((best, l) => {
    const nearer = Math.abs(l - length) - Math.abs(best - length)
    return nearer < 0 || (nearer === 0 && l < best) ? l : best
  })
}

function penalty(hypothesis: number, reference: number): number {
  if (hypothesis >= reference) return 1
  return hypothesis === 0 ? 0 : Math.exp(1 - reference / hypothesis)
}

/** In percent; with `exp`, an order without a match gets half of the share of the one before it without a match (NIST's smoothing). */
function smoothed(counts: readonly number[], totals: readonly number[], smooth: BleuSmoothing): number[] {
  if (!counts.some(count => count > 0)) return counts.map(() => 0)
  let share = 1
  return counts.map((matched, n) => {
    const more = smooth === 'add-k' && n > 0 ? 1 : 0
    const [count, total] = [matched + more, (totals[n] as number) + more]
    if (total === 0) return 0
    if (count > 0) return (100 * count) / total
    if (smooth === 'exp') share *= 2
    return smooth === 'exp' ? 100 / (share * total) : smooth === 'floor' ? 10 / total : 0
  })
}

const ENTITIES: Readonly<Record<string, string>> = { '&quot;': '"', '&amp;': '&', '&lt;': '<', '&gt;': '>' }

/** Splits text as the script mteval-v13a does: punctuation apart, numbers together. */
export function tokenize13a(text: string): string[] {
  let line = text.replaceAll('<skipped>', '').replaceAll('-\n', '').replaceAll('\n', ' ')
  for (const [entity, character] of Object.entries(ENTITIES)) line = line.replaceAll(entity, character)
  return ` ${line} `
    .replace(/([{-~[-` -&(-+:-@/])/g, ' $1 ')
    .replace(/([^0-9])([.,])/g, '$1 $2 ')
    .replace(/([.,])([^0-9])/g, ' $1 $2')
    .replace(/([0-9])(-)/g, '$1 $2 ')
    .split(/\s+/)
    .filter(Boolean)
}

const TOKENIZERS: Readonly<Record<BleuTokens, (text: string) => string[]>> = {
  '13a': tokenize13a,
  char: text => [...text].filter(character => /\S/.test(character)),
  none: text => text.split(/\s+/).filter(Boolean),
}
