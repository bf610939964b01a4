import { noGrad, scope } from '@heed/core-tensor'
import type { Vocabulary } from '@heed/datasets'
import type { SequenceClassifier } from '@heed/models'
import { bootstrap, bootstrapMean, classification, type Interval } from '@heed/training'
import type { SentimentConfig } from '../run.ts'
import { type Labelled, textBatch, wordsOf } from './data.ts'

/** What a model says of a text. */
export interface Judgement {
  readonly words: readonly string[]
  /** The most likely label. */
  readonly label: string
  /** Of each label, in their order. */
  readonly probabilities: readonly number[]
  /** How much each word counts; none where the read-out cannot tell. */
  readonly weights: Float32Array | undefined
}

/** What judges texts. */
export interface Judge {
  readonly model: SequenceClassifier
  readonly vocabulary: Vocabulary
  readonly config: SentimentConfig
}

const BATCH = 128

/** Judges texts; calls back after each batch. A text without words is judged by the padding alone. */
export async function classify(
  { model, vocabulary, config }: Judge,
  texts: readonly string[],
  onBatch?: (done: number) => void,
): Promise<Judgement[]> {
  const cut = texts.map(text => wordsOf(text, config))
  const order = [...cut.keys()].sort((a, b) => (cut[a]?.length ?? 0) - (cut[b]?.length ?? 0))
  const found: Judgement[] = new Array(texts.length)
  model.eval()
  for (let start = 0; start < order.length; start += BATCH) {
    const rows = order.slice(start, start + BATCH)
    await noGrad(() =>
      scope(async () => {
        const encoded = rows.map(i => vocabulary.encode(cut[i]?.length ? (cut[i] as string[]) : ['']))
        const batch = textBatch(encoded, new Int32Array(rows.length), config)
        const { logits, weights } = model.forward(batch.ids, batch.lengths)
        const [numbers, shares] = await Promise.all([
          model.probabilities(logits).data(),
          config.readout === 'attention' || config.readout === 'mean' ? weights?.data() : undefined,
        ])
        const width = weights?.shape[1] ?? 0
        for (const [k, i] of rows.entries()) {
          const probabilities = ofLabels(numbers, k, config.labels.length)
          const best = probabilities.indexOf(Math.max(...probabilities))
          const tokens = cut[i] as string[]
          found[i] = {
            words: tokens,
            label: config.labels[best] as string,
            probabilities,
            weights: shares && Float32Array.from({ length: tokens.length }, (_, t) => shares[k * width + t] as number), // biome-ignore format: one line
          }
        }
      }),
    )
    onBatch?.(Math.min(order.length, start + BATCH))
  }
  return found
}

/** Of two labels the model gives the second one's probability alone. */
function ofLabels(numbers: ArrayLike<number>, row: number, labels: number): number[] {
  if (labels === 2) return [1 - (numbers[row] as number), numbers[row] as number]
  return Array.from({ length: labels }, (_, c) => numbers[row * labels + c] as number)
}

/** How well texts were judged. */
export interface SentimentScore {
  readonly texts: number
  /** The share that is right, with its bootstrap interval over texts. */
  readonly accuracy: Interval
  readonly macroF1: Interval
  /** Of each group of texts, by length. */
  readonly groups: readonly { readonly group: string; readonly texts: number; readonly accuracy: Interval }[]
  readonly labels: readonly {
    readonly label: string
    readonly precision: number
    readonly recall: number
    readonly f1: number
    readonly texts: number
  }[]
  /** Where the deciding word is known. */
  readonly cue?: {
    /** The mean weight on it. */
    readonly weight: number
    /** On it and the three words behind it. */
    readonly nearby: number
    /** The share of texts in which no other word weighs more. */
    readonly most: number
  }
}

/** Compares judgements with the labels. */
export function scoreTexts(
  texts: readonly Labelled[],
  judgements: readonly Judgement[],
  labels: readonly string[],
): SentimentScore {
  const right = texts.map(({ label }, i) => Number(judgements[i]?.label === label))
  // A label that was never learned is a class of its own, which nobody says.
  const all = [
    ...labels,
    ...new Set(texts.map(({ label }) => label).filter(label => !labels.includes(label))),
  ]
  const predicted = judgements.map(({ label }) => all.indexOf(label))
  const wanted = texts.map(({ label }) => all.indexOf(label))
  const { classes } = classification(predicted, wanted, all.length)
  const f1 = (rows: Uint32Array): number => {
    const of = (list: readonly number[]): number[] => Array.from(rows, i => list[i] as number)
    return classification(of(predicted), of(wanted), all.length).macro.f1
  }
  const byGroup = new Map<string, number[]>()
  for (const [i, { words }] of judgements.entries()) {
    const group = lengthGroup(words.length)
    byGroup.set(group, [...(byGroup.get(group) ?? []), i])
  }
  const pointed = texts.flatMap(({ cue }, i) => {
    const weights = judgements[i]?.weights
    return cue === undefined || !weights ? [] : [{ cue, weights }]
  })
  const mean = (of: (one: (typeof pointed)[number]) => number): number =>
    pointed.reduce((sum, one) => sum + of(one), 0) / pointed.length
  return {
    texts: texts.length,
    accuracy: bootstrapMean(right),
    macroF1: bootstrap(texts.length, f1, { samples: 200 }),
    groups: [...byGroup]
      .sort(([a], [b]) => a.localeCompare(b, 'en', { numeric: true }))
      .map(([group, members]) => ({
        group,
        texts: members.length,
        accuracy: bootstrapMean(members.map(i => right[i] as number)),
      })),
    labels: all.map((label, c) => {
      const { precision = 0, recall = 0, f1: f = 0, support = 0 } = classes[c] ?? {}
      return { label, precision, recall, f1: f, texts: support }
    }),
    ...(pointed.length
      ? {
          cue: {
            weight: mean(({ cue, weights }) => weights[cue] ?? 0),
            nearby: mean(({ cue, weights }) => weights.slice(cue, cue + 4).reduce((a, b) => a + b, 0)),
            most: mean(({ cue, weights }) =>
              Number(weights.every(weight => weight <= (weights[cue] as number))),
            ),
          },
        }
      : {}),
  }
}

function lengthGroup(length: number): string {
  const top = [5, 10, 20, 30, 44, 60, 100, 200].find(bound => length <= bound)
  return top ? `up to ${top}` : 'over 200'
}
