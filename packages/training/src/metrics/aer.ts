/** A word of the source and a word of the target that belong together, counted from 0. */
export type Link = readonly [source: number, target: number]

/** How well an alignment agrees with people's. */
export interface AlignmentError {
  /** From 0, the best, to 1. */
  readonly rate: number
  /** The share of links that are possible; 0 where there are none. */
  readonly precision: number
  /** The share of sure links that were found; 0 where there are none. */
  readonly recall: number
}

/**
 * Alignment error rate, `1 − (|A ∩ S| + |A ∩ P|) / (|A| + |S|)`.
 *
 * Och and Ney 2003, §6, Computational Linguistics 29(1). Sure links count as possible ones; links given twice count once.
 *
 * @param alignment A, the links to judge
 * @param sure S, links that people are sure of
 * @param possible P, links that people think possible
 */
export function alignmentErrorRate(
  alignment: readonly Link[],
  sure: readonly Link[],
  possible: readonly Link[] = [],
): AlignmentError {
  const names = (links: readonly Link[]): string[] => links.map(([i, j]) => `${i} ${j}`)
  const [a, s, p] = [new Set(names(alignment)), new Set(names(sure)), new Set(names([...sure, ...possible]))]
  const among = (links: ReadonlySet<string>): number => [...a].filter(link => links.has(link)).length
  const [inSure, inPossible] = [among(s), among(p)]
  return {
    rate: a.size + s.size ? 1 - (inSure + inPossible) / (a.size + s.size) : 0,
    precision: a.size ? inPossible / a.size : 0,
    recall: s.size ? inSure / s.size : 0,
  }
}

export interface LinkOptions {
  /** Words that look nowhere so much get no link. */
  readonly threshold?: number
}

/**
 * The source word that each target word looks at most: a hard alignment of attention weights.
 *
 * @param weights a row for each target word, `[target][source]`, without those of the word that ends
 */
export function linksOf(weights: readonly ArrayLike<number>[], { threshold = 0 }: LinkOptions = {}): Link[] {
  return weights.flatMap((row, target): Link[] => {
    let best = 0
    for (let i = 1; i < row.length; i++) if ((row[i] as number) > (row[best] as number)) best = i
    const weight = row[best]
    return weight !== undefined && weight > 0 && weight >= threshold ? [[best, target]] : []
  })
}
