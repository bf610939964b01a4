import { cpu } from '@heed/backend-cpu'
import { setBackend } from '@heed/core-tensor'
import type { Command } from 'commander'
import { Interrupted, listenForCtrlC } from '../failure.ts'
import { type RunConfig, RunFolder, type SentimentConfig } from '../run.ts'
import { terminal } from '../screen.ts'
import { classify, scoreTexts } from '../sentiment/classify.ts'
import { type Labelled, loadTexts, parseTexts } from '../sentiment/data.ts'
import { loadClassifier, sentimentArms } from '../sentiment/train.ts'
import { loadData, parsePairs, readData, tokenizersOf } from '../translate/data.ts'
import { exactAndBleu, translate } from '../translate/decode.ts'
import { armsOf, loadModel } from '../translate/train.ts'
import { table } from '../words.ts'
import { columnsOf } from './columns.ts'

interface EvaluateOptions {
  readonly data?: string
  readonly columns?: string
  readonly header?: boolean
  readonly json?: boolean
}

const EXAMPLES = `
Examples:
  heed evaluate runs/tweets-20260301-101500
      the run's own test examples: every metric with its 95 % interval
  heed evaluate runs/reviews-20260301-101500 --data other.csv
      other texts: text and label, one a line
  heed evaluate runs/dates-20260301-101500 --json
      the same as JSON`

/** Adds `heed evaluate`. */
export function addEvaluate(program: Command): void {
  program
    .command('evaluate')
    .description('measure a trained run, with intervals')
    .argument('<run>', 'the folder of a run')
    .option(
      '--data <file>',
      'what to measure on (.tsv, .csv, .jsonl, .gz of each); the run’s test part unless given',
    )
    .option('--columns <first,second>', 'the two columns, by number from 1 or by name')
    .option('--header', 'the first row of the file names the columns, though --columns are numbers')
    .option('--json', 'one JSON object')
    .addHelpText('after', EXAMPLES)
    .action((path: string, options: EvaluateOptions) => evaluate(path, options))
}

/** A metric of one arm: its value and the interval that other rows of the same kind would give. */
interface Measured {
  readonly arm: string
  readonly metric: string
  readonly value: number
  readonly low: number
  readonly high: number
}

async function evaluate(path: string, options: EvaluateOptions): Promise<void> {
  const run = RunFolder.openAny(path)
  const screen = terminal()
  const ctrlC = listenForCtrlC()
  const backend = await cpu()
  setBackend(backend)
  const watch = (title: string, total: number) => {
    const bar = screen.bar(title.padEnd(19), total)
    return {
      stop: () => bar.stop(),
      update: (done: number): void => {
        bar.update(done, '')
        if (ctrlC.signal.aborted) throw new Interrupted('stopped while evaluating; nothing was changed')
      },
    }
  }
  try {
    const { rows, measured } =
      run.config.task === 'sentiment'
        ? await texts(run as RunFolder<SentimentConfig>, options, watch)
        : await pairs(run as RunFolder, options, watch)
    if (options.json) return screen.print(JSON.stringify({ run: path, rows, level: 0.95, metrics: measured }))
    screen.print(`${rows.toLocaleString('en')} examples, 95 % bootstrap intervals over them`)
    screen.print(
      table(
        ['', 'metric', 'value', 'from', 'to'],
        measured.map(({ arm, metric, value, low, high }) => [
          arm,
          metric,
          ...[value, low, high].map(x => (metric === 'BLEU' ? x : 100 * x).toFixed(1)),
        ]),
      ),
    )
  } finally {
    ctrlC.ignore()
    backend.dispose()
  }
}

type Watch = (title: string, total: number) => { stop(): void; update(done: number): void }
type Found = Promise<{ readonly rows: number; readonly measured: readonly Measured[] }>

async function texts(run: RunFolder<SentimentConfig>, options: EvaluateOptions, watch: Watch): Found {
  const { config } = run
  const vocabulary = run.readVocabulary('words')
  const test =
    options.data === undefined
      ? (await loadTexts(config)).test
      : await parseTexts(readData(options.data), options.data, {
          columns: columnsOf(options.columns),
          header: options.header,
        })
  warnOfLabels(test, config.labels)
  const measured: Measured[] = []
  for (const arm of sentimentArms(config).filter(
    ({ name }) => run.has(`${name}.json`) || name === 'checkpoint',
  )) {
    const model = loadClassifier(run, arm, vocabulary)
    const bar = watch(arm.title, test.length)
    const judged = await classify(
      { model, vocabulary, config: { ...config, readout: arm.readout } },
      test.map(({ text }) => text),
      bar.update,
    ).finally(bar.stop)
    const { accuracy, macroF1 } = scoreTexts(test, judged, config.labels)
    measured.push(
      { arm: arm.title, metric: 'accuracy (%)', ...bounds(accuracy) },
      { arm: arm.title, metric: 'macro F1 (%)', ...bounds(macroF1) },
    )
  }
  return { rows: test.length, measured }
}

/** Says which labels the run cannot say, since it never learned them: their texts are all judged wrong. */
function warnOfLabels(test: readonly Labelled[], known: readonly string[]): void {
  const strange = test.filter(({ label }) => !known.includes(label))
  if (!strange.length) return
  const some = [...new Set(strange.map(({ label }) => label))]
  const shown = some.slice(0, 5).map(label => JSON.stringify(label)).join(', ') // biome-ignore format: one line
  process.stderr.write(
    `heed: ${strange.length} of ${test.length} texts have a label that the run never learned (${shown}${some.length > 5 ? ', …' : ''}) and count as wrong; it knows ${known.map(label => JSON.stringify(label)).join(', ')}. Check --columns\n`,
  )
}

async function pairs(run: RunFolder<RunConfig>, options: EvaluateOptions, watch: Watch): Found {
  const { config } = run
  const vocabularies = run.readVocabularies()
  const data = {
    tokenizers: tokenizersOf(config),
    test:
      options.data === undefined
        ? (await loadData(config)).test
        : await parsePairs(readData(options.data), options.data, {
            columns: columnsOf(options.columns),
            header: options.header,
          }),
  }
  const measured: Measured[] = []
  for (const arm of armsOf(config).filter(({ name }) => run.has(`${name}.json`) || name === 'checkpoint')) {
    const model = loadModel(run, arm, vocabularies)
    const bar = watch(arm.title, data.test.length)
    const translations = await translate(
      { model, data, vocabularies, config },
      data.test.map(({ source }) => source),
      { onBatch: bar.update },
    ).finally(bar.stop)
    const { exact, bleu, alignment } = exactAndBleu(data.test, translations, data)
    measured.push(
      { arm: arm.title, metric: 'exact match (%)', ...bounds(exact) },
      { arm: arm.title, metric: 'BLEU', ...bounds(bleu) },
      ...(alignment ? [{ arm: arm.title, metric: 'alignment error of right lines (%)', ...bounds(alignment.errorRate) }] : []), // biome-ignore format: one line
    )
  }
  return { rows: data.test.length, measured }
}

function bounds({
  value,
  low,
  high,
}: Pick<Measured, 'value' | 'low' | 'high'>): Pick<Measured, 'value' | 'low' | 'high'> {
  return { value, low, high }
}
