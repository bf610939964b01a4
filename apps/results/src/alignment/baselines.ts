import type { Links, TextPair } from '@heed/datasets'

const wordsOf = (text: string): string[] => text.split(' ')

/** Each target word to the source word at the same share of the way: what looking at nothing gets. */
export function diagonal({ source, target }: TextPair): Links {
  const [from, to] = [wordsOf(source).length, wordsOf(target).length]
  return Array.from(
    { length: to },
    (_, j) => [Math.min(from - 1, Math.floor(((j + 0.5) * from) / to)), j] as const,
  )
}

/**
 * IBM model 1: words that occur together often are linked, wherever they stand; learned from the pairs themselves.
 *
 * Brown et al. 1993, §4, Computational Linguistics 19(2). A source word that stands for nothing comes first in each sentence; target
 * words that choose it get no link.
 *
 * @param rounds of expectation maximisation
 * @returns the links of each pair
 */
export function ibmModel1(
  pairs: readonly TextPair[],
  { rounds = 10 }: { readonly rounds?: number } = {},
): Links[] {
  const cut = pairs.map(({ source, target }) => ({ from: ['', ...wordsOf(source)], to: wordsOf(target) }))
  let table = new Map<string, Map<string, number>>() // p(target | source), not yet divided at first
  const chance = (f: string, e: string): number => table.get(f)?.get(e) ?? (table.size ? 0 : 1)
  for (let round = 0; round < rounds; round++) {
    const counts = new Map<string, Map<string, number>>()
    for (const { from, to } of cut)
      for (const e of to) {
        const all = from.reduce((sum, f) => sum + chance(f, e), 0)
        for (const f of from) {
          const row = counts.get(f) ?? new Map<string, number>()
          counts.set(f, row)
          row.set(e, (row.get(e) ?? 0) + chance(f, e) / all)
        }
      }
    for (const row of counts.values()) {
      const sum = [...row.values()].reduce((a, b) => a + b, 0)
      for (const [e, count] of row) row.set(e, count / sum)
    }
    table = counts
  }
  return cut.map(({ from, to }) =>
    to.flatMap((e, j) => {
      const best = from.reduce((top, f, i) => (chance(f, e) > chance(from[top] as string, e) ? i : top), 0)
      return best ? [[best - 1, j] as const] : []
    }),
  )
}
