import { join, relative, resolve } from 'node:path'
import { cpu } from '@heed/backend-cpu'
import { ConfigError, setBackend } from '@heed/core-tensor'
import { icuVersion } from '@heed/datasets'
import type { Seq2SeqAttention } from '@heed/models'
import { type Command, Option } from 'commander'
import { environment } from '../environment.ts'
import { Interrupted, listenForCtrlC } from '../failure.ts'
import { type RunConfig, RunFolder, type Vocabularies } from '../run.ts'
import { type Screen, terminal } from '../screen.ts'
import {
  buildVocabularies,
  fileHash,
  loadData,
  longestTarget,
  type TranslationData,
} from '../translate/data.ts'
import { score, type Translation, translate } from '../translate/decode.ts'
import { alignmentText } from '../translate/picture.ts'
import { type ArmResult, runReport } from '../translate/report.ts'
import { armsOf, buildModel, loadModel, trainArm } from '../translate/train.ts'
import { integer, lines, positive, share, weight, whole } from './numbers.ts'
import { oneName, runName } from './runName.ts'

/** The options of `heed train translate` as commander gives them. */
interface TrainOptions {
  readonly data?: string
  readonly columns?: string
  readonly header?: boolean
  readonly limit?: number
  readonly alignments?: string
  readonly generate?: Generated
  readonly tokens?: RunConfig['tokens']
  readonly lowercase?: boolean
  readonly maxVocabulary?: number
  readonly maxLength?: number
  readonly lines?: number
  readonly attention?: Seq2SeqAttention
  readonly cell?: 'rnn' | 'gru' | 'lstm'
  readonly queryState?: 'previous' | 'current'
  /** Always there: true unless denied. */
  readonly inputFeeding: boolean
  readonly locality?: 'global' | 'monotonic' | 'predictive'
  readonly window?: number
  readonly copy?: boolean
  readonly coverage?: boolean
  readonly coverageWeight?: number
  readonly guidedWeight?: number
  readonly labelSmoothing?: number
  readonly reverseSource?: boolean
  readonly hidden?: number
  readonly embedding?: number
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

type Generated = Exclude<RunConfig['data']['kind'], 'file'>

const EXAMPLES = `
Examples:
  heed train translate
      reads dates in 28 languages, about two minutes on two cores
  heed train translate --lines 3000 --epochs 1 --no-compare
      a quick look
  heed train translate --data pairs.tsv --epochs 5
      your own pairs: source and target, a tab between them, one pair a line
  heed train translate --data pairs.csv.gz --columns english,french --attention general
      columns by name; .tsv, .csv, .jsonl, and .gz of each
  heed train translate --generate translation --attention general --locality predictive --window 4
      toy English to German by attention that chooses where to look
  heed train translate --generate summaries --copy --coverage --epochs 2
      news with names never seen: a pointer-generator that knows where it has looked
  heed train translate --data pairs.tsv --alignments links.txt
      guided by known links: a line for each pair, 0-0 1-2 …, words counted from 0
  heed train translate --resume runs/dates-20260301-101500
      goes on where Ctrl-C stopped`

/** Adds `heed train translate`. */
export function addTrainTranslate(train: Command): void {
  train
    .command('translate')
    .description('train a translator, by default one that reads dates in many languages and writes ISO dates')
    .option('--data <file>', 'pairs to learn from (.tsv, .csv, .jsonl, .gz of each); dates unless given')
    .option(
      '--columns <source,target>',
      'the two columns, by number from 1 or by name (default: 1,2; for JSONL source,target)',
    )
    .option('--header', 'the first row of the file names the columns, though --columns are numbers')
    .option('--limit <pairs>', 'train on so many pairs of the file', whole)
    .option(
      '--alignments <file>',
      'links of the words of each pair, to be guided by: 0-0 1-2 …, a line for each pair',
    )
    .addOption(
      new Option(
        '--generate <task>',
        'what to make pairs of where no file is given: dates; toy English to German; news to be cut down (default: dates)',
      ).choices(['dates', 'translation', 'summaries']),
    )
    .addOption(
      new Option(
        '--tokens <kind>',
        'what the texts of a file are cut into; spaces: they are cut already (default: words; spaces with --alignments)',
      ).choices(['characters', 'words', 'spaces']),
    )
    .option('--lowercase', 'fold words to lower case')
    .option(
      '--max-vocabulary <tokens>',
      'the most frequent tokens that are kept, a side (default: 8000; of generated news 100)',
      whole,
    )
    .option('--max-length <tokens>', 'longer pairs are left out (default: 50 words, 200 characters)', whole)
    .option('--lines <count>', 'how many lines to generate (default: 26000 of dates, 8000 of others)', lines)
    .addOption(
      new Option('--attention <kind>', 'how the decoder looks back (default: bahdanau)').choices([
        'none',
        'bahdanau',
        'dot',
        'scaled-dot',
        'general',
        'concat',
      ]),
    )
    .addOption(new Option('--cell <kind>', 'the recurrence (default: gru)').choices(['rnn', 'gru', 'lstm']))
    .addOption(
      new Option(
        '--query-state <which>',
        'the decoder state that looks: the one before the step, or after it (default: previous for bahdanau, else current)',
      ).choices(['previous', 'current']),
    )
    .option('--no-input-feeding', 'what was seen does not enter the next step (faster)')
    .addOption(
      new Option(
        '--locality <kind>',
        'look everywhere, in a window that moves along (Luong’s local-m), or where the model chooses (local-p) (default: global)',
      ).choices(['global', 'monotonic', 'predictive']),
    )
    .option('--window <words>', 'how far a local window reaches to each side (default: 10)', whole)
    .option('--copy', 'words can be copied from the source (a pointer-generator)')
    .option('--coverage', 'the score knows where it has looked (bahdanau only)')
    .option('--coverage-weight <weight>', 'what looking again costs (default: 1)', weight)
    .option(
      '--guided-weight <weight>',
      'what it costs to look elsewhere than known alignments (default: 1 with --alignments, else they are not used)',
      positive,
    )
    .option('--label-smoothing <share>', 'spread over all tokens (default: 0)', share)
    .option('--reverse-source', 'read the source backwards (Sutskever et al. 2014)')
    .option('--hidden <units>', 'hidden units (default: 128)', whole)
    .option('--embedding <size>', 'size of a token vector (default: 64)', whole)
    .option('--dropout <share>', 'dropped while training (default: 0; for files 0.2)', share)
    .option('--epochs <count>', 'passes over the data (default: 1 for dates, 5 for files)', whole)
    .option('--batch-size <lines>', 'lines a step (default: 32 for dates, 64 for files)', whole)
    .option(
      '--learning-rate <rate>',
      'the highest rate of the schedule (default: 0.004 for dates, 0.001 for files)',
      positive,
    )
    .option('--clip <norm>', 'the norm that gradients are scaled down to (default: 1)', positive)
    .option('--seed <number>', 'fixes weights, order and data (default: 1)', integer)
    .option('--threads <count>', 'processor cores to use (default: all)', whole)
    .option('--no-compare', 'do not train the same model without attention as well')
    .option('--out <folder>', 'where runs are kept', 'runs')
    .option('--name <name>', 'the name of the run (default: from the data and the time)', oneName)
    .option('--resume <run>', 'go on with a run that was stopped')
    .addHelpText('after', EXAMPLES)
    .action((options: TrainOptions) => trainTranslate(options))
}

/** What the options mean, with a default for everything. */
function configOf(options: TrainOptions): Omit<RunConfig, 'maxOutput'> {
  const file = options.data !== undefined
  for (const [name, value] of Object.entries({
    columns: options.columns,
    header: options.header,
    limit: options.limit,
  }))
    if (!file && value !== undefined) throw new ConfigError(`--${name} is about a file; give --data as well`)
  const generate = options.generate ?? 'dates'
  checkOptions(options, generate)
  const cut = generate === 'dates' ? 'characters' : 'spaces'
  const tokens = options.tokens ?? (file ? (options.alignments === undefined ? 'words' : 'spaces') : cut)
  const guidedWeight = options.guidedWeight ?? (options.alignments === undefined ? undefined : 1)
  const { cell, queryState, locality, window, copy, coverage, coverageWeight, labelSmoothing } = options
  return {
    schema: 'heed-run/1',
    task: 'translate',
    data:
      options.data === undefined
        ? { kind: generate, lines: options.lines ?? (generate === 'dates' ? 26_000 : 8000) }
        : fileOf(options.data, options),
    tokens,
    lowercase: options.lowercase ?? false,
    maxVocabulary: options.maxVocabulary ?? (!file && generate === 'summaries' ? 100 : 8000), // names are to be copied
    maxLength: options.maxLength ?? (tokens === 'characters' ? 200 : 50),
    reverseSource: options.reverseSource ?? false,
    attention: options.attention ?? 'bahdanau',
    ...given({
      cell,
      queryState,
      locality,
      window,
      copy,
      coverage,
      coverageWeight,
      guidedWeight,
      labelSmoothing,
    }),
    ...(options.inputFeeding ? {} : { inputFeeding: false }),
    embedding: options.embedding ?? 64,
    hidden: options.hidden ?? 128,
    dropout: options.dropout ?? (file ? 0.2 : 0),
    epochs: options.epochs ?? (file ? 5 : 1),
    batchSize: options.batchSize ?? (file ? 64 : 32),
    learningRate: options.learningRate ?? (file ? 0.001 : 0.004),
    clipNorm: options.clip ?? 1,
    seed: options.seed ?? 1,
    compare: options.compare,
  }
}

/** What was said, without what was not. */
function given<Settings extends object>(
  settings: Settings,
): { [K in keyof Settings]?: Exclude<Settings[K], undefined> } {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined)) as Settings
}

