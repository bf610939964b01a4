/** How often each n-gram of a list occurs, by its words with a space between. */
export function ngrams(words: readonly string[], n: number): Map<string, number> {
  const found = new Map<string, number>()
  for (let i = 0; i + n <= words.length; i++) {
    const gram = words.slice(i, i + n).join(' ')
    found.set(gram, (found.get(gram) ?? 0) + 1)
  }
  return found
}

/** How many of the first have a like among the others, each counted as often as one of the others has it. */
export function clippedMatches(
  of: ReadonlyMap<string, number>,
  among: readonly ReadonlyMap<string, number>[],
): number {
  let matched = 0
  for (const [gram, count] of of) {
    let most = 0
    for (const other of among) most = Math.max(most, other.get(gram) ?? 0)
    matched += Math.min(count, most)
  }
  return matched
}

/** All together. */
export function total(counts: ReadonlyMap<string, number>): number {
  let sum = 0
  for (const count of counts.values()) sum += count
  return sum
}
