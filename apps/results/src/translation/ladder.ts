import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ConfigError, scope } from '@heed/core-tensor'
import { examples } from '@heed/datasets'
import { inverseSqrt } from '@heed/training'
import { writeAtomic } from '@heed/training/node'
import { fit, loadWeights, trained } from '../fit.ts'
import { Interrupted, type Sitting, type Spent } from '../sitting.ts'
import { type Corpus, encodePair, learnSides, pairBatches, type Sides } from './corpus.ts'
import { build, parameters, type Rung, type Sizes, titles } from './models.ts'
import { type PairRow, read, type Scores, score } from './score.ts'

/** Everything that makes the numbers what they are: plain JSON. */
export interface LadderSettings extends Sizes {
  readonly seed: number
  readonly epochs: number
  readonly batchSize: number
  /** The highest, after {@link warmup} steps; from there it falls with the root of the steps. */
  readonly learningRate: number
  readonly warmup: number
  readonly clipNorm: number
  /** Tokens of each language, the 256 bytes among them. */
  readonly bpe: number
  /** Tokens at most of a translation of one pair; of `long` four times as many. */
  readonly maxLength: number
}

/** Those of the published numbers. */
export const ladderSettings: LadderSettings = {
  seed: 1,
  epochs: 2,
  batchSize: 64,
  learningRate: 0.002,
  warmup: 200,
  clipNorm: 1,
  hidden: 256,
  embedding: 128,
  dropout: 0.2,
  bpe: 2000,
  maxLength: 50,
}

/** The same number of pairs and of words a step, in texts of one to four pairs. */
export const longSettings: LadderSettings = { ...ladderSettings, batchSize: 24 }

/** Word perplexity of the validation part after an epoch. */
export interface Look extends Spent {
  readonly epoch: number
  readonly steps: number
  readonly wordPerplexity: number
  readonly tokenPerplexity: number
}

/** What is known of one rung. */
export interface RungResult {
  readonly rung: Rung
  readonly title: string
  readonly parameters: number
  readonly validation: readonly Look[]
  /** Mean training loss of each 50 steps, nats a token. */
  readonly losses: readonly number[]
  readonly training: Spent & { readonly steps: number }
  /** Looked at once, after the last epoch. */
  readonly test?: Scores
  readonly long?: Scores
}

/** The raw numbers, as `ladder.json` holds them. */
export interface Ladder {
  readonly schema: 'heed-results/ladder-1'
  readonly settings: LadderSettings
  readonly rungs: readonly RungResult[]
}

/**
 * Trains rungs, an epoch of each in turn, so that all have seen the same whenever one stops; then looks at the test sets, once.
 *
 * @returns results in the order asked for
 * @throws Interrupted after saving, if the signal says so; ConfigError if the test set was looked at after fewer epochs
 */
