import { applyAll, ConfigError, ops, type Parameter, type Tensor } from '@heed/core-tensor'
import { checkSettings, type Learned, Optimizer } from './optimizer.ts'

export interface AdamOptions {
  /** 0.001 unless given. */
  readonly learningRate?: number
  /** How much of the moments stays at each step; 0.9 and 0.999 unless given. */
  readonly betas?: readonly [number, number]
  /** Added to the root of the second moment; 1e-8 unless given. */
  readonly epsilon?: number
  /** How much of a parameter is taken off: into the gradient (Adam, 0 unless given), or beside it (AdamW, 0.01 unless given). */
  readonly weightDecay?: number
  /** Divides by the largest second moment so far. Reddi et al. 2018, algorithm 2. */
  readonly amsgrad?: boolean
}

abstract class AdamFamily extends Optimizer {
  readonly betas: readonly [number, number]
  readonly epsilon: number
  readonly weightDecay: number
  readonly amsgrad: boolean
  readonly #decoupled: boolean

  protected constructor(parameters: Learned, options: AdamOptions, decoupled: boolean, defaultDecay: number) {
    const {
      learningRate = 0.001,
      betas = [0.9, 0.999],
      epsilon = 1e-8,
      weightDecay = defaultDecay,
      amsgrad = false,
    } = options
    super(parameters, learningRate)
    checkSettings(this.constructor.name, { epsilon, weightDecay })
    if (betas.some(beta => !(beta >= 0 && beta < 1)))
      throw new ConfigError(
        `${this.constructor.name}: betas are ${betas.join(' and ')}; use numbers from 0 to below 1`,
      )
    this.betas = betas
    this.epsilon = epsilon
    this.weightDecay = weightDecay
    this.amsgrad = amsgrad
    this.#decoupled = decoupled
  }

  protected update(name: string, parameter: Parameter, gradient: Tensor): void {
    const m = this.slot('m', name, parameter)
    const v = this.slot('v', name, parameter)
    const { learningRate, epsilon, weightDecay, steps: step } = this
    const [beta1, beta2] = this.betas
    if (this.amsgrad) {
      this.#amsgrad(name, parameter, gradient, m, v)
      return
    }
    const attrs = { learningRate, beta1, beta2, epsilon, step, weightDecay, decoupled: this.#decoupled }
    const [next, nextM, nextV] = applyAll(ops.adam, [parameter, gradient, m, v], attrs) as [
      Tensor,
      Tensor,
      Tensor,
    ]
    parameter.assign(next)
    m.assign(nextM)
    v.assign(nextV)
  }

  #amsgrad(name: string, parameter: Parameter, gradient: Tensor, m: Parameter, v: Parameter): void {
    const { learningRate, epsilon, weightDecay, steps: step } = this
    const [beta1, beta2] = this.betas
    const p = this.#decoupled ? parameter.mul(1 - learningRate * weightDecay) : parameter
    const g = this.#decoupled ? gradient : gradient.add(p.mul(weightDecay))
    const top = this.slot('vMax', name, parameter)
    m.assign(m.mul(beta1).add(g.mul(1 - beta1)))
    v.assign(v.mul(beta2).add(g.mul(g).mul(1 - beta2)))
    top.assign(top.maximum(v))
    const root = top
      .sqrt()
      .mul(1 / Math.sqrt(1 - beta2 ** step))
      .add(epsilon)
    parameter.assign(p.sub(m.div(root).mul(learningRate / (1 - beta1 ** step))))
  }
}

/** Steps scaled by running moments of the gradient. Kingma and Ba 2015, arXiv:1412.6980, algorithm 1; defaults and decay as in PyTorch. */
export class Adam extends AdamFamily {
  constructor(parameters: Learned, options: AdamOptions = {}) {
    super(parameters, options, false, 0)
  }
}

/** Adam whose decay does not pass through the moments. Loshchilov and Hutter 2019, arXiv:1711.05101, algorithm 2; decay 0.01 unless given. */
export class AdamW extends AdamFamily {
  constructor(parameters: Learned, options: AdamOptions = {}) {
    super(parameters, options, true, 0.01)
  }
}
