import { createInterface } from 'node:readline'
import { cpu } from '@heed/backend-cpu'
import { ConfigError, setBackend } from '@heed/core-tensor'
import { writeAtomic } from '@heed/training/node'
import { beamTree, type EvidenceCard, report } from '@heed/viz'
import type { Command } from 'commander'
import { z } from 'zod'
import { evidenceOf } from '../evidence.ts'
import { RunFolder, readJson } from '../run.ts'
import { terminal } from '../screen.ts'
import { tokenizersOf } from '../translate/data.ts'
import { search, type Translator, translate } from '../translate/decode.ts'
import { alignmentPicture, alignmentText } from '../translate/picture.ts'
import { armsOf, loadModel } from '../translate/train.ts'
import { whole } from './numbers.ts'

interface TranslateOptions {
  readonly json?: boolean
  readonly plain?: boolean
  readonly svg?: string
  readonly beam?: number
  readonly tree?: string
  readonly card?: string
  readonly expected?: string
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
      the picture as a file
  heed translate runs/dates-20260301-101500 --beam 4 --tree tree.svg "3 mars 2024"
      four beginnings side by side, and the picture of the search
  heed translate runs/dates-20260301-101500 --card card.md --expected 2024-03-03 "3 mars 2024"
      an evidence card: what came out, where it looked, what could be wrong (.md, .html or .json)`

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
    .option('--beam <width>', 'follow so many beginnings side by side (default: 1)', whole)
    .option('--tree <file>', 'write the picture of the beam search of one text to a file')
    .option(
      '--card <file>',
      'write an evidence card of one text to a .md, .html or .json file; needs --expected',
    )
    .option('--expected <text>', 'what a right answer is')
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
  for (const name of ['svg', 'tree', 'card'] as const)
    if (options[name] !== undefined && texts.length !== 1)
      throw new ConfigError(`translate: --${name} is of one text, ${texts.length} are given; give one`)
  if (options.tree !== undefined && (options.beam ?? 1) < 2)
    throw new ConfigError('translate: --tree draws a beam search; give --beam 2 or more as well')
  if (options.expected !== undefined && options.card === undefined)
    throw new ConfigError('translate: --expected is about --card; give a file for it as well')
  if (options.card !== undefined && !options.expected?.trim())
    throw new ConfigError(
      'translate: a card without an expected output is no evidence; give --expected as well',
    )
  const format = options.card === undefined ? undefined : cardFormat(options.card)
  if (!texts.length && process.stdin.isTTY)
    throw new ConfigError('translate: no text; give one, or pipe lines into it')
  const backend = await cpu()
  setBackend(backend)
  try {
    const vocabularies = run.readVocabularies()
    const [arm] = armsOf(run.config)
    const translator: Translator = {
      model: loadModel(run, arm as NonNullable<typeof arm>, vocabularies),
      data: { tokenizers: tokenizersOf(run.config) },
      vocabularies,
      config: run.config,
    }
    if (texts.length) await show(translator, texts, options)
    if (options.tree !== undefined || format !== undefined) await extras(run, translator, texts[0] as string, { ...options, format }) // biome-ignore format: one line
    if (texts.length) return
    for await (const lines of stdinLines()) await show(translator, lines, { plain: true, ...options })
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
  { json, plain, svg, beam = 1 }: TranslateOptions,
): Promise<void> {
  const screen = terminal()
  const { source: tokenizer } = translator.data.tokenizers
  const filled = texts.filter(text => tokenizer.encode(text).length > 0)
  const translations = filled.length ? await translate(translator, filled, { beam }) : []
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

const FORMATS = ['md', 'html', 'json'] as const
type CardFormat = (typeof FORMATS)[number]

/** What a card's file name says. @throws ConfigError if nothing */
function cardFormat(path: string): CardFormat {
  const format = FORMATS.find(name => path.toLowerCase().endsWith(`.${name}`))
  if (!format) throw new ConfigError(`translate: cannot tell the format of --card ${path}; let it end in .md, .html or .json`) // biome-ignore format: one line
  return format
}

/** The picture of the search and the evidence card of one text. */
async function extras(
  run: RunFolder,
  translator: Translator,
  source: string,
  { tree, card, format, expected = '', beam = 1 }: TranslateOptions & { readonly format: CardFormat | undefined }, // biome-ignore format: one line
): Promise<void> {
  if (tree !== undefined) {
    const { steps, chosen, translation } = await search(translator, source, beam)
    writeAtomic(
      tree,
      `${beamTree(steps, { chosen, title: `The search for ${translation.text || 'nothing'}` })}\n`,
    )
  }
  if (card === undefined || format === undefined) return
  const [translation] = await translate(translator, [source], { beam })
  const { source: words = [], target: output = [], weights, text = '' } = translation ?? {}
  const rows = testRows(run)
  const evidence = evidenceOf({
    source: words,
    output,
    ...(weights ? { weights } : {}),
    ...(rows === undefined ? {} : { testRows: rows }),
    texts: { source, output: text, expected },
    repeated: run.config.tokens === 'characters' ? 12 : 3,
  })
  writeAtomic(card, cardAs(evidence, format))
}

function cardAs(card: EvidenceCard, format: CardFormat): string {
  if (format === 'json') return `${card.json()}\n`
  if (format === 'md') return `${card.markdown()}\n`
  return report({ title: 'Evidence card', summary: `${card.fields.sourceTarget.source} → ${card.fields.decodedOutput}`, card }) // biome-ignore format: one line
}

const resultsSchema = z.object({ results: z.array(z.object({ score: z.object({ lines: z.number() }) })) })

/** How many lines the run was tested on; unknown where it was stopped before. */
function testRows(run: RunFolder): number | undefined {
  if (!run.has('results.json')) return undefined
  return resultsSchema.safeParse(readJson(run.file('results.json'))).data?.results[0]?.score.lines
}
