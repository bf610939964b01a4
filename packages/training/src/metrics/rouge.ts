/** How much two texts share. */
export interface Rouge {
  /** Words of the longest common subsequence. */
  readonly common: number
  /** Its share of the hypothesis; 0 where that is empty. */
  readonly precision: number
  /** Its share of the reference; 0 where that is empty. */
  readonly recall: number
  /** Their harmonic mean. */
  readonly f1: number
}

/**
 * ROUGE-L of one text: by the longest common subsequence of words.
 *
 * Lin 2004, §3.1, "ROUGE: A package for automatic evaluation of summaries", with β = 1.
 */
export function rougeL(hypothesis: readonly string[], reference: readonly string[]): Rouge {
  const common = commonLength(hypothesis, reference)
  const precision = hypothesis.length ? common / hypothesis.length : 0
  const recall = reference.length ? common / reference.length : 0
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
