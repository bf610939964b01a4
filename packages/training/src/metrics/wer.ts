import { ConfigError } from '@heed/core-tensor'

/** How many edits turn hypotheses into references, and against how much. */
export interface ErrorRate {
  /** Substitutions, deletions and insertions, the fewest that do. */
  readonly edits: number
  /** Words (or characters) of all references. */
  readonly referenceLength: number
  /** Edits per word of the references; 0 for nothing against nothing, infinity for something against nothing. */
  readonly rate: number
}

/**
 * Word error rate of a corpus: all edits over all reference words.
 *
 * @param hypotheses words of each sentence
 * @param references words of each sentence
 * @throws ConfigError if the lists differ in length
 */
export function wordErrorRate(
  hypotheses: readonly (readonly string[])[],
  references: readonly (readonly string[])[],
): ErrorRate {
  if (hypotheses.length !== references.length)
    throw new ConfigError(
      `wordErrorRate: ${hypotheses.length} hypotheses and ${references.length} references; give one for each`,
    )
  let edits = 0
  let referenceLength = 0
  for (const [i, reference] of references.entries()) {
    edits += editDistance(hypotheses[i] as readonly string[], reference)
    referenceLength += reference.length
  }
  return { edits, referenceLength, rate: edits === 0 ? 0 : edits / referenceLength }
}

/** {@link wordErrorRate} of characters (Unicode code points); spaces count. */
export function characterErrorRate(hypotheses: readonly string[], references: readonly string[]): ErrorRate {
  return wordErrorRate(
    hypotheses.map(text => [...text]),
    references.map(text => [...text]),
  )
}

/** The fewest substitutions, deletions and insertions that turn one list into another. Levenshtein 1966. */
export function editDistance<T>(from: readonly T[], to: readonly T[]): number {
  let row = Array.from({ length: to.length + 1 }, (_, j) => j) // from nothing to the first j
  for (const [i, x] of from.entries()) {
    const next = [i + 1]
    for (const [j, y] of to.entries())
      next.push(
        Math.min((row[j + 1] as number) + 1, (next[j] as number) + 1, (row[j] as number) + Number(x !== y)),
      )
    row = next
  }
  return row[to.length] as number
}
