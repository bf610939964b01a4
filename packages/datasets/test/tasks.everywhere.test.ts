import { ConfigError } from '@heed/core-tensor'
import { describe, expect, it } from 'vitest'
import {
  agreement,
  type CuedText,
  conversations,
  copy,
  type Dataset,
  documents,
  EMOTIONS,
  emotion,
  emotions,
  examples,
  lookup,
  marked,
  order,
  permute,
  recall,
  type Split,
  sort,
  splitOf,
  summaries,
  THE_TRANSLATION,
  THE_TWEET,
  translation,
  tweets,
} from '../src/index.ts'

interface Options {
  readonly seed: number
  readonly split: Split
  readonly size: number
}

/** Each task with the SHA-256 of 120 examples as JSON, seed 1, in every engine and forever. */
const TASKS: readonly (readonly [name: string, make: (o: Options) => Dataset<unknown>, hash: string])[] = [
  ['copy', o => copy(o), 'd8d6c367f8f812b6'],
  ['reverse', o => copy({ ...o, reverse: true }), '54d05a66454c60c8'],
  ['sort', o => sort(o), '5e79710a093cc846'],
  ['permute', o => permute(o), 'dfe03c64f9a7980b'],
  ['tweets', o => tweets(o), 'e9c8e326281ce756'],
  ['tweets with a gap', o => tweets({ ...o, gap: 40 }), '9394bbc46ca44c12'],
  ['tweets with a late cue', o => tweets({ ...o, gap: 20, length: 44 }), '6aa016d39fc2d082'],
  ['emotion', o => emotion(o), '1f54c6741414fad8'],
  ['emotions', o => emotions(o), 'b9e913e94e1d6347'],
  ['documents', o => documents(o), '6f83e10dd3819a2d'],
  ['recall', o => recall({ ...o, gap: 30 }), '072c554a51ebd81b'],
  ['marked', o => marked({ ...o, length: 12 }), 'b38cc09052047380'],
  ['lookup', o => lookup({ ...o, pairs: 6 }), 'd7ea9d029e023528'],
  ['order', o => order({ ...o, length: 12 }), '4ce18792047d925d'],
  ['agreement', o => agreement(o), '226fc123ba44ada6'],
  ['conversations', o => conversations(o), 'e596041142844292'],
  ['summaries', o => summaries(o), '339fd7f1adf6cb9e'],
  ['translation into German', o => translation(o), '560af63a00628452'],
  ['translation into French', o => translation({ ...o, target: 'fr' }), 'e9a921297626f4f0'],
]

async function hashOf(value: unknown): Promise<string> {
  const bytes = new TextEncoder().encode(JSON.stringify(value))
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
  return Array.from(digest.subarray(0, 8), byte => byte.toString(16).padStart(2, '0')).join('')
}

const textOf = (example: unknown): string => {
  const { text, source } = example as { readonly text?: string; readonly source?: string }
  return (text ?? source) as string
}

describe.each(TASKS)('%s', (_, make, hash) => {
  it('gives the same bytes for a seed on every machine', async () => {
    expect(await hashOf(examples(make({ seed: 1, split: 'train', size: 120 })))).toBe(hash)
  })

  it('gives an example by its number alone', () => {
    const whole = make({ seed: 3, split: 'train', size: 40 })
    expect(make({ seed: 3, split: 'train', size: 9999 }).at(31)).toEqual(examples(whole)[31])
  })

  it('gives others for another seed and split', () => {
    const all = [1, 2].flatMap(seed =>
      (['train', 'validation', 'test'] as const).map(split =>
        examples(make({ seed, split, size: 5 }))
          .map(textOf)
          .join(),
      ),
    )
    expect(new Set(all).size).toBe(6)
  })

  it('lets no text occur in two splits, but the few short ones', () => {
    const long = (split: Split) =>
      new Set(
        examples(make({ seed: 5, split, size: 300 }))
          .map(textOf)
          .filter(text => text.length > 3),
      )
    const [train, validation, test] = [long('train'), long('validation'), long('test')]
    expect([...test].filter(text => train.has(text) || validation.has(text))).toEqual([])
    expect([...validation].filter(text => train.has(text))).toEqual([])
  })

  it('has a card that says what is asked, and every label', () => {
    const { card } = make({ seed: 1, split: 'train', size: 7 })
    expect(card.sizes.examples).toBe(7)
    for (const text of [card.name, card.task, card.source, card.licence]) expect(text).toMatch(/\w/)
    const { label, labels = label === undefined ? [] : [label] } = make({
      seed: 1,
      split: 'train',
      size: 7,
    }).at(0) as {
      readonly label?: string
      readonly labels?: readonly string[]
    }
    for (const one of labels) expect(card.labels).toContain(one)
  })
})

