import { noGrad, Rng, scope, tensor } from '@heed/core-tensor'
import { countTokens, examples, pad, THE_TWEET, type Tweet, tweets, Vocabulary } from '@heed/datasets'
import { type ClassifierBatch, classifierConfig, SequenceClassifier } from '@heed/models'
import { Adam, Trainer } from '@heed/training'
import { every, type Live } from './task.ts'

export interface ClassifyOptions {
  readonly readout: 'last' | 'mean' | 'attention'
  readonly cell: 'rnn' | 'gru'
  /** Words of a tweet. */
  readonly length: number
  /** Steps of 32 tweets. */
  readonly steps: number
  readonly seed: number
}

/** One text as the model reads it. */
export interface Judged {
  readonly words: readonly string[]
  readonly label: 'positive' | 'negative'
  /** Of the label. */
  readonly probability: number
  /** How much each state counts; null for the last state alone. */
  readonly weights: readonly number[] | null
  /** Words the model has never met. */
  readonly unknown: readonly string[]
}

export interface ClassifyProgress {
  readonly step: number
  readonly loss: number
  /** On 100 tweets that are not learned from. */
  readonly accuracy: number
  /** The tweet of the lesson. */
  readonly tweet: Judged
}

const BATCH = 32
const TESTS = 100

interface Classifier {
  readonly model: SequenceClassifier
  readonly vocabulary: Vocabulary
  readonly options: ClassifyOptions
}

let trained: Classifier | undefined

const wordsOf = (text: string): string[] => text.toLowerCase().split(/\s+/).filter(Boolean)

/** The tweet of the lesson, or one of the length learned. */
export function shownTweet({ length, seed }: Pick<ClassifyOptions, 'length' | 'seed'>): Tweet {
  if (length === 44) return THE_TWEET
  return tweets({ seed, split: 'validation', size: 1, length }).at(0)
}

/** Trains a classifier of tweets from nothing, and shows on the way what it can. */
export async function classify(
  options: ClassifyOptions,
  live: Live<ClassifyProgress>,
): Promise<{ parameters: number; finished: boolean }> {
  const { readout, cell, length, steps, seed } = options
  const part = (split: 'train' | 'test', size: number): Tweet[] =>
    examples(tweets({ seed, split, size, length }))
  const train = part('train', BATCH * steps)
  const test = part('test', TESTS)
  const vocabulary = Vocabulary.fromCounts(
    countTokens([...train, THE_TWEET].map(({ text }) => wordsOf(text))),
  )
  const config = classifierConfig({ vocab: vocabulary.size, embedding: 16, hidden: 32, cell, readout })
  const model = new SequenceClassifier(config, { rng: new Rng(seed).split('weights') })
  const classifier = { model, vocabulary, options }
  const asked = shownTweet(options)
  const trainer = new Trainer(model, {
    optimizer: new Adam(model.namedParameters(), { learningRate: 0.005 }),
    clipNorm: 1,
    seed,
  })
  const batch = (_: number, step: number): ClassifierBatch =>
    batchOf(classifier, train.slice(BATCH * step, BATCH * (step + 1)))
  const finished = await trainer.fit(
    { steps: () => steps, batch },
    {
      epochs: 1,
      signal: live.signal,
      onStep: async ({ total, loss }) => {
        if (!every(total, steps, 20)) return
        model.eval()
        const accuracy = await share(classifier, test)
        const tweet = await judgeText(classifier, asked.text)
        model.train()
        await live.report({ step: total, loss, accuracy, tweet })
      },
    },
  )
  model.eval()
  trained = classifier
  return { parameters: [...model.parameters()].reduce((sum, p) => sum + p.size, 0), finished }
}

/** A text of the reader's own, by the model trained last. @throws Error if there is none */
export async function judge({ text }: { readonly text: string }): Promise<Judged> {
  if (!trained) throw new Error('judge: no model is trained yet; press Train first')
  if (!wordsOf(text).length) throw new Error('judge: the text is empty; write a few words')
  return judgeText(trained, text)
}

function batchOf(
  { vocabulary }: Classifier,
  rows: readonly Pick<Tweet, 'text' | 'label'>[],
): ClassifierBatch {
  const { ids, shape, lengths } = pad(rows.map(({ text }) => vocabulary.encode(wordsOf(text))))
  return {
    ids: tensor(ids, { shape }),
    lengths: tensor(lengths),
    labels: tensor(Int32Array.from(rows, ({ label }) => Number(label === 'positive'))),
  }
}

async function share(classifier: Classifier, rows: readonly Tweet[]): Promise<number> {
  return noGrad(() =>
    scope(async () => {
      const { ids, lengths } = batchOf(classifier, rows)
      const { model } = classifier
      const decided = await model.decide(model.forward(ids, lengths).logits).data()
      return (
        rows.filter(({ label }, i) => Boolean(decided[i]) === (label === 'positive')).length / rows.length
      )
    }),
  )
}

async function judgeText(classifier: Classifier, text: string): Promise<Judged> {
  return noGrad(() =>
    scope(async () => {
      const { model, vocabulary } = classifier
      const words = wordsOf(text)
      const { ids, lengths } = batchOf(classifier, [{ text, label: 'positive' }])
      const { logits, weights } = model.forward(ids, lengths)
      const [positive = 0] = await model.probabilities(logits).data()
      const looked = classifier.options.readout === 'last' ? null : ((await weights?.data()) ?? null)
      return {
        words,
        label: positive >= 0.5 ? 'positive' : 'negative',
        probability: Math.max(positive, 1 - positive),
        weights: looked && Array.from(looked as Float32Array),
        unknown: words.filter(word => vocabulary.token(vocabulary.encode([word])[0] as number) !== word),
      } as const
    }),
  )
}
