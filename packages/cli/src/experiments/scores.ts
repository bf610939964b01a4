import { noGrad, normal, Rng, scope } from '@heed/core-tensor'
import { Additive, attend, dot, General, type Score, scaledDot } from '@heed/layers'
import type { Seq2SeqConfig } from '@heed/models'
import { decide, type Experiment } from './experiment.ts'
import { learnPairs } from './learn.ts'
import { symbols } from './pairs.ts'

interface CostSettings {
  /** Where accuracy is measured. */
  readonly sizes: readonly number[]
  /** Where one step is timed. */
  readonly timed: readonly number[]
  readonly lines: number
  readonly tests: number
  readonly keys: number
  readonly repeats: number
}

/** A kind of score: as a decoder has it, made for a size, and what one query costs once the keys are prepared. */
interface Kind {
  readonly attention: Seq2SeqConfig['attention']
  readonly score: (d: number, rng: Rng) => Score
  readonly flops: (d: number, keys: number) => number
}

// One multiply-add is two operations, one tanh is one.
const KINDS: Readonly<Record<string, Kind>> = {
  additive: {
    attention: 'concat', // Luong's decoder with Bahdanau's score: nothing but the score differs
    score: (d, rng) => new Additive(d, d, d, { rng }),
    flops: (d, keys) => 2 * d * d + keys * 4 * d, // W_q q; then add, tanh, and vᵀ
  },
  dot: { attention: 'dot', score: () => dot, flops: (d, keys) => 2 * keys * d },
  'scaled dot': { attention: 'scaled-dot', score: () => scaledDot, flops: (d, keys) => 2 * keys * d + d },
  general: {
    attention: 'general',
    score: (d, rng) => new General(d, d, { rng }),
    flops: (d, keys) => 2 * d * d + 2 * keys * d,
  },
}
const MULTIPLICATIVE = ['dot', 'scaled dot', 'general']

/** X9: additive against multiplicative. */
export const x9: Experiment<CostSettings> = {
  id: 'X9',
  title: 'Is additive attention better in small models, and multiplicative faster?',
  claim:
    'Additive attention is more flexible and better for smaller models, and slightly heavier; multiplicative attention is faster, by matrix multiplication.',
  setup:
    'Random symbols of 3 to 10, to be written again, by one encoder-decoder (Luong’s, without input feeding) whose states have d numbers on both sides; nothing but the score differs. One step is timed apart from that: 32 queries over 50 prepared keys each, scores, softmax and context, in use and not in training (median). Operations are counted by formula. Times depend on the machine; queries of one step are few, and an implementation that makes all steps at once would gain more by matrix multiplication.',
  rule: 'Two conditions: at the smallest d at which some kind has 20 % or more (added after the first quick run, in which nobody learned anything at d = 4) the additive score has more right tokens than each multiplicative one (intervals over seeds of the differences above 0); and at the largest d timed, dot takes less time a step than the additive score (interval below 0). Holds if both are so, under conditions if one.',
  settings: quick => ({ sizes: quick ? [4, 16, 64] : [4, 8, 16, 32, 64, 128, 256], timed: [4, 8, 16, 32, 64, 128, 256], lines: quick ? 6400 : 19_200, tests: 300, keys: 50, repeats: quick ? 60 : 300 }), // biome-ignore format: one line
  arms: () => Object.keys(KINDS),
  measures: [
    { key: 'tokens', title: 'Tokens that are right', unit: '% of test tokens, right ones before them given', share: true, log: 'x' }, // biome-ignore format: one line
    { key: 'ms', title: 'One step of 32 decoders over 50 words', unit: 'ms', log: 'both' },
    { key: 'flops', title: 'Operations of one query over 50 words', unit: 'floating-point operations', log: 'both' }, // biome-ignore format: one line
  ],
  xLabel: 'd',
  async measure(arm, { settings, seed, signal }) {
    const { sizes, timed, lines, tests, keys, repeats } = settings
    const { attention, flops } = KINDS[arm] as Kind
    const data = symbols({ lines, tests, minLength: 3, maxLength: 10 }, seed)
    const learned = new Map<number, number>()
    for (const d of sizes) {
      const model = { attention, hidden: d, encoderHidden: d / 2, inputFeeding: false }
      const scores = await scope(() => learnPairs({ ...data, model, seed, signal, learningRate: 0.005 }))
      learned.set(d, scores.reduce((sum, { tokens }) => sum + tokens, 0) / scores.length)
    }
    const found = []
    for (const d of timed) {
      const ms = await stepTime(KINDS[arm] as Kind, d, { keys, repeats, seed })
      const tokens = learned.get(d)
      found.push({ x: d, values: { ms, flops: flops(d, keys), ...(tokens === undefined ? {} : { tokens }) } })
    }
    return found
  },
  judge(results, { sizes, timed }) {
    const learned = (d: number): boolean =>
      Object.keys(KINDS).some(arm => results.mean(arm, d, 'tokens') >= 0.2)
    const small = sizes.find(learned) ?? (sizes.at(-1) as number)
    const large = timed.at(-1) as number
    const better = MULTIPLICATIVE.map(arm => results.difference('additive', arm, small, 'tokens')?.low ?? 0)
    const faster = results.difference('dot', 'additive', large, 'ms')?.high ?? 0
    const each = (of: (arm: string) => string): string =>
      Object.keys(KINDS)
        .map(arm => `${arm} ${of(arm)}`)
        .join(', ')
    return {
      verdict: decide([better.every(low => low > 0), faster < 0]),
      because: `right tokens at d = ${sizes.join(', ')}: ${Object.keys(KINDS).map(arm => `${arm} ${sizes.map(d => `${(100 * results.mean(arm, d, 'tokens')).toFixed(0)} %`).join(', ')}`).join('; ')}; ms a step at d = ${large}: ${each(arm => results.mean(arm, large, 'ms').toFixed(2))}`, // biome-ignore format: one line
    }
  },
}

