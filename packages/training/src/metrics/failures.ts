import { ConfigError } from '@heed/core-tensor'
import { alignmentErrorRate, type Link, linksOf } from './aer.ts'

/** One decoded output and what is known of it. */
export interface DecodedEvidence {
  readonly source: readonly string[]
  readonly output: readonly string[]
  /** How much each word of the output looked at each of the source, `[output][source]`. */
  readonly weights?: readonly ArrayLike<number>[]
  /** Links that people are sure of, where they are known. */
  readonly gold?: readonly Link[]
  /** How many rows the claim about this system was tested on. */
  readonly testRows?: number
}

export interface FailureOptions {
  /** A source word looked at less, in all, was left out. */
  readonly uncovered?: number
  /** A source word looked at more, in all, was written again and again. */
  readonly overCovered?: number
  /** The length of n-grams that must not come twice. */
  readonly repeated?: number
  /** An output word whose largest weight is less has no source. */
  readonly unaligned?: number
  /** An alignment with a larger error rate, or more mass off the diagonal, is wrong. */
  readonly misaligned?: number
  /** How far from the diagonal counts as off it, as a share of the source. */
  readonly band?: number
  /** The widest 95 % interval that a tested share may have, up and down. */
  readonly margin?: number
}

export type FailureKind = 'omission' | 'repetition' | 'hallucination' | 'wrong alignment' | 'weak evaluation'

/** What one detector found. */
export interface FailureCheck {
  readonly kind: FailureKind
  /** Whether it went wrong; null where nothing is known to tell by. */
  readonly found: boolean | null
  /** Which words: of the source for omissions, else of the output. */
  readonly places: readonly number[]
  /** What was measured. */
  readonly value: number
  /** In a sentence. */
  readonly says: string
}

/**
 * Looks for the five ways in which an answer goes wrong: what was left out, said twice, made up, aligned wrongly, or hardly
 * tested. A detector that finds something is a reason to look, not a proof: attention mass is evidence, not meaning.
 *
 * Coverage as in Tu et al. 2016, §1, arXiv:1601.04811 (under- and over-translation).
 *
 * @throws ConfigError if there are weights, but not a row for each output word and a number for each of the source
 */
export function failureChecks(evidence: DecodedEvidence, options: FailureOptions = {}): FailureCheck[] {
  const { source, output, weights } = evidence
  if (weights && (weights.length !== output.length || weights.some(row => row.length !== source.length)))
    throw new ConfigError(
      `failureChecks: weights are ${weights.length} rows of ${weights[0]?.length ?? 0}, the output has ${output.length} words and the source ${source.length}; give [output][source]`,
    )
  return [
    omission(evidence, options),
    repetition(evidence, options),
    hallucination(evidence, options),
    misalignment(evidence, options),
    weakEvaluation(evidence, options),
  ]
}

/** The share of n-grams that came before in the same text: 0 where none did. See et al. 2017, figure 4, arXiv:1704.04368. */
export function repeatedNgrams(words: readonly string[], n: number): number {
  return words.length < n ? 0 : repeats(words, n).length / (words.length - n + 1)
}

function repeats(words: readonly string[], n: number): number[] {
  const seen = new Set<string>()
  return words.flatMap((_, i) => {
    if (i + n > words.length) return []
    const gram = words.slice(i, i + n).join(' ')
    if (seen.has(gram)) return [i]
    seen.add(gram)
    return []
  })
}

/** How much of all looking fell on each word of the source. */
function coverage({ source, weights = [] }: DecodedEvidence): number[] {
  return source.map((_, i) => weights.reduce((sum, row) => sum + (row[i] as number), 0))
}

const named = (words: readonly string[], places: readonly number[]): string =>
  places.map(i => `${words[i]} (${i})`).join(', ')

