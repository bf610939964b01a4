import { getBackend, Rng, tensor } from '@heed/core-tensor'
import {
  type AlignedPair,
  Batches,
  BEGIN,
  copy,
  countTokens,
  END,
  examples,
  type IdPair,
  PAD,
  pad,
  Vocabulary,
} from '@heed/datasets'
import { greedy, Seq2Seq, type Seq2SeqBatch, seq2seqConfig } from '@heed/models'
import { Adam, Trainer, warmupCosine } from '@heed/training'
import { every, type Live } from './task.ts'

export interface BottleneckOptions {
  /** Steps of 32 strings for each of the two models. */
  readonly steps: number
  /** Numbers in the one vector. */
  readonly hidden: number
  readonly seed: number
  /** Both unless given. */
  readonly arms?: readonly Arm[]
  /** The longest string learned from; 12 unless given. */
  readonly longest?: number
  /** The lengths tested; 2, 4, … 12 unless given. */
  readonly lengths?: readonly number[]
}

export type Arm = 'sticky note' | 'look-back'

export interface BottleneckProgress {
  readonly arm: Arm
  readonly step: number
  readonly loss: number
  /** Share of letters in the right place, by the length of the string. */
  readonly byLength: readonly { readonly length: number; readonly right: number }[]
  /** One string and what the model makes of it. */
  readonly shown: { readonly source: string; readonly output: string }
}

const SHORTEST = 2
const BATCH = 32
const TESTS = 20

/** Two encoder-decoders learn to write a string down again: one from a fixed vector, one that may look back. */
export async function bottleneck(
  options: BottleneckOptions,
  live: Live<BottleneckProgress>,
): Promise<{ parameters: Record<Arm, number>; finished: boolean }> {
  const {
    steps,
    hidden,
    seed,
    arms = ['sticky note', 'look-back'],
    longest = 12,
    lengths = [2, 4, 6, 8, 10, 12],
  } = options
  const range = { minLength: SHORTEST, maxLength: longest }
  const train = examples(copy({ seed, split: 'train', size: BATCH * steps, ...range }))
  const tests = lengths.map(length =>
    examples(copy({ seed, split: 'test', size: TESTS, minLength: length, maxLength: length })),
  )
  const vocabulary = Vocabulary.fromCounts(countTokens(train.map(({ source }) => [...source])))
  const counts: Record<Arm, number> = { 'sticky note': 0, 'look-back': 0 }
  for (const arm of arms) {
    const model = new Seq2Seq(
      seq2seqConfig({
        sourceVocab: vocabulary.size,
        targetVocab: vocabulary.size,
        attention: arm === 'sticky note' ? 'none' : 'bahdanau',
        embedding: 16,
        hidden,
        encoderHidden: hidden,
        padding: PAD,
      }),
      { rng: new Rng(seed).split('weights') },
    )
    counts[arm] = [...model.parameters()].reduce((sum, p) => sum + p.size, 0)
    const trainer = new Trainer(model, {
      optimizer: new Adam(model.namedParameters()),
      schedule: warmupCosine(0.01, { warmup: Math.ceil(steps / 10), total: steps }),
      clipNorm: 1,
      seed,
    })
    const batches = new Batches(
      train.map(pair => encoded(pair, vocabulary)),
      { size: BATCH, seed },
    ).epoch(0)
    const batch = (_: number, step: number): Seq2SeqBatch => {
      const b = batches.at(step)
      return {
        source: tensor(b.source, { shape: b.sourceShape }),
        sourceLengths: tensor(b.sourceLengths),
        target: tensor(b.target, { shape: b.targetShape }),
      }
    }
    const finished = await trainer.fit(
      { steps: () => Math.min(steps, batches.length), batch },
      {
        epochs: 1,
        signal: live.signal,
        onStep: async ({ total, loss }) => {
          if (!every(total, steps, 10)) return
          model.eval()
          const byLength = []
          let shown = { source: '', output: '' }
          for (const [i, rows] of tests.entries()) {
            const outputs = await write(
              model,
              vocabulary,
              rows.map(({ source }) => source),
            )
            byLength.push({ length: lengths[i] as number, right: rightLetters(rows, outputs) })
            shown = { source: rows[0]?.source ?? '', output: outputs[0] ?? '' }
          }
          model.train()
          await live.report({ arm, step: total, loss, byLength, shown })
        },
      },
    )
    if (!finished) return { parameters: counts, finished }
  }
  return { parameters: counts, finished: true }
}

function encoded({ source, target }: AlignedPair, vocabulary: Vocabulary): IdPair {
  return {
    source: vocabulary.encode([...source]),
    target: vocabulary.encode([...target], { begin: true, end: true }),
  }
}

async function write(model: Seq2Seq, vocabulary: Vocabulary, sources: readonly string[]): Promise<string[]> {
  const { ids, shape, lengths } = pad(sources.map(source => vocabulary.encode([...source])))
  const rows = await greedy(
    () => model.stepper(tensor(ids, { shape }), tensor(lengths)),
    sources.length,
    getBackend(),
    {
      begin: BEGIN,
      end: END,
      maxLength: Math.max(...sources.map(source => source.length)) + 2,
    },
  )
  return rows.map(row => row.ids.map(id => vocabulary.token(id)).join(''))
}

function rightLetters(rows: readonly AlignedPair[], outputs: readonly string[]): number {
  const letters = rows.reduce((sum, { target }) => sum + target.length, 0)
  const right = rows.reduce(
    (sum, { target }, i) => sum + [...target].filter((letter, t) => outputs[i]?.[t] === letter).length,
    0,
  )
  return right / letters
}
