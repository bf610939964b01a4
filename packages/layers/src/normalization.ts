import {
  ConfigError,
  layerNorm,
  ones,
  Parameter,
  type Shape,
  ShapeError,
  type Tensor,
  variance,
  zeros,
} from '@heed/core-tensor'
import { checkWhole } from './check.ts'
import type { LayerOptions } from './init.ts'
import { Module } from './module.ts'

/** How a norm is made. */
export interface NormOptions extends LayerOptions {
  /** Added to the variance, so that nothing is divided by 0. */
  readonly epsilon?: number
  /** Whether scale and shift are learned. */
  readonly affine?: boolean
}

const scale = (shape: Shape, { backend }: LayerOptions): Parameter =>
  new Parameter(ones(shape, backend ? { backend } : {}))
const shift = (shape: Shape, { backend }: LayerOptions): Parameter =>
  new Parameter(zeros(shape, backend ? { backend } : {}))

/** `(x − mean) / √(variance + ε) · weight + bias` over the last axes. Ba et al. 2016, arXiv:1607.06450. */
export class LayerNorm extends Module {
  readonly shape: Shape
  readonly epsilon: number
  readonly weight: Parameter | null
  readonly bias: Parameter | null

  constructor(shape: number | Shape, { epsilon = 1e-5, affine = true, ...options }: NormOptions = {}) {
    super()
    this.shape = typeof shape === 'number' ? [shape] : shape
    this.epsilon = epsilon
    this.weight = affine ? scale(this.shape, options) : null
    this.bias = affine ? shift(this.shape, options) : null
  }

  /** `[..., ...shape]` → the same. */
  forward(x: Tensor): Tensor {
    const rank = this.shape.length
    if (x.shape.slice(-rank).join() !== this.shape.join())
      throw new ShapeError(
        `LayerNorm: the input is [${x.shape.join(', ')}], the layer [..., ${this.shape.join(', ')}]; its last axes must be equal`,
      )
    const flat = (x: Tensor): Tensor => (rank === 1 ? x : x.reshape([...x.shape.slice(0, -rank), -1]))
    const { weight, bias, epsilon } = this
    const y = layerNorm(
      flat(x),
      weight && bias ? { weight: flat(weight), bias: flat(bias), epsilon } : { epsilon },
    )
    return rank === 1 ? y : y.reshape(x.shape)
  }
}

function standardised(x: Tensor, axes: readonly number[], epsilon: number): Tensor {
  const centred = x.sub(x.mean(axes, { keepDims: true }))
  return centred.mul(centred.mul(centred).mean(axes, { keepDims: true }).add(epsilon).pow(-0.5))
}

/** `x / √(mean(x²) + ε) · weight` over the last axis. Zhang and Sennrich 2019, arXiv:1910.07467. */
export class RMSNorm extends Module {
  readonly epsilon: number
  readonly weight: Parameter | null

  constructor(size: number, { epsilon = 1e-5, affine = true, ...options }: NormOptions = {}) {
    super()
    this.epsilon = epsilon
    this.weight = affine ? scale([size], options) : null
  }

  /** `[..., size]` → the same. */
  forward(x: Tensor): Tensor {
    const y = x.mul(x.mul(x).mean(-1, { keepDims: true }).add(this.epsilon).pow(-0.5))
    return this.weight ? y.mul(this.weight) : y
  }
}

/** {@link LayerNorm} over groups of channels, `[batch, channels, ...]`. Wu and He 2018, arXiv:1803.08494. */
export class GroupNorm extends Module {
  readonly numGroups: number
  readonly epsilon: number
  /** `[channels]` */
  readonly weight: Parameter | null
  readonly bias: Parameter | null

  constructor(
    numGroups: number,
    numChannels: number,
    { epsilon = 1e-5, affine = true, ...options }: NormOptions = {},
  ) {
    super()
    checkWhole('GroupNorm', { numGroups, numChannels }, 1)
    if (numChannels % numGroups)
      throw new ConfigError(
        `GroupNorm: ${numChannels} channels do not make ${numGroups} equal groups; use a divisor`,
      )
    this.numGroups = numGroups
    this.epsilon = epsilon
    this.weight = affine ? scale([numChannels], options) : null
    this.bias = affine ? shift([numChannels], options) : null
  }

