import type { Parameter, Tensor } from '@heed/core-tensor'
import { checkSettings, type Learned, Optimizer } from './optimizer.ts'

export interface RMSpropOptions {
  readonly learningRate?: number
  readonly alpha?: number
  readonly epsilon?: number
  readonly momentum?: number
  /** Divides by the deviation in place of the root of the mean square. */
  readonly centered?: boolean
  readonly weightDecay?: number
}

/** Steps over the root of a running mean of squares, `g / (√v + ε)`. Hinton 2012, lecture 6e; PyTorch's form and defaults. */
export class RMSprop extends Optimizer {
  readonly #options: Required<Omit<RMSpropOptions, 'learningRate'>>

  constructor(parameters: Learned, { learningRate = 0.01, ...options }: RMSpropOptions = {}) {
    super(parameters, learningRate)
    this.#options = { alpha: 0.99, epsilon: 1e-8, momentum: 0, centered: false, weightDecay: 0, ...options }
    const { centered: _, ...numbers } = this.#options
    checkSettings(this.constructor.name, numbers)
  }

  protected update(name: string, parameter: Parameter, gradient: Tensor): void {
    const { alpha, epsilon, momentum, centered, weightDecay } = this.#options
    const g = weightDecay ? gradient.add(parameter.mul(weightDecay)) : gradient
    const v = this.slot('v', name, parameter)
    v.assign(v.mul(alpha).add(g.mul(g).mul(1 - alpha)))
    let spread: Tensor = v
    if (centered) {
      const mean = this.slot('mean', name, parameter)
      mean.assign(mean.mul(alpha).add(g.mul(1 - alpha)))
      spread = v.sub(mean.mul(mean))
    }
    let step = g.div(spread.sqrt().add(epsilon))
    if (momentum) {
      const m = this.slot('momentum', name, parameter)
      m.assign(m.mul(momentum).add(step))
      step = m
    }
    parameter.assign(parameter.sub(step.mul(this.learningRate)))
  }
}

export interface AdagradOptions {
  readonly learningRate?: number
  readonly rateDecay?: number
  readonly weightDecay?: number
  readonly epsilon?: number
}

/** Steps over the root of the sum of all squares. Duchi et al. 2011; PyTorch's form and defaults. */
export class Adagrad extends Optimizer {
  readonly #options: Required<Omit<AdagradOptions, 'learningRate'>>

  constructor(parameters: Learned, { learningRate = 0.01, ...options }: AdagradOptions = {}) {
    super(parameters, learningRate)
    this.#options = { rateDecay: 0, weightDecay: 0, epsilon: 1e-10, ...options }
    checkSettings(this.constructor.name, this.#options)
  }

  protected update(name: string, parameter: Parameter, gradient: Tensor): void {
    const { rateDecay, weightDecay, epsilon } = this.#options
    const g = weightDecay ? gradient.add(parameter.mul(weightDecay)) : gradient
    const sum = this.slot('sum', name, parameter)
    sum.assign(sum.add(g.mul(g)))
    const rate = this.learningRate / (1 + (this.steps - 1) * rateDecay)
    parameter.assign(parameter.sub(g.div(sum.sqrt().add(epsilon)).mul(rate)))
  }
}