/** @throws ConfigError naming an option that says nothing beside the others */
function checkOptions(options: TrainOptions, generate: Generated): void {
  const file = options.data !== undefined
  const refuse = (wrong: boolean, message: string): void => {
    if (wrong) throw new ConfigError(message)
  }
  refuse(file && options.lines !== undefined, '--lines is about generated data; with --data use --limit')
  refuse(file && options.generate !== undefined, `--generate ${generate} makes the data itself; leave out --data, or --generate`) // biome-ignore format: one line
  refuse(!file && options.alignments !== undefined, '--alignments is about a file; give --data as well')
  refuse(!file && options.tokens !== undefined, '--tokens is about a file; give --data as well')
  refuse(options.alignments !== undefined && (options.tokens ?? 'spaces') !== 'spaces', `--alignments counts words parted by spaces; leave out --tokens ${options.tokens}`) // biome-ignore format: one line
  const guided = options.guidedWeight !== undefined || options.alignments !== undefined
  refuse(options.guidedWeight !== undefined && file && options.alignments === undefined, '--guided-weight needs to know alignments; give --alignments as well') // biome-ignore format: one line
  refuse(options.guidedWeight !== undefined && !file && generate === 'dates', '--guided-weight needs to know alignments, which dates have not; use --generate translation') // biome-ignore format: one line
  refuse(guided && options.attention === 'none', '--attention none looks nowhere and cannot be guided; leave out --alignments and --guided-weight') // biome-ignore format: one line
  refuse(options.coverageWeight !== undefined && !options.coverage, '--coverage-weight is about --coverage; give that as well') // biome-ignore format: one line
  refuse(options.window !== undefined && (options.locality ?? 'global') === 'global', '--window is about a local attention; give --locality monotonic or predictive') // biome-ignore format: one line
}