  /** `[batch, channels, ...]` → the same. */
  forward(x: Tensor): Tensor {
    const [batch, channels, ...rest] = x.shape as [number, number, ...number[]]
    const grouped = x.reshape([batch, this.numGroups, -1])
    return perChannel(
      standardised(grouped, [-1], this.epsilon).reshape([batch, channels, ...rest]),
      this.weight,
      this.bias,
    )
  }
}

/** How a {@link BatchNorm} is made; names as in PyTorch. */
export interface BatchNormOptions extends NormOptions {
  /** How fast the running averages follow; null for the plain average of all batches. */
  readonly momentum?: number | null
  /** Whether averages run for use after training. */
  readonly trackRunningStats?: boolean
}

/**
 * Each channel of `[batch, channels, ...]` at mean 0 and variance 1: of the batch while learning, of the running averages
 * in use. Ioffe and Szegedy 2015, arXiv:1502.03167; names, defaults and the unbiased running variance as in PyTorch.
 */
export class BatchNorm extends Module {
  readonly epsilon: number
  readonly momentum: number | null
  readonly weight: Parameter | null
  readonly bias: Parameter | null
  readonly runningMean: Parameter | null
  readonly runningVar: Parameter | null
  readonly numBatchesTracked: Parameter | null

  constructor(numFeatures: number, options: BatchNormOptions = {}) {
    super()
    const { epsilon = 1e-5, affine = true, momentum = 0.1, trackRunningStats = true, ...rest } = options
    this.epsilon = epsilon
    this.momentum = momentum
    this.weight = affine ? scale([numFeatures], rest) : null
    this.bias = affine ? shift([numFeatures], rest) : null
    const state = (value: Tensor): Parameter => new Parameter(value, { requiresGrad: false })
    const where = rest.backend ? { backend: rest.backend } : {}
    this.runningMean = trackRunningStats ? state(zeros([numFeatures], where)) : null
    this.runningVar = trackRunningStats ? state(ones([numFeatures], where)) : null
    this.numBatchesTracked = trackRunningStats ? state(zeros([], { ...where, dtype: 'int32' })) : null
  }

  protected override state(): Record<string, Parameter> {
    const names = {
      weight: this.weight,
      bias: this.bias,
      running_mean: this.runningMean,
      running_var: this.runningVar,
      num_batches_tracked: this.numBatchesTracked,
    }
    return Object.fromEntries(
      Object.entries(names).filter((entry): entry is [string, Parameter] => entry[1] !== null),
    )
  }

  /** `[batch, channels, ...]` → the same. */
  forward(x: Tensor): Tensor {
    const axes = x.shape.map((_, axis) => axis).filter(axis => axis !== 1)
    const { runningMean, runningVar } = this
    if (!this.training && runningMean && runningVar) {
      const root = channelwise(runningVar, x).add(this.epsilon).pow(-0.5)
      return perChannel(x.sub(channelwise(runningMean, x)).mul(root), this.weight, this.bias)
    }
    if (axes.every(axis => x.shape[axis] === 1))
      throw new ShapeError(
        `BatchNorm: one value a channel has no variance, the input is [${x.shape.join(', ')}]; use a larger batch, or eval()`,
      )
    if (this.training) this.#track(x.detach(), axes)
    return perChannel(standardised(x, axes, this.epsilon), this.weight, this.bias)
  }

  #track(x: Tensor, axes: readonly number[]): void {
    const { runningMean, runningVar, numBatchesTracked } = this
    if (!runningMean || !runningVar || !numBatchesTracked) return
    numBatchesTracked.assign(numBatchesTracked.add(1))
    const count = numBatchesTracked.cast('float32').pow(-1)
    const follow = (old: Parameter, now: Tensor): void =>
      old.assign(old.detach().add(now.sub(old.detach()).mul(this.momentum ?? count)))
    follow(runningMean, x.mean(axes))
    follow(runningVar, variance(x, axes))
  }
}

/** A value for each channel, stretched over `[batch, channels, ...]`. */
function channelwise(values: Tensor, x: Tensor): Tensor {
  return values.reshape([-1, ...x.shape.slice(2).map(() => 1)])
}

function perChannel(x: Tensor, weight: Parameter | null, bias: Parameter | null): Tensor {
  return weight && bias ? x.mul(channelwise(weight, x)).add(channelwise(bias, x)) : x
}
