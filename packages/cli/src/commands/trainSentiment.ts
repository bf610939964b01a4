import { createHash } from 'node:crypto'
import { join, relative, resolve } from 'node:path'
import { cpu } from '@heed/backend-cpu'
import { ConfigError, setBackend } from '@heed/core-tensor'
import { THE_TWEET, type Vocabulary } from '@heed/datasets'
import { heatStripText } from '@heed/viz'
import { type Command, Option } from 'commander'
import { environment } from '../environment.ts'
import { Interrupted, listenForCtrlC } from '../failure.ts'
import { RunFolder, type SentimentConfig } from '../run.ts'
import { type Screen, terminal } from '../screen.ts'
import { classify, type Judgement, scoreTexts } from '../sentiment/classify.ts'
import { buildVocabulary, type LabelledData, labelsOf, loadTexts, wordsOf } from '../sentiment/data.ts'
import { type SentimentResult, type Shown, sentimentReport } from '../sentiment/report.ts'
import { buildClassifier, loadClassifier, type Pretrained, sentimentArms, trainSentimentArm } from '../sentiment/train.ts' // biome-ignore format: one line
import { loadVectors, vectorSize, vectorsOf } from '../sentiment/vectors.ts'
import { readData } from '../translate/data.ts'
import { interval, percent } from '../words.ts'
import { columnsOf } from './columns.ts'
import { integer, lines, positive, share, whole } from './numbers.ts'
import { oneName, runName } from './runName.ts'

/** The options of `heed train sentiment` as commander gives them. */
interface SentimentOptions {
  readonly data?: string
  readonly columns?: string
  readonly header?: boolean
  readonly limit?: number
  readonly lowercase?: boolean
  readonly maxVocabulary?: number
  readonly maxLength?: number
  readonly lines?: number
  readonly length?: number
  readonly cell?: SentimentConfig['cell']
  readonly readOut?: SentimentConfig['readout']
  readonly bidirectional?: boolean
  readonly layers?: number
  readonly hidden?: number
  readonly embedding?: number
  readonly vectors?: string
  readonly freezeVectors?: boolean
  readonly dropout?: number
  readonly epochs?: number
  readonly batchSize?: number
  readonly learningRate?: number
  readonly clip?: number
  readonly seed?: number
  readonly threads?: number
  readonly compare: boolean
  readonly out: string
  readonly name?: string
  readonly resume?: string
}

const EXAMPLES = `
Examples:
  heed train sentiment
      tweets of 44 words that hang on one early word: attention against the last state, under a minute
  heed train sentiment --cell lstm --read-out mean --bidirectional
      another recurrence, another read-out
  heed train sentiment --data reviews.csv --epochs 5
      your own texts: text and label, one a line; two labels or more
  heed train sentiment --data reviews.jsonl.gz --columns review,stars
      columns by name; .tsv, .csv, .jsonl, and .gz of each
  heed train sentiment --data reviews.csv --vectors glove.6B.100d.txt --freeze-vectors
      word vectors of GloVe or word2vec (text), left as they are; without the last option they are learned further
  heed train sentiment --resume runs/tweets-20260301-101500
      goes on where Ctrl-C stopped`

/** Adds `heed train sentiment`. */
export function addTrainSentiment(train: Command): void {
  train
    .command('sentiment')
    .description('train a classifier of texts, by default one that tells what a tweet with an early cue says')
    .option('--data <file>', 'texts to learn from (.tsv, .csv, .jsonl, .gz of each); tweets unless given')
    .option('--columns <text,label>', 'the two columns, by number from 1 or by name (default: 1,2; for JSONL text,label)') // biome-ignore format: one line
    .option('--header', 'the first row of the file names the columns, though --columns are numbers')
    .option('--limit <texts>', 'train on so many texts of the file', whole)
    .option('--lowercase', 'fold words to lower case')
    .option('--max-vocabulary <words>', 'the most frequent words that are kept (default: 20000)', whole)
    .option('--max-length <words>', 'what is behind so many words is cut off (default: 200)', whole)
    .option('--lines <count>', 'how many tweets to learn from (default: 6000)', lines)
    .option('--length <words>', 'words of a tweet (default: 44)', whole)
    .addOption(new Option('--cell <kind>', 'the recurrence (default: gru)').choices(['rnn', 'lstm', 'gru']))
    .addOption(
      new Option('--read-out <kind>', 'how the states become one vector (default: attention)').choices([
        'last',
        'concat',
        'mean',
        'max',
        'attention',
      ]),
    )
    .option('--bidirectional', 'read from both ends')
    .option('--layers <count>', 'recurrences on top of each other (default: 1)', whole)
    .option('--hidden <units>', 'hidden units of each direction (default: 64)', whole)
    .option('--embedding <size>', 'size of a word vector (default: 64)', whole)
    .option('--vectors <file>', 'word vectors to begin with, as text: GloVe’s, word2vec’s, fastText’s')
    .option('--freeze-vectors', 'leave these as they are')
    .option('--dropout <share>', 'dropped while training (default: 0; for files 0.3)', share)
    .option('--epochs <count>', 'passes over the data (default: 1 for tweets, 5 for files)', whole)
    .option('--batch-size <texts>', 'texts a step (default: 32)', whole)
    .option('--learning-rate <rate>', 'the highest rate of the schedule (default: 0.005 for tweets, 0.002 for files)', positive) // biome-ignore format: one line
    .option('--clip <norm>', 'the norm that gradients are scaled down to (default: 1)', positive)
    .option('--seed <number>', 'fixes weights, order and data (default: 1)', integer)
    .option('--threads <count>', 'processor cores to use (default: all)', whole)
    .option('--no-compare', 'do not train the same model on the last state as well')
    .option('--out <folder>', 'where runs are kept', 'runs')
    .option('--name <name>', 'the name of the run (default: from the data and the time)', oneName)
    .option('--resume <run>', 'go on with a run that was stopped')
    .addHelpText('after', EXAMPLES)
    .action((options: SentimentOptions) => trainSentiment(options))
}

