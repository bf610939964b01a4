import { linear, type Parameter, type Tensor } from '@heed/core-tensor'
import { type LayerOptions, parameter, uniformInit } from './init.ts'
import { Module } from './module.ts'

/** How a {@link Linear} is made. */
export interface LinearOptions extends LayerOptions {
  readonly bias?: boolean
}

/**
 * Affine map of the last axis, `y = x Wᵀ + b`.
 *
 * Weights and bias start uniform in ±1/√inFeatures, as in PyTorch.
 */
export class Linear extends Module {
  /** `[outFeatures, inFeatures]` */
  readonly weight: Parameter
  /** `[outFeatures]` */
  readonly bias: Parameter | null

  constructor(inFeatures: number, outFeatures: number, { bias = true, ...options }: LinearOptions = {}) {
    super()
    const init = uniformInit(1 / Math.sqrt(inFeatures))
    this.weight = parameter([outFeatures, inFeatures], init, options)
    this.bias = bias ? parameter([outFeatures], init, options) : null
  }

  /** `[..., inFeatures]` → `[..., outFeatures]` */
  forward(x: Tensor): Tensor {
    return linear(x, this.weight, this.bias)
  }
}
