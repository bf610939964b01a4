import { noGrad, normal, Rng, scope } from '@heed/core-tensor'
import { attend, dot, scaledDot } from '@heed/layers'
import { decide, type Experiment } from './experiment.ts'

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
