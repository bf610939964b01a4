import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { ConfigError } from '@heed/core-tensor'
import { type Links, parseAlignments } from '@heed/datasets'
import { type AlignmentError, alignmentErrorRate, type Link } from '@heed/training'

/** Links of one sentence pair, and what people found. */
export interface JudgedLinks {
  readonly found: Links
  readonly sure: Links
  readonly possible: Links
}

/** Far beyond the longest sentence: sentences of a corpus do not share words. */
const APART = 10_000

/** The error rate of a whole corpus: all links of all sentences counted together. */
export function corpusAlignmentError(sentences: readonly JudgedLinks[]): AlignmentError {
  const all = (pick: (sentence: JudgedLinks) => Links): Link[] =>
    sentences.flatMap((sentence, k) => pick(sentence).map(([i, j]): Link => [k * APART + i, j]))
  return alignmentErrorRate(
    all(one => one.found),
    all(one => one.sure),
    all(one => one.possible),
  )
}

/** What an aligner got, as printed and as computed here. */
export interface ReferenceRow {
  readonly pair: string
  readonly file: string
  readonly printed: AlignmentError
  readonly ours: AlignmentError
}

/** Computes again what `reference-aer.tsv` says of the output of published aligners. @throws ConfigError if the folder is not that set */
export function referenceRows(folder: string): ReferenceRow[] {
  const [head, ...lines] = text(folder, 'reference-aer.tsv').trim().split('\n')
  if (!head?.startsWith('pair\tfile\taer\tprecision\trecall'))
    throw new ConfigError(`${folder}: reference-aer.tsv has no columns pair, file, aer, precision, recall`)
  return lines.map(line => {
    const [pair, file, rate, precision, recall] = line.split('\t') as [string, string, string, string, string]
    const gold = parseAlignments(text(folder, `${pair}.gold.gz`), { base: 1, name: `${pair}.gold` })
    const found = parseAlignments(text(folder, file), { base: 0, name: file })
    if (gold.length !== found.length)
      throw new ConfigError(`${file}: ${found.length} lines, the gold standard has ${gold.length}`)
    return {
      pair,
      file,
      printed: { rate: Number(rate), precision: Number(precision), recall: Number(recall) },
      ours: corpusAlignmentError(gold.map((one, i) => ({ ...one, found: found[i]?.possible ?? [] }))),
    }
  })
}

/** The largest difference between what is printed, six digits, and what we compute. */
export function referenceDifference(rows: readonly ReferenceRow[]): number {
  return Math.max(
    ...rows.flatMap(({ printed, ours }) => [
      Math.abs(printed.rate - ours.rate),
      Math.abs(printed.precision - ours.precision),
      Math.abs(printed.recall - ours.recall),
    ]),
  )
}

function text(folder: string, name: string): string {
  const bytes = readFileSync(join(folder, name))
  return (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8')
}