const LABELLED: readonly (readonly [name: string, make: (o: Options) => Dataset<{ label: string }>])[] = [
  ['tweets', o => tweets(o)],
  ['emotion', o => emotion(o)],
  ['documents', o => documents(o)],
  ['recall', o => recall({ ...o, gap: 5, classes: 5 })],
  ['marked', o => marked({ ...o, length: 9, classes: 7 })],
  ['lookup', o => lookup({ ...o, pairs: 3 })],
  ['order', o => order({ ...o, length: 9 })],
  ['agreement', o => agreement(o)],
  ['conversations', o => conversations(o)],
]

it.each(LABELLED)('%s holds each label equally often, in no fixed order', (_, make) => {
  const { card } = make({ seed: 1, split: 'test', size: 1 })
  const labels = card.labels as readonly string[]
  const drawn = examples(make({ seed: 1, split: 'test', size: 20 * labels.length })).map(({ label }) => label)
  for (const label of labels) expect(drawn.filter(one => one === label)).toHaveLength(20)
  const rounds = Array.from({ length: 20 }, (_, r) =>
    drawn.slice(r * labels.length, (r + 1) * labels.length).join(),
  )
  expect(new Set(rounds).size).toBeGreaterThan(1)
})

const CUED: readonly (readonly [
  string,
  (o: Options) => Dataset<CuedText>,
  (example: CuedText, word: string) => boolean,
])[] = [
  ['recall', o => recall({ ...o, gap: 9, before: 3 }), ({ label }, word) => word === label],
  ['marked', o => marked({ ...o, length: 9 }), ({ label }, word) => word === `*${label}`],
  ['lookup', o => lookup({ ...o, pairs: 5 }), ({ label }, word) => word === label],
  [
    'documents',
    o => documents(o),
    ({ label }, word) =>
      (label === 'positive' ? /recommend|praise|applaud/ : /condemn|regret|denounce/).test(word),
  ],
  [
    'agreement',
    o => agreement(o),
    ({ label }, word) => /(s|children|mice)$/.test(word) === (label === 'plural'),
  ],
  ['conversations', o => conversations(o), ({ label }, word) => word === label],
  [
    'tweets',
    o => tweets(o),
    ({ label }, word) =>
      (label === 'positive' ? /love|adore|enjoy|treasure/ : /hate|detest|dislike|regret/).test(word),
  ],
]

it.each(CUED)('%s says where the deciding word stands', (_, make, decides) => {
  for (const example of examples(make({ seed: 2, split: 'train', size: 100 })))
    expect(decides(example, example.text.split(' ')[example.cue] as string), JSON.stringify(example)).toBe(
      true,
    )
})

describe('tweets', () => {
  it('have as many words as asked for, and the cue where asked', () => {
    for (const length of [6, 7, 20, 44, 101])
      for (const { text, cue } of examples(tweets({ seed: 1, split: 'train', size: 30, length }))) {
        expect(text.split(' ')).toHaveLength(length)
        expect(cue).toBeLessThan(4)
      }
    for (const gap of [0, 1, 5, 40, 100])
      for (const { text, cue } of examples(tweets({ seed: 1, split: 'train', size: 30, gap })))
        expect([text.split(' ').length, cue]).toEqual([gap + 2, 1])
    for (const gap of [0, 20, 40, 42])
      for (const { text, cue } of examples(tweets({ seed: 1, split: 'train', size: 30, gap, length: 44 })))
        expect([text.split(' ').length, cue]).toEqual([44, 43 - gap])
  })

  it('say nothing about the label but by the cue', () => {
    const counts = { positive: new Map<string, number>(), negative: new Map<string, number>() }
    for (const { text, label, cue } of examples(tweets({ seed: 9, split: 'train', size: 4000 })))
      for (const word of new Set(text.split(' ').filter((_, i) => i !== cue)))
        counts[label].set(word, (counts[label].get(word) ?? 0) + 1)
    // of 2000 texts: four deviations of a difference of two counts
    for (const [word, count] of counts.positive)
      expect(Math.abs(count - (counts.negative.get(word) ?? 0)), word).toBeLessThan(4 * Math.sqrt(1000 + 1))
  })

  it('are the words of the tweet of the lecture, which has 44, love early and trouble late', () => {
    const words = THE_TWEET.text.split(' ')
    expect(words).toHaveLength(44)
    expect(words[THE_TWEET.cue]).toBe('love')
    for (const trouble of ['hard', 'struggling', 'professor'])
      expect(words.indexOf(trouble)).toBeGreaterThan(20)
    const known = new Set(
      examples(tweets({ seed: 1, split: 'train', size: 500 })).flatMap(({ text }) => text.split(' ')),
    )
    expect(words.filter(word => !known.has(word))).toEqual([])
  })
})

