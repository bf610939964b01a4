import {
  type Backend,
  ConfigError,
  defaultRng,
  noGrad,
  type Rng,
  scope,
  type TypedArray,
  tensor,
} from '@heed/core-tensor'
import { firstWords, logSumExpOf, rowOf } from './rows.ts'
import type { Decoded, DecodeOptions, Stepper } from './stepper.ts'

export interface SamplingOptions extends DecodeOptions {
  /** Scores are divided by it: below 1 more like `greedy`, above 1 more like chance. */
  readonly temperature?: number
  /** Only the k likeliest words are drawn from; all of them unless given. Fan et al. 2018, §5.1, arXiv:1805.04833. */
  readonly topK?: number
  /** Only the fewest words that together have this probability are drawn from. Holtzman et al. 2020, §3.1, arXiv:1904.09751. */
  readonly topP?: number
  /** Each row draws from its own stream of it. */
  readonly rng?: Rng
}

/** One drawn row. */
export interface Sampled extends Decoded {
  /** Of all its words, the one that ends included, by the model as it is (temperature 1, all words). */
  readonly logProb: number
}

/**
 * Draws each next word by its probability, until every row has ended.
 *
 * Temperature first, then the k likeliest, then those that make up p, whose probabilities are made to sum to 1 again. What a
 * row draws depends on the generator and the row's number alone, not on the rows beside it.
 *
 * @param makeStepper called inside the scope that frees everything at the end; `stepper.repeat(5)` gives five samples a row
 * @param batch how many rows
 * @throws ConfigError if temperature, topK or topP make no sense
 */
export function sample<State>(
  makeStepper: () => Stepper<State>,
  batch: number,
  backend: Backend,
  options: SamplingOptions,
): Promise<Sampled[]> {
  const { end, maxLength, rng = defaultRng() } = options
  check(options)
  return noGrad(() =>
    scope(async () => {
      const streams = Array.from({ length: batch }, (_, i) => rng.split('sample').split(i))
      const rows = streams.map(() => ({
        ids: [] as number[],
        weights: [] as Float32Array[],
        ended: false,
        logProb: 0,
      }))
      const stepper = makeStepper()
      let now = { state: stepper.start, last: tensor(firstWords(options, batch), { backend }) }
      for (let t = 0; t < maxLength && rows.some(row => !row.ended); t++)
        now = await scope(async () => {
          const next = stepper.step(now.last, now.state)
          const [logits, weights] = await Promise.all([next.logits.data(), next.weights?.data()])
          const [vocab, keys] = [next.logits.shape[1] as number, next.weights?.shape[1] ?? 0]
          const last = new Int32Array(batch)
          for (const [i, row] of rows.entries()) {
            if (row.ended) continue
            const scores = rowOf(logits, i, vocab)
            const id = draw(scores, (streams[i] as Rng).uniform(), options)
            last[i] = id
            row.logProb += (scores[id] as number) - logSumExpOf(scores)
            if (weights) row.weights.push(rowOf(weights, i, keys).slice() as Float32Array)
            if (id === end) row.ended = true
            else row.ids.push(id)
          }
          return { state: next.state, last: tensor(last, { backend }) }
        })
      return rows
    }),
  )
}

/** A word for a number drawn from [0, 1): words in falling order of probability share that interval. */
function draw(scores: TypedArray, u: number, { temperature = 1, topK, topP }: SamplingOptions): number {
  const order = Uint32Array.from(scores.keys()).sort((a, b) => (scores[b] as number) - (scores[a] as number) || a - b) // biome-ignore format: one line
  const top = scores[order[0] as number] as number
  const likely = order.subarray(0, topK ?? order.length)
  const mass = Float64Array.from(likely, id => Math.exp(((scores[id] as number) - top) / temperature))
  let total = mass.reduce((a, b) => a + b, 0)
  if (topP !== undefined) total = nucleus(mass, topP * total)
  let left = u * total
  for (const [i, m] of mass.entries()) {
    left -= m
    if (left < 0) return likely[i] as number
  }
  return likely[0] as number // only where rounding left nothing
}

/** The mass of the fewest of the first that reach a mass; of all where none do. */
function nucleus(mass: Float64Array, wanted: number): number {
  let sum = 0
  for (const m of mass) {
    sum += m
    if (sum >= wanted) break
  }
  return sum
}

function check({ temperature = 1, topK, topP }: SamplingOptions): void {
  const problems = [
    ...(temperature > 0 ? [] : [`temperature is ${temperature}, use a number above 0, or greedy()`]),
    ...(topK === undefined || (Number.isInteger(topK) && topK > 0)
      ? []
      : [`topK is ${topK}, use a whole number of 1 or more`]),
    ...(topP === undefined || (topP > 0 && topP <= 1)
      ? []
      : [`topP is ${topP}, use a share above 0, up to 1`]),
  ]
  if (problems.length) throw new ConfigError(`sample: ${problems.join('; ')}`)
}
