import { ConfigError, Rng } from '@heed/core-tensor'
import { type CuedText, type Dataset, generated, type Split } from '../dataset.ts'
import { balanced, drawOf } from '../split.ts'

const NOUNS = [
  ['key', 'keys'],
  ['dog', 'dogs'],
  ['letter', 'letters'],
  ['child', 'children'],
  ['painter', 'painters'],
  ['boat', 'boats'],
  ['teacher', 'teachers'],
  ['mouse', 'mice'],
] as const
const PREPOSITIONS = ['near', 'behind', 'above', 'beside', 'with', 'before']
const QUALITIES = ['old', 'red', 'small', 'tired', 'famous', 'quiet']
const NUMBERS = ['singular', 'plural'] as const

/** Settings of {@link agreement}, plain JSON. */
export interface AgreementOptions {
  readonly seed: number
  readonly split: Split
  /** Number of examples. */
  readonly size: number
  /** Nouns between the subject and its verb; 3 unless given. */
  readonly distractors?: number
}

/**
 * The number of a verb, which hangs on a subject far away: `the keys near the old boat behind a dog` → `'plural'`.
 *
 * Row B17 of the mission; Linzen et al. 2016. Labels are balanced, the nouns between are of either number, equally likely.
 * What stands behind the subject never occurs in two splits, unless there is no noun between.
 *
 * @throws ConfigError unless `distractors` is a whole number from 0
 */
export function agreement({ seed, split, size, distractors = 3 }: AgreementOptions): Dataset<CuedText> {
  need('agreement', 'distractors', distractors, 0)
  const stream = new Rng(seed).split('agreement').split(split)
  const card = {
    name: 'subject and verb',
    task: 'tell whether the verb that comes next is singular or plural',
    source: 'generated from a seed',
    licence: 'MIT, as Heed',
    sizes: { examples: size, distractors },
    labels: NUMBERS,
  }
  return generated(card, size, index => {
    const number = balanced(stream, index, 2)
    const rng = stream.split(index)
    const between = drawOf(
      { seed, split },
      (PREPOSITIONS.length * QUALITIES.length * NOUNS.length * 2) ** distractors,
      () =>
        Array.from(
          { length: distractors },
          () => `${rng.pick(PREPOSITIONS)} the ${rng.pick(QUALITIES)} ${rng.pick(NOUNS)[rng.int(2)]}`,
        ),
      phrases => phrases.join(' '),
    )
    const subject = rng.pick(NOUNS)[number]
    return { text: ['the', subject, ...between].join(' '), label: NUMBERS[number] as string, cue: 1 }
  })
}

const NAMES = ['ada', 'bela', 'carl', 'dora', 'emil', 'fatima', 'gita', 'hugo']
const TOPICS = ['music', 'chess', 'the sea', 'old films', 'tea', 'maps', 'birds', 'trains', 'bread', 'stars']
const SMALL_TALK = [
  ['user : do you know about', '?', 'bot : yes , a little'],
  ['user : tell me of', '!', 'bot : there is much to say'],
  ['user : i read about', '.', 'bot : how nice'],
  ['user : my friend likes', '.', 'bot : so do i'],
] as const

/** Settings of {@link conversations}, plain JSON. */
export interface ConversationsOptions {
  readonly seed: number
  readonly split: Split
  /** Number of examples. */
  readonly size: number
  /** Turns between the name and the question; 4 unless given. */
  readonly turns?: number
}

/**
 * Talks in which a name is said once and asked for turns later: `user : i am ada . … user : who am i ?` → `'ada'`.
 *
 * Row B17 of the mission: the lost thread of a conversation. Every eight examples in a row hold each name once. The turns
 * between never occur in two splits, unless there are fewer than two.
 *
 * @throws ConfigError unless `turns` is a whole number from 0
 */
export function conversations({ seed, split, size, turns = 4 }: ConversationsOptions): Dataset<CuedText> {
  need('conversations', 'turns', turns, 0)
  const stream = new Rng(seed).split('conversations').split(split)
  const card = {
    name: 'conversations',
    task: 'recall the name that was said at the beginning',
    source: 'generated from a seed',
    licence: 'MIT, as Heed',
    sizes: { examples: size, turns },
    labels: NAMES,
  }
  return generated(card, size, index => {
    const label = NAMES[balanced(stream, index, NAMES.length)] as string
    const rng = stream.split(index)
    const talk = drawOf(
      { seed, split },
      (SMALL_TALK.length * TOPICS.length) ** turns,
      () =>
        Array.from({ length: turns }, () => {
          const [asked, mark, said] = rng.pick(SMALL_TALK)
          return `${asked} ${rng.pick(TOPICS)} ${mark} ${said} .`
        }),
      said => said.join(' '),
    )
    const text = [`user : i am ${label} .`, ...talk, 'user : who am i ?'].join(' ')
    return { text, label, cue: 4 }
  })
}

function need(name: string, option: string, value: number, least: number): void {
  if (!Number.isInteger(value) || value < least)
    throw new ConfigError(
      `${name}: ${option} must be a whole number from ${least}, got ${value}; use for example 4`,
    )
}
