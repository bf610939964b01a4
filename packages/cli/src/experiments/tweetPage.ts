import { tensor } from '@heed/core-tensor'
import { THE_TWEET } from '@heed/datasets'
import { sensitivity } from '@heed/models'
import { heatStrip, report } from '@heed/viz'
import { withPictures } from '../page.ts'
import { classify, type Judge } from '../sentiment/classify.ts'
import { percent } from '../words.ts'
import type { ExperimentPicture } from './experiment.ts'

/** What one read-out makes of the tweet of 44 words. */
export interface TweetRead {
  readonly readout: string
  readonly words: readonly string[]
  readonly label: string
  /** That the writer likes the course. */
  readonly positive: number
  readonly weights: Float32Array | undefined
  /** How much each word moves the answer, as shares of all. */
  readonly moves: Float32Array
  /** On other tweets of that length. */
  readonly accuracy: number
  /** Numbers in the read-out and in the head behind it. */
  readonly parameters: number
}

/** Lets a classifier read the tweet. */
export async function readTweet(readout: string, judge: Judge, accuracy: number): Promise<TweetRead> {
  const { model, vocabulary } = judge
  const [one] = await classify(judge, [THE_TWEET.text])
  if (!one) throw new Error('internal: the tweet was not judged')
  const { words, label, probabilities, weights } = one
  const lengths = tensor(Int32Array.of(words.length))
  const vectors = model.embedding.forward(tensor(vocabulary.encode([...words]), { shape: [1, words.length] }))
  const moved = (await sensitivity(x => model.read(x, lengths).logits.unsqueeze(1), vectors).data()) as Float32Array // biome-ignore format: one line
  const all = moved.reduce((sum, x) => sum + x, 0)
  return {
    readout,
    words,
    label,
    positive: probabilities[1] ?? 0,
    weights,
    moves: moved.map(x => (all ? x / all : 0)),
    accuracy,
    parameters: [...model.readout.parameters(), ...model.head.parameters()].reduce((sum, p) => sum + p.size, 0), // biome-ignore format: one line
  }
}

/** What a probability near a half says is nothing. */
const undecided = ({ positive }: TweetRead): boolean => Math.abs(positive - 0.5) < 0.05

const verdict = (read: TweetRead): string =>
  undecided(read) ? '≈\u00a0undecided' : read.label === THE_TWEET.label ? '✓\u00a0right' : '✗\u00a0wrong'

/** The strip of a read-out that has weights. */
export function weightStrip(read: TweetRead): ExperimentPicture[] {
  const { readout, words, weights, label } = read
  if (!weights) return []
  return [
    {
      caption: `${readout}: ${label}, ${verdict(read)}`,
      svg: heatStrip(words, weights, { title: `Weights of ${readout}` }),
    },
  ]
}

/** The page of the tweet: who reads it how, and what decided. */
export function tweetPage(read: readonly TweetRead[], seed: number): string {
  const who = (mark: string): string =>
    read
      .filter(one => verdict(one).startsWith(mark))
      .map(({ readout }) => readout)
      .join(', ') || 'nobody'
  const on = (shares: Float32Array): string => (shares[THE_TWEET.cue] ?? 0).toFixed(3)
  const page = report({
    title: 'The tweet of 44 words',
    summary: `Read rightly by ${who('✓')}; wrongly by ${who('✗')}; undecided (positive with 45 to 55 %): ${who('≈')}.`,
    facts: [
      { label: 'words', value: THE_TWEET.text.split(' ').length, note: 'all of them words of the training tweets' }, // biome-ignore format: one line
      { label: 'what it says', value: THE_TWEET.label, note: `by “${THE_TWEET.text.split(' ')[THE_TWEET.cue]}”, word ${THE_TWEET.cue + 1}; trouble behind it` }, // biome-ignore format: one line
      { label: 'seed', value: seed, note: 'one of those of X2, whose page has intervals over seeds' },
    ],
    tables: [
      {
        title: 'The read-outs and what they say',
        note: 'the same GRU, data and steps; “moves” is how much of what all words move the answer, by its gradient, comes from the cue',
        columns: ['read-out', 'says', 'positive', '', 'weight on the cue', 'cue moves', 'numbers in its head', 'right of test tweets'], // biome-ignore format: one line
        rows: read.map(one => [
          one.readout,
          one.label,
          percent(one.positive),
          verdict(one),
          one.weights ? on(one.weights) : '–',
          on(one.moves),
          one.parameters.toLocaleString('en'),
          percent(one.accuracy),
        ]),
      },
    ],
  })
  const strips = withPictures(page, {
    title: 'Where they looked',
    note: 'The read-outs that weigh states. A state knows the words before it, so weight behind the cue can be weight for the cue.',
    pictures: read.flatMap(weightStrip),
  })
  return withPictures(strips, {
    title: 'What moves the answer',
    note: 'How much each word’s vector moves the answer (the norm of its gradient, shares of all words): for every read-out, also those without weights. It tells what the answer would change by, not what it was made of.',
    pictures: read.map(one => ({
      caption: `${one.readout}: ${one.label}, ${verdict(one)}`,
      svg: heatStrip(one.words, one.moves, { title: `What moves the answer of ${one.readout}` }),
    })),
  })
}