it('emotions come alone, in twos and in threes, each named where it says', () => {
  const drawn = examples(emotions({ seed: 1, split: 'train', size: 300 }))
  for (const count of [1, 2, 3])
    expect(drawn.filter(({ labels }) => labels.length === count)).toHaveLength(100)
  for (const name of EMOTIONS)
    expect(drawn.filter(({ labels }) => labels.includes(name)).length).toBeGreaterThan(70)
  for (const { text, cues, labels } of drawn) {
    expect(text.match(/i feel \w+/g)).toHaveLength(labels.length)
    for (const cue of cues) expect(text.split(' ')[cue - 1]).toBe('feel')
  }
})

it('documents are of whole sentences, as long as asked for, with the verdict at its place', () => {
  for (const length of [14, 15, 60, 200, 1001])
    for (const place of ['start', 'middle', 'end'] as const)
      for (const { text, cue } of examples(documents({ seed: 1, split: 'test', size: 10, length, place }))) {
        const words = text.split(' ')
        expect(words).toHaveLength(length)
        expect(words.at(-1)).toBe('.')
        if (place === 'start') expect(cue).toBe(4)
        if (place === 'end') expect(cue).toBe(length - 4)
      }
})

describe('pairs with links', () => {
  it.each([
    ['sort', (o: Options) => sort({ ...o, alphabet: 'zyx' })],
    ['permute', (o: Options) => permute(o)],
    ['reverse', (o: Options) => copy({ ...o, reverse: true })],
  ])('%s says which symbol comes from which', (_, make) => {
    for (const { source, target, links } of examples(make({ seed: 1, split: 'train', size: 200 }))) {
      expect(links.map(([from]) => [...source][from]).join('')).toBe(target)
      expect(links.map(([, to]) => to)).toEqual([...target].map((_, i) => i))
      expect(new Set(links.map(([from]) => from)).size).toBe(source.length)
    }
  })

  it('sort writes in the order of the alphabet given', () => {
    for (const { source, target } of examples(sort({ seed: 1, split: 'train', size: 50, alphabet: 'zyx' })))
      expect(target).toBe([...source].sort().reverse().join(''))
  })

  it('permute always has the same order for a length', () => {
    const orders = examples(permute({ seed: 4, split: 'train', size: 200, minLength: 6, maxLength: 6 })).map(
      ({ links }) => links.map(([from]) => from).join(),
    )
    expect(new Set(orders).size).toBe(1)
  })

  it('summaries hold no word but by a link or ;', () => {
    for (const { source, target, links } of examples(summaries({ seed: 1, split: 'test', size: 100 }))) {
      const words = source.split(' ')
      const rebuilt = target.split(' ').map(() => ';')
      for (const [from, to] of links) rebuilt[to] = words[from] as string
      expect(rebuilt.join(' ')).toBe(target)
    }
  })

  it('translations link every word, within the sentence', () => {
    for (const target of ['de', 'fr'] as const)
      for (const pair of examples(
        translation({ seed: 1, split: 'train', size: 300, target, maxClauses: 4 }),
      )) {
        const [from, to] = [pair.source.split(' ').length, pair.target.split(' ').length]
        expect(new Set(pair.links.map(([i]) => i)).size).toBe(from)
        expect(new Set(pair.links.map(([, j]) => j)).size).toBe(to)
        expect(Math.max(...pair.links.map(([i]) => i))).toBe(from - 1)
        expect(Math.max(...pair.links.map(([, j]) => j))).toBe(to - 1)
      }
  })

  it('a translation is a function of its source', () => {
    const seen = new Map<string, string>()
    for (const seed of [1, 2])
      for (const { source, target } of examples(
        translation({ seed, split: 'train', size: 1500, maxClauses: 1 }),
      )) {
        expect(seen.get(source) ?? target).toBe(target)
        seen.set(source, target)
      }
  })
})

