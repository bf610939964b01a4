import { ConfigError, Rng } from '@heed/core-tensor'
import { type CuedText, type Dataset, generated, type MultiLabelledText, type Split } from '../dataset.ts'
import { balanced, drawOf } from '../split.ts'
import { CLAUSES } from './tweets.ts'

/** The six emotions that Ekman called basic, 1992. */
export const EMOTIONS = ['anger', 'disgust', 'fear', 'joy', 'sadness', 'surprise'] as const

const FEELINGS: Readonly<Record<(typeof EMOTIONS)[number], readonly string[]>> = {
  anger: ['furious', 'angry', 'annoyed', 'mad'],
  disgust: ['disgusted', 'sick', 'repelled', 'revolted'],
  fear: ['scared', 'afraid', 'worried', 'anxious'],
  joy: ['glad', 'joyful', 'cheerful', 'delighted'],
  sadness: ['sad', 'gloomy', 'lonely', 'miserable'],
  surprise: ['surprised', 'amazed', 'astonished', 'stunned'],
}

/** Settings of {@link emotion} and {@link emotions}, plain JSON. */
export interface EmotionsOptions {
  readonly seed: number
  readonly split: Split
  /** Number of examples. */
  readonly size: number
  /** Clauses of each, of 5 to 10 words; 6 unless given. */
  readonly clauses?: number
}

/**
 * Tweets that name one of six emotions anywhere: `… and i feel lonely and the bus was late again …` → `'sadness'`.
 *
 * The multi-class sister of `tweets`. Every six examples in a row hold each emotion once. The noise around never occurs in
 * two splits, unless there are fewer than three clauses. @throws ConfigError if there is no room for a clause
 */
export function emotion(options: EmotionsOptions): Dataset<CuedText> {
  const { card, stream, tell } = setUp('emotion', options, 1)
  return generated(
    { ...card, task: 'name the one emotion that the writer speaks of' },
    options.size,
    index => {
      const label = EMOTIONS[balanced(stream, index, EMOTIONS.length)] as (typeof EMOTIONS)[number]
      const { text, cues } = tell(stream.split(index), [label])
      return { text, label, cue: cues[0] as number }
    },
  )
}

/** A text with all its emotions, and the places of the words that name them. */
export interface EmotionalText extends MultiLabelledText {
  /** In the order of the labels, from 0. */
  readonly cues: readonly number[]
}

/**
 * Tweets that name one, two or three of six emotions, the multi-label sister of {@link emotion}.
 *
 * Numbers of emotions and sets of emotions are equally likely. @throws ConfigError if there is no room for three clauses
 */
export function emotions(options: EmotionsOptions): Dataset<EmotionalText> {
  const { card, stream, tell } = setUp('emotions', options, 3)
  return generated(
    { ...card, task: 'name each of the one to three emotions that the writer speaks of' },
    options.size,
    index => {
      const rng = stream.split(index)
      const count = 1 + balanced(stream, index, 3)
      const chosen = rng.permutation(EMOTIONS.length).slice(0, count).sort()
      const labels = Array.from(chosen, i => EMOTIONS[i] as (typeof EMOTIONS)[number])
      return { ...tell(rng, labels), labels }
    },
  )
}

type Told = { readonly text: string; readonly cues: readonly number[] }

function setUp(
  name: string,
  { seed, split, size, clauses = 6 }: EmotionsOptions,
  least: number,
): {
  readonly card: Omit<Parameters<typeof generated>[0], 'task'>
  readonly stream: Rng
  readonly tell: (rng: Rng, named: readonly (typeof EMOTIONS)[number][]) => Told
} {
  if (!Number.isInteger(clauses) || clauses < least)
    throw new ConfigError(
      `${name}: clauses must be a whole number from ${least}, got ${clauses}; use for example 6`,
    )
  return {
    card: {
      name,
      source: 'generated from a seed',
      licence: 'MIT, as Heed',
      sizes: { examples: size, clauses, emotions: EMOTIONS.length },
      labels: EMOTIONS,
    },
    stream: new Rng(seed).split(name).split(split),
    tell: (rng, named) => {
      const noise = drawOf(
        { seed, split },
        CLAUSES.length ** (clauses - named.length),
        () => Array.from({ length: clauses - named.length }, () => rng.pick(CLAUSES)),
        drawn => drawn.join(),
      )
      const told = [...noise.map(clause => ({ clause, of: -1 }))]
      for (const [of, feeling] of named.entries())
        told.splice(rng.int(told.length + 1), 0, { clause: `i feel ${rng.pick(FEELINGS[feeling])}`, of })
      const cues: number[] = []
      let at = 0
      for (const { clause, of } of told) {
        const length = clause.split(' ').length
        if (of >= 0) cues[of] = at + length - 1
        at += length + 1
      }
      return { text: told.map(({ clause }) => clause).join(' and '), cues }
    },
  }
}
