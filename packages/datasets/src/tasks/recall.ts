import { ConfigError, Rng } from '@heed/core-tensor'
import { type CuedText, type Dataset, generated, type LabelledText, type Split } from '../dataset.ts'
import { balanced, drawOf } from '../split.ts'

/** Settings that all tasks of recalling share, plain JSON. */
export interface RecallOptions {
  readonly seed: number
  readonly split: Split
  /** Number of examples. */
  readonly size: number
  /** How many different answers there are, `a`, `b`, …; 2 unless given, 26 at most. */
  readonly classes?: number
  /** How many different words stand for noise, `n0`, `n1`, …; 20 unless given. */
  readonly noise?: number
}

/** Settings of {@link recall}, plain JSON. */
export interface DistanceOptions extends RecallOptions {
  /** Words of noise behind the cue. */
  readonly gap: number
  /** Words of noise before the cue; none unless given. */
  readonly before?: number
}

/**
 * A cue among noise, to be named: `'a n7 n0 n13'` → `'a'`. The distance from the cue to the end is the `gap`.
 *
 * The barest form of the question how far a recurrence remembers (experiments X1 and X4). The classes come equally often
 * in every run of `classes` examples. No noise occurs in two splits, unless there are fewer than 1,000 different ones.
 *
 * @throws ConfigError if a number makes no sense
 */
export function recall(options: DistanceOptions): Dataset<CuedText> {
  const { gap, before = 0 } = options
  check('recall', { gap, before }, 0)
  const { answers, noiseOf, rng, card } = setUp('recall', options, gap + before)
  const task = `name the cue, ${gap} words before the end; all other words are noise`
  return generated({ ...card, task }, options.size, index => {
    const label = answers[balanced(rng, index, answers.length)] as string
    const noise = noiseOf(rng.split(index))
    return { text: [...noise.slice(0, before), label, ...noise.slice(before)].join(' '), label, cue: before }
  })
}

/** Settings of {@link marked}, plain JSON. */
export interface MarkedOptions extends Omit<RecallOptions, 'noise'> {
  /** Words of the text. */
  readonly length: number
}

/**
 * One word among others like it bears a mark and is to be named: `'c a *b d a'` → `'b'`.
 *
 * What matters is one place, so reading a single row is enough: the task for hard attention (experiment X11). Classes
 * and splits are as for {@link recall}; the marked place is anywhere, equally likely.
 */
export function marked(options: MarkedOptions): Dataset<CuedText> {
  const { length, classes = 4 } = options
  check('marked', { length }, 1)
  const { answers, noiseOf, rng, card } = setUp('marked', { ...options, classes, noise: classes }, length - 1)
  return generated({ ...card, task: 'name the one word that bears a mark' }, options.size, index => {
    const label = answers[balanced(rng, index, answers.length)] as string
    const draws = rng.split(index)
    const cue = draws.int(length)
    const words = noiseOf(draws).map(word => answers[Number(word.slice(1))] as string)
    return { text: [...words.slice(0, cue), `*${label}`, ...words.slice(cue)].join(' '), label, cue }
  })
}

/** Settings of {@link lookup}, plain JSON. */
export interface LookupOptions extends RecallOptions {
  /** How many keys with a value the text holds. */
  readonly pairs: number
  /** How many different keys there are, `k0`, `k1`, …; 20 unless given. */
  readonly keys?: number
}

/**
 * Keys with values, then one of the keys, to name its value: `'k3 a k0 b k7 a ? k0'` → `'b'`. `cue` is the value's place.
 *
 * The answer depends on a question that comes last, so no summary made before it is enough (associative recall; steps to
 * converge of experiment X10). Classes are balanced; the splits are divided by what stands around the asked value.
 */