describe('translation', () => {
  const find = (target: 'de' | 'fr', wanted: RegExp) => {
    const all = translation({ seed: 1, split: 'train', size: 4000, target, maxClauses: 2 })
    for (let i = 0; i < all.length; i++) if (wanted.test(all.at(i).source)) return all.at(i)
    throw new Error(`no sentence like ${wanted}`)
  }
  const written = ({ source, target, links }: ReturnType<typeof find>): string[] => {
    const [from, to] = [source.split(' '), target.split(' ')]
    return links.map(([i, j]) => `${from[i]}:${to[j]}`)
  }

  it('parts German verbs, and joins them at the end behind weil', () => {
    const main = find('de', /^he is picking up the \w+$/)
    expect(main.target).toMatch(/^er hebt \S+ \S+ auf$/)
    expect(written(main)).toEqual(expect.arrayContaining(['is:hebt', 'picking:hebt', 'up:auf']))
    const sub = find('de', /because \w+ is picking up the \w+$/)
    expect(sub.target).toMatch(/weil (er|sie) \S+ \S+ aufhebt$/)
    expect(written(sub)).toEqual(expect.arrayContaining(['picking:aufhebt', 'up:aufhebt']))
  })

  it('puts the German verb second when the time comes first', () => {
    expect(find('de', /^today she is reading/).target).toMatch(/^heute liest sie /)
  })

  it('puts French colours behind their noun, and ne and pas around the verb', () => {
    const red = find('fr', /^\w+ is selling the red car$/)
    expect(red.target).toMatch(/vend la voiture rouge$/)
    const not = find('fr', /^she is not reading/)
    expect(not.target).toMatch(/^elle ne lit pas /)
    expect(written(not)).toEqual(expect.arrayContaining(['not:ne', 'not:pas']))
  })

  it('knows the sentence of the lecture', () => {
    const all = (['train', 'validation', 'test'] as const).flatMap(split =>
      examples(translation({ seed: 1, split, size: 4000, maxClauses: 1 })),
    )
    expect(all.find(({ source }) => source === THE_TRANSLATION.source)).toEqual(THE_TRANSLATION)
  })
})

it('splits texts 80 : 10 : 10, by seed and text alone', () => {
  const drawn = Array.from({ length: 10_000 }, (_, i) => splitOf(7, `text ${i}`))
  const share = (split: Split) => drawn.filter(one => one === split).length / drawn.length
  // five deviations of the binomial distribution
  expect(Math.abs(share('train') - 0.8)).toBeLessThan(0.02)
  expect(Math.abs(share('validation') - 0.1)).toBeLessThan(0.015)
  expect(Math.abs(share('test') - 0.1)).toBeLessThan(0.015)
  expect(splitOf(7, 'text 3')).toBe(drawn[3])
})

it.each([
  [() => tweets({ seed: 1, split: 'train', size: 1, length: 5 }), 'tweets: 5 words have no room'],
  [
    () => tweets({ seed: 1, split: 'train', size: 1, length: 20, gap: 19 }),
    'a gap of 19 behind the cue does not fit into 20',
  ],
  [
    () => recall({ seed: 1, split: 'train', size: 1, gap: -1 }),
    'recall: gap must be a whole number from 0, got -1',
  ],
  [() => recall({ seed: 1, split: 'train', size: 1, gap: 1, classes: 27 }), 'recall: there are 26 letters'],
  [
    () => lookup({ seed: 1, split: 'train', size: 1, pairs: 30 }),
    'lookup: 30 pairs need as many keys, there are 20',
  ],
  [
    () => order({ seed: 1, split: 'train', size: 1, length: 1 }),
    'order: length must be a whole number from 2',
  ],
  [
    () => documents({ seed: 1, split: 'train', size: 1, length: 13 }),
    'documents: length must be a whole number from 14',
  ],
  [
    () => documents({ seed: 1, split: 'train', size: 1, place: 'top' as 'start' }),
    'documents: unknown place top',
  ],
  [
    () => emotions({ seed: 1, split: 'train', size: 1, clauses: 2 }),
    'emotions: clauses must be a whole number from 3',
  ],
  [() => agreement({ seed: 1, split: 'train', size: 1, distractors: 0.5 }), 'agreement: distractors must be'],
  [() => summaries({ seed: 1, split: 'train', size: 1, minNews: 5 }), 'summaries: 5 to 4 pieces of news'],
  [
    () => translation({ seed: 1, split: 'train', size: 1, target: 'es' as 'de' }),
    'translation: unknown target es',
  ],
  [() => translation({ seed: 1, split: 'train', size: 1, maxClauses: 0 }), 'translation: 1 to 0 clauses'],
  [
    () => copy({ seed: 1, split: 'dev' as 'test', size: 1, minLength: 9 }).at(0),
    'dev: no text of this split',
  ],
])('refuses what makes no sense, case %#', (make, message) => {
  expect(make).toThrow(ConfigError)
  expect(make).toThrow(message)
})
