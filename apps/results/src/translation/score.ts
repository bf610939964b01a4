import { getBackend, noGrad, scope, tensor } from '@heed/core-tensor'
import { Batches, BEGIN, END, type IdPair, PAD, pad, type TextPair } from '@heed/datasets'
import { crossEntropy } from '@heed/layers'
import { greedy, type Seq2Seq } from '@heed/models'
import { type Bleu, bleuCounts, bleuOf, bootstrap, type Interval } from '@heed/training'
import { batchOf, countWords, encodePair, type Sides } from './corpus.ts'

/** What came of one pair: raw numbers, kept for every pair. */
export interface PairRow {
  /** Words of the source and of the target, punctuation marks among them. */
  readonly sourceWords: number
  readonly targetWords: number
  /** Tokens of the target, the one that ends included. */
  readonly tokens: number
  /** −log p of all of them, the right ones before given, in nats. */
  readonly nll: number
  readonly hypothesis: string
  readonly reference: string
}

const BATCH = 64

/** Scores and translates every pair, the most likely token at each step. */
export async function read(
  model: Seq2Seq,
  sides: Sides,
  pairs: readonly TextPair[],
  { maxLength, onBatch }: { readonly maxLength: number; readonly onBatch?: (done: number) => void },
): Promise<PairRow[]> {
  const ids = pairs.map(pair => encodePair(pair, sides))
  const rows: PairRow[] = new Array(pairs.length)
  model.eval()
  let done = 0
  for (const batch of new Batches(ids, { size: BATCH, seed: 0 }).sorted()) {
    const chosen = [...batch.indices]
    const losses = await lossesOf(model, batch)
    const decoded = await decode(
      model,
      chosen.map(i => ids[i] as IdPair),
      maxLength,
    )
    for (const [k, i] of chosen.entries()) {
      const { source, target } = pairs[i] as TextPair
      const { tokenizer, vocabulary } = sides.target
      rows[i] = {
        sourceWords: countWords(source),
        targetWords: countWords(target),
        tokens: (ids[i] as IdPair).target.length - 1,
        nll: losses[k] as number,
        hypothesis: tokenizer.join(vocabulary.decode(decoded[k] as readonly number[])),
        reference: tokenizer.join(tokenizer.encode(target)),
      }
    }
    done += chosen.length
    onBatch?.(done)
  }
  return rows
}

/** −log p of each target of a batch, summed over its tokens. */
async function lossesOf(model: Seq2Seq, batch: Parameters<typeof batchOf>[0]): Promise<Float64Array> {
  const [size, time] = batch.targetShape
  const values = await scope(async () => {
    const { source, sourceLengths, target } = batchOf(batch)
    const losses = noGrad(() => {
      const { logits } = model.forward(source, sourceLengths, target.slice([{}, { stop: time - 1 }]))
      return crossEntropy(logits, target.slice([{}, { start: 1 }]), { ignoreIndex: PAD, reduction: 'none' })
    })
    return losses.data() // [batch, time − 1]
  })
  const sums = new Float64Array(size)
  for (let i = 0; i < size; i++)
    for (let t = 0; t < time - 1; t++) sums[i] = (sums[i] as number) + (values[i * (time - 1) + t] as number)
  return sums
}

async function decode(
  model: Seq2Seq,
  pairs: readonly IdPair[],
  maxLength: number,
): Promise<(readonly number[])[]> {
  const sources = pad(pairs.map(pair => pair.source))
  const found = await greedy(
    () => model.stepper(tensor(sources.ids, { shape: sources.shape }), tensor(sources.lengths)),
    pairs.length,
    getBackend(),
    { begin: BEGIN, end: END, maxLength },
  )
  return found.map(row => row.ids)
}

/** Numbers of a set of pairs, with 95 % intervals over pairs. */
export interface Scores {
  readonly pairs: number
  /** e to the mean −log p of a token, the one that ends included. */
  readonly tokenPerplexity: Interval
  /** The same for a word: the −log p of all its tokens. The end of a sentence counts as a word. */
  readonly wordPerplexity: Interval
  readonly bleu: Interval
  readonly bleuSignature: string
  /** Words written for each word wanted. */
  readonly lengthRatio: number
}

/** The numbers of some pairs. @throws ConfigError if there are none */
export function score(
  rows: readonly PairRow[],
  { samples = 1000, seed = 0 }: { readonly samples?: number; readonly seed?: number } = {},
): Scores {
  const at = (i: number): PairRow => rows[i] as PairRow
  const per = (unit: (row: PairRow) => number) =>
    bootstrap(
      rows.length,
      drawn => {
        let nll = 0
        let units = 0
        for (const i of drawn) {
          nll += at(i).nll
          units += unit(at(i))
        }
        return Math.exp(nll / units)
      },
      { samples, seed },
    )
  const { bleu, whole } = bleuInterval(rows, { samples, seed })
  return {
    pairs: rows.length,
    tokenPerplexity: per(row => row.tokens),
    wordPerplexity: per(row => row.targetWords + 1),
    bleu,
    bleuSignature: whole.signature,
    lengthRatio: whole.hypothesisLength / whole.referenceLength,
  }
}

const BLEU = { lowercase: true } as const

/** BLEU in lower case with its interval. */
export function bleuInterval(
  rows: readonly Pick<PairRow, 'hypothesis' | 'reference'>[],
  options: { readonly samples?: number; readonly seed?: number } = {},
): { readonly bleu: Interval; readonly whole: Bleu } {
  const counts = bleuCounts(
    rows.map(row => row.hypothesis),
    rows.map(row => [row.reference]),
    BLEU,
  )
  const of = (drawn: ArrayLike<number>): Bleu => bleuOf(Array.from(drawn, i => counts[i] as (typeof counts)[number]), BLEU) // biome-ignore format: one line
  return {
    bleu: bootstrap(rows.length, drawn => of(drawn).score, options),
    whole: of([...rows.keys()]),
  }
}
