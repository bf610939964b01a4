import { createInterface } from 'node:readline'
import { cpu } from '@heed/backend-cpu'
import { ConfigError, setBackend } from '@heed/core-tensor'
import { createTokenizer } from '@heed/datasets'
import { writeAtomic } from '@heed/training/node'
import type { Command } from 'commander'
import { RunFolder } from '../run.ts'
import { terminal } from '../screen.ts'
import { type Translator, translate } from '../translate/decode.ts'
import { alignmentPicture, alignmentText } from '../translate/picture.ts'
import { armsOf, loadModel } from '../translate/train.ts'

interface TranslateOptions {
  readonly json?: boolean
  readonly plain?: boolean
  readonly svg?: string
}

const EXAMPLES = `
Examples:
  heed translate runs/dates-20260301-101500 "3 mars 2024"
      one text, with the picture of where the model looked
  heed translate runs/dates-20260301-101500 < dates.txt
      a line for each line, without pictures
  heed translate runs/dates-20260301-101500 --json "le 3 mars 2024 et le 5 mai 1999"
      tokens and weights as JSON, one object a line
  heed translate runs/dates-20260301-101500 --svg alignment.svg "3 mars 2024"
      the picture as a file`

/** Adds `heed translate`. */
export function addTranslate(program: Command): void {
  program
    .command('translate')
    .description('translate with a trained run')
    .argument('<run>', 'the folder of a run')
    .argument('[text...]', 'what to translate; lines of stdin if none is given')
    .option('--json', 'one JSON object a line: source, target, text, weights')
    .option('--plain', 'no pictures')
    .option('--svg <file>', 'write the picture of the alignment of one text to a file')
    .addHelpText('after', EXAMPLES)
    .action((path: string, texts: string[], options: TranslateOptions) =>
      translateTexts(path, texts, options),
    )
}

async function translateTexts(
  path: string,
  texts: readonly string[],
  options: TranslateOptions,
): Promise<void> {
  const run = RunFolder.open(path)
  if (options.svg !== undefined && texts.length !== 1)
    throw new ConfigError(`translate: --svg draws one text, ${texts.length} are given; give one`)
  if (!texts.length && process.stdin.isTTY)
    throw new ConfigError('translate: no text; give one, or pipe lines into it')
  const backend = await cpu()
  setBackend(backend)
  try {
    const vocabularies = run.readVocabularies()
    const [arm] = armsOf(run.config)
    const tokenizer = createTokenizer(
      run.config.tokens === 'words'
        ? { kind: 'words', lowercase: run.config.lowercase }
        : { kind: 'graphemes' },
    )
    const translator: Translator = {
      model: loadModel(run, arm as NonNullable<typeof arm>, vocabularies),
      data: { tokenizers: { source: tokenizer, target: tokenizer } },
      vocabularies,
      config: run.config,
    }
    if (texts.length) await show(translator, texts, options)
    else for await (const lines of stdinLines()) await show(translator, lines, { plain: true, ...options })
  } finally {
    backend.dispose()
  }
}

/** Lines of stdin, some at a time: all that are there, up to a batch. */
async function* stdinLines(): AsyncIterable<string[]> {
  let lines: string[] = []
  for await (const line of createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY })) {
    lines.push(line)
    if (lines.length < 64) continue
    yield lines
    lines = []
  }
  if (lines.length) yield lines
}

async function show(
  translator: Translator,
  texts: readonly string[],
  { json, plain, svg }: TranslateOptions,
): Promise<void> {
  const screen = terminal()
  const { source: tokenizer } = translator.data.tokenizers
  const filled = texts.filter(text => tokenizer.encode(text).length > 0)
  const translations = filled.length ? await translate(translator, filled) : []
  let next = 0
  for (const text of texts) {
    const translation = tokenizer.encode(text).length > 0 ? translations[next++] : undefined // an empty line stays one
    if (json) {
      const { source = [], target = [], weights } = translation ?? {}
      screen.print(
        JSON.stringify({
          source,
          target,
          text: translation?.text ?? '',
          weights: weights?.map(row => Array.from(row, w => Number(w.toFixed(4)))) ?? null,
        }),
      )
      continue
    }
    screen.print(translation?.text ?? '')
    if (!plain && translation?.weights) screen.print(alignmentText(translation, screen))
    if (svg !== undefined) writeAtomic(svg, alignmentPicture(translation))
    const unknown = translation?.source.filter(token => translator.vocabularies.source.id(token) === 1) ?? []
    if (unknown.length)
      process.stderr.write(
        `heed: the model has never seen ${[...new Set(unknown)].map(token => JSON.stringify(token)).join(', ')}; it guesses there\n`,
      )
  }
}
