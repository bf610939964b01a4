import { ConfigError } from '@heed/core-tensor'

export interface BleuOptions {
  /** Compares in lower case. */
  readonly lowercase?: boolean
  /** The longest n-gram counted. */
  readonly maxOrder?: number
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
  { lowercase = false, maxOrder = 4 }: BleuOptions = {},
): Bleu {
  if (hypotheses.length !== references.length)
    throw new ConfigError(
      `corpusBleu: ${hypotheses.length} hypotheses and ${references.length} lists of references; give one list each`,
    )
  const counts = new Array<number>(maxOrder).fill(0)
  const totals = new Array<number>(maxOrder).fill(0)
  let hypothesisLength = 0
  let referenceLength = 0
  const tokens = (text: string): string[] => tokenize13a(lowercase ? text.toLowerCase() : text)
  for (const [i, hypothesis] of hypotheses.entries()) {
    const given = (references[i] as readonly string[]).map(tokens)
    if (!given.length)
      throw new ConfigError(`corpusBleu: hypothesis ${i} has no reference; give one at least`)
    const words = tokens(hypothesis)
    hypothesisLength += words.length
    referenceLength += closest(
      words.length,
      given.map(reference => reference.length),
    )
    for (let n = 1; n <= maxOrder; n++) {
      const [matched, total] = clipped(words, given, n)
      counts[n - 1] = (counts[n - 1] as number) + matched
      totals[n - 1] = (totals[n - 1] as number) + total
    }
  }
  const brevityPenalty = penalty(hypothesisLength, referenceLength)
  const precisions = smoothed(counts, totals)
  const score = precisions.includes(0)
    ? 0
    : brevityPenalty * Math.exp(precisions.reduce((sum, p) => sum + Math.log(p), 0) / maxOrder)
  const most = Math.max(0, ...references.map(list => list.length))
  const signature = `nrefs:${most}|case:${lowercase ? 'lc' : 'mixed'}|eff:no|tok:13a|smooth:exp`
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

/** In percent; an order without a match gets half of the share of the one before it without a match (NIST's smoothing). */
function smoothed(counts: readonly number[], totals: readonly number[]): number[] {
  if (!counts.some(count => count > 0)) return counts.map(() => 0)
  let share = 1
  return counts.map((count, n) => {
    const total = totals[n] as number
    if (total === 0) return 0
    if (count > 0) return (100 * count) / total
    share *= 2
    return 100 / (share * total)
  })
}

/** How many n-grams of a sentence a reference has too, each counted as often as one reference has it; and how many there are. */
function clipped(
  words: readonly string[],
  references: readonly (readonly string[])[],
  n: number,
): [matched: number, total: number] {
  const most = new Map<string, number>()
  for (const reference of references)
    for (const [gram, count] of grams(reference, n)) most.set(gram, Math.max(count, most.get(gram) ?? 0))
  let matched = 0
  for (const [gram, count] of grams(words, n)) matched += Math.min(count, most.get(gram) ?? 0)
  return [matched, Math.max(0, words.length - n + 1)]
}

function grams(words: readonly string[], n: number): Map<string, number> {
  const found = new Map<string, number>()
  for (let i = 0; i + n <= words.length; i++) {
    const gram = words.slice(i, i + n).join(' ')
    found.set(gram, (found.get(gram) ?? 0) + 1)
  }
  return found
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
