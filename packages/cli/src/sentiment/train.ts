import { Rng, type Tensor } from '@heed/core-tensor'
import { PAD, type Vocabulary } from '@heed/datasets'
import { classifierConfig, type ReadoutKind, SequenceClassifier } from '@heed/models'
import type { RunFolder, SentimentConfig } from '../run.ts'
import { type Classroom, loadWeights, teach } from '../training.ts'
import { classify } from './classify.ts'
import { type LabelledData, textBatches } from './data.ts'

/** One model of a run: with the read-out asked for, or with the last state, to compare. */
export interface SentimentArm {
  /** Names its checkpoint and its lines in the log. */
  readonly name: 'checkpoint' | 'last-state'
  readonly title: string
  readonly readout: ReadoutKind
}

const TITLES: Readonly<Record<ReadoutKind, string>> = {
  last: 'last state',
  concat: 'all states, concatenated',
  mean: 'mean of states',
  max: 'maximum of states',
  attention: 'attention',
}

/** The models of a run, in the order they are trained. */
export function sentimentArms({
  readout,
  compare,
}: Pick<SentimentConfig, 'readout' | 'compare'>): SentimentArm[] {
  const main: SentimentArm = { name: 'checkpoint', title: TITLES[readout], readout }
  return compare && readout !== 'last'
    ? [main, { name: 'last-state', title: TITLES.last, readout: 'last' }]
    : [main]
}

/** Word vectors to begin with, and whether they are learned further. */
export interface Pretrained {
  /** `[vocab, embedding]` */
  readonly table: Tensor
  readonly use: 'frozen' | 'fine-tuned'
}

/** The model of an arm, with first weights drawn from the run's seed. */
export function buildClassifier(
  { labels, cell, bidirectional, layers, embedding, hidden, dropout, seed, time }: SentimentConfig,
  readout: ReadoutKind,
  vocabulary: Vocabulary,
  pretrained?: Pretrained,
): SequenceClassifier {
  const binary = labels.length === 2
  return new SequenceClassifier(
    classifierConfig({
      vocab: vocabulary.size,
      task: binary ? 'binary' : 'multi-class',
      classes: binary ? 1 : labels.length,
      readout,
      cell,
      bidirectional,
      layers,
      embedding,
      hidden,
      dropout,
      time,
      padding: PAD,
      embeddings: pretrained?.use ?? 'learned',
    }),
    { rng: new Rng(seed).split('weights'), vectors: pretrained?.table },
  )
}

/** The trained model of an arm. @throws FormatError if the checkpoint is missing or damaged, ConfigError if it is of other sizes */
export function loadClassifier(
  run: RunFolder<SentimentConfig>,
  arm: SentimentArm,
  vocabulary: Vocabulary,
): SequenceClassifier {
  const model = buildClassifier(run.config, arm.readout, vocabulary) // word vectors are in the checkpoint too
  loadWeights(model, run.path, arm.name)
  return model
}

/** What an arm is trained on. */
export interface SentimentLesson {
  readonly data: LabelledData
  readonly vocabulary: Vocabulary
  readonly pretrained?: Pretrained | undefined
}

/** Trains one arm of a run, from its checkpoint on if there is one. @returns seconds of training @throws Interrupted after saving, if the signal says so */
export async function trainSentimentArm(
  run: RunFolder<SentimentConfig>,
  arm: SentimentArm,
  { data, vocabulary, pretrained }: SentimentLesson,
  classroom: Classroom,
): Promise<{ readonly model: SequenceClassifier; readonly seconds: number }> {
  const config = { ...run.config, readout: arm.readout }
  const model = buildClassifier(config, arm.readout, vocabulary, pretrained)
  const texts = data.validation.slice(0, 200)
  const look = async () => {
    const judgements = await classify(
      { model, vocabulary, config },
      texts.map(({ text }) => text),
    )
    const accuracy = texts.filter(({ label }, i) => judgements[i]?.label === label).length / texts.length
    return { found: { accuracy }, words: `accuracy ${(100 * accuracy).toFixed(0)} %` }
  }
  const seconds = await teach(
    run,
    {
      name: arm.name,
      title: arm.title,
      model,
      batches: textBatches(data.train, vocabulary, config),
      config,
      look: texts.length ? look : undefined,
      command: 'sentiment',
    },
    classroom,
  )
  return { model, seconds }
}