function fileOf(path: string, { columns, header, limit, alignments }: TrainOptions): RunConfig['data'] {
  const names = columns?.split(',').map(name => (/^\d+$/.test(name.trim()) ? Number(name) : name.trim()))
  if (names && (names.length !== 2 || names.some(name => name === '' || name === 0)))
    throw new ConfigError(
      `--columns ${columns}: give two, source and target, for example 1,2 or english,french`,
    )
  return {
    kind: 'file',
    path: resolve(path),
    sha256: fileHash(path),
    ...(names ? { columns: names as [string | number, string | number] } : {}),
    ...(header === undefined ? {} : { header }),
    ...(limit === undefined ? {} : { limit }),
    ...(alignments === undefined
      ? {}
      : { alignments: { path: resolve(alignments), sha256: fileHash(alignments, '--alignments') } }),
  }
}

/** Everything from options to report. */
async function trainTranslate(options: TrainOptions): Promise<void> {
  const screen = terminal()
  const began = performance.now()
  const ctrlC = listenForCtrlC()
  const backend = await cpu(options.threads === undefined ? {} : { threads: options.threads })
  setBackend(backend)
  try {
    const { run, data, vocabularies } =
      options.resume === undefined
        ? await begin(options, backend.build, screen)
        : await goOn(options.resume, options, screen)
    const { config } = run
    const results: ArmResult[] = []
    let first: readonly Translation[] = []
    for (const arm of armsOf(config)) {
      const trained = await trainArm(run, arm, data, vocabularies, {
        screen,
        signal: ctrlC.signal,
        resume: options.resume !== undefined,
        backend: backend.build,
      })
      const model = loadModel(run, arm, vocabularies)
      const bar = screen.bar(`  testing`.padEnd(19), data.test.length)
      const translations = await translate(
        { model, data, vocabularies, config },
        data.test.map(line => line.source),
        {
          onBatch: done => {
            bar.update(done, '')
            if (ctrlC.signal.aborted)
              throw new Interrupted(
                `stopped while testing; go on with: heed train translate --resume ${run.path}`,
              )
          },
        },
      ).finally(() => bar.stop())
      if (!results.length) first = translations
      results.push({
        title: arm.title,
        score: score(data.test, translations, data),
        seconds: trained.seconds,
        parameters: model.parameters().reduce((sum, p) => sum + p.size, 0),
      })
    }
    const shown = pickShown(data, first)
    screen.print()
    for (const { line, translation } of shown.slice(0, 4)) {
      const right = translation.text === line.target ? 'right' : `wrong, expected ${line.target}`
      screen.print(`  \u2068${line.source}\u2069 → ${translation.text}  (${right})`)
      if (translation.weights) screen.print(alignmentText(translation, screen))
      screen.print()
    }
    const report = relative('.', run.file('report.html'))
    const summary = resultLine(config, results)
    run.write(
      'results.json',
      `${JSON.stringify({ results, seconds: (performance.now() - began) / 1000 }, null, 2)}\n`,
    )
    run.write('report.html', runReport(run, { data, results, shown, summary }))
    screen.print(`${summary}, ${(results[0] as ArmResult).seconds.toFixed(0)} s, report ${report}`)
  } finally {
    ctrlC.ignore()
    backend.dispose()
  }
}

