import { noGrad, Rng, scope } from '@heed/core-tensor'
import {
  Batches,
  countTokens,
  END,
  type IdPair,
  type Links,
  PAD,
  spaces,
  type TextPair,
  UNKNOWN,
  Vocabulary,
} from '@heed/datasets'
import { Seq2Seq, type Seq2SeqConfig, seq2seqConfig } from '@heed/models'
import { Adam, linksOf, Trainer, warmupCosine } from '@heed/training'
import { type Spent, stopwatch } from '../sitting.ts'
import { batchOf, encodePair, pairBatches, type Sides } from '../translation/corpus.ts'

/** How an aligning model is trained: plain JSON. */
export interface AlignerSettings {
  readonly attention: 'bahdanau' | 'general' | 'dot'
  readonly inputFeeding: boolean
  readonly hidden: number
  readonly embedding: number
  readonly dropout: number
  readonly epochs: number
  readonly batchSize: number
  readonly learningRate: number
  /** Words that occur less often are unknown. */
  readonly minCount: number
}

/** What came of one model. */
export interface Aligned extends Spent {
  /** Of each pair that was to be aligned. */
  readonly links: readonly Links[]
  /** The share of running words, source and target of these pairs, that the vocabulary knows. */
  readonly coverage: { readonly source: number; readonly target: number }
  /** The last training loss, nats a word, the mean of the last epoch. */
  readonly loss: number
}

/**
 * Trains a translator on pairs of words parted by spaces, then reads where it looks while it is given the right translation.
 *
 * A target word is linked to the source word that it looks at most; one that looks most at the token that ends gets no link.
 */
export async function alignByAttention(
  train: readonly TextPair[],
  wanted: readonly TextPair[],
  seed: number,
  settings: AlignerSettings,
  {
    signal,
    onShare,
  }: { readonly signal: AbortSignal; readonly onShare?: (share: number, words: string) => void },
): Promise<Aligned> {
  const sides = wordSides(train, settings.minCount)
  const learned = train.map(pair => encodePair(pair, sides))
  const asked = wanted.map(pair => encodePair(pair, sides))
  const spent = stopwatch()
  return scope(async () => {
    const { attention, inputFeeding, hidden, embedding, dropout, epochs, batchSize, learningRate } = settings
    const config: Seq2SeqConfig = seq2seqConfig({
      sourceVocab: sides.source.vocabulary.size,
      targetVocab: sides.target.vocabulary.size,
      attention,
      inputFeeding,
      hidden,
      encoderHidden: hidden / 2,
      embedding,
      dropout,
      padding: PAD,
    })
    const model = new Seq2Seq(config, { rng: new Rng(seed).split('weights') })
    const batches = pairBatches(learned, batchSize, seed)
    const total = batches.steps(0) * epochs
    const trainer = new Trainer(model, {
      optimizer: new Adam(model.namedParameters()),
      schedule: warmupCosine(learningRate, { warmup: Math.min(100, Math.floor(total / 10)), total, final: learningRate / 20 }), // biome-ignore format: one line
      clipNorm: 1,
      seed,
    })
    const last: number[] = []
    await trainer.fit(batches, {
      epochs,
      signal,
      onStep: ({ total: step, loss }) => {
        if (step > total - batches.steps(0)) last.push(loss)
        onShare?.(step / total, `loss ${loss.toFixed(2)}`)
      },
    })
    const links = await readLinks(model, asked)
    return {
      links,
      coverage: { source: known(asked, 'source'), target: known(asked, 'target') },
      loss: last.reduce((sum, x) => sum + x, 0) / last.length,
      ...spent(),
    }
  })
}

/** Words parted by spaces, in lower case. */
function wordSides(pairs: readonly TextPair[], minCount: number): Sides {
  const lower = spaces()
  const tokenizer = { ...lower, encode: (text: string) => lower.encode(text.toLowerCase()) }
  const side = (texts: readonly string[]) => ({
    tokenizer,
    vocabulary: Vocabulary.fromCounts(countTokens(texts.map(tokenizer.encode)), { minCount }),
  })
  return { source: side(pairs.map(({ source }) => source)), target: side(pairs.map(({ target }) => target)) }
}

function known(pairs: readonly IdPair[], side: 'source' | 'target'): number {
  const ids = pairs.flatMap(pair => Array.from(pair[side]).filter(id => id > END || id === UNKNOWN))
  return ids.filter(id => id !== UNKNOWN).length / ids.length
}

async function readLinks(model: Seq2Seq, pairs: readonly IdPair[]): Promise<Links[]> {
  const found: Links[] = new Array(pairs.length)
  model.eval()
  for (const batch of new Batches(pairs, { size: 64, seed: 0 }).sorted()) {
    const [, wide] = batch.sourceShape
    const time = batch.targetShape[1] - 1
    const weights = await scope(async () => {
      const { source, sourceLengths, target } = batchOf(batch)
      const made = noGrad(() => model.forward(source, sourceLengths, target.slice([{}, { stop: time }])))
      return (made.weights as NonNullable<typeof made.weights>).data() // [batch, time, sourceTime]
    })
    for (const [row, i] of batch.indices.entries()) {
      const end = (batch.sourceLengths[row] as number) - 1 // where the token that ends stands
      const words = (batch.targetLengths[row] as number) - 2 // neither the token that begins nor the one that ends
      const rows = Array.from({ length: words }, (_, t) => {
        const from = (row * time + t) * wide
        return (weights as Float32Array).subarray(from, from + end + 1)
      })
      found[i] = linksOf(rows).filter(([place]) => place < end)
    }
  }
  return found
}
