import { getBackend } from '@heed/core-tensor'
import { BEGIN, END, type Links } from '@heed/datasets'
import { beam, type Decoded, greedy, type Hypothesis, type Seq2Seq } from '@heed/models'
import { alignmentErrorRate, bleuCounts, bleuOf, bootstrap, bootstrapMean, corpusBleu, type Interval, type Link, linksOf } from '@heed/training' // biome-ignore format: one line
import type { BeamNode, BeamSteps } from '@heed/viz'
import type { RunConfig, Vocabularies } from '../run.ts'
import { copiedWords } from './copy.ts'
import { copiesOf, type EncodedLine, encodeLines, type Line, sourceBatch, type TranslationData } from './data.ts' // biome-ignore format: one line

/** A line as the model wrote it. */
export interface Translation {
  readonly source: readonly string[]
  readonly target: readonly string[]
  readonly text: string
  /** `[target, source]`; none without attention. */
  readonly weights: readonly Float32Array[] | undefined
}

/** What turns text into translations. */
export interface Translator {
  readonly model: Seq2Seq
  readonly data: Pick<TranslationData, 'tokenizers'>
  readonly vocabularies: Vocabularies
  readonly config: Pick<RunConfig, 'reverseSource' | 'maxOutput'>
}

const BATCH = 128

/** How {@link translate} goes about it. */
export interface TranslateOptions {
  /** How many beginnings are followed side by side; 1, the most likely token at each step, unless given. */
  readonly beam?: number
  readonly onBatch?: (done: number) => void
}

/** Translates lines; calls back after each batch. */
export async function translate(
  translator: Translator,
  sources: readonly string[],
  { beam: width = 1, onBatch }: TranslateOptions = {},
): Promise<Translation[]> {
  const { model, config } = translator
  const encoded = encodeSources(translator, sources)
  const order = [...encoded.keys()].sort(
    (a, b) => (encoded[a]?.source.length ?? 0) - (encoded[b]?.source.length ?? 0),
  )
  const found: Translation[] = new Array(sources.length)
  const options = { begin: BEGIN, end: END, maxLength: config.maxOutput }
  model.eval()
  for (let start = 0; start < order.length; start += BATCH) {
    const rows = order.slice(start, start + BATCH)
    const chosen = rows.map(i => encoded[i] as EncodedLine)
    const stepper = () => stepperOf(model, chosen)
    const decoded =
      width > 1
        ? (await beam(stepper, rows.length, getBackend(), { ...options, width })).map(([best]) => best)
        : await greedy(stepper, rows.length, getBackend(), options)
    for (const [k, i] of rows.entries())
      found[i] = written(translator, sources[i] as string, encoded[i] as EncodedLine, decoded[k] as Decoded)
    onBatch?.(Math.min(order.length, start + BATCH))
  }
  return found
}

/** A beam search as a picture needs it. */
export interface Search {
  readonly translation: Translation
  readonly steps: BeamSteps
  /** The last entry of the line that was chosen. */
  readonly chosen: readonly [step: number, entry: number]
}

/** Translates one line by a beam search and tells what was kept on the way. */
export async function search(translator: Translator, source: string, width: number): Promise<Search> {
  const { model, config, vocabularies } = translator
  const [line] = encodeSources(translator, [source]) as [EncodedLine]
  const { copied = { words: [] } } = line
  model.eval()
  const lines: number[][][] = [] // the tokens up to each entry of each step
  const open: number[][][] = []
  const steps: BeamNode[][] = []
  const [[best]] = (await beam(() => stepperOf(model, [line]), 1, getBackend(), {
    begin: BEGIN,
    end: END,
    maxLength: config.maxOutput,
    width,
    onStep(_, step, kept) {
      const upTo = kept.map(({ parent, id }) => [...(open[step - 1]?.[parent] ?? []), id])
      lines.push(upTo)
      open.push(upTo.filter((__, k) => !kept[k]?.ended))
      steps.push(
        kept.map(({ parent, id, logProb, ended }) => ({
          word: ended ? 'end' : copiedWords([id], vocabularies.target, copied).join(''),
          parent,
          logProb,
          ended,
        })),
      )
    },
  })) as [[Hypothesis]]
  const wanted = [...best.ids, ...(best.ended ? [END] : [])].join()
  const step = best.ids.length - (best.ended ? 0 : 1)
  const entry = lines[step]?.findIndex(ids => ids.join() === wanted) ?? -1
  return { translation: written(translator, source, line, best), steps, chosen: [step, entry] }
}

function encodeSources(translator: Translator, sources: readonly string[]): EncodedLine[] {
  const { model, data, vocabularies, config } = translator
  return encodeLines(
    sources.map(source => ({ source, target: '' })),
    data,
    vocabularies,
    { ...config, copy: model.config.copy },
  )
}

function stepperOf(model: Seq2Seq, lines: readonly EncodedLine[]): ReturnType<Seq2Seq['stepper']> {
  const { source, sourceLengths } = sourceBatch(lines.map(line => line.source))
  return model.stepper(source, sourceLengths, copiesOf(lines).copy)
}

