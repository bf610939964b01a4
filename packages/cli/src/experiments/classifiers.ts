import { noGrad, Rng, scope, uniform, zeros } from '@heed/core-tensor'
import { THE_TWEET } from '@heed/datasets'
import { Linear } from '@heed/layers'
import { AttentionReadout, ConcatReadout, concatHeadParameters, MeanReadout } from '@heed/models'
import { classify } from '../sentiment/classify.ts'
import { decide, type Experiment, type Results } from './experiment.ts'
import { learnTweets, type TweetLesson } from './learn.ts'
import { readTweet, type TweetRead, tweetPage, weightStrip } from './tweetPage.ts'

const ACCURACY = { key: 'accuracy', title: 'Accuracy', unit: '% of test tweets', share: true } as const

/** `91 %`, for a sentence. */
const pct = (share: number): string => `${(100 * share).toFixed(0)} %`

interface TweetSettings {
  readonly lines: number
  readonly tests: number
  readonly hidden: number
  readonly places: readonly number[]
}

const CELLS = { RNN: 'rnn', LSTM: 'lstm', GRU: 'gru', BiLSTM: 'lstm' } as const

/** X1: the forgetting curve of the last state. */
export const x1: Experiment<TweetSettings> = {
  id: 'X1',
  title: 'Does a recurrent classifier forget past 30 to 40 steps?',
  claim: 'A recurrence forgets the early part of a text that exceeds roughly 30 to 40 steps.',
  setup:
    'Tweets whose label hangs on one word, with a given number of words behind it. Each cell is trained anew for every gap, on the same number of tweets, and reads out its last state. PyTorch’s initial weights; no gate bias is raised. The number of tweets is part of the result: more training may move the curve.',
  rule: 'For each of RNN, LSTM and GRU: 90 % or more at the shortest gap, and less than 75 % at the shortest gap of 40 or more. Holds if all three do so, under conditions if some.',
  settings: quick => ({
    lines: quick ? 4800 : 9600,
    tests: 400,
    hidden: 32,
    places: quick ? [5, 20, 40] : [5, 10, 20, 30, 40, 60, 80, 100],
  }),
  arms: () => Object.keys(CELLS),
  measures: [ACCURACY],
  xLabel: 'words behind the cue',
  async measure(arm, { settings: { places, ...rest }, seed, signal }) {
    const cell = CELLS[arm as keyof typeof CELLS]
    const found = []
    for (const gap of places) {
      const { score } = await scope(() => learnTweets({ ...rest, cell, bidirectional: arm === 'BiLSTM', readout: 'last', gap, seed, signal })) // biome-ignore format: one line
      found.push({ x: gap, values: { accuracy: score.accuracy.value } })
    }
    return found
  },
  judge(results, { places }) {
    const near = places[0] as number
    const far = places.find(gap => gap >= 40) as number
    const [rnn, lstm, gru] = ['RNN', 'LSTM', 'GRU'].map(
      arm => results.mean(arm, near, 'accuracy') >= 0.9 && results.mean(arm, far, 'accuracy') < 0.75,
    ) as [boolean, boolean, boolean]
    const words = ['RNN', 'LSTM', 'GRU', 'BiLSTM'].map(arm => `${arm} ${places.map(gap => pct(results.mean(arm, gap, 'accuracy'))).join(', ')}`) // biome-ignore format: one line
    return {
      verdict: decide([rnn, lstm, gru]),
      because: `at gaps of ${places.join(', ')} words: ${words.join('; ')}`,
    }
  },
}

const READOUTS = ['last', 'concat', 'mean', 'max', 'attention'] as const
/** The same attention over an encoder of both directions: beside the five, to see which word it looks at. */
const BOTH = 'attention, both directions'

