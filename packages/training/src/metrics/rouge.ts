import { clippedMatches, ngrams, total } from './ngrams.ts'

/** How much two texts share. */
export interface Rouge {
  /** Words of the longest common subsequence, or n-grams of both. */
  readonly common: number
  /** Its share of the hypothesis; 0 where that is empty. */
  readonly precision: number
  /** Its share of the reference; 0 where that is empty. */
  readonly recall: number
  /** Their harmonic mean. */
  readonly f1: number
}

/**
 * ROUGE-N of one text: by the n-grams of words that both have, each as often as both have it.
 *
 * Lin 2004, §2, "ROUGE: A package for automatic evaluation of summaries", with β = 1.
 */
export function rougeN(hypothesis: readonly string[], reference: readonly string[], n: number): Rouge {
  const [own, wanted] = [ngrams(hypothesis, n), ngrams(reference, n)]
  return shares(clippedMatches(own, [wanted]), total(own), total(wanted))
}

/** ROUGE-L of one text: by the longest common subsequence of words. Lin 2004, §3.1, with β = 1. */
export function rougeL(hypothesis: readonly string[], reference: readonly string[]): Rouge {
  return shares(commonLength(hypothesis, reference), hypothesis.length, reference.length)
}

/** Words as Google's rouge_score takes them, without stemming: lower case, everything but a–z and 0–9 a space. */
export function rougeTokens(text: string): string[] {
  return text.toLowerCase().split(/[^a-z0-9]+/).filter(Boolean) // biome-ignore format: one line
}

function shares(common: number, hypothesis: number, reference: number): Rouge {
  const precision = hypothesis ? common / hypothesis : 0
  const recall = reference ? common / reference : 0
  return { common, precision, recall, f1: common ? (2 * precision * recall) / (precision + recall) : 0 }
}

function commonLength(a: readonly string[], b: readonly string[]): number {
  let row = new Array<number>(b.length + 1).fill(0)
  for (const x of a) {
    const next = [0]
    for (const [j, y] of b.entries())
      next.push(x === y ? (row[j] as number) + 1 : Math.max(row[j + 1] as number, next[j] as number))
    row = next
  }
  return row[b.length] as number
}
