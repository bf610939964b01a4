import { ConfigError, Rng } from '@heed/core-tensor'
import { type AlignedPair, type Dataset, generated, type Split } from '../dataset.ts'
import { drawOf } from '../split.ts'
import {
  ADJECTIVES,
  GAMES,
  JOINTS,
  type Noun,
  OBJECTS,
  PERSONS,
  PLACES,
  PRONOUNS,
  type TaggedWord,
  TIMES,
  VERBS,
} from './lexicon.ts'

/** Settings of {@link translation}, plain JSON. */
export interface TranslationOptions {
  readonly seed: number
  readonly split: Split
  /** Number of examples. */
  readonly size: number
  /** Into German or French; `'de'` unless given. */
  readonly target?: 'de' | 'fr'
  /** The fewest clauses of a sentence, of 4 to 12 words; 1 unless given. */
  readonly minClauses?: number
  /** The most clauses of a sentence; 2 unless given. */
  readonly maxClauses?: number
}

/** The lecture notes' pair (row C15 of the mission), with its alignment. It is a sentence of {@link translation}. */
export const THE_TRANSLATION: AlignedPair = {
  source: 'he is playing football',
  target: 'er spielt Fußball',
  links: [
    [0, 0],
    [1, 1],
    [2, 1],
    [3, 2],
  ],
}

/**
 * Sentences of a toy English in German or French, with the alignment of their words, exact by construction.
 *
 * `'today he is not picking up the red ball'` → `'heute hebt er den roten Ball nicht auf'`, `links` `[[0, 0], [1, 2],
 * [2, 1], [3, 6], [4, 1], …]`. What crosses in German: the verb second, and last after `weil`; parted verbs; the time before
 * the object; `nicht` behind it. In French: adjectives behind the noun; `ne … pas`. Words are parted by spaces, written small but for
 * German nouns, without a full stop; the target is a function of the source. No source occurs in two splits. Each number
 * of clauses is equally likely; a sentence of n clauses has 4n to 13n words.
 *
 * @throws ConfigError if a number makes no sense or the language is another
 */
export function translation(options: TranslationOptions): Dataset<AlignedPair> {
  const { seed, split, size, target = 'de', minClauses = 1, maxClauses = 2 } = options
  if (
    !Number.isInteger(minClauses) ||
    !Number.isInteger(maxClauses) ||
    minClauses < 1 ||
    maxClauses < minClauses
  )
    throw new ConfigError(
      `translation: ${minClauses} to ${maxClauses} clauses make no sense; use for example minClauses 1, maxClauses 2`,
    )
  if (target !== 'de' && target !== 'fr')
    throw new ConfigError(`translation: unknown target ${String(target)}; use de or fr`)
  const stream = new Rng(seed).split('translation').split(split)
  const card = {
    name: `toy translation en-${target}`,
    task: `translate a toy English into ${target === 'de' ? 'German' : 'French'}; the alignment is known`,
    source: 'generated from a seed by a grammar of our own',
    licence: 'MIT, as Heed',
    sizes: { examples: size, 'most clauses': maxClauses },
  }
  return generated(card, size, index => {
    const rng = stream.split(index)
    const count = minClauses + rng.int(maxClauses - minClauses + 1)
    const draw = (): Part[] =>
      Array.from({ length: count }, (_, k) => {
        const joint = k ? rng.pick(JOINTS) : undefined
        return { joint, clause: drawClause(rng, joint?.subordinate ?? false) }
      })
    const parts = drawOf({ seed, split }, Number.POSITIVE_INFINITY, draw, drawn =>
      textOf(sentence(drawn, 'en')),
    )
    return pairOf(sentence(parts, 'en'), sentence(parts, target))
  })
}

interface Part {
  readonly joint: (typeof JOINTS)[number] | undefined
  readonly clause: Clause
}

/** The words of a sentence, each clause with tags of its own. */
function sentence(parts: readonly Part[], language: 'en' | 'de' | 'fr'): TaggedWord[] {
  return parts.flatMap(({ joint, clause }, k) => {
    const words = { en: english, de: german, fr: french }[language](clause)
    const before = joint ? tag(joint[language], 'joint') : []
    if (language === 'fr' && /^[aeiou]/.test(words[0]?.word ?? ''))
      for (const [i, { word, tags }] of before.entries())
        if (word === 'que') before[i] = { word: "qu'", tags }
    return [...before, ...words].map(({ word, tags }) => ({ word, tags: tags.map(name => `${k}${name}`) }))
  })
}

function textOf(words: readonly TaggedWord[]): string {
  return words.map(({ word }) => word).join(' ')
}

/** What a clause says, in no language. */
interface Clause {
  readonly subject: (typeof PRONOUNS)[number] | Noun
  /** None: somebody plays. */
  readonly verb: (typeof VERBS)[number] | undefined
  readonly object: Noun | (typeof GAMES)[number]
  readonly adjective: (typeof ADJECTIVES)[number] | undefined
  readonly negated: boolean
  readonly time: (typeof TIMES)[number] | undefined
  /** Whether the time comes first. */
  readonly timeFirst: boolean
  readonly place: (typeof PLACES)[number] | undefined
  readonly subordinate: boolean
}

