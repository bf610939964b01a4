import { getBackend, noGrad, Rng, tensor } from '@heed/core-tensor'
import { type AlignedPair, Batches, BEGIN, countTokens, END, examples, PAD, pad, summaries, Vocabulary } from '@heed/datasets' // biome-ignore format: one line
import { greedy, Seq2Seq, type Seq2SeqConfig, seq2seqConfig } from '@heed/models'
import { repeatedNgrams, rougeL, rougeN } from '@heed/training'
import { copiedTarget, copiedWords, copyable, copyBatch } from '../translate/copy.ts'
import { decide, type Experiment, type Measurement } from './experiment.ts'
import { train } from './learn.ts'

interface SummarySettings {
  readonly lines: number
  readonly tests: number
  readonly hidden: number
  readonly embedding: number
  /** After so many lines the test articles are summarised. */
  readonly looks: readonly number[]
}

const BATCH = 32
const WITHOUT = 'without coverage'
const NO_LOSS = 'coverage, no loss'
const WITH = 'coverage and its loss'
const REFERENCE = 'the reference'

const ARMS: Readonly<Record<string, { readonly config: Partial<Seq2SeqConfig>; readonly lambda: number }>> = {
  [WITHOUT]: { config: { coverage: false }, lambda: 0 },
  [NO_LOSS]: { config: { coverage: true }, lambda: 0 },
  [WITH]: { config: { coverage: true }, lambda: 1 },
}

/** X18: pointer-generators that know where they have looked, or do not. */
export const x18: Experiment<SummarySettings> = {
  id: 'X18',
  title: 'Does coverage cure repetition?',
  claim:
    'A model that keeps account of where it has looked repeats itself less than one that does not, and summarises no worse.',
  setup:
    'Articles of two to four pieces of news about names that are mostly seen for the first time, to be cut down to who did what, by a pointer-generator (GRU, additive attention, greedy decoding). The same data, steps and seeds without coverage, with coverage in the score alone, and with the coverage loss (λ = 1) from the first step on; See et al. add it to a model that is trained already. Summaries are taken at several points of training. An n-gram counts as repeated if it stood in the same summary before; the reference repeats some itself, since deeds and things come from short lists.',
  rule: 'At the end of training: with coverage and its loss the share of repeated 3-grams is lower than without coverage (interval over seeds of the difference below 0), and ROUGE-L is at most one point lower. Holds if both are so, under conditions if one.',
  settings: quick => {
    const lines = quick ? 4800 : 19_200
    return { lines, tests: quick ? 120 : 400, hidden: 48, embedding: 32, looks: [1, 2, 3].map(k => (lines * k) / 3) } // biome-ignore format: one line
  },
  arms: () => [...Object.keys(ARMS), REFERENCE],
  measures: [
    { key: 'three', title: 'Repeated 3-grams', unit: '% of the 3-grams of a summary', share: true },
    { key: 'two', title: 'Repeated 2-grams', unit: '% of the 2-grams of a summary', share: true },
    { key: 'rouge1', title: 'ROUGE-1', unit: 'F1, %', share: true },
    { key: 'rouge2', title: 'ROUGE-2', unit: 'F1, %', share: true },
    { key: 'rougeL', title: 'ROUGE-L', unit: 'F1, %', share: true },
  ],
  xLabel: 'articles learned from',
  async measure(arm, { settings, seed, signal }) {
    const { lines, tests, hidden, embedding, looks } = settings
    const part = (split: 'train' | 'test', size: number) => examples(summaries({ seed, split, size }))
    const test = part('test', tests)
    const wanted = test.map(({ target }) => cut(target))
    if (arm === REFERENCE) return looks.map(x => ({ x, values: measured(wanted, wanted) }))
    const learned = part('train', lines)
    // Names are rare on purpose: what is kept are the words of every article.
    const vocabulary = Vocabulary.fromCounts(countTokens(learned.flatMap(pair => [cut(pair.source), cut(pair.target)])), { minCount: Math.ceil(lines / 100) }) // biome-ignore format: one line
    const { config, lambda } = ARMS[arm] as (typeof ARMS)[string]
    const model = new Seq2Seq(
      seq2seqConfig({ sourceVocab: vocabulary.size, targetVocab: vocabulary.size, attention: 'bahdanau', queryState: 'current', copy: true, hidden, embedding, padding: PAD, ...config }), // biome-ignore format: one line
      { rng: new Rng(seed).split('weights') },
    )
    const rows = learned.map(pair => encoded(pair, vocabulary))
    const batches = new Batches(rows, { size: BATCH, seed }).epoch(0)
    const found: Measurement[] = []
    const look = async (step: number): Promise<undefined> => {
      const x = looks.find(articles => Math.round(articles / BATCH) === step)
      if (x === undefined) return
      const written = await summarise(model, test, vocabulary)
      model.train()
      found.push({ x, values: measured(written, wanted) })
    }
    await train(
      model,
      {
        steps: () => batches.length,
        batch(_, step) {
          const { indices, ...b } = batches.at(step)
          return {
            source: tensor(b.source, { shape: b.sourceShape }),
            sourceLengths: tensor(b.sourceLengths),
            target: tensor(b.target, { shape: b.targetShape }),
            copy: copyBatch(Array.from(indices, i => (rows[i] as (typeof rows)[number]).copied)),
          }
        },
      },
      { learningRate: 0.005, seed, signal, loss: batch => model.loss(batch, { coverageWeight: lambda }), onStep: look }, // biome-ignore format: one line
    )
    return found
  },
  judge(results, { looks }) {
    const end = looks.at(-1) as number
    const less = results.difference(WITH, WITHOUT, end, 'three')
    const rouge = results.difference(WITH, WITHOUT, end, 'rougeL')
    const pct = (arm: string, key: string): string => `${(100 * results.mean(arm, end, key)).toFixed(1)} %`
    return {
      verdict: decide([(less?.high ?? 0) < 0, (rouge?.mean ?? Number.NEGATIVE_INFINITY) >= -0.01]),
      because: `after ${end.toLocaleString('en')} articles ${Object.keys(ARMS).map(arm => `${arm} ${pct(arm, 'three')} of the 3-grams are repeated at ROUGE-L ${pct(arm, 'rougeL')}`).join('; ')}; the reference repeats ${pct(REFERENCE, 'three')}`, // biome-ignore format: one line
    }
  },
}

