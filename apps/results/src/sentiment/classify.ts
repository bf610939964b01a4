import { noGrad, Rng, scope, type Tensor, tensor } from '@heed/core-tensor'
import { Buckets, countTokens, type DatasetCard, PAD, pad, type Tokenizer, Vocabulary } from '@heed/datasets'
import { type ClassifierBatch, classifierConfig, type ReadoutKind, SequenceClassifier } from '@heed/models'
import { Adam, Trainer, warmupCosine } from '@heed/training'
import { type Spent, stopwatch } from '../sitting.ts'

/** A text with yes or no. */
export interface Judged {
  readonly text: string
  readonly positive: boolean
}

/** The parts of a set. */
export interface JudgedParts {
  readonly train: readonly Judged[]
  readonly validation: readonly Judged[]
  readonly test: readonly Judged[]
  /** Where they come from. */
  readonly card?: DatasetCard
}

/** How read-outs are compared: plain JSON. */
export interface ReadoutSettings {
  readonly cell: 'gru' | 'lstm'
  readonly hidden: number
  readonly embedding: number
  readonly dropout: number
  readonly epochs: number
  readonly batchSize: number
  readonly learningRate: number
  readonly minCount: number
  /** Longer texts are cut at their end; `concat` is padded to it. */
  readonly maxWords: number
}

/** What came of one model. */
export interface Verdicts extends Spent {
  /** The best of the epochs by the validation part, from 1. */
  readonly epoch: number
  readonly validation: readonly number[]
  readonly parameters: number
  /** Of each test text in order, whether it was judged rightly: `'1'` or `'0'`. */
  readonly right: string
}

interface Encoded {
  readonly ids: Int32Array
  readonly label: number
}

/**
 * Trains one classifier, keeps the weights of the epoch that is best on the validation part, and judges the test part once.
 *
 * @param onShare how far it is, from 0 to 1
 */
export async function judge(
  { train, validation, test }: JudgedParts,
  readout: ReadoutKind,
  seed: number,
  settings: ReadoutSettings,
  tokenizer: Tokenizer,
  {
    signal,
    onShare,
  }: { readonly signal: AbortSignal; readonly onShare?: (share: number, words: string) => void },
): Promise<Verdicts> {
  const { maxWords, minCount, epochs, batchSize, learningRate } = settings
  const cut = (text: string): string[] => tokenizer.encode(text).slice(0, maxWords)
  const vocabulary = Vocabulary.fromCounts(countTokens(train.map(({ text }) => cut(text))), { minCount })
  const encode = (part: readonly Judged[]): Encoded[] =>
    part.map(({ text, positive }) => {
      const ids = vocabulary.encode(cut(text))
      return { ids: ids.length ? ids : Int32Array.of(1), label: Number(positive) }
    })
  const [learned, looked, tested] = [train, validation, test].map(encode) as [Encoded[], Encoded[], Encoded[]]
  const spent = stopwatch()
  return scope(async () => {
    const { cell, hidden, embedding, dropout } = settings
    const model = new SequenceClassifier(
      classifierConfig({ vocab: vocabulary.size, readout, cell, hidden, embedding, dropout, time: maxWords, padding: PAD }), // biome-ignore format: one line
      { rng: new Rng(seed).split('weights') },
    )
    const time = readout === 'concat' ? maxWords : 0
    const buckets = new Buckets(learned, {
      lengthOf: ({ ids }) => ids.length,
      collate: rows => batchOf(rows, time),
      size: batchSize,
      seed,
    })
    const total = buckets.length(0) * epochs
    const trainer = new Trainer<ClassifierBatch>(model, {
      optimizer: new Adam(model.namedParameters()),
      schedule: warmupCosine(learningRate, { warmup: Math.min(50, Math.floor(total / 10)), total, final: learningRate / 20 }), // biome-ignore format: one line
      clipNorm: 1,
      seed,
    })
    const accuracies: number[] = []
    let best: Record<string, Tensor> | undefined
    await trainer.fit(
      { steps: epoch => buckets.length(epoch), batch: (epoch, batch) => buckets.at({ epoch, batch }) },
      {
        epochs,
        signal,
        onStep: step => onShare?.(step.total / total, `loss ${step.loss.toFixed(2)}`),
        onEpoch: async () => {
          const found = await rightOf(model, looked, time)
          const accuracy = share(found)
          if (!accuracies.length || accuracy > Math.max(...accuracies)) best = copyOf(model)
          accuracies.push(accuracy)
        },
      },
    )
    if (best) model.loadStateDict(best)
    const found = signal.aborted ? [] : await rightOf(model, tested, time)
    return {
      epoch: accuracies.indexOf(Math.max(...accuracies)) + 1,
      validation: accuracies,
      parameters: model.parameters().reduce((sum, x) => sum + x.size, 0),
      right: found.map(Number).join(''),
      ...spent(),
    }
  })
}

/** Texts under each other, padded to the longest, or to `time` if it is longer. */
function batchOf(rows: readonly Encoded[], time: number): ClassifierBatch {
  const wide = rows.map(({ ids }) => {
    if (ids.length >= time) return ids
    const padded = new Int32Array(time).fill(PAD)
    padded.set(ids)
    return padded
  })
  const { ids, shape } = pad(wide)
  return {
    ids: tensor(ids, { shape }),
    lengths: tensor(Int32Array.from(rows, row => row.ids.length)),
    labels: tensor(Int32Array.from(rows, row => row.label)),
  }
}

/** Which of the texts are judged rightly. */
async function rightOf(
  model: SequenceClassifier,
  texts: readonly Encoded[],
  time: number,
): Promise<boolean[]> {
  const order = [...texts.keys()].sort(
    (a, b) => (texts[a] as Encoded).ids.length - (texts[b] as Encoded).ids.length,
  )
  const found: boolean[] = new Array(texts.length)
  model.eval()
  for (let start = 0; start < order.length; start += 64) {
    const rows = order.slice(start, start + 64)
    const said = await scope(async () => {
      const { ids, lengths } = batchOf(
        rows.map(i => texts[i] as Encoded),
        time,
      )
      return noGrad(() => model.decide(model.forward(ids, lengths).logits)).data()
    })
    for (const [k, i] of rows.entries()) found[i] = said[k] === (texts[i] as Encoded).label
  }
  return found
}

const share = (found: readonly boolean[]): number => found.filter(Boolean).length / found.length

/** The weights as they are now; they outlive the steps to come. */
function copyOf(model: SequenceClassifier): Record<string, Tensor> {
  return noGrad(() =>
    Object.fromEntries(Object.entries(model.stateDict()).map(([name, x]) => [name, x.mul(1)])),
  )
}
