import { cpu } from '@heed/backend-cpu'
import { ConfigError, setBackend } from '@heed/core-tensor'
import { writeAtomic } from '@heed/training/node'
import { heatStrip, heatStripText } from '@heed/viz'
import type { Command } from 'commander'
import { RunFolder, type SentimentConfig } from '../run.ts'
import { terminal } from '../screen.ts'
import { classify, type Judgement } from '../sentiment/classify.ts'
import { loadClassifier, sentimentArms } from '../sentiment/train.ts'
import { tokenizersOf } from '../translate/data.ts'
import { type Translation, translate } from '../translate/decode.ts'
import { alignmentPicture, alignmentText } from '../translate/picture.ts'
import { armsOf, loadModel } from '../translate/train.ts'

interface AttendCommandOptions {
  readonly json?: boolean
  readonly svg?: string
}

const EXAMPLES = `
Examples:
  heed attend runs/tweets-20260301-101500 "i love this course and the homework was hard"
      what the run says, and how much each word counted
  heed attend runs/tweets-20260301-101500 "i love this course" --json
      {"tokens": […], "weights": […], …}
  heed attend runs/dates-20260301-101500 "3 mars 2024" --svg alignment.svg
      a translator's run works too: a row for each token written`

/** Adds `heed attend`. */
export function addAttend(program: Command): void {
  program
    .command('attend')
    .description('show where a trained run looks in a text')
    .argument('<run>', 'the folder of a run')
    .argument('<text>', 'the text')
    .option('--json', 'tokens and weights as one JSON object')
    .option('--svg <file>', 'write the picture to a file')
    .addHelpText('after', EXAMPLES)
    .action((path: string, text: string, options: AttendCommandOptions) => attendTo(path, text, options))
}

async function attendTo(path: string, text: string, options: AttendCommandOptions): Promise<void> {
  const run = RunFolder.openAny(path)
  if (!text.trim()) throw new ConfigError('attend: the text is empty; give a word at least')
  const backend = await cpu()
  setBackend(backend)
  try {
    if (run.config.task === 'sentiment') await judge(run as RunFolder<SentimentConfig>, text, options)
    else await write(run as RunFolder, text, options)
  } finally {
    backend.dispose()
  }
}

async function judge(
  run: RunFolder<SentimentConfig>,
  text: string,
  { json, svg }: AttendCommandOptions,
): Promise<void> {
  const { config } = run
  const screen = terminal()
  const vocabulary = run.readVocabulary('words')
  const [arm] = sentimentArms(config)
  const model = loadClassifier(run, arm as NonNullable<typeof arm>, vocabulary)
  const [judgement] = (await classify({ model, vocabulary, config }, [text])) as [Judgement]
  const { words, weights, label, probabilities } = judgement
  if (!weights)
    throw new ConfigError(
      `${run.path}: the read-out of this run, ${config.readout}, has no weights; train one with --read-out attention`,
    )
  if (json)
    screen.print(
      JSON.stringify({
        tokens: words,
        weights: Array.from(weights, w => Number(w.toFixed(4))),
        label,
        probabilities: Object.fromEntries(config.labels.map((name, c) => [name, Number((probabilities[c] ?? 0).toFixed(4))])), // biome-ignore format: one line
      }),
    )
  else {
    screen.print(`${label}  (${(100 * Math.max(...probabilities)).toFixed(1)} %)`)
    screen.print(
      heatStripText(words, weights, {
        color: screen.color,
        mode: screen.dark ? 'dark' : 'light',
        width: screen.width,
      }),
    )
  }
  if (svg !== undefined) writeAtomic(svg, `${heatStrip(words, weights, { title: `Judged ${label}` })}\n`)
  const unknown = words.filter(word => vocabulary.id(word) === 1)
  if (unknown.length)
    process.stderr.write(
      `heed: the model has never seen ${[...new Set(unknown)].map(word => JSON.stringify(word)).join(', ')}; it guesses there\n`,
    )
}

async function write(run: RunFolder, text: string, { json, svg }: AttendCommandOptions): Promise<void> {
  const { config } = run
  const screen = terminal()
  const vocabularies = run.readVocabularies()
  const [arm] = armsOf(config)
  const model = loadModel(run, arm as NonNullable<typeof arm>, vocabularies)
  const data = { tokenizers: tokenizersOf(config) }
  const [translation] = (await translate({ model, data, vocabularies, config }, [text])) as [Translation]
  if (!translation.weights)
    throw new ConfigError(`${run.path}: this run has no attention; train one with --attention bahdanau`)
  if (json)
    screen.print(
      JSON.stringify({
        tokens: translation.source,
        target: translation.target,
        weights: translation.weights.map(row => Array.from(row, w => Number(w.toFixed(4)))),
        text: translation.text,
      }),
    )
  else {
    screen.print(translation.text)
    screen.print(alignmentText(translation, screen))
  }
  if (svg !== undefined) writeAtomic(svg, alignmentPicture(translation))
}
