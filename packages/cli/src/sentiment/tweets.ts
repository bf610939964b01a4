import { ConfigError, Rng } from '@heed/core-tensor'
import { type Dataset, generated, type Split } from '@heed/datasets'

/** A text, what it says, and where the one word stands that decides it. */
export interface Tweet {
  readonly text: string
  readonly label: 'positive' | 'negative'
  /** The place of the cue among the words, from 0. */
  readonly cue: number
}

/** Settings of {@link tweets}, plain JSON. */
export interface TweetsOptions {
  readonly seed: number
  readonly split: Split
  /** Number of examples. */
  readonly size: number
  /** Words of each; 44 unless given. */
  readonly length?: number
  /** How many words follow the cue; as many as there are behind an opening unless given. */
  readonly gap?: number
}

const OPENINGS: readonly (readonly [before: string, after: string])[] = [
  ['i', 'this course'],
  ['honestly i', 'this class'],
  ['so i', 'these lectures'],
  ['ok people i', 'this subject'],
]

const CUES = {
  positive: ['love', 'adore', 'enjoy', 'treasure'],
  negative: ['hate', 'detest', 'dislike', 'regret'],
} as const

/** What people go on about. Kind and unkind words alike, and none of them says anything about the course. */
const CLAUSES: readonly string[] = [
  'the homework was hard',
  'the homework was easy',
  'i was struggling with the second problem',
  'i was happy with the first problem',
  'my professor talked about the exam',
  'the bus was late again',
  'the bus came early today',
  'we met near the library after lunch',
  'my coffee was cold',
  'my coffee was great',
  'it rained all morning',
  'the sun was out all morning',
  'somebody lost the key to the room',
  'a friend found my old notes',
  'the screen in the room was broken',
  'there were good seats left',
  'the reading took hours',
  'two of us wrote the report at night',
]

/** A tweet of 44 words like the one of the lecture notes: love early, and much trouble behind it. */
export const THE_TWEET: Tweet = {
  text: 'honestly i love this class and the homework was hard and i was struggling with the second problem and my professor talked about the exam and the bus was late again and my coffee was cold and it rained all morning and the reading',
  label: 'positive',
  cue: 2,
}

/**
 * Tweets whose sense hangs on one early word: `i love this course and the homework was hard and …`.
 *
 * Both labels are equally likely; openings, cues and clauses are drawn independently of each other. Splits are different
 * random streams.
 *
 * @throws ConfigError if there is no room for the opening
 */
export function tweets({ seed, split, size, length = 44, gap }: TweetsOptions): Dataset<Tweet> {
  const words = gap === undefined ? length : gap + 2
  if (!Number.isInteger(words) || words < (gap === undefined ? 6 : 2))
    throw new ConfigError(`tweets: ${words} words have no room for an opening; use 6 or more`)
  const card = {
    name: 'tweets with an early cue',
    task: 'tell whether the writer likes the course; one word at the beginning decides, all others are noise',
    source: 'generated from a seed; positive and negative only, where real ones have more shades',
    licence: 'MIT, as Heed',
    sizes: { examples: size, words },
  }
  const stream = new Rng(seed).split('tweets').split(split)
  return generated(card, size, index => {
    const rng = stream.split(index)
    const label = rng.pick(['positive', 'negative'] as const)
    const cue = rng.pick(CUES[label])
    const [before, after] =
      gap === undefined ? rng.pick(OPENINGS) : (OPENINGS[0] as (typeof OPENINGS)[number])
    const made = [...before.split(' '), cue, ...after.split(' ')]
    while (made.length < words) made.push('and', ...rng.pick(CLAUSES).split(' '))
    return { text: made.slice(0, words).join(' '), label, cue: before.split(' ').length }
  })
}
