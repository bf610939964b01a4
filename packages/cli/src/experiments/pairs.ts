import { scope } from '@heed/core-tensor'
import { copy, examples } from '@heed/datasets'
import type { Seq2SeqConfig } from '@heed/models'
import { decide, type Experiment, type Results } from './experiment.ts'
import { learnPairs, type PairScore, type SymbolPair } from './learn.ts'

const TOKENS = { key: 'tokens', title: 'Tokens that are right', unit: '% of test tokens, right ones before them given', share: true } as const // biome-ignore format: one line
const EXACT = { key: 'exact', title: 'Lines that are right to the last token', unit: '% of test lines', share: true } as const // biome-ignore format: one line

const pct = (share: number): string => `${(100 * share).toFixed(0)} %`

interface PairSettings {
  readonly lines: number
  readonly tests: number
  readonly hidden: number
  readonly minLength: number
  readonly maxLength: number
  readonly learningRate: number
}

function mean(scores: readonly PairScore[], of: (score: PairScore) => number): number {
  return scores.reduce((sum, score) => sum + of(score), 0) / scores.length
}

/** Random symbols under a rearrangement. */
export function symbols(
  { lines, tests, minLength, maxLength }: Pick<PairSettings, 'lines' | 'tests' | 'minLength' | 'maxLength'>,
  seed: number,
  change: (text: string) => string = text => text,
): { train: SymbolPair[]; test: SymbolPair[] } {
  const part = (split: 'train' | 'test', size: number): SymbolPair[] =>
    examples(copy({ seed, split, size, minLength, maxLength })).map(({ source }) => ({
      source,
      target: change(source),
    }))
  return { train: part('train', lines), test: part('test', tests) }
}

/** How a target follows from its source: in order, backwards, the places with even numbers before the odd ones. */
const ORDERS: readonly (readonly [name: string, change: (text: string) => string])[] = [
  ['in order', text => text],
  ['backwards', text => [...text].reverse().join('')],
  [
    'even places, then odd',
    text => [0, 1].flatMap(odd => [...text].filter((_, i) => i % 2 === odd)).join(''),
  ],
]

const REVERSALS: Readonly<Record<string, Partial<Seq2SeqConfig>>> = {
  plain: { attention: 'none' },
  'plain, reversed source': { attention: 'none', reverseSource: true },
  attention: { attention: 'bahdanau' },
  'attention, reversed source': { attention: 'bahdanau', reverseSource: true },
}

/** X6: Sutskever's reversal. */
export const x6: Experiment<PairSettings> = {
  id: 'X6',
  title: 'Does reading the source backwards help?',
  claim:
    'Reversing the source massively improves a plain encoder-decoder, since the first words stand close to the first to be written; with attention it matters little.',
  setup:
    'One-directional GRU encoder and decoder on random symbols; targets in the source’s order, backwards, and the even places before the odd. The same data, steps and seeds for all.',
  rule: 'Three conditions: reversal raises the plain model’s right tokens by 5 points or more where the order is kept; it lowers them where the target is backwards; with attention it changes less than it does without, where the order is kept. Holds if all three are so.',
  settings: quick => ({ lines: quick ? 4800 : 12_800, tests: 300, hidden: 48, minLength: 4, maxLength: 12, learningRate: 0.005 }), // biome-ignore format: one line
  arms: () => Object.keys(REVERSALS),
  measures: [TOKENS, EXACT],
  xLabel: 'target',
  places: ORDERS.map(([name]) => name),
  async measure(arm, { settings, seed, signal }) {
    const found = []
    for (const [x, [, change]] of ORDERS.entries()) {
      const model = { ...REVERSALS[arm], hidden: settings.hidden, bidirectional: false }
      const scores = await scope(() => learnPairs({ ...symbols(settings, seed, change), model, seed, signal, learningRate: settings.learningRate })) // biome-ignore format: one line
      found.push({ x, values: { tokens: mean(scores, s => s.tokens), exact: mean(scores, s => s.exact) } })
    }
    return found
  },
  judge(results) {
    const gain = (arm: string, x: number): number => results.mean(`${arm}, reversed source`, x, 'tokens') - results.mean(arm, x, 'tokens') // biome-ignore format: one line
    const points = (x: number): string => `${x >= 0 ? '+' : '−'}${Math.abs(100 * x).toFixed(1)}`
    return {
      verdict: decide([
        gain('plain', 0) >= 0.05,
        gain('plain', 1) < 0,
        Math.abs(gain('attention', 0)) < Math.abs(gain('plain', 0)),
      ]),
      because: `reversal moves the plain model’s right tokens by ${ORDERS.map(([name], x) => `${points(gain('plain', x))} points (${name})`).join(', ')}, attention’s by ${ORDERS.map((_, x) => points(gain('attention', x))).join(', ')}`,
    }
  },
}

