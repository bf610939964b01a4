import { join } from 'node:path'
import { type DatasetCard, spaces } from '@heed/datasets'
import type { ReadoutKind } from '@heed/models'
import { bootstrapMean, type Interval } from '@heed/training'
import { curve } from '@heed/viz'
import type { Sitting } from '../sitting.ts'
import { runTrials } from '../trials.ts'
import { type JudgedParts, judge, type ReadoutSettings, type Verdicts } from './classify.ts'

/** How many words are given, and to whom: plain JSON. */
export interface ForgettingSettings extends ReadoutSettings {
  readonly given: readonly number[]
  /** How many of the ten folds are tested on, each by models that have not seen it. */
  readonly folds: number
}

/** Those of the published numbers. */
export const forgettingSettings: ForgettingSettings = {
  cell: 'gru',
  hidden: 64,
  embedding: 64,
  dropout: 0.5,
  epochs: 8,
  batchSize: 16,
  learningRate: 0.002,
  minCount: 3,
  maxWords: 200,
  given: [25, 50, 100, 200],
  folds: 2,
}

/** One point of a curve. */
export interface ForgettingPoint {
  readonly readout: ReadoutKind
  readonly given: number
  readonly accuracy: Interval
  /** Of each fold. */
  readonly byFold: readonly number[]
  readonly cpuSeconds: number
}

const WHO: readonly ReadoutKind[] = ['last', 'mean', 'attention']

/** The accuracy on long reviews by how many of their words are read: who gains by reading on, and who forgets. */
export async function forgetting(
  partsOf: (given: number, fold: number) => Promise<JudgedParts>,
  settings: ForgettingSettings,
  sitting: Sitting,
): Promise<{
  readonly points: readonly ForgettingPoint[]
  readonly svg: string
  readonly cards: readonly DatasetCard[]
}> {
  const { given, folds, ...rest } = settings
  const numbers = Array.from({ length: folds }, (_, fold) => fold)
  const trials = await runTrials<ForgettingSettings, Verdicts>(
    join(sitting.folder, 'forgetting.trials.json'),
    settings,
    given.flatMap(words => numbers.flatMap(fold => WHO.map(readout => `${readout} ${words} ${fold}`))),
    async (name, onShare) => {
      const [readout, words, fold] = name.split(' ') as [ReadoutKind, string, string]
      return judge(
        await partsOf(Number(words), Number(fold)),
        readout,
        1 + Number(fold),
        { ...rest, maxWords: Number(words) },
        spaces(),
        { signal: sitting.signal, onShare },
      )
    },
    sitting,
  )
  const points = WHO.flatMap(readout =>
    given.map((words): ForgettingPoint => {
      const runs = numbers.map(fold => trials[`${readout} ${words} ${fold}`] as Verdicts)
      const right = runs.flatMap(run => Array.from(run.right, Number))
      return {
        readout,
        given: words,
        accuracy: bootstrapMean(right),
        byFold: runs.map(
          run => Array.from(run.right, Number).reduce((sum, x) => sum + x, 0) / run.right.length,
        ),
        cpuSeconds: runs.reduce((sum, run) => sum + run.cpuSeconds, 0),
      }
    }),
  )
  const series = WHO.map(readout => ({
    name: readout,
    points: points
      .filter(point => point.readout === readout)
      .map(({ given: x, accuracy: { value, low, high } }) => ({ x, y: value, lower: low, upper: high })),
  }))
  const svg = curve(series, {
    title: 'Long film reviews: accuracy by words read',
    xLabel: 'words read',
    yLabel: 'share judged rightly',
    log: 'x',
  })
  const { card } = await partsOf(given[0] as number, 0)
  return { points, svg, cards: card ? [card] : [] }
}