const cut = (text: string): string[] => text.split(' ')

function encoded({ source, target }: AlignedPair, vocabulary: Vocabulary) {
  const copied = copyable(cut(source), vocabulary)
  return {
    source: vocabulary.encode(cut(source)),
    target: copiedTarget(cut(target), vocabulary, copied),
    copied,
  }
}

/** The most likely word at each step. */
async function summarise(
  model: Seq2Seq,
  articles: readonly AlignedPair[],
  vocabulary: Vocabulary,
): Promise<string[][]> {
  const rows = articles.map(pair => encoded(pair, vocabulary))
  const { ids, shape, lengths } = pad(rows.map(({ source }) => source))
  const decoded = await noGrad(() =>
    greedy(
      () => model.eval().stepper(tensor(ids, { shape }), tensor(lengths), copyBatch(rows.map(({ copied }) => copied))), // biome-ignore format: one line
      rows.length,
      getBackend(),
      { begin: BEGIN, end: END, maxLength: 40 },
    ),
  )
  return decoded.map((row, i) => copiedWords(row.ids, vocabulary, (rows[i] as (typeof rows)[number]).copied))
}

/** Means over summaries. */
function measured(
  written: readonly (readonly string[])[],
  wanted: readonly (readonly string[])[],
): Readonly<Record<'three' | 'two' | 'rouge1' | 'rouge2' | 'rougeL', number>> {
  const mean = (of: (words: readonly string[], reference: readonly string[]) => number): number =>
    written.reduce((sum, words, i) => sum + of(words, wanted[i] as readonly string[]), 0) / written.length
  return {
    three: mean(words => repeatedNgrams(words, 3)),
    two: mean(words => repeatedNgrams(words, 2)),
    rouge1: mean((words, reference) => rougeN(words, reference, 1).f1),
    rouge2: mean((words, reference) => rougeN(words, reference, 2).f1),
    rougeL: mean((words, reference) => rougeL(words, reference).f1),
  }
}