/** What was decoded, as words. */
function written(
  { data, vocabularies, config }: Translator,
  source: string,
  { copied = { ids: [], words: [] } }: EncodedLine,
  { ids, weights }: Decoded,
): Translation {
  const tokens = data.tokenizers.source.encode(source)
  const target = copiedWords(ids, vocabularies.target, copied)
  return {
    source: tokens,
    target,
    text: data.tokenizers.target.join(target),
    weights: weights.length
      ? weights.slice(0, target.length).map(row => overTokens(row, tokens.length, config.reverseSource))
      : undefined,
  }
}

/** A row of weights over the source's own tokens, in their order; what lies on the token that ends, or on padding, is left off. */
function overTokens(row: Float32Array, tokens: number, reversed: boolean): Float32Array {
  const own = row.slice(0, tokens + 1)
  return (reversed ? own.reverse() : own).slice(0, tokens)
}

/** How well lines were translated. */
export interface Score {
  /** The share of lines that are right to the last token, 0 to 1. */
  readonly exact: number
  readonly lines: number
  /** Of each group of lines, in order. */
  readonly groups: readonly { readonly group: string; readonly exact: number; readonly lines: number }[]
  /** BLEU, all references of a source counted. */
  readonly bleu: number
  readonly bleuSignature: string
  /** Of the lines that are right and whose links are known: how far attention is from them. */
  readonly alignment?: { readonly errorRate: Interval; readonly lines: number }
}

/** Compares translations with what was wanted. */
export function score(
  lines: readonly Line[],
  translations: readonly Translation[],
  data: Pick<TranslationData, 'tokenizers'>,
): Score {
  // What tokens cannot tell (spaces of other kinds, case where it is folded) does not count.
  const wanted = lines.map(line => data.tokenizers.target.join(data.tokenizers.target.encode(line.target)))
  const references = new Map<string, string[]>()
  for (const [i, line] of lines.entries())
    references.set(line.source, [...(references.get(line.source) ?? []), wanted[i] as string])
  const right = lines.map((_, i) => translations[i]?.text === wanted[i])
  const share = (members: readonly number[]): number => members.filter(i => right[i]).length / members.length
  const byGroup = new Map<string, number[]>()
  for (const [i, { group }] of lines.entries()) byGroup.set(group, [...(byGroup.get(group) ?? []), i])
  const groups = [...byGroup]
    .sort(([a], [b]) => a.localeCompare(b, 'en', { numeric: true }))
    .map(([group, members]) => ({ group, exact: share(members), lines: members.length }))
  const seen = new Set<string>()
  const first = [...lines.keys()].filter(
    i => !seen.has(lines[i]?.source as string) && seen.add(lines[i]?.source as string),
  )
  const bleu = corpusBleu(
    first.map(i => translations[i]?.text ?? ''),
    first.map(i => references.get(lines[i]?.source as string) as string[]),
  )
  return {
    exact: share([...lines.keys()]),
    lines: lines.length,
    groups,
    bleu: bleu.score,
    bleuSignature: bleu.signature,
    ...alignmentScore(lines, translations, right),
  }
}

/**
 * The alignment error rate of all lines together, each target word linked with the source word it looked at most. Only
 * lines that are right can be compared: their words are those that the links are about.
 */
export function alignmentScore(
  lines: readonly Line[],
  translations: readonly Translation[],
  right: readonly boolean[],
): Pick<Score, 'alignment'> {
  const links = lines.flatMap(({ links: known }, i) => {
    const { weights } = translations[i] ?? {}
    return known && weights?.length && right[i] ? [{ known, found: linksOf(weights) }] : []
  })
  if (!links.length) return {}
  const apart = (all: Links, row: number): Link[] => all.map(([i, t]) => [1000 * row + i, t]) // rows side by side
  const errorRate = bootstrap(
    links.length,
    rows => {
      const drawn = Array.from(rows, i => links[i] as (typeof links)[number])
      return alignmentErrorRate(
        drawn.flatMap(({ found }, row) => apart(found, row)),
        drawn.flatMap(({ known }, row) => apart(known, row)),
      ).rate
    },
    { samples: 100 },
  )
  return { alignment: { errorRate, lines: links.length } }
}

/** Exact match and BLEU against each line's own target, with bootstrap intervals over lines. */
export function exactAndBleu(
  lines: readonly Line[],
  translations: readonly Translation[],
  { tokenizers: { target } }: Pick<TranslationData, 'tokenizers'>,
): { readonly exact: Interval; readonly bleu: Interval } & Pick<Score, 'alignment'> {
  const wanted = lines.map(line => target.join(target.encode(line.target)))
  const counts = bleuCounts(
    translations.map(({ text }) => text),
    wanted.map(text => [text]),
  )
  const right = wanted.map((text, i) => translations[i]?.text === text)
  return {
    exact: bootstrapMean(right.map(Number)),
    bleu: bootstrap(
      counts.length,
      rows => bleuOf(Array.from(rows, i => counts[i] as (typeof counts)[number])).score,
      { samples: 300 },
    ),
    ...alignmentScore(lines, translations, right),
  }
}
