import { getBackend } from '@heed/core-tensor'
import { BEGIN, END } from '@heed/datasets'
import { greedy, type Seq2Seq } from '@heed/models'
import { bleuCounts, bleuOf, bootstrap, bootstrapMean, corpusBleu, type Interval } from '@heed/training'
import type { RunConfig, Vocabularies } from '../run.ts'
import { encodeLines, type Line, sourceBatch, type TranslationData } from './data.ts'

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

/** Translates lines, the most likely token at each step; calls back after each batch. */
export async function translate(
  translator: Translator,
  sources: readonly string[],
  onBatch?: (done: number) => void,
): Promise<Translation[]> {
  const { model, data, vocabularies, config } = translator
  const encoded = encodeLines(
    sources.map(source => ({ source, target: '' })),
    data as TranslationData,
    vocabularies,
    config.reverseSource,
  )
  const order = [...encoded.keys()].sort(
    (a, b) => (encoded[a]?.source.length ?? 0) - (encoded[b]?.source.length ?? 0),
  )
  const found: Translation[] = new Array(sources.length)
  model.eval()
  for (let start = 0; start < order.length; start += BATCH) {
    const rows = order.slice(start, start + BATCH)
    const ids = rows.map(i => (encoded[i] as { source: ArrayLike<number> }).source)
    const decoded = await greedy(
      () => {
        const { source, sourceLengths } = sourceBatch(ids)
        return model.stepper(source, sourceLengths)
      },
      rows.length,
      getBackend(),
      { begin: BEGIN, end: END, maxLength: config.maxOutput },
    )
    for (const [k, i] of rows.entries()) {
      const tokens = data.tokenizers.source.encode(sources[i] as string)
      const { ids: output, weights } = decoded[k] as (typeof decoded)[number]
      const target = vocabularies.target.decode(output)
      found[i] = {
        source: tokens,
        target,
        text: data.tokenizers.target.join(target),
        weights: weights.length
          ? weights.slice(0, target.length).map(row => overTokens(row, tokens.length, config.reverseSource))
          : undefined,
      }
    }
    onBatch?.(Math.min(order.length, start + BATCH))
  }
  return found
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
  }
}

/** Exact match and BLEU against each line's own target, with bootstrap intervals over lines. */
export function exactAndBleu(
  lines: readonly Line[],
  translations: readonly Translation[],
  { tokenizers: { target } }: Pick<TranslationData, 'tokenizers'>,
): { readonly exact: Interval; readonly bleu: Interval } {
  const wanted = lines.map(line => target.join(target.encode(line.target)))
  const counts = bleuCounts(
    translations.map(({ text }) => text),
    wanted.map(text => [text]),
  )
  return {
    exact: bootstrapMean(wanted.map((text, i) => Number(translations[i]?.text === text))),
    bleu: bootstrap(
      counts.length,
      rows => bleuOf(Array.from(rows, i => counts[i] as (typeof counts)[number])).score,
      { samples: 300 },
    ),
  }
}