const LOOKS: Readonly<Record<string, Partial<Seq2SeqConfig>>> = {
  plain: { attention: 'none' },
  Bahdanau: { attention: 'bahdanau' },
  'Luong dot': { attention: 'dot' },
  'Luong general': { attention: 'general' },
  'Luong concat': { attention: 'concat' },
  'Luong local-p': { attention: 'general', locality: 'predictive', window: 4 },
}

/** The lengths of test lines in groups of four, each by its middle. */
function byLength(
  scores: readonly PairScore[],
  from: number,
): { x: number; values: Record<string, number> }[] {
  const groups = new Map<number, PairScore[]>()
  for (const score of scores) {
    const x = from + 4 * Math.floor((score.length - from) / 4) + 1.5
    groups.set(x, [...(groups.get(x) ?? []), score])
  }
  return [...groups]
    .sort(([a], [b]) => a - b)
    .map(([x, group]) => ({ x, values: { tokens: mean(group, s => s.tokens), exact: mean(group, s => s.exact) } })) // biome-ignore format: one line
}

/** X7: what attention gives, by length. */
export const x7: Experiment<PairSettings> = {
  id: 'X7',
  title: 'Does attention give more, the longer the source?',
  claim: 'The more words a sentence has, the more attention gains on a fixed vector.',
  setup:
    'Random symbols of 3 to 18, to be written again, by a GRU encoder-decoder of 48 hidden units with each kind of attention and with none. One training for all lengths; test lines grouped by length (four lengths a group, drawn at their middle).',
  rule: 'For each kind of attention: its gain in right tokens in the longest group exceeds that in the shortest, and its interval over seeds at the longest is above 0. Holds if all kinds do so, under conditions if some.',
  settings: quick => ({ lines: quick ? 4800 : 16_000, tests: 800, hidden: 48, minLength: 3, maxLength: 18, learningRate: 0.005 }), // biome-ignore format: one line
  arms: () => Object.keys(LOOKS),
  measures: [TOKENS, EXACT],
  xLabel: 'length (symbols)',
  async measure(arm, { settings, seed, signal }) {
    const model = { ...LOOKS[arm], hidden: settings.hidden }
    return byLength(await learnPairs({ ...symbols(settings, seed), model, seed, signal, learningRate: settings.learningRate }), settings.minLength) // biome-ignore format: one line
  },
  judge(results) {
    const places = results.places('plain')
    const [short, long] = [places[0] as number, places.at(-1) as number]
    const kinds = Object.keys(LOOKS).slice(1)
    const gain = (arm: string, x: number) => results.difference(arm, 'plain', x, 'tokens')
    const met = kinds.map(arm => {
      const far = gain(arm, long)
      return far !== undefined && far.low > 0 && far.mean > (gain(arm, short)?.mean ?? 0)
    })
    return {
      verdict: decide(met),
      because: `gains in right tokens from the shortest to the longest group: ${kinds.map(arm => `${arm} ${points(results, arm, short)} to ${points(results, arm, long)}`).join(', ')}; without attention ${pct(results.mean('plain', short, 'tokens'))} to ${pct(results.mean('plain', long, 'tokens'))}`,
    }
  },
}

function points(results: Results, arm: string, x: number): string {
  const found = results.difference(arm, 'plain', x, 'tokens')
  return found ? `${(100 * found.mean).toFixed(0)} [${(100 * found.low).toFixed(0)}, ${(100 * found.high).toFixed(0)}]` : '–' // biome-ignore format: one line
}

const SIZES = [16, 32, 64, 128, 256] as const

