import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ConfigError } from '@heed/core-tensor'
import type { DatasetCard, Shelf } from '@heed/datasets'
import { aerSettings, alignmentErrors, enfrTask, generatedTask } from './alignment/aer.ts'
import { referenceDifference, referenceRows } from './alignment/reference.ts'
import { percent, table, withInterval, writeResults } from './output.ts'
import { forgetting, forgettingSettings } from './sentiment/forgetting.ts'
import { compareReadouts, readoutSettings } from './sentiment/readouts.ts'
import { longParts, sentimentSets } from './sentiment/sets.ts'
import { duration, type Sitting } from './sitting.ts'
import { captions, longer } from './translation/corpus.ts'
import { climb, type Ladder, ladderSettings, longSettings, readRows } from './translation/ladder.ts'
import { bleuByLength, lengthBounds, lengthCurve } from './translation/lengths.ts'
import { type Rung, rungs } from './translation/models.ts'

/** What can be said on the command line. */
export interface Wishes {
  /** The files of a set, in a folder or from their public addresses. */
  readonly from: Shelf
  /** The folder of data, where there is one. */
  readonly data: string | undefined
  readonly model?: string | undefined
  readonly set?: string | undefined
  readonly epochs?: number | undefined
  readonly seeds?: number | undefined
}

/** What a recipe has done, for the manifest. */
export interface Done {
  readonly settings: unknown
  readonly data: readonly DatasetCard[]
  /** For people: Markdown. */
  readonly summary: string
}

/** One command: real data in, numbers and curves out. */
export interface Recipe {
  readonly name: string
  readonly about: string
  /** The options it knows, beside those of all recipes. */
  readonly options: readonly ('model' | 'set' | 'epochs' | 'seeds')[]
  run(wishes: Wishes, sitting: Sitting): Promise<Done>
}

/** One of some names, or all of them. @throws ConfigError if it is none of them */
function chosen<Name extends string>(
  option: string,
  wish: string | undefined,
  names: readonly Name[],
): readonly Name[] {
  if (wish === undefined || wish === 'all') return names
  const found = names.filter(name => wish.split(',').includes(name))
  if (found.length !== wish.split(',').length)
    throw new ConfigError(`--${option} ${wish}: use ${names.join(', ')}, several of them with commas, or all`)
  return found
}

const multi30k: Recipe = {
  name: 'multi30k',
  about: 'German to English, the ladder from a fixed vector to attention: perplexity, BLEU, BLEU by length',
  options: ['model', 'epochs'],
  async run({ from, model, epochs }, sitting) {
    const wanted = chosen('model', model, rungs)
    const settings = { ...ladderSettings, ...(epochs === undefined ? {} : { epochs }) }
    const corpus = await captions(from, settings.seed)
    const ladder = await climb(corpus, wanted, settings, sitting)
    const byLength = writeLengths(sitting.folder, wanted)
    return { settings, data: [corpus.train.card, corpus.validation.card, corpus.test.card], summary: `${ladderTable(ladder)}\n\n${byLength}` } // biome-ignore format: one line
  },
}

const long: Recipe = {
  name: 'long',
  about: 'the same learned from texts of one to four captions: does attention hold where a vector fails?',
  options: ['model', 'epochs'],
  async run({ from, model = 'context,bahdanau', epochs }, sitting) {
    const wanted = chosen('model', model, rungs)
    const settings = { ...longSettings, ...(epochs === undefined ? {} : { epochs }) }
    const corpus = longer(await captions(from, settings.seed), settings.seed)
    const ladder = await climb(corpus, wanted, settings, sitting)
    const byLength = writeLengths(sitting.folder, wanted)
    return { settings, data: [corpus.train.card, corpus.validation.card, corpus.test.card], summary: `${ladderTable(ladder)}\n\n${byLength}` } // biome-ignore format: one line
  },
}

/** What the rungs got, from the first to the last. */
export function ladderTable({ rungs: results }: Ladder): string {
  return table(
    [
      'model',
      'parameters',
      'perplexity a word',
      'perplexity a token',
      'BLEU',
      'BLEU, long',
      'training (processor)',
    ],
    results.map(({ title, parameters, test, long, training }) => [
      title,
      `${(parameters / 1e6).toFixed(2)} M`,
      test ? withInterval(test.wordPerplexity) : '',
      test ? withInterval(test.tokenPerplexity, 2) : '',
      test ? withInterval(test.bleu) : '',
      long ? withInterval(long.bleu) : '',
      duration(training.cpuSeconds),
    ]),
  )
}

const lengths: Recipe = {
  name: 'lengths',
  about: 'BLEU by length once more, from the translations that multi30k kept',
  options: ['model'],
  async run({ model }, sitting) {
    const wanted = chosen('model', model, rungs)
    const summary = writeLengths(sitting.folder, wanted)
    return { settings: lengthBounds, data: [], summary }
  },
}