/** What the options mean, with a default for everything that the data does not decide. */
function configOf(options: SentimentOptions): Omit<SentimentConfig, 'labels' | 'time'> {
  const file = options.data !== undefined
  if (options.freezeVectors && options.vectors === undefined)
    throw new ConfigError('--freeze-vectors is about --vectors; give a file of them as well')
  const vectors = options.vectors === undefined ? undefined : vectorsOf(options.vectors, options.freezeVectors ? 'frozen' : 'fine-tuned') // biome-ignore format: one line
  for (const name of ['columns', 'header', 'limit'] as const)
    if (!file && options[name] !== undefined)
      throw new ConfigError(`--${name} is about a file; give --data as well`)
  for (const name of ['lines', 'length'] as const)
    if (file && options[name] !== undefined)
      throw new ConfigError(`--${name} is about tweets; with --data use --${name === 'lines' ? 'limit' : 'max-length'}`) // biome-ignore format: one line
  return {
    schema: 'heed-run/1',
    task: 'sentiment',
    data:
      options.data === undefined
        ? { kind: 'tweets', lines: options.lines ?? 6000, length: options.length ?? 44 }
        : fileOf(options.data, options),
    lowercase: options.lowercase ?? false,
    maxVocabulary: options.maxVocabulary ?? 20_000,
    maxLength: options.maxLength ?? 200,
    cell: options.cell ?? 'gru',
    readout: options.readOut ?? 'attention',
    bidirectional: options.bidirectional ?? false,
    layers: options.layers ?? 1,
    ...(vectors ? { vectors } : {}),
    embedding: options.embedding ?? (vectors ? vectorSize(vectors.path) : 64),
    hidden: options.hidden ?? 64,
    dropout: options.dropout ?? (file ? 0.3 : 0),
    epochs: options.epochs ?? (file ? 5 : 1),
    batchSize: options.batchSize ?? 32,
    learningRate: options.learningRate ?? (file ? 0.002 : 0.005),
    clipNorm: options.clip ?? 1,
    seed: options.seed ?? 1,
    compare: options.compare,
  }
}

function fileOf(path: string, { columns, header, limit }: SentimentOptions): SentimentConfig['data'] {
  const given = columnsOf(columns)
  return {
    kind: 'file',
    path: resolve(path),
    sha256: createHash('sha256').update(readData(path)).digest('hex'),
    ...(given ? { columns: given } : {}),
    ...(header === undefined ? {} : { header }),
    ...(limit === undefined ? {} : { limit }),
  }
}

/** Everything from options to report. */
async function trainSentiment(options: SentimentOptions): Promise<void> {
  const screen = terminal()
  const began = performance.now()
  const ctrlC = listenForCtrlC()
  const backend = await cpu(options.threads === undefined ? {} : { threads: options.threads })
  setBackend(backend)
  try {
    const { run, data, vocabulary, pretrained } =
      options.resume === undefined
        ? await begin(options, backend.build, screen)
        : await goOn(options.resume, options, screen)
    const { config } = run
    const results: SentimentResult[] = []
    let first: readonly Judgement[] = []
    for (const arm of sentimentArms(config)) {
      const { seconds } = await trainSentimentArm(
        run,
        arm,
        { data, vocabulary, pretrained },
        {
          screen,
          signal: ctrlC.signal,
          resume: options.resume !== undefined,
          backend: backend.build,
        },
      )
      const model = loadClassifier(run, arm, vocabulary)
      const bar = screen.bar('  testing'.padEnd(19), data.test.length)
      const judgements = await classify(
        { model, vocabulary, config: { ...config, readout: arm.readout } },
        data.test.map(({ text }) => text),
        done => {
          bar.update(done, '')
          if (ctrlC.signal.aborted)
            throw new Interrupted(
              `stopped while testing; go on with: heed train sentiment --resume ${run.path}`,
            )
        },
      ).finally(() => bar.stop())
      if (!results.length) first = judgements
      results.push({
        title: arm.title,
        score: scoreTexts(data.test, judgements, config.labels),
        seconds,
        parameters: model.parameters().reduce((sum, p) => sum + p.size, 0),
      })
    }
    const shown = pickShown(data, first)
    if (config.data.kind === 'tweets') {
      const [arm] = sentimentArms(config)
      const model = loadClassifier(run, arm as NonNullable<typeof arm>, vocabulary)
      const [judgement] = await classify({ model, vocabulary, config }, [THE_TWEET.text])
      if (config.data.length === 44) shown.unshift({ text: THE_TWEET, judgement: judgement as Judgement })
    }
    screen.print()
    for (const one of shown.slice(0, 3)) print(one, screen)
    const report = relative('.', run.file('report.html'))
    const [main, ...others] = results as [SentimentResult, ...SentimentResult[]]
    const one = ({ score: { accuracy } }: SentimentResult): string => `${percent(accuracy.value)} ${interval(accuracy)}` // biome-ignore format: one line
    const summary = [`accuracy ${one(main)}`, ...others.map(arm => `${arm.title} ${one(arm)}`)].join(', ')
    run.write(
      'results.json',
      `${JSON.stringify({ results, seconds: (performance.now() - began) / 1000 }, null, 2)}\n`,
    )
    run.write('report.html', sentimentReport(run, { data, results, shown, summary }))
    screen.print(`${summary}, ${main.seconds.toFixed(0)} s, report ${report}`)
  } finally {
    ctrlC.ignore()
    backend.dispose()
  }
}

