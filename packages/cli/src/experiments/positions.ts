import { noGrad, Rng, scope, tensor } from '@heed/core-tensor'
import { countTokens, examples, type LabelledText, order, PAD, Vocabulary } from '@heed/datasets'
import { type ClassifierBatch, type PositionKind, TransformerClassifier, transformerClassifierConfig } from '@heed/models' // biome-ignore format: one line
import { decide, type Experiment } from './experiment.ts'
import { train } from './learn.ts'

interface PositionSettings {
  readonly lines: number
  readonly tests: number
  readonly length: number
  readonly embedding: number
  /** Multiples of the length learned from. */
  readonly tested: readonly number[]
}

const KINDS: Readonly<Record<string, PositionKind>> = {
  none: 'none',
  sinusoidal: 'sinusoidal',
  learned: 'learned',
  relative: 'relative',
  'ALiBi, one slope': 'alibi',
  'ALiBi, two slopes': 'two-sided alibi',
  RoPE: 'rotary',
}

/** Those that a model that looks both ways can tell order by. */
const ABLE = ['sinusoidal', 'learned', 'relative', 'ALiBi, two slopes', 'RoPE']
const BATCH = 32
const LABELS = ['a', 'b']
const pct = (share: number): string => `${(100 * share).toFixed(0)} %`

/** X21: how a model without recurrence knows where its words stand. */
export const x21: Experiment<PositionSettings> = {
  id: 'X21',
  title: 'Does a model without recurrence need positions?',
  claim:
    'Without recurrence, positions are crucial: self-attention alone cannot tell order, and absolute or relative positions mend that.',
  setup:
    'Two marks among noise, to name the one that comes first, by a Transformer encoder of two layers that looks both ways and takes the mean over places. The same weights, data and steps for all kinds of positions; tested on texts as long as those learned from, and twice as long (the table of learned positions is long enough, but the places beyond were never learned). ALiBi takes the same from both sides by its definition, since it was made for models that look back only: both ways it sees a text and its mirror image alike, so a second form halves the slopes ahead.',
  rule: 'At the length learned from: without positions at most 60 % are right, and with each of sinusoidal, learned, relative, ALiBi with two slopes, and RoPE at least 90 %. Holds if all six are so, under conditions if some. What becomes of them at twice the length is told, but no part of the claim.',
  settings: quick => ({ lines: quick ? 9600 : 48_000, tests: 400, length: 16, embedding: 32, tested: [1, 2] }), // biome-ignore format: one line
  arms: () => Object.keys(KINDS),
  measures: [{ key: 'accuracy', title: 'Accuracy', unit: '% of test texts', share: true }],
  xLabel: 'words',
  async measure(arm, { settings: { lines, tests, length, embedding, tested }, seed, signal }) {
    const part = (split: 'train' | 'test', size: number, words: number) => examples(order({ seed, split, size, length: words })) // biome-ignore format: one line
    const learned = part('train', lines, length)
    const vocabulary = Vocabulary.fromCounts(countTokens(learned.map(({ text }) => text.split(' '))))
    const model = new TransformerClassifier(
      transformerClassifierConfig({ vocab: vocabulary.size, classes: 2, positions: KINDS[arm] as PositionKind, maxLength: length * Math.max(...tested), embedding, padding: PAD }), // biome-ignore format: one line
      { rng: new Rng(seed).split('weights') },
    )
    const batchOf = (rows: readonly LabelledText[]): ClassifierBatch => {
      const ids = rows.map(({ text }) => [...vocabulary.encode(text.split(' '))])
      const words = ids[0]?.length ?? 0
      return {
        ids: tensor(Int32Array.from(ids.flat()), { shape: [rows.length, words] }),
        lengths: tensor(new Int32Array(rows.length).fill(words)),
        labels: tensor(Int32Array.from(rows, ({ label }) => LABELS.indexOf(label))),
      }
    }
    await train(
      model,
      {
        steps: () => Math.floor(lines / BATCH),
        batch: (_, step) => batchOf(learned.slice(step * BATCH, (step + 1) * BATCH)),
      },
      { learningRate: 0.003, seed, signal },
    )
    model.eval()
    const found = []
    for (const times of tested) {
      const words = length * times
      const accuracy = await noGrad(() =>
        scope(() => {
          const { ids, lengths, labels } = batchOf(part('test', tests, words))
          return model.forward(ids, lengths).argmax(-1).equal(labels).cast('float32').mean().item()
        }),
      )
      found.push({ x: words, values: { accuracy } })
    }
    return found
  },
  judge(results, { length, tested }) {
    const at = (arm: string, times: number): number => results.mean(arm, length * times, 'accuracy')
    const far = tested.at(-1) as number
    return {
      verdict: decide([at('none', 1) <= 0.6, ...ABLE.map(arm => at(arm, 1) >= 0.9)]),
      because: `at ${length} and ${length * far} words ${Object.keys(KINDS).map(arm => `${arm} ${pct(at(arm, 1))}, ${pct(at(arm, far))}`).join('; ')}`, // biome-ignore format: one line
    }
  },
}