/** Writes `lengths.json` and a curve for each test set. @returns both as a table */
export function writeLengths(folder: string, wanted: readonly Rung[]): string {
  const rows = wanted.map(rung => [rung, readRows(folder, rung)] as const)
  const points = {
    test: rows.flatMap(([rung, { test }]) => bleuByLength(rung, test, lengthBounds.test)),
    long: rows.flatMap(([rung, { long }]) => bleuByLength(rung, long, lengthBounds.long)),
  }
  writeResults(folder, {
    'lengths.json': points,
    'lengths-test.svg': lengthCurve(points.test, 'Multi30k, German to English: BLEU by length'),
    'lengths-long.svg': lengthCurve(points.long, 'One to four captions behind each other: BLEU by length'),
  })
  return (['test', 'long'] as const)
    .map(set => {
      const bins = [...new Map(points[set].map(({ bin, pairs }) => [bin, pairs]))]
      const cell = (rung: Rung, bin: string): string => {
        const point = points[set].find(one => one.rung === rung && one.bin === bin)
        return point ? withInterval(point.bleu) : ''
      }
      return table(
        [`source words (${set})`, 'pairs', ...wanted],
        bins.map(([bin, pairs]) => [bin, String(pairs), ...wanted.map(rung => cell(rung, bin))]),
      )
    })
    .join('\n\n')
}

const aer: Recipe = {
  name: 'aer',
  about: 'where attention looks against known word alignments: generated, and English-French by people',
  options: ['set'],
  async run({ from, data, set }, sitting) {
    const lines: string[] = []
    const gold = data === undefined ? undefined : goldFolder(data)
    if (gold) {
      const rows = referenceRows(gold)
      writeResults(sitting.folder, { 'reference.json': rows })
      lines.push(
        `reference-aer.tsv: ${rows.length} rows, largest difference ${referenceDifference(rows).toExponential(1)}`,
      )
    } else sitting.say('reference-aer.tsv is not at hand: give --data; the metric is not compared with it')
    const settings: Record<string, unknown> = {}
    const cards: DatasetCard[] = []
    for (const name of chosen('set', set, ['generated', 'enfr'] as const)) {
      const task = name === 'generated' ? generatedTask() : await enfrTask(from)
      const rows = await alignmentErrors(task, aerSettings[name], sitting)
      settings[name] = aerSettings[name]
      cards.push(task.card)
      writeResults(sitting.folder, {
        [`${name}.json`]: { train: task.train.length, test: task.test.length, rows },
      })
      lines.push(
        table(
          [name, 'AER', 'of each seed', 'words known, source and target', 'training loss'],
          rows.map(row => [
            row.title,
            percent(row.aer),
            row.seeds?.map(x => (100 * x).toFixed(1)).join(', ') ?? '',
            row.coverage
              ? `${(100 * row.coverage.source).toFixed(1)} %, ${(100 * row.coverage.target).toFixed(1)} %`
              : '',
            row.loss?.toFixed(2) ?? '',
          ]),
        ),
      )
    }
    return { settings, data: cards, summary: lines.join('\n\n') }
  },
}

/** The folder of gold alignments in a folder of data; undefined if it is not there. */
function goldFolder(data: string): string | undefined {
  return [join(data, 'word-alignments'), data].find(folder => existsSync(join(folder, 'reference-aer.tsv')))
}

const sentiment: Recipe = {
  name: 'sentiment',
  about: 'accuracy of five read-outs, and by length: tweets, SST-2, sentence polarity, short IMDB reviews',
  options: ['set', 'seeds', 'epochs'],
  async run({ from, set, seeds = 2, epochs }, sitting) {
    const settings = { ...readoutSettings, ...(epochs === undefined ? {} : { epochs }) }
    const names = chosen(
      'set',
      set,
      sentimentSets.map(({ name }) => name),
    )
    const lines: string[] = []
    const data: DatasetCard[] = []
    for (const one of sentimentSets.filter(({ name }) => names.includes(name))) {
      const { table: found, svg, cards } = await compareReadouts(one, from, seeds, settings, sitting)
      data.push(...cards)
      writeResults(sitting.folder, { [`${one.name}.json`]: found, [`${one.name}-lengths.svg`]: svg })
      lines.push(
        table(
          [one.title, 'parameters', 'accuracy', 'better than the last state by'],
          found.rows.map(({ readout, parameters, accuracy, gain }) => [
            readout,
            `${(parameters / 1e6).toFixed(2)} M`,
            percent(accuracy),
            gain ? withInterval(gain, 1, 100) : '',
          ]),
        ),
      )
    }
    return { settings: { ...settings, seeds }, data, summary: lines.join('\n\n') }
  },
}

const longReviews: Recipe = {
  name: 'forgetting',
  about: 'accuracy on film reviews of 700 words by how many of the words are read',
  options: ['epochs'],
  async run({ from, epochs }, sitting) {
    const settings = { ...forgettingSettings, ...(epochs === undefined ? {} : { epochs }) }
    const { points, svg, cards } = await forgetting(
      (given, fold) => longParts(from, given, fold),
      settings,
      sitting,
    )
    writeResults(sitting.folder, { 'forgetting.json': points, 'forgetting.svg': svg })
    const who = [...new Set(points.map(({ readout }) => readout))]
    return {
      settings,
      data: cards,
      summary: table(
        ['words read', ...who],
        settings.given.map(words => [
          String(words),
          ...who.map(readout => {
            const point = points.find(one => one.readout === readout && one.given === words)
            return point ? percent(point.accuracy) : ''
          }),
        ]),
      ),
    }
  },
}

/** All of them. */
export const recipes: readonly Recipe[] = [multi30k, long, lengths, aer, sentiment, longReviews]

/** The ladder that a folder holds. @throws the system's error if there is none */
export function readLadderFile(folder: string): Ladder {
  return JSON.parse(readFileSync(join(folder, 'ladder.json'), 'utf8'))
}
