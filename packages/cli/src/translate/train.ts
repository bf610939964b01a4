import { Rng } from '@heed/core-tensor'
import { PAD } from '@heed/datasets'
import {
  Seq2Seq,
  type Seq2SeqAttention,
  type Seq2SeqConfig,
  type Seq2SeqLossOptions,
  seq2seqConfig,
} from '@heed/models'
import type { RunConfig, RunFolder, Vocabularies } from '../run.ts'
import { type Classroom, loadWeights, teach } from '../training.ts'
import { encodeLines, type TranslationData, trainingBatches } from './data.ts'
import { score, translate } from './decode.ts'

/** One model of a run: with the attention asked for, or without, to compare. */
export interface Arm {
  /** Names its checkpoint and its lines in the log. */
  readonly name: 'checkpoint' | 'without-attention'
  readonly title: string
  readonly attention: Seq2SeqAttention
}

/** What people call the kinds. */
const ATTENTION: Readonly<Record<Seq2SeqAttention, string>> = {
  none: 'without attention',
  bahdanau: 'Bahdanau attention',
  dot: 'Luong attention, dot',
  'scaled-dot': 'Luong attention, scaled dot',
  general: 'Luong attention, general',
  concat: 'Luong attention, concat',
}

/** The models of a run, in the order they are trained. */
export function armsOf(config: Pick<RunConfig, 'attention' | 'compare'>): Arm[] {
  const main: Arm = {
    name: 'checkpoint',
    title: ATTENTION[config.attention],
    attention: config.attention,
  }
  return config.compare && config.attention !== 'none'
    ? [main, { name: 'without-attention', title: ATTENTION.none, attention: 'none' }]
    : [main]
}

/** The model of an arm, with first weights drawn from the run's seed. */
export function buildModel(
  config: RunConfig,
  attention: Seq2SeqAttention,
  { source, target }: Vocabularies,
): Seq2Seq {
  const { embedding, hidden, dropout, seed, cell = 'gru' } = config
  const given = {
    sourceVocab: source.size,
    targetVocab: target.size,
    attention,
    cell,
    embedding,
    hidden,
    dropout,
    padding: PAD,
  } as const
  // What says how to look says nothing to the model without attention that a run compares with.
  const looking = attention === config.attention ? lookOf(config) : {}
  return new Seq2Seq(seq2seqConfig({ ...given, ...looking }), { rng: new Rng(seed).split('weights') })
}

/** How a run's model looks, where the run says so. */
function lookOf(config: RunConfig): Partial<Seq2SeqConfig> {
  const { locality, window, inputFeeding, queryState, copy, coverage } = config
  const said = { locality, window, inputFeeding, queryState, copy, coverage }
  return Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined))
}

/** The trained weights of an arm. @throws FormatError if the checkpoint is missing or damaged, ConfigError if it is of other sizes */
export function loadModel(run: RunFolder, arm: Arm, vocabularies: Vocabularies): Seq2Seq {
  const model = buildModel(run.config, arm.attention, vocabularies)
  loadWeights(model, run.path, arm.name)
  return model
}

/** The parts of the loss, where the run says what they count. */
function lossOf({ labelSmoothing, coverageWeight, guidedWeight }: RunConfig): Seq2SeqLossOptions {
  return {
    ...(labelSmoothing === undefined ? {} : { labelSmoothing }),
    ...(coverageWeight === undefined ? {} : { coverageWeight }),
    ...(guidedWeight === undefined ? {} : { guidedWeight }),
  }
}

export interface Trained {
  readonly model: Seq2Seq
  /** Of training alone, all sittings together, evaluation left out. */
  readonly seconds: number
}

/** Trains one arm of a run, from its checkpoint on if there is one. @throws Interrupted after saving, if the signal says so */
export async function trainArm(
  run: RunFolder,
  arm: Arm,
  data: TranslationData,
  vocabularies: Vocabularies,
  classroom: Classroom,
): Promise<Trained> {
  const { config } = run
  const model = buildModel(config, arm.attention, vocabularies)
  const lines = data.validation.slice(0, 120)
  const look = async () => {
    const translations = await translate(
      { model, data, vocabularies, config },
      lines.map(line => line.source),
    )
    const { exact, bleu } = score(lines, translations, data)
    return { found: { exact, bleu }, words: `exact match ${(100 * exact).toFixed(0)} %` }
  }
  const seconds = await teach(
    run,
    {
      name: arm.name,
      title: arm.title,
      model,
      batches: trainingBatches(
        encodeLines(data.train, data, vocabularies, {
          ...config,
          copy: model.config.copy,
          guided: config.guidedWeight !== undefined && model.config.attention !== 'none',
        }),
        config.batchSize,
        config.seed,
      ),
      loss: batch => model.loss(batch, lossOf(config)),
      config,
      look: lines.length ? look : undefined,
      command: 'translate',
    },
    classroom,
  )
  return { model, seconds }
}
