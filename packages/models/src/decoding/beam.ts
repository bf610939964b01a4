import { type Backend, ConfigError, noGrad, scope, type TypedArray, tensor } from '@heed/core-tensor'
import { firstWords, logSumExpOf, repeated, rowOf, selectRows } from './rows.ts'
import type { Decoded, DecodeOptions, Stepper } from './stepper.ts'

export interface BeamOptions extends DecodeOptions {
  /** How many beginnings are followed for each row. */
  readonly width?: number
  /** How many hypotheses are returned for each row, `width` at most. */
  readonly nBest?: number
  /** α: 0 compares sums of log probabilities, which favours short outputs; more favours long ones. */
  readonly lengthPenalty?: number
  /** β: how much it costs to leave source words unlooked at. */
  readonly coveragePenalty?: number
  /** Is told what was kept of each row at each step: what a picture of the search needs. */
  readonly onStep?: (row: number, step: number, kept: readonly BeamEntry[]) => void
}

/** A word that the search kept. */
export interface BeamEntry {
  /** Which entry of the step before it continues; 0 at the first step. Ended entries are not counted. */
  readonly parent: number
  readonly id: number
  /** Of all words up to here. */
  readonly logProb: number
  readonly ended: boolean
}

/** One decoded row, and how good the search thinks it. */
export interface Hypothesis extends Decoded {
  /** Of all its words, the one that ends included. */
  readonly logProb: number
  /** What hypotheses are sorted by, see {@link beam}. */
  readonly score: number
}

/** A word, and the words before it. */
interface Node {
  readonly before: Node | null
  readonly id: number
  readonly logProb: number
  readonly weights: Float32Array | null
  readonly length: number
}

const ROOT: Node = { before: null, id: -1, logProb: 0, weights: null, length: 0 }

/**
 * Follows the most likely beginnings side by side: beam search.
 *
 * A hypothesis that ends leaves the beam, which gets narrower by one (Sutskever et al. 2014, §3.2, arXiv:1409.3215), so that
 * width 1 is `greedy`. Sorted by `log P / lp + cp`, those that ended first, with `lp = (5 + length)^α / 6^α` and
 * `cp = β Σᵢ log min(Σₜ α_ti, 1)` over source places (Wu et al. 2016, eq. 14, arXiv:1609.08144; a place never looked at
 * counts as 10⁻⁹). While it searches, log P alone decides; it stops early only where nothing better can come.
 *
 * @param makeStepper called inside the scope that frees everything at the end
 * @param batch how many rows
 * @returns for each row the `nBest` hypotheses, best first
 * @throws ConfigError if sizes make no sense, or a coverage penalty is asked of a model without attention
 */
export function beam<State>(
  makeStepper: () => Stepper<State>,
  batch: number,
  backend: Backend,
  options: BeamOptions,
): Promise<Hypothesis[][]> {
  const { width = 4, nBest = 1, coveragePenalty = 0, maxLength, onStep } = options
  check(width, nBest)
  return noGrad(() =>
    scope(async () => {
      const single = makeStepper()
      const stepper = repeated(single, width, 'beam')
      const keys = coveragePenalty ? await single.lengths?.data() : undefined
      const rows = Array.from({ length: batch }, (_, i) => new Row(options, keys?.[i]))
      const first = firstWords(options, batch)
      const begin = Int32Array.from(
        { length: batch * width },
        (_, i) => first[Math.floor(i / width)] as number,
      )
      let now = { state: stepper.start, last: tensor(begin, { backend }) }
      for (let t = 0; t < maxLength && rows.some(row => row.alive.length); t++)
        now = await scope(async () => {
          const next = stepper.step(now.last, now.state)
          if (coveragePenalty && !next.weights)
            throw new ConfigError('beam: a coverage penalty needs weights, this model has no attention; leave it out') // biome-ignore format: one line
          const [logits, weights] = await Promise.all([next.logits.data(), next.weights?.data()])
          const parents = Int32Array.from({ length: batch * width }, (_, i) => i)
          const last = new Int32Array(batch * width)
          for (const [b, row] of rows.entries()) {
            const kept = row.extend(b * width, logits, next.logits.shape[1] as number, weights, next.weights?.shape[1] ?? 0) // biome-ignore format: one line
            if (kept.length) onStep?.(b, t, kept)
            for (const [k, { parent, id }] of kept.filter(entry => !entry.ended).entries()) {
              parents[b * width + k] = b * width + parent
              last[b * width + k] = id
            }
          }
          const state = width === 1 ? next.state : selectRows(next.state, tensor(parents, { backend }))
          return { state, last: tensor(last, { backend }) }
        })
      return rows.map(row => row.best(nBest))
    }),
  )
}