/** The median time of one look, in ms. */
async function stepTime(
  { score: make }: Kind,
  d: number,
  { keys, repeats, seed }: { readonly keys: number; readonly repeats: number; readonly seed: number },
): Promise<number> {
  return noGrad(() =>
    scope(async () => {
      const rng = new Rng(seed).split('timed').split(d)
      const score = make(d, rng)
      const query = normal([32, 1, d], { rng })
      const states = normal([32, keys, d], { rng })
      const prepared = score.prepare(states)
      const times: number[] = []
      for (let i = 0; i < repeats; i++) {
        const began = performance.now()
        await scope(() => {
          const { context, weights } = attend(query, states, states, { score, prepared })
          return Promise.all([context.data(), weights.data()]) // a decoder keeps both
        })
        times.push(performance.now() - began)
      }
      return times.sort((a, b) => a - b)[Math.floor(repeats / 2)] as number
    }),
  )
}

interface ScoreSettings {
  readonly sizes: readonly number[]
  readonly keys: number
  readonly draws: number
}

/** X10: why √d. */
export const x10: Experiment<ScoreSettings> = {
  id: 'X10',
  title: 'Does dot attention saturate without √d?',
  claim:
    'Without dividing by √d the scores’ variance grows with d, softmax saturates, and its gradient vanishes.',
  setup:
    'Queries and keys of independent standard normal numbers, 32 keys a query: the variance of the scores, the entropy of the weights (log 32 = 3.47 nats is indifference), and the norm of softmax’s Jacobian. No training: how many steps a whole model needs is not part of this test.',
  rule: 'Holds if unscaled variance grows with d by a factor within 20 % of d’s own, unscaled entropy and gradient at the largest d are below a fifth of those at the smallest, and scaled ones change by less than a fifth.',
  settings: quick => ({ sizes: quick ? [4, 16, 64, 256, 1024] : [4, 8, 16, 32, 64, 128, 256, 512, 1024], keys: 32, draws: quick ? 200 : 1000 }), // biome-ignore format: one line
  arms: () => ['not scaled', 'divided by √d'],
  measures: [
    { key: 'variance', title: 'Variance of the scores', unit: 'variance', log: 'both' },
    { key: 'entropy', title: 'Entropy of the weights', unit: 'nats', log: 'x' },
    { key: 'gradient', title: 'Norm of softmax’s Jacobian', unit: 'norm', log: 'x' },
  ],
  xLabel: 'd',
  async measure(arm, { settings: { sizes, keys, draws }, seed }) {
    const score = arm === 'not scaled' ? dot : scaledDot
    const found = []
    for (const size of sizes) {
      const rng = new Rng(seed).split(size)
      const [scores, weights] = await noGrad(() =>
        scope(async () => {
          const query = normal([draws, 1, size], { rng })
          const keysOf = normal([draws, keys, size], { rng })
          const { scores, weights } = attend(query, keysOf, keysOf, { score })
          return Promise.all([scores.data(), weights.data()])
        }),
      )
      found.push({ x: size, values: shapeOf(scores as Float32Array, weights as Float32Array, keys) })
    }
    return found
  },
  judge(results, { sizes }) {
    const [small, large] = [sizes[0] as number, sizes.at(-1) as number]
    const ratio = (arm: string, key: string): number =>
      results.mean(arm, large, key) / results.mean(arm, small, key)
    const growth = ratio('not scaled', 'variance') / (large / small)
    const still = ['variance', 'entropy', 'gradient'].every(
      key => Math.abs(ratio('divided by √d', key) - 1) < 0.2,
    )
    return {
      verdict: decide([Math.abs(growth - 1) < 0.2, ratio('not scaled', 'entropy') < 0.2, ratio('not scaled', 'gradient') < 0.2, still]), // biome-ignore format: one line
      because: `from d = ${small} to ${large} the unscaled variance grows ${ratio('not scaled', 'variance').toFixed(0)} times, entropy falls to ${results.mean('not scaled', large, 'entropy').toFixed(2)} nats and the gradient to ${(100 * ratio('not scaled', 'gradient')).toFixed(0)} % of what it was; scaled they keep ${(100 * ratio('divided by √d', 'entropy')).toFixed(0)} % and ${(100 * ratio('divided by √d', 'gradient')).toFixed(0)} %`,
    }
  },
}

/** The variance of scores about 0, and the mean entropy and Jacobian norm of the weights. `∂wᵢ/∂sⱼ = wᵢ (δᵢⱼ − wⱼ)`. */
function shapeOf(
  scores: Float32Array,
  weights: Float32Array,
  keys: number,
): Readonly<Record<'variance' | 'entropy' | 'gradient', number>> {
  const draws = weights.length / keys
  const variance = scores.reduce((sum, s) => sum + s * s, 0) / scores.length
  let entropy = 0
  let gradient = 0
  for (let i = 0; i < draws; i++) {
    const w = weights.subarray(i * keys, (i + 1) * keys)
    const squares = w.reduce((sum, x) => sum + x * x, 0)
    entropy -= w.reduce((sum, x) => sum + (x > 0 ? x * Math.log(x) : 0), 0)
    // Σᵢⱼ wᵢ² (δᵢⱼ − wⱼ)² = Σᵢ wᵢ² (1 − 2 wᵢ + Σⱼ wⱼ²)
    gradient += Math.sqrt(w.reduce((sum, x) => sum + x * x * (1 - 2 * x + squares), 0))
  }
  return { variance, entropy: entropy / draws, gradient: gradient / draws }
}
