import type { Op } from '../op.ts'

/** The settings of one step of {@link adam}; all plain numbers. */
export interface AdamStep {
  readonly learningRate: number
  readonly beta1: number
  readonly beta2: number
  readonly epsilon: number
  /** How many steps there have been, this one counted. */
  readonly step: number
  /** Added to the gradient as `weightDecay · p` (Adam), or taken off the parameter first (`decoupled`, AdamW). */
  readonly weightDecay: number
  readonly decoupled: boolean
}

/**
 * One step of Adam: `m ← β₁m + (1 − β₁)g`, `v ← β₂v + (1 − β₂)g²`, `p ← p − η m̂ / (√v̂ + ε)`, with `m̂ = m / (1 − β₁ᵗ)` and
 * `v̂ = v / (1 − β₂ᵗ)`. Kingma and Ba 2015, arXiv:1412.6980, algorithm 1; decoupled decay by Loshchilov and Hutter 2019,
 * arXiv:1711.05101, algorithm 2.
 *
 * Inputs: p, g, m, v, all of one shape. Outputs: the new p, m, v.
 */
export const adam: Op<AdamStep> = {
  name: 'adam',
  infer: ([p, , m, v]) => [p, m, v],
  compose: ([p0, g0, m0, v0], { learningRate, beta1, beta2, epsilon, step, weightDecay, decoupled }) => {
    const p = decoupled ? p0.mul(1 - learningRate * weightDecay) : p0
    const g = decoupled || weightDecay === 0 ? g0 : g0.add(p.mul(weightDecay))
    const m = m0.mul(beta1).add(g.mul(1 - beta1))
    const v = v0.mul(beta2).add(g.mul(g).mul(1 - beta2))
    const root = v
      .sqrt()
      .mul(1 / Math.sqrt(1 - beta2 ** step))
      .add(epsilon)
    return [p.sub(m.div(root).mul(learningRate / (1 - beta1 ** step))), m, v]
  },
}
