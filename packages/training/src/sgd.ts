import type { Parameter, Tensor } from '@heed/core-tensor'
import { checkSettings, type Learned, Optimizer } from './optimizer.ts'

export interface SGDOptions {
  readonly learningRate: number
  /** μ: how much of the last direction stays; 0 unless given. */
  readonly momentum?: number
  /** Looks ahead along the momentum. Sutskever et al. 2013. */
  readonly nesterov?: boolean
  readonly weightDecay?: number
}

/** Stochastic gradient descent, with PyTorch's form of momentum: `m ← μm + g`, `p ← p − ηm`. */
export class SGD extends Optimizer {
  readonly momentum: number
  readonly nesterov: boolean
  readonly weightDecay: number

  constructor(
    parameters: Learned,
    { learningRate, momentum = 0, nesterov = false, weightDecay = 0 }: SGDOptions,
  ) {
    super(parameters, learningRate)
    checkSettings(this.constructor.name, { momentum, weightDecay })
    this.momentum = momentum
    this.nesterov = nesterov
    this.weightDecay = weightDecay
  }

  protected update(name: string, parameter: Parameter, gradient: Tensor): void {
    let g = this.weightDecay ? gradient.add(parameter.mul(this.weightDecay)) : gradient
    if (this.momentum) {
      const m = this.slot('momentum', name, parameter)
      m.assign(m.mul(this.momentum).add(g))
      g = this.nesterov ? g.add(m.mul(this.momentum)) : m
    }
    parameter.assign(parameter.sub(g.mul(this.learningRate)))
  }
}
