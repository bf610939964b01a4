import { join } from 'node:path'
import type { DatasetCard, Shelf } from '@heed/datasets'
import type { ReadoutKind } from '@heed/models'
import { bootstrap, type Interval, pairedBootstrap } from '@heed/training'
import { type CurveSeries, curve } from '@heed/viz'
import { binned } from '../lengths.ts'
import type { Sitting } from '../sitting.ts'
import { runTrials } from '../trials.ts'
import { type JudgedParts, judge, type ReadoutSettings, type Verdicts } from './classify.ts'
import type { SentimentSet } from './sets.ts'

/** The read-outs, from the one that forgets. */
export const readouts: readonly ReadoutKind[] = ['last', 'concat', 'mean', 'max', 'attention']

/** Those of the published numbers. */
export const readoutSettings: ReadoutSettings = {
  cell: 'gru',
  hidden: 64,
  embedding: 64,
  dropout: 0.3,
  epochs: 4,
  batchSize: 64,
  learningRate: 0.002,
  minCount: 2,
  maxWords: 44,
}

/** What is known of a read-out on a set. */
export interface ReadoutRow {
  readonly readout: ReadoutKind
  readonly parameters: number
  /** The mean over seeds; the interval is over test texts. */
  readonly accuracy: Interval
  /** Of each seed. */
  readonly seeds: readonly number[]
  /** Better than the last state by so much; of the last state itself undefined. */
  readonly gain?: Interval
  /** The mean over seeds and the interval over texts, by length. */
  readonly byLength: readonly { readonly title: string; readonly length: number; readonly texts: number; readonly accuracy: Interval }[] // biome-ignore format: one line
  readonly cpuSeconds: number
}

/** The raw numbers of a set. */
export interface ReadoutTable {
  readonly set: string
  readonly texts: { readonly train: number; readonly validation: number; readonly test: number }
  /** The share of test texts that are positive: what guessing gets. */
  readonly positive: number
  readonly rows: readonly ReadoutRow[]
}

/** Trains every read-out with every seed on a set, and judges its test part once each. */
export async function compareReadouts(
  set: SentimentSet,
  from: Shelf,
  seeds: number,
  settings: ReadoutSettings,
  sitting: Sitting,
  which: readonly ReadoutKind[] = readouts,
): Promise<{ readonly table: ReadoutTable; readonly svg: string; readonly cards: readonly DatasetCard[] }> {
  const parts = await set.parts(from)
  const own = { ...settings, maxWords: set.maxWords }
  const trials = await runTrials<ReadoutSettings, Verdicts>(
    join(sitting.folder, `${set.name}.trials.json`),
    own,
    which.flatMap(readout => Array.from({ length: seeds }, (_, k) => `${readout} ${k + 1}`)),
    (name, onShare) => {
      const [readout, seed] = name.split(' ') as [ReadoutKind, string]
      return judge(parts, readout, Number(seed), own, set.tokenizer, { signal: sitting.signal, onShare })
    },
    sitting,
  )
  const table = tableOf(set, parts, seeds, trials, which)
  return { table, cards: parts.card ? [parts.card] : [], svg: curve(curvesOf(table), { title: `${set.title}: accuracy by length`, xLabel: 'words of the text', yLabel: 'share judged rightly' }) } // biome-ignore format: one line
}

function tableOf(
  set: SentimentSet,
  { train, validation, test }: JudgedParts,
  seeds: number,
  trials: Readonly<Record<string, Verdicts>>,
  which: readonly ReadoutKind[],
): ReadoutTable {
  const lengths = test.map(({ text }) => set.tokenizer.encode(text).length)
  const of = (readout: ReadoutKind): Verdicts[] =>
    Array.from({ length: seeds }, (_, k) => trials[`${readout} ${k + 1}`] as Verdicts)
  /** Of each test text, the share of seeds that judged it rightly. */
  const shares = (readout: ReadoutKind): number[] =>
    test.map((_, i) => of(readout).filter(({ right }) => right[i] === '1').length / seeds)
  const last = shares('last')
  const rows = which.map((readout): ReadoutRow => {
    const own = shares(readout)
    const mean = (values: readonly number[]) => (drawn: Uint32Array) => drawn.reduce((sum, i) => sum + (values[i] as number), 0) / drawn.length // biome-ignore format: one line
    return {
      readout,
      parameters: (of(readout)[0] as Verdicts).parameters,
      accuracy: bootstrap(own.length, mean(own)),
      seeds: of(readout).map(({ right }) => [...right].filter(x => x === '1').length / right.length),
      ...(readout === 'last' || !which.includes('last')
        ? {}
        : { gain: pairedBootstrap(own.length, mean(own), mean(last)).difference }),
      byLength: binned([...own.keys()], i => lengths[i] as number, set.bounds).map(
        ({ title, length, rows: at }) => ({
          title,
          length,
          texts: at.length,
          accuracy: bootstrap(at.length, mean(at.map(i => own[i] as number))),
        }),
      ),
      cpuSeconds: of(readout).reduce((sum, one) => sum + one.cpuSeconds, 0),
    }
  })
  return {
    set: set.name,
    texts: { train: train.length, validation: validation.length, test: test.length },
    positive: test.filter(({ positive }) => positive).length / test.length,
    rows,
  }
}

function curvesOf({ rows }: ReadoutTable): CurveSeries[] {
  return rows.map(({ readout, byLength }) => ({
    name: readout,
    points: byLength.map(({ length, accuracy }) => ({
      x: length,
      y: accuracy.value,
      lower: accuracy.low,
      upper: accuracy.high,
    })),
  }))
}