export async function climb(
  corpus: Corpus,
  wanted: readonly Rung[],
  settings: LadderSettings,
  sitting: Sitting,
): Promise<Ladder> {
  const { folder, say, progress, signal } = sitting
  mkdirSync(folder, { recursive: true })
  const results = new Map(readLadder(folder, settings, sitting.resume).map(result => [result.rung, result]))
  for (const rung of wanted) {
    const before = results.get(rung)
    const steps = before?.validation.at(-1)?.epoch ?? 0
    if (before?.test && steps !== settings.epochs)
      throw new ConfigError(
        `${rung}: the test set was looked at after ${steps} epochs, ${settings.epochs} are asked for; give another --out`,
      )
  }
  const sides = learnSides(corpus.train, settings.bpe)
  const pairs = examples(corpus.train).map(pair => encodePair(pair, sides))
  const batches = pairBatches(pairs, settings.batchSize, settings.seed)
  const steps = Array.from({ length: settings.epochs }, (_, epoch) => batches.steps(epoch))
  const whole = steps.reduce((sum, n) => sum + n, 0)
  const stood = (rung: Rung): number => trained(folder, rung)?.position.total ?? 0
  const done = new Map(wanted.map(rung => [rung, sitting.resume ? stood(rung) : 0]))
  const all = (): number => [...done.values()].reduce((sum, n) => sum + n, 0)
  progress.begin(whole * wanted.length, all())
  const keep = (): void => writeAtomic(join(folder, 'ladder.json'), `${JSON.stringify({ schema: 'heed-results/ladder-1', settings, rungs: [...results.values()] } satisfies Ladder, null, 1)}\n`) // biome-ignore format: one line
  const onSteps = (rung: Rung, epoch: number) => (step: number, loss: number) => {
    done.set(rung, step)
    progress.update(all(), `${rung}, epoch ${epoch} of ${settings.epochs}, loss ${loss.toFixed(2)}`)
  }
  for (let epoch = 1; epoch <= settings.epochs; epoch++)
    for (const rung of wanted) {
      if ((results.get(rung)?.validation.length ?? 0) >= epoch) continue
      await scope(async () => {
        const model = build(rung, sides, settings, settings.seed)
        const { learningRate, warmup, clipNorm, seed } = settings
        const facts = await fit(
          {
            name: rung,
            model,
            batches,
            epochs: epoch,
            schedule: inverseSqrt(learningRate, { warmup }),
            clipNorm,
            seed,
            onStep: onSteps(rung, epoch),
          },
          sitting,
        )
        const { cpuSeconds, wallSeconds, losses, position } = facts
        const found = score(await read(model, sides, examples(corpus.validation), { maxLength: 1 }), {
          samples: 1,
        })
        const look: Look = {
          epoch,
          steps: position.total,
          wordPerplexity: found.wordPerplexity.value,
          tokenPerplexity: found.tokenPerplexity.value,
          cpuSeconds,
          wallSeconds,
        }
        results.set(rung, {
          rung,
          title: titles[rung],
          parameters: parameters(model),
          validation: [...(results.get(rung)?.validation ?? []), look],
          losses,
          training: { steps: position.total, cpuSeconds, wallSeconds },
        })
        keep()
        say(
          `${rung}, epoch ${epoch}: validation perplexity ${look.wordPerplexity.toFixed(1)} a word, ${look.tokenPerplexity.toFixed(2)} a token; ${cpuSeconds.toFixed(0)} s of processor time so far`,
        )
      })
      if (signal.aborted) throw new Interrupted(`stopped after epoch ${epoch} of ${rung}`)
    }
  for (const rung of wanted) {
    const result = results.get(rung) as RungResult
    if (result.test) continue
    const found = await test(rung, sides, corpus, settings, sitting)
    results.set(rung, { ...result, ...found })
    keep()
    say(
      `${rung}: test perplexity ${found.test.wordPerplexity.value.toFixed(1)} a word, BLEU ${found.test.bleu.value.toFixed(2)}; long texts: BLEU ${found.long.bleu.value.toFixed(2)}`,
    )
    if (signal.aborted) throw new Interrupted(`stopped after the test of ${rung}`)
  }
  return {
    schema: 'heed-results/ladder-1',
    settings,
    rungs: wanted.map(rung => results.get(rung) as RungResult),
  }
}

/** Looks at both test sets with the last weights, and keeps every translation. */
async function test(
  rung: Rung,
  sides: Sides,
  corpus: Corpus,
  settings: LadderSettings,
  { folder, progress }: Sitting,
): Promise<{ readonly test: Scores; readonly long: Scores }> {
  return scope(async () => {
    const model = build(rung, sides, settings, settings.seed)
    loadWeights(model, folder, rung)
    const found = { test: [] as PairRow[], long: [] as PairRow[] }
    const sets = { test: examples(corpus.test), long: examples(corpus.long) }
    progress.begin(sets.test.length + sets.long.length)
    for (const name of ['test', 'long'] as const)
      found[name] = await read(model, sides, sets[name], {
        maxLength: settings.maxLength * (name === 'long' ? 4 : 1),
        onBatch: done =>
          progress.update(done + (name === 'long' ? sets.test.length : 0), `${rung}, translating`),
      })
    writeAtomic(join(folder, `${rung}.rows.json`), `${JSON.stringify(found)}\n`)
    return { test: score(found.test), long: score(found.long) }
  })
}

/** The rows that a test kept. @throws ConfigError if there are none */
export function readRows(folder: string, rung: Rung): { readonly test: PairRow[]; readonly long: PairRow[] } {
  const path = join(folder, `${rung}.rows.json`)
  if (!existsSync(path))
    throw new ConfigError(`${path}: there are no translations; run the recipe to its end`)
  return JSON.parse(readFileSync(path, 'utf8'))
}

/** What a folder knows already. @throws ConfigError if it is of other settings, or must not be gone on with */
function readLadder(folder: string, settings: LadderSettings, resume: boolean): readonly RungResult[] {
  const path = join(folder, 'ladder.json')
  const begun = existsSync(path) || ['plain', 'context', 'bahdanau', 'luong'].some(rung => existsSync(join(folder, `${rung}.json`))) // biome-ignore format: one line
  if (begun && !resume)
    throw new ConfigError(
      `${folder}: there are results already; add --resume to go on, or give another --out`,
    )
  if (!existsSync(path)) return []
  const { settings: before, rungs } = JSON.parse(readFileSync(path, 'utf8')) as Ladder
  const other = (Object.keys(settings) as (keyof LadderSettings)[]).filter(
    key => key !== 'epochs' && settings[key] !== before[key],
  )
  if (other.length)
    throw new ConfigError(
      `${path}: made with ${other.map(key => `${key} ${before[key]}`).join(', ')}, asked for ${other.map(key => `${key} ${settings[key]}`).join(', ')}; give another --out`,
    )
  return rungs
}
