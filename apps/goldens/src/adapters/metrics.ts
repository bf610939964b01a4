import { corpusBleu, tokenize13a } from '@heed/training'
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
}