/** X2: the tweet of 44 words, by five read-outs. */
export const x2: Experiment<TweetSettings> = {
  id: 'X2',
  title: 'Who misreads the tweet of 44 words?',
  claim:
    'The last state of a recurrence misreads a tweet of 44 words whose cue stands early; attention over all states reads it rightly, with the smallest head that does.',
  setup:
    'The same GRU, data, number of steps and seeds under five read-outs, on tweets of 12 and of 44 words. A state of one direction knows its word only from that word on, so attention may as well look just behind the cue; a sixth arm reads in both directions and is no part of the rule. “The tweet” is a text of our own with the cue in third place and much trouble behind it.',
  rule: 'At 44 words: attention 98 % or more, last state below 75 %, and half or more of attention’s weight on the cue and the three words behind it. And the last state reads the tweet itself wrongly with half or more of the seeds. Holds if all four are so.',
  settings: quick => ({
    lines: quick ? 3200 : 9600,
    tests: 400,
    hidden: 32,
    places: quick ? [12, 44] : [12, 22, 44, 66],
  }),
  arms: () => [...READOUTS, BOTH],
  measures: [
    ACCURACY,
    { key: 'tweet', title: 'The tweet of 44 words is read rightly', unit: '% of seeds', share: true },
    {
      key: 'cue',
      title: 'Weight on and just behind the cue',
      unit: '% of all weight',
      share: true,
    },
    { key: 'love', title: 'Weight on the cue itself', unit: '% of all weight', share: true },
    { key: 'most', title: 'No word weighs more than the cue', unit: '% of test tweets', share: true },
  ],
  xLabel: 'words',
  async measure(arm, { settings: { places, ...rest }, seed, signal }) {
    const found = []
    for (const length of places) {
      const { judge, score } = await learnTweets({ ...rest, ...readingOf(arm), length, seed, signal })
      const [tweet] = length === 44 ? await classify(judge, [THE_TWEET.text]) : []
      found.push({
        x: length,
        values: {
          accuracy: score.accuracy.value,
          ...(tweet ? { tweet: Number(tweet.label === THE_TWEET.label) } : {}),
          ...(score.cue ? { cue: score.cue.nearby } : {}),
          ...(score.cue && arm !== 'mean' ? { love: score.cue.weight, most: score.cue.most } : {}), // a mean has no favourite
        },
      })
    }
    return found
  },
  judge(results) {
    const [attention, last] = ['attention', 'last'].map(arm => results.mean(arm, 44, 'accuracy')) as [
      number,
      number,
    ]
    const cue = results.mean('attention', 44, 'cue')
    return {
      verdict: decide([attention >= 0.98, last < 0.75, cue >= 0.5, results.mean('last', 44, 'tweet') <= 0.5]),
      because: `at 44 words ${READOUTS.map(arm => `${arm} ${pct(results.mean(arm, 44, 'accuracy'))}`).join(', ')}; ${pct(cue)} of attention’s weight is on the cue and the three words behind it; the last state reads the tweet rightly with ${pct(results.mean('last', 44, 'tweet'))} of the seeds`,
    }
  },
  async show({ settings: { places: _, ...rest }, seed, signal }) {
    const read: TweetRead[] = []
    for (const arm of [...READOUTS, BOTH])
      read.push(
        await scope(async () => {
          const { judge, score } = await learnTweets({ ...rest, ...readingOf(arm), length: 44, seed, signal })
          return readTweet(arm, judge, score.accuracy.value)
        }),
      )
    return { pictures: read.slice(0, READOUTS.length).flatMap(weightStrip), pages: { 'tweet.html': tweetPage(read, seed) } } // biome-ignore format: one line
  },
}

function readingOf(arm: string): Pick<TweetLesson, 'cell' | 'readout' | 'bidirectional'> {
  const readout = READOUTS.find(name => name === arm) ?? 'attention'
  return { cell: 'gru', readout, bidirectional: arm === BOTH }
}

interface HeadSettings {
  readonly times: readonly number[]
  readonly hidden: number
}