interface Ready {
  readonly run: RunFolder
  readonly data: TranslationData
  readonly vocabularies: Vocabularies
}

async function begin(options: TrainOptions, build: string, screen: Screen): Promise<Ready> {
  const settings = configOf(options)
  const data = await loadData(settings)
  const vocabularies = buildVocabularies(data, settings)
  const config: RunConfig = { ...settings, maxOutput: longestTarget(data) }
  for (const arm of armsOf(config)) buildModel(config, arm.attention, vocabularies) // sizes that make no sense are refused here
  const run = RunFolder.create(
    join(options.out, options.name ?? runName(config.data)),
    config,
    environment(build),
  )
  run.writeVocabularies(vocabularies)
  screen.print(`${data.about}`)
  screen.print(
    `${data.train.length.toLocaleString('en')} lines to learn from, ${data.validation.length.toLocaleString('en')} to watch, ${data.test.length.toLocaleString('en')} to test; ${vocabularies.source.size.toLocaleString('en')} source and ${vocabularies.target.size.toLocaleString('en')} target tokens`,
  )
  screen.print(`on ${build}, into ${run.path}`)
  return { run, data, vocabularies }
}

/** Options that do not change what is learned. */
const FREE = new Set(['out', 'threads', 'resume', 'compare'])

async function goOn(path: string, options: TrainOptions, screen: Screen): Promise<Ready> {
  const { inputFeeding, ...others } = options
  const given = Object.keys(inputFeeding ? others : options).filter(name => !FREE.has(name))
  if (given.length)
    throw new ConfigError(
      `--resume goes on with the run as it was; leave out ${given.map(name => `--${name.replaceAll(/[A-Z]/g, c => `-${c.toLowerCase()}`)}`).join(', ')}, or start a new run`,
    )
  const run = RunFolder.open(path)
  const { icu } = run.environment
  if (run.config.data.kind === 'dates' && icu !== icuVersion())
    throw new ConfigError(
      `${path}: this run's dates were written by ICU ${icu}, this engine has ${icuVersion()}, whose texts differ; use Node ${run.environment.node}`,
    )
  const vocabularies = run.readVocabularies()
  const data = await loadData(run.config)
  screen.print(`going on with ${run.path}`)
  return { run, data, vocabularies }
}

/** A few test lines of every group, the longest of the group first among the right ones; and some that went wrong. */
function pickShown(
  { test }: TranslationData,
  translations: readonly Translation[],
): { line: (typeof test)[number]; translation: Translation }[] {
  const all = test.map((line, i) => ({ line, translation: translations[i] as Translation }))
  const groups = [...new Set(test.map(line => line.group))].sort((a, b) =>
    a.localeCompare(b, 'en', { numeric: true }),
  )
  const right = groups.flatMap(group =>
    all
      .filter(({ line, translation }) => line.group === group && translation.text === line.target)
      .slice(0, 3),
  )
  const wrong = all.filter(({ line, translation }) => translation.text !== line.target).slice(0, 4)
  const spread = [0, 1, 2].flatMap(k =>
    groups.flatMap(group => right.filter(({ line }) => line.group === group).slice(k, k + 1)),
  )
  return [...spread.slice(0, 9), ...wrong]
}

/** `exact match 98.4 % (1: 99.6, 2: 98.7, 3: 96.9), without attention 52.1 % (…)` */
function resultLine(config: RunConfig, results: readonly ArmResult[]): string {
  const percent = (share: number): string => (100 * share).toFixed(1)
  const one = ({ exact, groups, bleu, alignment }: ArmResult['score']): string =>
    config.data.kind === 'dates'
      ? `${percent(exact)} % (${groups.map(({ group, exact: e }) => `${group}: ${percent(e)}`).join(', ')})`
      : `${percent(exact)} %, BLEU ${bleu.toFixed(1)}${alignment ? `, alignment error ${percent(alignment.errorRate.value)} %` : ''}`
  const [main, ...others] = results as [ArmResult, ...ArmResult[]]
  return [`exact match ${one(main.score)}`, ...others.map(arm => `${arm.title} ${one(arm.score)}`)].join(', ')
}