/** X8: how much one vector holds. */
export const x8: Experiment<PairSettings & { readonly sizes: readonly number[] }> = {
  id: 'X8',
  title: 'How long a text does one vector hold?',
  claim:
    'A vector of fixed size (say 512 numbers) cannot hold a long sentence (say 50 words): the length that is held grows slowly with the size.',
  setup:
    'Random symbols to be written again by a plain GRU encoder-decoder, whose vectors have 16 to 256 numbers; at most 24 symbols, not the 50 words of the text, and at most 256 numbers, not 512, on a fixed number of steps: what is not learned in them counts as not held.',
  rule: 'The length at which 90 % of the tokens are right, from the groups of test lengths. Holds if it does not fall with the size, and doubling the size less than doubles it on average, and three sizes or more hold anything at all (added after the first quick run, in which two sizes held nothing); under conditions if some of the three are so.',
  settings: quick => ({ lines: quick ? 6400 : 25_600, tests: 800, hidden: 0, minLength: 1, maxLength: quick ? 16 : 24, learningRate: 0.005, sizes: quick ? SIZES.slice(0, 4) : SIZES }), // biome-ignore format: one line
  arms: ({ sizes }) => sizes.map(size => `${size} numbers`),
  measures: [TOKENS, EXACT],
  xLabel: 'length (symbols)',
  async measure(arm, { settings, seed, signal }) {
    const model = { attention: 'none' as const, hidden: Number.parseInt(arm, 10), bidirectional: false }
    return byLength(await learnPairs({ ...symbols(settings, seed), model, seed, signal, learningRate: settings.learningRate }), settings.minLength) // biome-ignore format: one line
  },
  judge(results, { sizes }) {
    const held = sizes.map(size => heldLength(results, `${size} numbers`))
    const rising = held.every((length, i) => length >= (held[i - 1] ?? 0))
    const first = held.findIndex(length => length > 0)
    const doublings = held.length - 1 - first
    const slow = first >= 0 && (held.at(-1) as number) < (held[first] as number) * 2 ** doublings
    return {
      verdict: decide([rising, slow, held.filter(length => length > 0).length >= 3]),
      because: `90 % of the tokens are right up to ${sizes.map((size, i) => `${(held[i] as number).toFixed(1)} symbols with ${size}`).join(', ')} numbers`,
    }
  },
}

/** Where the line of right tokens falls below 90 %; 0 where it begins below. */
function heldLength(results: Results, arm: string): number {
  const places = results.places(arm)
  let before: { x: number; y: number } | undefined
  for (const x of places) {
    const y = results.mean(arm, x, 'tokens')
    if (y < 0.9) return before ? before.x + ((before.y - 0.9) / (before.y - y)) * (x - before.x) : 0
    before = { x, y }
  }
  return places.at(-1) ?? 0
}

interface LongSettings extends PairSettings {
  /** Multiples of the longest length learned from. */
  readonly times: readonly number[]
}

const LONG: Readonly<Record<string, Partial<Seq2SeqConfig>>> = {
  Bahdanau: { attention: 'bahdanau' },
  'Luong general': { attention: 'general' },
  'Luong dot': { attention: 'dot' },
  'local-m': { attention: 'general', locality: 'monotonic', window: 2 },
}

/** X22: longer than ever seen. */
export const x22: Experiment<LongSettings> = {
  id: 'X22',
  title: 'Do long sequences stay hard with attention?',
  claim: 'Attention does not end the trouble with length: long sequences still remain difficult.',
  setup:
    'Random symbols of 3 to 10, to be written again, by GRU encoder-decoders of 64 hidden units with three kinds of global attention and one whose window moves along by itself (local-m: here the right place by construction). Tested on lines of the longest length learned from and of up to four times it.',
  rule: 'For each kind that has 90 % or more of the tokens right at the longest length learned from: it has at least 10 points less at twice that length, and no more at four times than at twice. Holds if every such kind does so, and there are some; under conditions if only some do.',
  settings: quick => ({ lines: quick ? 6400 : 19_200, tests: quick ? 60 : 200, hidden: 64, minLength: 3, maxLength: 10, learningRate: 0.005, times: [1, 1.5, 2, 3, 4] }), // biome-ignore format: one line
  arms: () => Object.keys(LONG),
  measures: [TOKENS, EXACT],
  xLabel: 'length (symbols), 10 at most while learning',
  async measure(arm, { settings, seed, signal }) {
    const { tests, hidden, maxLength, times, learningRate } = settings
    const lengths = times.map(time => time * maxLength)
    const test = lengths.flatMap(length => symbols({ ...settings, lines: 1, tests, minLength: length, maxLength: length }, seed).test) // biome-ignore format: one line
    const { train } = symbols(settings, seed)
    const model = { ...LONG[arm], hidden }
    const scores = await learnPairs({ train, test, model, seed, signal, learningRate })
    return lengths.map(length => {
      const group = scores.filter(score => score.length === length)
      return { x: length, values: { tokens: mean(group, s => s.tokens), exact: mean(group, s => s.exact) } }
    })
  },
  judge(results, { maxLength, times }) {
    const at = (arm: string, time: number): number => results.mean(arm, time * maxLength, 'tokens')
    const learned = Object.keys(LONG).filter(arm => at(arm, 1) >= 0.9)
    const fell = learned.map(arm => at(arm, 1) - at(arm, 2) >= 0.1 && at(arm, 4) <= at(arm, 2))
    return {
      verdict: fell.length ? decide(fell) : 'does not hold',
      because: `right tokens at ${times.map(time => time * maxLength).join(', ')} symbols: ${Object.keys(LONG).map(arm => `${arm} ${times.map(time => pct(at(arm, time))).join(', ')}`).join('; ')}${learned.length ? '' : '; no kind has learned the length it was trained on, so nothing is shown'}`, // biome-ignore format: one line
    }
  },
}
