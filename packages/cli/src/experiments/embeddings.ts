import { countVectors, examples, tweets, type WordVectors } from '@heed/datasets'
import type { Pretrained } from '../sentiment/train.ts'
import { decide, type Experiment, type Results } from './experiment.ts'
import { learnTweets } from './learn.ts'

interface SourceSettings {
  readonly lines: number
  readonly tests: number
  readonly hidden: number
  readonly length: number
  /** Texts that word vectors are counted from. */
  readonly texts: number
  readonly size: number
}

const SOURCES = ['random', 'pretrained, frozen', 'pretrained, fine-tuned'] as const
const READOUTS = ['last', 'mean', 'attention'] as const
const pct = (share: number): string => `${(100 * share).toFixed(0)} %`

/**
 * Vectors counted from short tweets that end in a sign of joy or of anger, and from long ones that do not: the company of
 * a cue alone tells little, since all cues stand in the same openings.
 */
function pretrainedVectors({ texts, size }: SourceSettings, seed: number): WordVectors {
  const own = { seed: seed + 1000, split: 'train', size: texts } as const // other texts than those learned from
  const short = examples(tweets({ ...own, gap: 2 })).map(({ text, label }) => `${text} ${label === 'positive' ? ':)' : ':('}`) // biome-ignore format: one line
  const long = examples(tweets(own)).map(({ text }) => text)
  return countVectors([...short, ...long].map(text => text.split(' ')), { size, seed }) // biome-ignore format: one line
}

/** X20: where word vectors come from. */
export const x20: Experiment<SourceSettings> = {
  id: 'X20',
  title: 'Does it matter to attention where word vectors come from?',
  claim:
    'The source of the word vectors is orthogonal to the way states become one vector: whatever it is, the last state comes last and attention first.',
  setup:
    'Tweets of 44 words whose cue stands early, read by a GRU with three read-outs. Word vectors are random and learned, or pretrained and frozen, or pretrained and learned further: counted from other generated tweets, half of them short and ending in :) or :( as their label says (positive mutual information of neighbours, Levy and Goldberg 2014). No contextual encoder (BERT) is among the sources here.',
  rule: 'For each source: attention is above the last state (interval over seeds of the difference above 0), and the mean lies between the two, give or take one point. Holds if all three sources do so, under conditions if some.',
  settings: quick => ({ lines: quick ? 3200 : 9600, tests: 400, hidden: 32, length: 44, texts: 3000, size: 32 }), // biome-ignore format: one line
  arms: () => READOUTS,
  measures: [
    { key: 'accuracy', title: 'Accuracy', unit: '% of test tweets', share: true },
    { key: 'cue', title: 'Weight on and just behind the cue', unit: '% of all weight', share: true },
  ],
  xLabel: 'word vectors',
  places: SOURCES,
  async measure(arm, { settings, seed, signal }) {
    const { lines, tests, hidden, length } = settings
    const of = pretrainedVectors(settings, seed)
    const uses: readonly (Pretrained['use'] | undefined)[] = [undefined, 'frozen', 'fine-tuned']
    const found = []
    for (const [x, use] of uses.entries()) {
      const readout = arm as (typeof READOUTS)[number]
      const { score } = await learnTweets({ lines, tests, hidden, length, cell: 'gru', readout, vectors: use && { of, use }, seed, signal }) // biome-ignore format: one line
      found.push({ x, values: { accuracy: score.accuracy.value, ...(score.cue ? { cue: score.cue.nearby } : {}) } }) // biome-ignore format: one line
    }
    return found
  },
  judge(results) {
    return {
      verdict: decide(SOURCES.map((_, x) => ordered(results, x))),
      because: SOURCES.map((source, x) => `${source}: ${READOUTS.map(arm => `${arm} ${pct(results.mean(arm, x, 'accuracy'))}`).join(', ')}`).join('; '), // biome-ignore format: one line
    }
  },
}

function ordered(results: Results, x: number): boolean {
  const [last, mean, attention] = READOUTS.map(arm => results.mean(arm, x, 'accuracy')) as [number, number, number] // biome-ignore format: one line
  const gain = results.difference('attention', 'last', x, 'accuracy')
  return (gain?.low ?? 0) > 0 && mean >= last - 0.01 && mean <= attention + 0.01
}
