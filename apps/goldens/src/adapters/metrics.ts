import {
  alignmentErrorRate,
  characterErrorRate,
  corpusBleu,
  type Link,
  perplexity,
  rougeL,
  tokenize13a,
  wordErrorRate,
} from '@heed/training'
import type { Case, Tolerance } from '../cases.ts'
import { type Adapter, differ } from '../compare.ts'
import { attributes } from './settings.ts'

/** Numbers beside the wanted ones, by the case's names. */
const figures =
  (make: (c: Case) => Readonly<Record<string, number | readonly number[]>>): Adapter =>
  c => {
    const made = make(c)
    const problems = Object.entries(c.raw.expected as Record<string, number | number[]>).map(([name, want]) =>
      differ(name, [made[name] ?? Number.NaN].flat(), [want].flat(), c.tolerance.out as Tolerance),
    )
    const found = problems.filter(Boolean).join('; ')
    if (found) throw new Error(found)
    return { outputs: {} }
  }

export const metrics: Record<string, Adapter> = {
  corpus_bleu: figures(c => {
    const hypotheses = c.raw.hypotheses as string[]
    // The files give the k-th references of all sentences; null where a sentence has fewer.
    const columns = c.raw.references as (string | null)[][]
    const references = hypotheses.map((_, i) =>
      columns.map(column => column[i]).filter(text => typeof text === 'string'),
    )
    const settings = attributes(c)
    const bleu = corpusBleu(hypotheses, references, {
      lowercase: settings.flag('lowercase'),
      maxOrder: settings.number('max_order', 4),
    })
    const { score, precisions, counts, totals } = bleu
    return {
      score,
      precisions,
      counts,
      totals,
      bp: bleu.brevityPenalty,
      sys_len: bleu.hypothesisLength,
      ref_len: bleu.referenceLength,
    }
  }),
  tokenize_13a: c => {
    const got = tokenize13a(c.raw.text as string)
    const want = c.raw.expected as string[]
    if (JSON.stringify(got) !== JSON.stringify(want))
      throw new Error(`got ${JSON.stringify(got)}, wanted ${JSON.stringify(want)}`)
    return { outputs: {} }
  },
  wer: figures(c => {
    const found = wordErrorRate(c.raw.hypotheses as string[][], c.raw.references as string[][])
    return { edits: found.edits, reference_words: found.referenceLength, wer: found.rate }
  }),
  cer: figures(c => {
    const found = characterErrorRate(c.raw.hypotheses as string[], c.raw.references as string[])
    return { edits: found.edits, reference_chars: found.referenceLength, cer: found.rate }
  }),
  rouge_l: figures(c => {
    const { common, ...shares } = rougeL(c.raw.hypothesis as string[], c.raw.reference as string[])
    return { lcs: common, ...shares }
  }),
  aer: figures(c => {
    const { alignment, sure, possible } = c.raw as Record<string, Link[]>
    const { rate, ...shares } = alignmentErrorRate(alignment ?? [], sure ?? [], possible)
    return { aer: rate, ...shares }
  }),
  perplexity: figures(c => ({ perplexity: perplexity(c.raw.nll as number[]) })),
}