function drawClause(rng: Rng, subordinate: boolean): Clause {
  const plays = rng.int(6) === 0
  const negated = rng.int(4) === 0
  const time = rng.int(3) === 0 ? rng.pick(TIMES) : undefined
  return {
    subject: rng.int(3) === 0 ? rng.pick(PRONOUNS) : rng.pick(PERSONS),
    verb: plays ? undefined : rng.pick(VERBS),
    object: plays ? rng.pick(GAMES) : rng.pick(OBJECTS),
    adjective: !plays && rng.int(2) === 0 ? rng.pick(ADJECTIVES) : undefined,
    negated,
    time,
    timeFirst: time !== undefined && !subordinate && rng.int(2) === 0,
    place: !negated && rng.int(3) === 0 ? rng.pick(PLACES) : undefined,
    subordinate,
  }
}

/** Words that all stand for the same. */
function tag(words: string, ...tags: string[]): TaggedWord[] {
  return words.split(' ').map(word => ({ word, tags }))
}

/** Words with numbers of their own: `im/1,2 Garten/3`. */
function numbered(words: string, name: string): TaggedWord[] {
  return words.split(' ').map(written => {
    const [word, tags] = written.split('/') as [string, string]
    return { word, tags: tags.split(',').map(tag => name + tag) }
  })
}

function english({
  subject,
  verb,
  object,
  adjective,
  negated,
  time,
  timeFirst,
  place,
}: Clause): TaggedWord[] {
  const [participle, particle] = verb?.en ?? ['playing']
  const when = time ? tag(time.en, 'time') : []
  return [
    ...(timeFirst ? when : []),
    ...(isNoun(subject) ? tag('the', 's-article') : []),
    ...tag(subject.en, 'subject'),
    ...tag('is', 'verb'),
    ...(negated ? tag('not', 'not') : []),
    ...tag(participle, 'verb'),
    ...(particle ? tag(particle, 'particle') : []),
    ...(isNoun(object) ? tag('the', 'o-article') : []),
    ...(adjective ? tag(adjective.en, 'adjective') : []),
    ...tag(object.en, 'object'),
    ...(place ? numbered(place.en, 'place') : []),
    ...(timeFirst ? [] : when),
  ]
}

function german({
  subject,
  verb,
  object,
  adjective,
  negated,
  time,
  timeFirst,
  place,
  subordinate,
}: Clause): TaggedWord[] {
  const [word, particle] = verb?.de ?? ['spielt']
  const when = time ? tag(time.de, 'time') : []
  const who = isNoun(subject)
    ? [...tag(subject.de[0], 's-article'), ...tag(subject.de[2], 'subject')]
    : tag(subject.de, 'subject')
  const what = isNoun(object)
    ? [
        ...tag(object.de[1], 'o-article'),
        ...(adjective ? tag(adjective.de + (object.de[1] === 'den' ? 'en' : 'e'), 'adjective') : []),
        ...tag(object.de[3] ?? object.de[2], 'object'),
      ]
    : tag(object.de, 'object')
  // English has a particle where German has none: `looking for` is `sucht`, all of it
  const alone = verb?.en[1] && !particle ? ['verb', 'particle'] : ['verb']
  const not = negated ? tag('nicht', 'not') : []
  const rest = isNoun(object)
    ? [...what, ...(place ? numbered(place.de, 'place') : []), ...not]
    : [...not, ...what, ...(place ? numbered(place.de, 'place') : [])]
  if (subordinate)
    return [
      ...who,
      ...when,
      ...rest,
      ...tag((particle ?? '') + word, ...alone, ...(particle ? ['particle'] : [])),
    ]
  const acts = tag(word, ...alone)
  return [
    ...(timeFirst ? [...when, ...acts, ...who] : [...who, ...acts, ...when]),
    ...rest,
    ...(particle ? tag(particle, 'particle') : []),
  ]
}

function french({ subject, verb, object, adjective, negated, time, timeFirst, place }: Clause): TaggedWord[] {
  const when = time ? tag(time.fr, 'time') : []
  const which =
    adjective && isNoun(object) ? tag(adjective.fr[object.fr[0] === 'la' ? 1 : 0], 'adjective') : []
  return [
    ...(timeFirst ? when : []),
    ...(isNoun(subject)
      ? [...tag(subject.fr[0], 's-article'), ...tag(subject.fr[1], 'subject')]
      : tag(subject.fr, 'subject')),
    ...(negated ? tag('ne', 'not') : []),
    ...tag(verb?.fr ?? 'joue', 'verb', ...(verb?.en[1] ? ['particle'] : [])),
    ...(negated ? tag('pas', 'not') : []),
    ...(isNoun(object)
      ? [
          ...tag(object.fr[0], 'o-article'),
          ...(adjective?.behind ? [] : which),
          ...tag(object.fr[1], 'object'),
          ...(adjective?.behind ? which : []),
        ]
      : tag(object.fr, 'object')),
    ...(place ? numbered(place.fr, 'place') : []),
    ...(timeFirst ? [] : when),
  ]
}

function isNoun(phrase: Noun | { readonly de: string }): phrase is Noun {
  return typeof phrase.de !== 'string'
}

/** Links words that have a tag in common, in the order of the source. */
function pairOf(source: readonly TaggedWord[], target: readonly TaggedWord[]): AlignedPair {
  const places = new Map<string, number[]>()
  for (const [j, { tags }] of target.entries())
    for (const name of tags) places.set(name, [...(places.get(name) ?? []), j])
  const links = source.flatMap(({ tags }, i) =>
    [...new Set(tags.flatMap(name => places.get(name) ?? []))].map(j => [i, j] as const),
  )
  return { source: textOf(source), target: textOf(target), links }
}
