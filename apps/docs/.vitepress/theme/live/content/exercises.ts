/** A program to change, and the checks it is put to. */
export interface ExerciseItem {
  readonly title: string
  readonly task: string
  readonly start: string
  /** Comes behind the reader's program; sets `result` to a list of checks. */
  readonly checks: string
  readonly solution: string
  readonly explained: string
}

/** One check, as the program reports it. */
export interface CheckResult {
  readonly name: string
  readonly passed: boolean
  readonly says: string
}

const HEAD = `
import { tensor as tensor_ } from '@heed/core-tensor'
import { attend as attend_ } from '@heed/layers'
const checks_: { name: string; passed: boolean; says: string }[] = []
const check_ = (name: string, passed: boolean, says: string): void => { checks_.push({ name, passed, says }) }
`

/** The exercises that are graded by running them. */
export const EXERCISES: Readonly<Record<string, ExerciseItem>> = {
  query: {
    title: 'Exercise 1: ask something else',
    task: 'Change the query so that state 3, [0, 1], gets more than half of the weight. Before you run it, say which state gets least.',
    start: `// The three states are [1, 0], [0.5, 0.5] and [0, 1].
const query = [0.7, 0.3]

// Your forecast: 1, 2 or 3.
const least = 3
`,
    checks: `${HEAD}
const states_ = [[1, 0], [0.5, 0.5], [0, 1]]
const weigh_ = async (q: number[]): Promise<number[]> => Array.from(await attend_(tensor_([[q]]), tensor_([states_])).weights.data() as Float32Array)
if (!Array.isArray(query) || query.length !== 2 || !query.every(Number.isFinite)) throw new Error('query: give two numbers, as in [0.3, 0.7]')
const weights_ = await weigh_(query)
const mirrored_ = await weigh_([query[1], query[0]])
const shown_ = weights_.map(w => w.toFixed(3)).join(', ')
check_('state 3 has more than half of the weight', weights_[2] > 0.5, 'the weights are ' + shown_)
check_('your forecast of the least weight', weights_[least - 1] === Math.min(...weights_), 'you said state ' + least + '; the weights are ' + shown_)
check_('turned over, the query turns the weights over', weights_.every((w, i) => Math.abs(w - mirrored_[2 - i]) < 1e-6), 'with [' + query[1] + ', ' + query[0] + '] they are ' + mirrored_.map(w => w.toFixed(3)).join(', '))
export const result = checks_
`,
    solution: `const query = [0, 2]
const least = 1
`,
    explained:
      'A query that points where state 3 points, long enough to tell the scores apart. [0.3, 0.7] already prefers state 3, but with only 0.40: its scores lie too near each other. A longer query is a colder softmax.',
  },
  softmax: {
    title: 'Exercise 3: from scores to weights',
    task: 'Write weigh so that every weight is positive, all together make 1, a larger score gets a larger weight, and no score is too large. Try first what happens if you divide by the sum, or take only the largest.',
    start: `function weigh(scores: number[]): number[] {
  // Divide by the sum? Try it, then mend it.
  const sum = scores.reduce((a, b) => a + b, 0)
  return scores.map(score => score / sum)
}
`,
    checks: `${HEAD}
const near_ = (a: number, b: number): boolean => Math.abs(a - b) < 1e-6
const total_ = (w: number[]): number => w.reduce((a, b) => a + b, 0)
const show_ = (w: number[]): string => w.map(x => (Number.isFinite(x) ? x.toFixed(3) : String(x))).join(', ')
const usual_ = weigh([0.7, 0.5, 0.3])
const signed_ = weigh([1, -2, 0.5])
const zero_ = weigh([0, 0, 0])
const large_ = weigh([10000, 0, -10000])
check_('weights sum to 1', [usual_, signed_, zero_].every(w => near_(total_(w), 1)), 'for [1, -2, 0.5] they are ' + show_(signed_) + ', together ' + show_([total_(signed_)]))
check_('every weight is above 0', [...usual_, ...signed_, ...zero_].every(w => w > 0), 'for [1, -2, 0.5] they are ' + show_(signed_) + ', for [0, 0, 0] ' + show_(zero_))
check_('a larger score has a larger weight', usual_[0] > usual_[1] && usual_[1] > usual_[2] && signed_[0] > signed_[2] && signed_[2] > signed_[1], 'for [0.7, 0.5, 0.3] they are ' + show_(usual_))
check_('scores of ten thousand do no harm', large_.every(Number.isFinite) && near_(total_(large_), 1), 'for [10000, 0, -10000] they are ' + show_(large_))
const step_ = 1e-4
const moved_ = weigh([0.7, 0.5 + step_, 0.3])
check_('a small change of a score changes the weights a little', usual_.some((w, i) => Math.abs(w - moved_[i]) > 1e-7) && usual_.every((w, i) => Math.abs(w - moved_[i]) < 1e-2), 'otherwise there is no gradient to learn from; here they change by ' + usual_.map((w, i) => (moved_[i] - w).toExponential(1)).join(', '))
check_('only differences of scores count', weigh([5.7, 5.5, 5.3]).every((w, i) => near_(w, usual_[i])), 'for [5.7, 5.5, 5.3] they are ' + show_(weigh([5.7, 5.5, 5.3])))
export const result = checks_
`,
    solution: `function weigh(scores: number[]): number[] {
  const most = Math.max(...scores)
  const e = scores.map(score => Math.exp(score - most))
  const sum = e.reduce((a, b) => a + b, 0)
  return e.map(x => x / sum)
}
`,
    explained:
      'This is softmax. Dividing by the sum gives negative weights, or divides by zero. Taking the largest gives weights without a gradient: nothing can be learned. eˣ is positive for all x, and taking away the largest score first changes nothing but keeps it finite.',
  },
}
