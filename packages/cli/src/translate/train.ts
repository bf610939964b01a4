import { noGrad, Rng, scope } from '@heed/core-tensor'
import { PAD } from '@heed/datasets'
import { Seq2Seq, type Seq2SeqAttention, seq2seqConfig } from '@heed/models'
import { Adam, Trainer, type TrainingPosition, warmupCosine } from '@heed/training'
import { loadCheckpoint, saveCheckpoint } from '@heed/training/node'
import { z } from 'zod'
import { Interrupted } from '../failure.ts'
import type { RunConfig, RunFolder, Vocabularies } from '../run.ts'
import type { Screen } from '../screen.ts'
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

/** What a checkpoint says beside its tensors. */
const factsSchema = z.object({
  position: z.object({ epoch: z.number(), step: z.number(), total: z.number() }),
  seconds: z.number(),
  backend: z.string(),
})
type Facts = z.infer<typeof factsSchema>

/** The model of an arm, with first weights drawn from the run's seed. */
export function buildModel(
  config: RunConfig,
  attention: Seq2SeqAttention,
  { source, target }: Vocabularies,
): Seq2Seq {
  const { embedding, hidden, dropout, seed } = config
  return new Seq2Seq(
    seq2seqConfig({
      sourceVocab: source.size,
      targetVocab: target.size,
      attention,
      embedding,
      hidden,
      dropout,
      padding: PAD,
    }),
    { rng: new Rng(seed).split('weights') },
  )
}

/** The trained weights of an arm. @throws FormatError if the checkpoint is missing or damaged, ConfigError if it is of other sizes */
export function loadModel(run: RunFolder, arm: Arm, vocabularies: Vocabularies): Seq2Seq {
  const model = buildModel(run.config, arm.attention, vocabularies)
  const { tensors } = readCheckpoint(run, arm)
  model.loadStateDict(
    Object.fromEntries(
      Object.entries(tensors).flatMap(([name, x]) => (name.startsWith('model.') ? [[name.slice(6), x]] : [])),
    ),
  )
  return model
}

function readCheckpoint(run: RunFolder, arm: Arm): ReturnType<typeof loadCheckpoint<Facts>> {
  return loadCheckpoint(run.path, json => factsSchema.parse(json), { name: arm.name })
}

export interface Trained {
  readonly model: Seq2Seq
  /** Of training alone, all sittings together, evaluation left out. */
  readonly seconds: number
}

const SAVE_EVERY = 15_000 // ms
const LOOKS = 12 // at the validation lines, in all

/** Trains one arm of a run, from its checkpoint on if there is one. @throws Interrupted after saving, if the signal says so */
export async function trainArm(
  run: RunFolder,
  arm: Arm,
  data: TranslationData,
  vocabularies: Vocabularies,
  {
    screen,
    signal,
    resume,
    backend,
  }: {
    readonly screen: Screen
    readonly signal: AbortSignal
    readonly resume: boolean
    readonly backend: string
  },
): Promise<Trained> {
  const { config } = run
  const batches = trainingBatches(
    encodeLines(data.train, data, vocabularies, config.reverseSource),
    config.batchSize,
    config.seed,
  )
  const perEpoch = batches.steps(0)
  const total = perEpoch * config.epochs
  const model = buildModel(config, arm.attention, vocabularies)
  const trainer = new Trainer(model, {
    optimizer: new Adam(model.namedParameters()),
    schedule: warmupCosine(config.learningRate, {
      warmup: Math.min(100, Math.floor(total / 10)),
      total,
      final: config.learningRate / 50,
    }),
    clipNorm: config.clipNorm,
    seed: config.seed,
  })
  let before = 0
  if (resume && run.has(`${arm.name}.json`)) {
    const { tensors, facts } = readCheckpoint(run, arm)
    trainer.load({ tensors, position: facts.position })
    before = facts.seconds
    if (facts.backend !== backend)
      screen.print(
        `note: this run was made with ${facts.backend}, now it is ${backend}: it will not be the same to the last bit`,
      )
  }
  const lap = stopwatch(before)
  const save = async (): Promise<void> => {
    const { tensors, position } = trainer.state()
    const facts: Facts = { position: position as TrainingPosition, seconds: lap.seconds(), backend }
    await scope(() => noGrad(() => saveCheckpoint(run.path, { tensors, facts }, arm.name)))
  }
  const bar = screen.bar(arm.title.padEnd(19), total)
  let saved = performance.now()
  let smooth = Number.NaN
  let exact = ''
  try {
    await trainer.fit(batches, {
      epochs: config.epochs,
      signal,
      onStep: async ({ total: step, loss, learningRate, gradNorm }) => {
        smooth = Number.isNaN(smooth) ? loss : 0.95 * smooth + 0.05 * loss
        if (step % 10 === 0 || step === 1)
          run.log({
            arm: arm.name,
            step,
            loss: round(loss),
            learningRate: round(learningRate),
            gradNorm: round(gradNorm),
            seconds: round(lap.seconds()),
          })
        if (step % Math.ceil(total / LOOKS) === 0 && step < total && data.validation.length) {
          lap.pause()
          const lines = data.validation.slice(0, 120)
          const { exact: share, bleu } = score(
            lines,
            await translate(
              { model, data, vocabularies, config },
              lines.map(line => line.source),
            ),
            data,
          )
          model.train()
          run.log({ arm: arm.name, step, validation: { exact: round(share), bleu: round(bleu) } })
          exact = `  exact match ${(100 * share).toFixed(0)} %`
          lap.resume()
        }
        if (performance.now() - saved > SAVE_EVERY) {
          await save()
          saved = performance.now()
        }
        bar.update(step, `loss ${smooth.toFixed(3)}${exact}`)
      },
    })
  } finally {
    bar.stop()
  }
  await save()
  if (signal.aborted)
    throw new Interrupted(
      `stopped after step ${trainer.position.total} of ${total}; go on with: heed train translate --resume ${run.path}`,
    )
  return { model, seconds: lap.seconds() }
}

/** Seconds that passed, pauses left out. */
function stopwatch(before: number): { seconds(): number; pause(): void; resume(): void } {
  let sum = before * 1000
  let began: number | undefined = performance.now()
  return {
    seconds: () => (sum + (began === undefined ? 0 : performance.now() - began)) / 1000,
    pause() {
      if (began !== undefined) sum += performance.now() - began
      began = undefined
    },
    resume() {
      began ??= performance.now()
    },
  }
}

/** Six significant digits: enough for a log. */
function round(value: number): number | null {
  return Number.isFinite(value) ? Number(value.toPrecision(6)) : null
}