/** X3: what the head costs as texts grow. */
export const x3: Experiment<HeadSettings> = {
  id: 'X3',
  title: 'The head on concatenated states grows with the text',
  claim:
    'A head on all states side by side has T·H·C + C numbers, for texts of T steps; attention’s has the same number for all T.',
  setup:
    'Heads of one output are built on states of 64 numbers: all states side by side, their mean, attention. Their numbers are counted, and one pass over one text is timed (median of five). Times depend on the machine and do not enter the verdict.',
  rule: 'Holds if the concatenating head has exactly T·H·C + C numbers at every T, and the other two the same number at every T.',
  settings: quick => ({ times: quick ? [44, 200, 1000, 20_000] : [44, 200, 1000, 100_000], hidden: 64 }),
  arms: () => ['concat', 'mean', 'attention'],
  measures: [
    { key: 'parameters', title: 'Numbers in the head', unit: 'parameters', log: 'both' },
    { key: 'bytes', title: 'Memory of the head', unit: 'bytes', log: 'both' },
    { key: 'ms', title: 'One pass over one text', unit: 'ms', log: 'both' },
  ],
  xLabel: 'steps T',
  async measure(arm, { settings: { times, hidden }, seed }) {
    const found = []
    for (const time of times)
      found.push(
        await scope(() =>
          noGrad(async () => {
            const rng = new Rng(seed).split(time)
            const readout = arm === 'concat' ? new ConcatReadout(hidden, time) : arm === 'mean' ? new MeanReadout(hidden) : new AttentionReadout(hidden, hidden, { rng }) // biome-ignore format: one line
            const head = new Linear(readout.size, 1, { rng })
            const parameters = [...readout.parameters(), ...head.parameters()].reduce((sum, p) => sum + p.size, 0) // biome-ignore format: one line
            const states = uniform([1, time, hidden], { rng })
            const sequence = { states, last: zeros([1, hidden]), lengths: zeros([1], { dtype: 'int32' }).add(time).cast('int32') } // biome-ignore format: one line
            const times: number[] = []
            for (let i = 0; i < 5; i++) {
              const began = performance.now()
              await head.forward(readout.forward(sequence).context).data()
              times.push(performance.now() - began)
            }
            const ms = times.sort((a, b) => a - b)[2] as number
            return { x: time, values: { parameters, bytes: 4 * parameters, ms } }
          }),
        ),
      )
    return found
  },
  judge(results, { times, hidden }) {
    const exact = times.every(
      time => results.mean('concat', time, 'parameters') === concatHeadParameters(time, hidden, 1),
    )
    const constant = ['mean', 'attention'].every(
      arm => new Set(times.map(time => results.mean(arm, time, 'parameters'))).size === 1,
    )
    const most = times.at(-1) as number
    const count = (arm: string): string => results.mean(arm, most, 'parameters').toLocaleString('en')
    return {
      verdict: decide([exact, constant]),
      because: `at ${most.toLocaleString('en')} steps the concatenating head has ${count('concat')} numbers, attention ${count('attention')}, the mean ${count('mean')}`,
    }
  },
}

