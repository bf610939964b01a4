import type { Links } from '@heed/datasets'
import { bootstrap, type Interval } from '@heed/training'
import type { JudgedLinks } from './reference.ts'

/** What the error rate of a corpus is made of, of one sentence. */
interface Counts {
  readonly found: number
  readonly sure: number
  readonly inSure: number
  readonly inPossible: number
}

const names = (links: Links): Set<string> => new Set(links.map(([i, j]) => `${i} ${j}`))

function countsOf({ found, sure, possible }: JudgedLinks): Counts {
  const [a, s, p] = [names(found), names(sure), names([...sure, ...possible])]
  const among = (links: ReadonlySet<string>): number => [...a].filter(link => links.has(link)).length
  return { found: a.size, sure: s.size, inSure: among(s), inPossible: among(p) }
}

/**
 * The alignment error rate of several runs on the same sentences: the mean over runs, and its interval over sentences.
 *
 * @param runs of each run the sentences, in the same order
 */
export function errorRate(runs: readonly (readonly JudgedLinks[])[]): Interval {
  const counted = runs.map(sentences => sentences.map(countsOf))
  const sentences = counted[0]?.length ?? 0
  return bootstrap(sentences, drawn => {
    const rates = counted.map(counts => {
      const sum = { found: 0, sure: 0, right: 0 }
      for (const i of drawn) {
        const { found, sure, inSure, inPossible } = counts[i] as Counts
        sum.found += found
        sum.sure += sure
        sum.right += inSure + inPossible
      }
      return 1 - sum.right / (sum.found + sum.sure)
    })
    return rates.reduce((a, b) => a + b, 0) / rates.length
  })
}