function omission(evidence: DecodedEvidence, { uncovered = 0.2 }: FailureOptions): FailureCheck {
  const kind = 'omission'
  if (!evidence.weights) return unknown(kind, 'there are no weights')
  const looked = coverage(evidence)
  const places = [...looked.keys()].filter(i => (looked[i] as number) < uncovered)
  const value = looked.length ? places.length / looked.length : 0
  const says = places.length
    ? `hardly looked at: ${named(evidence.source, places)}`
    : 'every source word was looked at'
  return { kind, found: places.length > 0, places, value, says }
}

function repetition(
  evidence: DecodedEvidence,
  { repeated = 2, overCovered = 2.5 }: FailureOptions,
): FailureCheck {
  const { source, output } = evidence
  const places = repeats(output, repeated)
  const over = evidence.weights
    ? [...coverage(evidence).entries()].filter(([, sum]) => sum > overCovered).map(([i]) => i)
    : []
  const findings = [
    ...(places.length ? [`said before: ${named(output, places)}`] : []),
    ...(over.length ? [`looked at again and again: ${named(source, over)}`] : []),
  ]
  return {
    kind: 'repetition',
    found: findings.length > 0,
    places,
    value: repeatedNgrams(output, repeated),
    says: findings.join('; ') || `no ${repeated}-gram came twice`,
  }
}

function hallucination(
  { output, weights }: DecodedEvidence,
  { unaligned = 0.3 }: FailureOptions,
): FailureCheck {
  const kind = 'hallucination'
  if (!weights) return unknown(kind, 'there are no weights')
  const places = [...weights.keys()].filter(t => Math.max(0, ...Array.from(weights[t] ?? [])) < unaligned)
  const value = output.length ? places.length / output.length : 0
  const says = places.length ? `no source word behind: ${named(output, places)}` : 'every word has a source'
  return { kind, found: places.length > 0, places, value, says }
}

function misalignment(
  { source, output, weights, gold }: DecodedEvidence,
  { misaligned = 0.5, band = 0.25 }: FailureOptions,
): FailureCheck {
  const kind = 'wrong alignment'
  if (!weights) return unknown(kind, 'there are no weights')
  const links = linksOf(weights)
  if (gold) {
    const { rate } = alignmentErrorRate(links, gold)
    const sure = new Set(gold.map(link => link.join()))
    const places = links.filter(link => !sure.has(link.join())).map(([, target]) => target)
    return { kind, found: rate > misaligned, places, value: rate, says: `alignment error rate ${rate.toFixed(2)}` } // biome-ignore format: one line
  }
  const at = (i: number, length: number): number => (length > 1 ? i / (length - 1) : 0.5)
  const off = weights.map((row, t) =>
    Array.from(row).reduce(
      (sum, weight, i) => sum + (Math.abs(at(i, source.length) - at(t, output.length)) > band ? weight : 0),
      0,
    ),
  )
  const value = off.length ? off.reduce((a, b) => a + b, 0) / off.length : 0
  const places = [...off.keys()].filter(t => (off[t] as number) > misaligned)
  const says = `${Math.round(100 * value)} % of the weight lies off the diagonal (no gold links: right where order changes)`
  return { kind, found: value > misaligned, places, value, says }
}

function weakEvaluation({ testRows }: DecodedEvidence, { margin = 0.05 }: FailureOptions): FailureCheck {
  const kind = 'weak evaluation'
  if (testRows === undefined) return unknown(kind, 'the number of tested rows is not given')
  const value = testRows > 0 ? 0.98 / Math.sqrt(testRows) : Number.POSITIVE_INFINITY // 1.96 · √(¼ / n)
  const found = value > margin
  const says = found
    ? `${testRows} rows tell a share to ±${(100 * value).toFixed(0)} % only; test ${Math.ceil((0.98 / margin) ** 2)} or more`
    : `${testRows} rows tell a share to ±${(100 * value).toFixed(1)} %`
  return { kind, found, places: [], value, says }
}

function unknown(kind: FailureKind, why: string): FailureCheck {
  return { kind, found: null, places: [], value: Number.NaN, says: `cannot tell: ${why}` }
}
