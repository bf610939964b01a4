import { join } from 'node:path'
import {
  type DatasetCard,
  examples,
  type Links,
  type Shelf,
  type TextPair,
  translation,
  wordAlignments,
} from '@heed/datasets'
import type { Interval } from '@heed/training'
import type { Sitting } from '../sitting.ts'
import { runTrials } from '../trials.ts'
import { type Aligned, type AlignerSettings, alignByAttention } from './attention.ts'
import { diagonal, ibmModel1 } from './baselines.ts'
import { errorRate } from './rates.ts'

/** Pairs to learn from, and those of which links are known. */
export interface AlignmentTask {
  readonly name: 'generated' | 'enfr'
  readonly train: readonly TextPair[]
  readonly test: readonly (TextPair & { readonly sure: Links; readonly possible: Links })[]
  /** Where they come from. */
  readonly card: DatasetCard
}

/** How a task is done: plain JSON. */
export interface AerSettings {
  readonly seeds: number
  readonly aligner: Omit<AlignerSettings, 'attention' | 'inputFeeding'>
}

/** Those of the published numbers. */
export const aerSettings: Readonly<Record<AlignmentTask['name'], AerSettings>> = {
  generated: {
    seeds: 2,
    aligner: {
      hidden: 128,
      embedding: 64,
      dropout: 0,
      epochs: 6,
      batchSize: 64,
      learningRate: 0.002,
      minCount: 1,
    },
  },
  enfr: {
    seeds: 2,
    aligner: {
      hidden: 128,
      embedding: 64,
      dropout: 0.3,
      epochs: 20,
      batchSize: 16,
      learningRate: 0.002,
      minCount: 1,
    },
  },
}

/** Generated English and German, with the alignment that the grammar knows. */
export function generatedTask(train = 4000, test = 500): AlignmentTask {
  const set = (split: 'train' | 'test', size: number) => translation({ seed: 1, split, size, maxClauses: 2 })
  const learned = set('train', train)
  return {
    name: 'generated',
    train: examples(learned),
    card: learned.card,
    test: examples(set('test', test)).map(pair => ({ ...pair, sure: pair.links, possible: pair.links })),
  }
}

/** The 447 pairs of English and French that people have aligned; learned from are the pairs themselves, not their links. */
export async function enfrTask(from: Shelf): Promise<AlignmentTask> {
  const set = await wordAlignments(from, { pair: 'enfr' })
  const pairs = examples(set)
  return { name: 'enfr', train: pairs, test: pairs, card: set.card }
}

const ARMS = {
  bahdanau: { title: 'Bahdanau attention', attention: 'bahdanau', inputFeeding: true },
  general: { title: 'Luong general, input feeding', attention: 'general', inputFeeding: true },
  dot: { title: 'Luong dot, input feeding', attention: 'dot', inputFeeding: true },
} as const

/** One line of the table. */
export interface AerRow {
  readonly title: string
  /** The mean over seeds; the interval is over sentences. */
  readonly aer: Interval
  readonly seeds?: readonly number[]
  readonly coverage?: Aligned['coverage']
  readonly loss?: number
  readonly cpuSeconds?: number
}

/** Trains every kind of attention on a task, and compares where it looks with the known links. */
export async function alignmentErrors(
  task: AlignmentTask,
  { seeds, aligner }: AerSettings,
  sitting: Sitting,
): Promise<readonly AerRow[]> {
  const kinds = Object.keys(ARMS) as (keyof typeof ARMS)[]
  const trials = await runTrials<object, Aligned>(
    join(sitting.folder, `${task.name}.trials.json`),
    { aligner, train: task.train.length, test: task.test.length },
    kinds.flatMap(kind => Array.from({ length: seeds }, (_, k) => `${kind} ${k + 1}`)),
    (name, onShare) => {
      const [kind, seed] = name.split(' ') as [keyof typeof ARMS, string]
      const { attention, inputFeeding } = ARMS[kind]
      return alignByAttention(task.train, task.test, Number(seed), { ...aligner, attention, inputFeeding }, { signal: sitting.signal, onShare }) // biome-ignore format: one line
    },
    sitting,
  )
  const judged = (links: readonly Links[]) => task.test.map(({ sure, possible }, i) => ({ sure, possible, found: links[i] as Links })) // biome-ignore format: one line
  const learned = ibmModel1([...task.train, ...task.test]).slice(task.train.length)
  return [
    { title: 'diagonal', aer: errorRate([judged(task.test.map(diagonal))]) },
    { title: 'IBM model 1', aer: errorRate([judged(learned)]) },
    ...kinds.map((kind): AerRow => {
      const runs = Array.from({ length: seeds }, (_, k) => trials[`${kind} ${k + 1}`] as Aligned)
      return {
        title: ARMS[kind].title,
        aer: errorRate(runs.map(run => judged(run.links))),
        seeds: runs.map(run => errorRate([judged(run.links)]).value),
        coverage: (runs[0] as Aligned).coverage,
        loss: runs.reduce((sum, run) => sum + run.loss, 0) / runs.length,
        cpuSeconds: runs.reduce((sum, run) => sum + run.cpuSeconds, 0),
      }
    }),
  ]
}