/** The search of one row. */
class Row {
  alive: Node[] = [ROOT]
  readonly #ended: Hypothesis[] = []
  readonly #options: BeamOptions
  readonly #keys: number | undefined

  constructor(options: BeamOptions, keys: number | undefined) {
    this.#options = options
    this.#keys = keys
  }

  /** One more word for each beginning; the best of all stay. */
  extend(
    at: number,
    logits: TypedArray,
    vocab: number,
    weights: TypedArray | undefined,
    keys: number,
  ): BeamEntry[] {
    const { width = 4, end } = this.#options
    const room = Math.min(width, width - this.#ended.length)
    const candidates: { parent: number; id: number; logProb: number }[] = []
    for (const [parent, { logProb }] of this.alive.entries()) {
      const scores = rowOf(logits, at + parent, vocab)
      const all = logSumExpOf(scores)
      for (const id of largest(scores, room))
        candidates.push({ parent, id, logProb: logProb + (scores[id] as number) - all })
    }
    // A stable sort: of equals, the earlier beginning and the smaller id go first.
    const kept = candidates
      .sort((a, b) => b.logProb - a.logProb)
      .slice(0, room)
      .map(entry => ({ ...entry, ended: entry.id === end }))
    const next: Node[] = []
    for (const { parent, id, logProb, ended } of kept) {
      const before = this.alive[parent] as Node
      const seen = weights ? (rowOf(weights, at + parent, keys).slice() as Float32Array) : null
      const node: Node = { before, id, logProb, weights: seen, length: before.length + 1 }
      if (ended) this.#ended.push(this.#hypothesis(node, true))
      else next.push(node)
    }
    this.alive = this.#settled(next) ? [] : next
    return kept
  }

  /** The best, those that ended by themselves first. */
  best(count: number): Hypothesis[] {
    const open = this.alive.map(node => this.#hypothesis(node, false))
    return [...byScore(this.#ended), ...byScore(open)].slice(0, count)
  }

  /** Whether what is still alive can no longer be among the returned. */
  #settled(alive: readonly Node[]): boolean {
    const { nBest = 1, maxLength } = this.#options
    const worst = byScore(this.#ended)[nBest - 1]
    return (
      worst !== undefined &&
      alive.every(({ logProb, length }) => {
        const divisor = Math.max(this.#divisor(length + 1), this.#divisor(maxLength))
        return logProb / divisor < worst.score
      })
    )
  }

  /** lp */
  #divisor(length: number): number {
    return ((5 + length) / 6) ** (this.#options.lengthPenalty ?? 0.6)
  }

  #hypothesis(last: Node, ended: boolean): Hypothesis {
    const nodes: Node[] = []
    for (let node = last; node.before; node = node.before) nodes.unshift(node)
    const weights = nodes.flatMap(node => (node.weights ? [node.weights] : []))
    const { coveragePenalty = 0 } = this.#options
    const score =
      last.logProb / this.#divisor(last.length) +
      (coveragePenalty ? coveragePenalty * uncovered(weights, this.#keys) : 0)
    const ids = (ended ? nodes.slice(0, -1) : nodes).map(node => node.id)
    return { ids, weights, ended, logProb: last.logProb, score }
  }
}

function byScore(hypotheses: readonly Hypothesis[]): Hypothesis[] {
  return [...hypotheses].sort((a, b) => b.score - a.score)
}

/** `Σᵢ log min(Σₜ α_ti, 1)`, 0 or less. */
function uncovered(weights: readonly Float32Array[], keys = weights[0]?.length ?? 0): number {
  let sum = 0
  for (let i = 0; i < keys; i++) {
    const looked = weights.reduce((all, row) => all + (row[i] as number), 0)
    sum += Math.log(Math.min(1, Math.max(1e-9, looked)))
  }
  return sum
}

/** The places of the n largest, largest first; of equals the first. */
function largest(scores: TypedArray, n: number): number[] {
  const best: number[] = []
  for (let id = 0; id < scores.length; id++) {
    const score = scores[id] as number
    if (best.length === n && score <= (scores[best[n - 1] as number] as number)) continue
    let at = best.length
    while (at > 0 && score > (scores[best[at - 1] as number] as number)) at--
    best.splice(at, 0, id)
    if (best.length > n) best.pop()
  }
  return best
}

function check(width: number, nBest: number): void {
  if (!(Number.isInteger(width) && width > 0))
    throw new ConfigError(`beam: width is ${width}; use a whole number of 1 or more`)
  if (!(Number.isInteger(nBest) && nBest > 0 && nBest <= width))
    throw new ConfigError(`beam: nBest is ${nBest}; use a whole number from 1 to the width, ${width}`)
}
