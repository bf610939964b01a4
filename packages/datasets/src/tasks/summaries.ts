import { ConfigError, Rng } from '@heed/core-tensor'
import { type AlignedPair, type Dataset, generated, type Split } from '../dataset.ts'
import { drawOf } from '../split.ts'

/** Settings of {@link summaries}, plain JSON. */
export interface SummariesOptions {
  readonly seed: number
  readonly split: Split
  /** Number of examples. */
  readonly size: number
  /** The fewest pieces of news in an article; 2 unless given. */
  readonly minNews?: number
  /** The most pieces of news in an article; 4 unless given. */
  readonly maxNews?: number
  /** Sentences of no importance behind each piece of news; 1 unless given. */
  readonly filler?: number
}

const ONSETS = ['b', 'd', 'f', 'g', 'k', 'l', 'm', 'n', 'p', 'r', 's', 't', 'v', 'z']
const VOWELS = ['a', 'e', 'i', 'o', 'u']
const DEEDS = ['won', 'sold', 'opened', 'lost', 'painted', 'closed', 'found', 'bought']
const THINGS = ['a bridge', 'the old mill', 'a prize', 'the school', 'two ships', 'a mine']
const FILLERS = [
  'people came from far away to see it',
  'nobody could say how long it would take',
  'it was the talk of the town for days',
  'the mayor had nothing to add',
  'the weather stayed dry until the evening',
]

/**
 * Articles of several pieces of news about people and places with made-up names, to be cut down to who did what:
 * `yesterday in muvi zolar won a prize . nobody … . …` → `zolar won a prize ; …`.
 *
 * The task of copying and of coverage (experiment X18): names come from 343,000, so most of the test's were never
 * seen and have to be copied, and a writer that loses track tells one piece twice. `links` has each word of the summary
 * with its place in the article. No article occurs in two splits.
 *
 * @throws ConfigError if a number makes no sense
 */
export function summaries(options: SummariesOptions): Dataset<AlignedPair> {
  const { seed, split, size, minNews = 2, maxNews = 4, filler = 1 } = options
  if (![minNews, maxNews, filler].every(Number.isInteger) || minNews < 1 || maxNews < minNews || filler < 0)
    throw new ConfigError(
      `summaries: ${minNews} to ${maxNews} pieces of news with ${filler} sentences behind each make no sense; ` +
        'use for example minNews 2, maxNews 4, filler 1',
    )
  const stream = new Rng(seed).split('summaries').split(split)
  const card = {
    name: 'summaries',
    task: 'write who did what, in the order of the article',
    source: 'generated from a seed',
    licence: 'MIT, as Heed',
    sizes: { examples: size, 'most pieces of news': maxNews },
  }
  return generated(card, size, index => {
    const rng = stream.split(index)
    const draw = (): AlignedPair => {
      const article: string[] = []
      const summary: string[] = []
      const links: [number, number][] = []
      for (let k = minNews + rng.int(maxNews - minNews + 1); k > 0; k--) {
        const told = [name(rng, 3), rng.pick(DEEDS), ...rng.pick(THINGS).split(' ')]
        const lead = ['yesterday', 'in', name(rng, 2)]
        if (summary.length) summary.push(';')
        for (const [i] of told.entries()) links.push([article.length + lead.length + i, summary.length + i])
        summary.push(...told)
        article.push(...lead, ...told, '.')
        for (let f = 0; f < filler; f++) article.push(...rng.pick(FILLERS).split(' '), '.')
      }
      return { source: article.join(' '), target: summary.join(' '), links }
    }
    return drawOf({ seed, split }, Number.POSITIVE_INFINITY, draw, pair => pair.source)
  })
}

/** A name of so many syllables: `zolaru`. */
function name(rng: Rng, syllables: number): string {
  return Array.from({ length: syllables }, () => rng.pick(ONSETS) + rng.pick(VOWELS)).join('')
}