/** X4: a mean over more and more words, under two budgets: what dilutes may be learned late, or never. */
export const x4: Experiment<Omit<TweetSettings, 'lines'> & { readonly budgets: readonly number[] }> = {
  id: 'X4',
  title: 'Does an average dilute the word that counts?',
  claim:
    'A uniform average dilutes the salient signal among unrelated words: accuracy falls with length, while attention’s stays.',
  setup:
    'The same GRU, data and seeds; the mean of all states against attention over them, trained anew for each length, on a small and on a larger number of tweets. The share of the weight on the cue and three words behind it is 4/T for the mean by definition.',
  rule: 'From the shortest to the longest tweets: the mean loses 10 points or more, while attention loses less than 5 and ends higher. Holds if that is so under both budgets, under conditions if under one.',
  settings: quick => ({
    budgets: quick ? [2400, 6400] : [2400, 6400, 19_200],
    tests: 400,
    hidden: 32,
    places: quick ? [8, 44, 80] : [8, 20, 44, 100, 200],
  }),
  arms: ({ budgets }) => budgets.flatMap(lines => [budgeted('mean', lines), budgeted('attention', lines)]),
  measures: [
    ACCURACY,
    { key: 'cue', title: 'Weight on and just behind the cue', unit: '% of all weight', share: true },
  ],
  xLabel: 'words',
  async measure(arm, { settings: { places, budgets, ...rest }, seed, signal }) {
    const readout = arm.startsWith('mean') ? 'mean' : 'attention'
    const lines = budgets.find(budget => budgeted(readout, budget) === arm) as number
    const found = []
    for (const length of places) {
      const { score } = await learnTweets({ ...rest, lines, cell: 'gru', readout, length, seed, signal })
      found.push({ x: length, values: { accuracy: score.accuracy.value, cue: score.cue?.nearby ?? 0 } })
    }
    return found
  },
  judge(results, { places, budgets }) {
    const last = places.at(-1) as number
    const shown = (arm: string): string => places.map(x => pct(results.mean(arm, x, 'accuracy'))).join(', ')
    return {
      verdict: decide(
        budgets.map(lines => {
          const [mean, attention] = [budgeted('mean', lines), budgeted('attention', lines)]
          return (
            fall(results, mean, places) >= 0.1 &&
            fall(results, attention, places) < 0.05 &&
            results.mean(attention, last, 'accuracy') > results.mean(mean, last, 'accuracy')
          )
        }),
      ),
      because: `at ${places.join(', ')} words, ${budgets.map(lines => `after ${lines.toLocaleString('en')} tweets the mean has ${shown(budgeted('mean', lines))}, attention ${shown(budgeted('attention', lines))}`).join('; ')}`,
    }
  },
}

function budgeted(arm: string, lines: number): string {
  return `${arm}, ${lines.toLocaleString('en')} tweets`
}

function fall(results: Results, arm: string, places: readonly number[]): number {
  return (
    results.mean(arm, places[0] as number, 'accuracy') -
    results.mean(arm, places.at(-1) as number, 'accuracy')
  )
}

/** X5: wider states. */
export const x5: Experiment<TweetSettings> = {
  id: 'X5',
  title: 'Does a wider state rescue the last state?',
  claim: 'No amount of widening the hidden state will recover what the last state has lost.',
  setup:
    'Tweets of 44 words, GRU, last state against attention, hidden sizes up to 512 (quick: 128), the same number of steps for all. A budget of training is part of the claim: more steps may change it.',
  rule: 'Holds if the widest last state stays 20 points or more below the narrowest attention and gains less than 10 points on the narrowest last state; under conditions if one of the two is so.',
  settings: quick => ({
    lines: quick ? 3200 : 9600,
    tests: 400,
    hidden: 0,
    places: quick ? [16, 32, 96] : [16, 32, 64, 128, 256, 512],
  }),
  arms: () => ['last', 'attention'],
  measures: [{ ...ACCURACY, log: 'x' }],
  xLabel: 'hidden units',
  async measure(arm, { settings: { places, lines, tests }, seed, signal }) {
    const found = []
    for (const hidden of places) {
      const { score } = await learnTweets({ lines, tests, hidden, cell: 'gru', readout: arm as 'last' | 'attention', length: 44, seed, signal }) // biome-ignore format: one line
      found.push({ x: hidden, values: { accuracy: score.accuracy.value } })
    }
    return found
  },
  judge(results, { places }) {
    const at = (arm: string, x: number | undefined): number => results.mean(arm, x ?? 0, 'accuracy')
    const [narrow, wide] = [places[0], places.at(-1)]
    return {
      verdict: decide([at('attention', narrow) - at('last', wide) >= 0.2, -fall(results, 'last', places) < 0.1]), // biome-ignore format: one line
      because: `with ${places.join(', ')} hidden units the last state has ${places.map(x => pct(at('last', x))).join(', ')}, attention ${places.map(x => pct(at('attention', x))).join(', ')}`,
    }
  },
}
