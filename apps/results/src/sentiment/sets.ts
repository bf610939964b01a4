import { type Dataset, examples, imdbShort, type LabelledText, longReviews, type Shelf, sentencePolarity, spaces, sst2, type Tokenizer, tweetSentiment, words } from '@heed/datasets' // biome-ignore format: one line
import type { Judged, JudgedParts } from './classify.ts'

/** A real set of texts that are positive or negative. */
export interface SentimentSet {
  readonly name: string
  readonly title: string
  readonly tokenizer: Tokenizer
  /** Where the lengths of its texts are parted. */
  readonly bounds: readonly number[]
  /** Longer texts are cut. */
  readonly maxWords: number
  parts(from: Shelf): Promise<JudgedParts>
}

const judged = (texts: readonly LabelledText[]): Judged[] =>
  texts.map(({ text, label }) => ({ text, positive: label === 'positive' }))

const PARTS = ['train', 'validation', 'test'] as const

/** The parts of a set, whoever made them. */
async function threeParts(
  load: (split: (typeof PARTS)[number]) => Promise<Dataset<LabelledText>>,
): Promise<JudgedParts> {
  const sets = await Promise.all(PARTS.map(load))
  const [train, validation, test] = sets.map(set => judged(examples(set)))
  return { train, validation, test, card: sets[0]?.card } as JudgedParts
}

/** The sets of the table of read-outs. */
export const sentimentSets: readonly SentimentSet[] = [
  {
    name: 'tweets',
    title: 'tweets, positive or negative',
    tokenizer: words({ lowercase: true }),
    bounds: [5, 10, 15, 20, 25],
    maxWords: 44,
    parts: from => threeParts(split => tweetSentiment(from, { split, binary: true, seed: 0 })),
  },
  {
    name: 'sst2',
    title: 'SST-2, whole sentences',
    tokenizer: spaces(),
    bounds: [8, 14, 20, 26, 32],
    maxWords: 44,
    parts: from => threeParts(split => sst2(from, { split })),
  },
  {
    name: 'polarity',
    title: 'sentence polarity',
    tokenizer: spaces(),
    bounds: [8, 14, 20, 26, 32],
    maxWords: 44,
    parts: from => threeParts(split => sentencePolarity(from, { split, seed: 0 })),
  },
  {
    name: 'imdb-short',
    title: 'IMDB reviews under 100 words',
    tokenizer: words({ lowercase: true }),
    bounds: [40, 55, 70, 85],
    maxWords: 130,
    parts: from => threeParts(split => imdbShort(from, { split, seed: 0 })),
  },
]

/** Ratings that some long reviews still hold: they give the answer away. */
const RATING =
  /\b\d+(\.\d+)?\s*(\/|out of)\s*\d+\b|\*\s*(\*\s*)+(1\s*\/\s*2)?|\b(one|two|three|four)( and a half)? stars?\b/g

/**
 * Long reviews, each cut to the first `given` words: one fold for the test, the next for validation, the others to learn from;
 * ratings masked.
 */
export async function longParts(from: Shelf, given: number, fold: number): Promise<JudgedParts> {
  const set = await longReviews(from, { split: 'all' })
  const all = examples(set)
  const part = (inside: (distance: number) => boolean): Judged[] =>
    judged(
      all
        .filter(one => inside((one.fold - fold + 10) % 10))
        .map(({ text, label }) => ({
          label,
          text: spaces().encode(text.replace(RATING, '#')).slice(0, given).join(' '),
        })),
    )
  return {
    test: part(distance => distance === 0),
    validation: part(distance => distance === 1),
    train: part(distance => distance > 1),
    card: set.card,
  }
}
