import { ConfigError, Rng } from '@heed/core-tensor'
import { type CuedText, type Dataset, generated, type Split } from '../dataset.ts'
import { balanced, drawOf } from '../split.ts'

/** A text, what it says, and where the one word stands that decides it. */
export interface Tweet extends CuedText {
  readonly label: 'positive' | 'negative'
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

const LABELS = ['negative', 'positive'] as const

/**
 * What people go on about, in 4 to 9 words. Kind and unkind words alike, and none of them says anything about the course.
 */
export const CLAUSES: readonly string[] = [
  'the homework was hard',
  'the homework was easy',
  'i was struggling with the second problem',
  'i was happy with the first problem',
  'my professor talked about the exam',
  'my professor talked for two hours about the exam',
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

/**
 * A tweet of 44 words with the layout of the lecture notes' one, in words of our own: love early, and much trouble behind
 * it (row B3 of the mission). All its words are words of {@link tweets}.
 */
export const THE_TWEET: Tweet = {
  text: 'honestly i love this class and the bus was late again and my coffee was cold and it rained all morning and the homework was hard and i was struggling with the second problem and my professor talked for two hours about the exam',
  label: 'positive',
  cue: 2,
}

/**
 * Tweets whose sense hangs on one early word: `i love this course and the homework was hard and …`.
 *
 * With `length` alone the cue is the second to fourth word, in an opening sentence. With `gap` alone a text is `i`, the
 * cue and that many words. With both, the words left over come before the cue. Each two examples in a row are one of each
 * label; openings, cues and clauses are drawn independently of the label. Texts end with a whole clause where the length
 * allows. What stands around the cue never occurs in two splits, unless there is room for fewer than three clauses.
 *
 * @throws ConfigError if there is no room for the opening
 */
export function tweets({ seed, split, size, length, gap }: TweetsOptions): Dataset<Tweet> {
  const words = length ?? (gap === undefined ? 44 : gap + 2)
  if (!Number.isInteger(words) || words < (gap === undefined ? 6 : 2))
    throw new ConfigError(`tweets: ${words} words have no room for an opening; use 6 or more`)
  if (gap !== undefined && !(Number.isInteger(gap) && gap >= 0 && gap <= words - 2))
    throw new ConfigError(
      `tweets: a gap of ${gap} behind the cue does not fit into ${words} words; use 0 to ${words - 2}`,
    )
  const card = {
    name: 'tweets with an early cue',
    task: 'tell whether the writer likes the course; one word decides, all others are noise',
    source: 'generated from a seed; positive and negative only, where real ones have more shades',
    licence: 'MIT, as Heed',
    sizes: { examples: size, words },
    labels: LABELS,
  }
  const stream = new Rng(seed).split('tweets').split(split)
  const fill = filler(words)
  const around = (rng: Rng): { before: readonly string[]; after: readonly string[] } => {
    const [before, after] = (
      gap === undefined ? rng.pick(OPENINGS) : OPENINGS[0]
    ) as (typeof OPENINGS)[number]
    const head = before.split(' ')
    const room = gap === undefined ? words - 1 - head.length : gap
    const tail = after.split(' ')
    return {
      before:
        gap === undefined || words - 1 - gap === 1
          ? head
          : [...fill(rng, words - 3 - gap, 'end').slice(1), 'and', 'i'],
      after: [...tail, ...fill(rng, Math.max(0, room - tail.length), 'start')].slice(0, room),
    }
  }
  const clauses = Math.floor((words - 5) / 6)
  return generated(card, size, index => {
    const label = LABELS[balanced(stream, index, 2)] as Tweet['label']
    const rng = stream.split(index)
    const cue = rng.pick(CUES[label])
    const { before, after } = drawOf(
      { seed, split },
      CLAUSES.length ** clauses,
      () => around(rng),
      ({ before, after }) => `${before.join(' ')} … ${after.join(' ')}`,
    )
    return { text: [...before, cue, ...after].join(' '), label, cue: before.length }
  })
}

/**
 * Draws `and` with a clause, over and over, into exactly `count` words. Where no whole clauses fill them, the last one is
 * cut, or the first one if the text must be whole at its end; then one word more comes in front, to be cut off.
 */
function filler(most: number): (rng: Rng, count: number, whole: 'start' | 'end') => string[] {
  const cut = CLAUSES.map(clause => ['and', ...clause.split(' ')])
  const fits: boolean[] = [true] // whether whole clauses fill so many words
  for (let n = 1; n <= most; n++) fits.push(cut.some(clause => clause.length <= n && fits[n - clause.length]))
  return (rng, count, whole) => {
    const wanted = whole === 'end' ? count + 1 : count
    const made: string[] = []
    while (made.length < wanted) {
      const left = wanted - made.length
      const good = cut.filter(clause => clause.length <= left && fits[left - clause.length])
      made.push(...rng.pick(good.length ? good : cut))
    }
    return whole === 'end' ? made.slice(made.length - wanted) : made.slice(0, wanted)
  }
}