function print({ text, judgement }: Shown, screen: Screen): void {
  const right = judgement.label === text.label ? 'right' : `wrong, expected ${text.label}`
  screen.print(`  \u2068${judgement.words.join(' ')}\u2069 → ${judgement.label}  (${right})`)
  if (judgement.weights)
    screen.print(
      heatStripText(judgement.words, judgement.weights, {
        color: screen.color,
        mode: screen.dark ? 'dark' : 'light',
        width: screen.width - 4,
      }).replaceAll(/^/gm, '    '),
    )
  screen.print()
}

interface Ready {
  readonly run: RunFolder<SentimentConfig>
  readonly data: LabelledData
  readonly vocabulary: Vocabulary
  /** Word vectors to begin with. */
  readonly pretrained: Pretrained | undefined
}

async function begin(options: SentimentOptions, build: string, screen: Screen): Promise<Ready> {
  const settings = configOf(options)
  const data = await loadTexts(settings)
  const labels = labelsOf(data)
  const vocabulary = buildVocabulary(data, settings)
  const time = data.train.reduce((most, { text }) => Math.max(most, wordsOf(text, settings).length), 1)
  const config: SentimentConfig = { ...settings, labels, time }
  const loaded = loadVectors(config, vocabulary)
  for (const arm of sentimentArms(config))
    buildClassifier(config, arm.readout, vocabulary, loaded?.pretrained) // sizes that make no sense are refused here
  const name = options.name ?? runName(config.data)
  const run = RunFolder.create(join(options.out, name), config, environment(build))
  run.writeVocabularies({ words: vocabulary })
  screen.print(data.about)
  screen.print(
    `${data.train.length.toLocaleString('en')} texts to learn from, ${data.validation.length.toLocaleString('en')} to watch, ${data.test.length.toLocaleString('en')} to test; ${vocabulary.size.toLocaleString('en')} words, ${labels.length} labels`,
  )
  if (loaded)
    screen.print(`${percent(loaded.coverage)} of the words have a vector in ${config.vectors?.path}`)
  screen.print(`on ${build}, into ${run.path}`)
  return { run, data, vocabulary, pretrained: loaded?.pretrained }
}

/** Options that do not change what is learned. */
const FREE = new Set(['out', 'threads', 'resume', 'compare'])

async function goOn(path: string, options: SentimentOptions, screen: Screen): Promise<Ready> {
  const given = Object.keys(options).filter(name => !FREE.has(name))
  if (given.length)
    throw new ConfigError(
      `--resume goes on with the run as it was; leave out ${given.map(name => `--${name.replaceAll(/[A-Z]/g, c => `-${c.toLowerCase()}`)}`).join(', ')}, or start a new run`,
    )
  const run = RunFolder.open(path, 'sentiment')
  const vocabulary = run.readVocabulary('words')
  const data = await loadTexts(run.config)
  screen.print(`going on with ${run.path}`)
  return { run, data, vocabulary, pretrained: loadVectors(run.config, vocabulary)?.pretrained }
}

/** Some test texts of every label that are right, short before long; and some that went wrong. */
function pickShown({ test }: LabelledData, judgements: readonly Judgement[]): Shown[] {
  const all = test
    .map((text, i) => ({ text, judgement: judgements[i] as Judgement }))
    .filter(({ judgement }) => judgement.words.length > 0 && judgement.words.length <= 120)
  const labels = [...new Set(test.map(({ label }) => label))]
  const right = labels.flatMap(label =>
    all.filter(({ text, judgement }) => text.label === label && judgement.label === label).slice(0, 2),
  )
  const wrong = all.filter(({ text, judgement }) => judgement.label !== text.label).slice(0, 3)
  const found = [...right.slice(0, 8), ...wrong]
  return found.length
    ? found
    : test.slice(0, 1).map((text, i) => ({ text, judgement: judgements[i] as Judgement }))
}