export function lookup(options: LookupOptions): Dataset<CuedText> {
  const { pairs, keys = 20, classes = 4, seed, split } = options
  check('lookup', { pairs, keys }, 1)
  if (pairs > keys)
    throw new ConfigError(
      `lookup: ${pairs} pairs need as many keys, there are ${keys}; use for example keys ${2 * pairs}`,
    )
  const { answers, rng, card } = setUp('lookup', { ...options, classes }, pairs)
  return generated({ ...card, task: 'name the value of the key that is asked for' }, options.size, index => {
    const label = answers[balanced(rng, index, answers.length)] as string
    const draws = rng.split(index)
    const different = (keys * classes) ** Math.min(pairs, 8)
    const { chosen, values, asked } = drawOf(
      { seed, split },
      different,
      () => ({
        chosen: Array.from(draws.permutation(keys).subarray(0, pairs), key => `k${key}`),
        values: Array.from({ length: pairs }, () => draws.pick(answers)),
        asked: draws.int(pairs),
      }),
      ({ chosen, values, asked }) => chosen.map((key, i) => `${key} ${i === asked ? '?' : values[i]}`).join(),
    )
    const facts = chosen.map((key, i) => `${key} ${i === asked ? label : values[i]}`)
    return { text: `${facts.join(' ')} ? ${chosen[asked]}`, label, cue: 2 * asked + 1 }
  })
}

/** Settings of {@link order}, plain JSON. */
export interface OrderOptions extends Omit<RecallOptions, 'classes'> {
  /** Words of the text, 2 or more. */
  readonly length: number
}

/**
 * Two marks among noise, to name the one that comes first: `'n4 b n1 n9 a n4'` → `'b'`.
 *
 * Every text holds both marks once, so its words without their order say nothing: what a model without positions cannot
 * learn (experiment X21). Marks and splits as for {@link recall}; both places are random.
 */
export function order(options: OrderOptions): Dataset<LabelledText> {
  const { length } = options
  check('order', { length }, 2)
  const { answers, noiseOf, rng, card } = setUp('order', { ...options, classes: 2 }, length - 2)
  return generated({ ...card, task: 'name the mark that comes first, a or b' }, options.size, index => {
    const first = balanced(rng, index, 2)
    const draws = rng.split(index)
    const [one = 0, other = 1] = draws.permutation(length)
    const words = noiseOf(draws)
    words.splice(Math.min(one, other), 0, answers[first] as string)
    words.splice(Math.max(one, other), 0, answers[1 - first] as string)
    return { text: words.join(' '), label: answers[first] as string }
  })
}

function check(name: string, numbers: Readonly<Record<string, number>>, least: number): void {
  for (const [option, value] of Object.entries(numbers))
    if (!Number.isInteger(value) || value < least)
      throw new ConfigError(
        `${name}: ${option} must be a whole number from ${least}, got ${value}; use for example 10`,
      )
}

/** What the tasks have in common: answers, noise of a length that belongs to the split, random numbers, card. */
function setUp(
  name: string,
  { seed, split, size, classes = 2, noise = 20 }: RecallOptions,
  length: number,
): {
  readonly answers: readonly string[]
  readonly noiseOf: (rng: Rng) => string[]
  readonly rng: Rng
  readonly card: Omit<Parameters<typeof generated>[0], 'task'>
} {
  check(name, { classes }, 2)
  check(name, { noise }, 1)
  if (classes > 26)
    throw new ConfigError(
      `${name}: there are 26 letters to answer with, got classes ${classes}; use 26 or fewer`,
    )
  const answers = Array.from({ length: classes }, (_, i) => String.fromCharCode(97 + i))
  return {
    answers,
    noiseOf: rng =>
      drawOf(
        { seed, split },
        noise ** length,
        () => Array.from({ length }, () => `n${rng.int(noise)}`),
        words => words.join(' '),
      ),
    rng: new Rng(seed).split(name).split(split),
    card: {
      name,
      source: 'generated from a seed',
      licence: 'MIT, as Heed',
      sizes: { examples: size, classes, words: length },
      labels: answers,
    },
  }
}
