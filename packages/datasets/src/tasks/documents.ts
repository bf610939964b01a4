import { ConfigError, Rng } from '@heed/core-tensor'
import { type CuedText, type Dataset, generated, type Split } from '../dataset.ts'
import { balanced, drawOf } from '../split.ts'

/** Settings of {@link documents}, plain JSON. */
export interface DocumentsOptions {
  readonly seed: number
  readonly split: Split
  /** Number of examples. */
  readonly size: number
  /** Words of each, full stops counted, 14 or more; 200 unless given. */
  readonly length?: number
  /** Where the deciding sentence stands; anywhere unless given. */
  readonly place?: 'start' | 'middle' | 'end' | 'anywhere'
}

const THINGS = ['hotel', 'museum', 'restaurant', 'garden', 'concert', 'library'] as const
const PARTS = [
  'the door',
  'the room',
  'the window',
  'our table',
  'the staff',
  'the music',
  'the way there',
  'the weather',
]
const QUALITIES = [
  'old',
  'new',
  'small',
  'bright',
  'quiet',
  'loud',
  'cold',
  'warm',
  'slow',
  'busy',
  'clean',
  'plain',
]
const TIMES = ['in the morning', 'at noon', 'in the evening', 'on the first day', 'that week', 'at the end']
const PEOPLE = ['my sister', 'a neighbour', 'the man before us', 'a critic', 'an old friend', 'the guide']
const FEELINGS = ['loved', 'hated', 'praised', 'cursed']
const VERDICTS = {
  positive: ['recommend', 'praise', 'applaud'],
  negative: ['condemn', 'regret', 'denounce'],
} as const
const LABELS = ['negative', 'positive'] as const

/**
 * Long reviews of which one sentence decides: `… all in all we recommend this hotel . …` among descriptions and other
 * people's opinions of other things.
 *
 * The 200-word document of the lecture notes, at any length (experiments X2 to X4, the curve over review lengths). Each
 * two examples in a row are one of each label; everything else is drawn independently of it. Sentences are whole, and as
 * many words as asked for, the last sentence filled up by `indeed`. What stands around the verdict never occurs in two
 * splits.
 *
 * @throws ConfigError if the length leaves no room for two sentences
 */
export function documents(options: DocumentsOptions): Dataset<CuedText> {
  const { seed, split, size, length = 200, place = 'anywhere' } = options
  if (!Number.isInteger(length) || length < 14)
    throw new ConfigError(
      `documents: length must be a whole number from 14, got ${length}; use for example 200`,
    )
  if (!['start', 'middle', 'end', 'anywhere'].includes(place))
    throw new ConfigError(`documents: unknown place ${String(place)}; use start, middle, end or anywhere`)
  const stream = new Rng(seed).split('documents').split(split)
  const card = {
    name: 'long documents with one verdict',
    task: 'tell whether the writer recommends it; one sentence decides, all others are noise',
    source: 'generated from a seed',
    licence: 'MIT, as Heed',
    sizes: { examples: size, words: length },
    labels: LABELS,
  }
  return generated(card, size, index => {
    const label = LABELS[balanced(stream, index, 2)] as (typeof LABELS)[number]
    const rng = stream.split(index)
    const subject = rng.pick(THINGS)
    const verdict = `all in all we ${rng.pick(VERDICTS[label])} this ${subject} .`.split(' ')
    const noise = drawOf(
      { seed, split },
      length < 30 ? 1 : 1e6,
      () => noiseOf(rng, length - verdict.length),
      sentences => sentences.map(words => words.join(' ')).join(' '),
    )
    const at = { start: 0, middle: noise.length >> 1, end: noise.length, anywhere: rng.int(noise.length + 1) }
    const before = noise.slice(0, at[place]).flat()
    return {
      text: [...before, ...verdict, ...noise.slice(at[place]).flat()].join(' '),
      label,
      cue: before.length + 4,
    }
  })
}

/** Sentences of `count` words in all. */
function noiseOf(rng: Rng, count: number): string[][] {
  const sentences: string[][] = []
  let left = count
  while (left > 0) {
    const sentence =
      rng.int(3) > 0
        ? `${rng.pick(PARTS)} of the ${rng.pick(THINGS)} was ${rng.pick(QUALITIES)} ${rng.pick(TIMES)} .`
        : `${rng.pick(PEOPLE)} ${rng.pick(FEELINGS)} the ${rng.pick(THINGS)} ${rng.pick(TIMES)} .`
    const words = sentence.split(' ')
    if (words.length > left) {
      const short = `it was ${rng.pick(QUALITIES)} .`.split(' ')
      if (left >= short.length) sentences.push(short)
      else (sentences.at(-1) as string[]).splice(-1, 0, ...Array.from({ length: left }, () => 'indeed'))
      left -= Math.min(left, short.length)
    } else {
      sentences.push(words)
      left -= words.length
    }
  }
  return sentences
}
