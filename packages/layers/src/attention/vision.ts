import { ConfigError, concat, type Parameter, relu, ShapeError, type Tensor } from '@heed/core-tensor'
import { Conv2d } from '../convolution.ts'
import { type LayerOptions, parameter, uniformInit, zerosInit } from '../init.ts'
import { Linear } from '../linear.ts'
import { Module } from '../module.ts'
import { type Attended, type AttendOptions, attend, type Change } from './attend.ts'
import { Additive } from './scores.ts'

const sigmoid: Change = scores => scores.sigmoid()

/**
 * Attention that weighs each feature by itself: a sigmoid of its score in place of a softmax over all, and no sum.
 *
 * Every feature stands alone with its own only key, so `attend` is all there is to it.
 *
 * @param features `[batch, feature, 1, size]`
 * @param excite from features to scores, `[batch, feature]`
 */
function gate(features: Tensor, excite: (features: Tensor) => Tensor, owner: Module): Attended {
  const score = {
    prepare: (keys: Tensor) => excite(keys).unsqueeze(-1).unsqueeze(-1), // [batch, feature, 1, 1]
    score: (_: Tensor, prepared: Tensor) => prepared,
  }
  return attend(features, features, features, { score, normalize: sigmoid, owner })
}

function image(where: string, x: Tensor, channels?: number): void {
  if (x.shape.length !== 4 || (channels !== undefined && x.shape[1] !== channels))
    throw new ShapeError(
      `${where}: the input is [${x.shape.join(', ')}]; use [batch, ${channels ?? 'channels'}, height, width]`,
    )
}

/** How narrow the network between channels is. */
export interface SqueezeOptions extends LayerOptions {
  /** How many times narrower the layer in between is. */
  readonly reduction?: number
}

/** Weighs channels by what a narrow network makes of one number or more for each channel. */
abstract class ChannelGate extends Module {
  readonly channels: number
  /** `[channels / reduction, channels]` */
  readonly fc1: Linear
  /** `[channels, channels / reduction]` */
  readonly fc2: Linear

  constructor(name: string, channels: number, { reduction = 16, ...options }: SqueezeOptions) {
    super()
    const narrow = Math.floor(channels / reduction)
    if (!(narrow >= 1) || !Number.isInteger(channels))
      throw new ConfigError(
        `${name}: ${channels} channels with reduction ${reduction} leave ${narrow}; use a reduction of ${channels} at most`,
      )
    this.channels = channels
    this.fc1 = new Linear(channels, narrow, options)
    this.fc2 = new Linear(narrow, channels, options)
  }

  /** `W₂ relu(W₁ z + b₁) + b₂`, `[batch, channels]` → the same. */
  protected excite(squeezed: Tensor): Tensor {
    return this.fc2.forward(relu(this.fc1.forward(squeezed)))
  }

  /** From all places of each channel, `[batch, channels, 1, places]`, to its score. */
  protected abstract scoreOf(features: Tensor): Tensor

  protected weigh(x: Tensor): Attended {
    const [batch, channels, height, width] = x.shape as [number, number, number, number]
    const features = x.reshape([batch, channels, 1, height * width])
    const { context, weights, scores } = gate(features, keys => this.scoreOf(keys), this)
    const perChannel = (all: Tensor): Tensor => all.reshape([batch, channels])
    return { context: context.reshape(x.shape), weights: perChannel(weights), scores: perChannel(scores) }
  }
}

/**
 * Squeeze-and-Excitation: `s = σ(W₂ relu(W₁ mean(x)))`, `y = s ⊙ x`: which channels to look at. With biases.
 *
 * Hu et al. 2018, §3, eq. 2-4, arXiv:1709.01507. Adds `2 channels² / reduction` weights.
 *
 * @example
 * const { context, weights } = new SqueezeExcitation(64).forward(images)
 * @throws ConfigError if the reduction leaves no channel
 */
export class SqueezeExcitation extends ChannelGate {
  constructor(channels: number, options: SqueezeOptions = {}) {
    super('SqueezeExcitation', channels, options)
  }

  /**
   * `[batch, channels, height, width]` → context of the same shape, weights (0 to 1) and scores `[batch, channels]`.
   *
   * @throws ShapeError if the input has other axes
   */
  forward(x: Tensor): Attended {
    image('SqueezeExcitation', x, this.channels)
    return this.weigh(x)
  }

  protected scoreOf(features: Tensor): Tensor {
    return this.excite(features.mean([2, 3]))
  }
}

/**
 * Channel attention of CBAM: `s = σ(MLP(mean(x)) + MLP(max(x)))`, `y = s ⊙ x`, one network for both.
 *
 * Woo et al. 2018, §3, eq. 2, arXiv:1807.06521.
 *
 * @throws ConfigError if the reduction leaves no channel
 */
export class ChannelAttention extends ChannelGate {
  constructor(channels: number, options: SqueezeOptions = {}) {
    super('ChannelAttention', channels, options)
  }

  /**
   * `[batch, channels, height, width]` → context of the same shape, weights (0 to 1) and scores `[batch, channels]`.
   *
   * @throws ShapeError if the input has other axes
   */
  forward(x: Tensor): Attended {
    image('ChannelAttention', x, this.channels)
    return this.weigh(x)
  }

  protected scoreOf(features: Tensor): Tensor {
    return this.excite(features.mean([2, 3])).add(this.excite(features.max([2, 3])))
  }
}

/**
 * Spatial attention of CBAM: `s = σ(conv([mean over channels; max over channels]))`, `y = s ⊙ x`: where to look.
 *
 * Woo et al. 2018, §3, eq. 3, arXiv:1807.06521: a kernel of 7 × 7. The padding keeps the image's size.
 *
 * @throws ConfigError if the kernel's size is even
 */
export class SpatialAttention extends Module {
  /** From mean and max to one score: weight `[1, 2, kernel, kernel]` */
  readonly conv: Conv2d

  constructor(kernelSize = 7, options: LayerOptions & { readonly bias?: boolean } = {}) {
    super()
    if (kernelSize % 2 !== 1)
      throw new ConfigError(
        `SpatialAttention: a kernel of ${kernelSize} has no middle; use an odd whole number`,
      )
    this.conv = new Conv2d(2, 1, kernelSize, { padding: 'same', ...options })
  }

  /**
   * `[batch, channels, height, width]` → context of the same shape, weights (0 to 1) and scores `[batch, 1, height, width]`.
   *
   * @throws ShapeError if the input has other axes
   */
  forward(x: Tensor): Attended {
    image('SpatialAttention', x)
    const [batch, channels, height, width] = x.shape as [number, number, number, number]
    const places = x
      .reshape([batch, channels, height * width])
      .transpose()
      .unsqueeze(2) // [batch, place, 1, channels]
    const { context, weights, scores } = gate(
      places,
      keys => {
        const channelsLast = keys.squeeze(2)
        const seen = concat([channelsLast.mean(-1), channelsLast.max(-1)].map(all => all.reshape([batch, 1, height, width])), 1) // biome-ignore format: one line reads best
        return this.conv.forward(seen).reshape([batch, height * width])
      },
      this,
    )
    const perPlace = (all: Tensor): Tensor => all.reshape([batch, 1, height, width])
    return {
      context: context.squeeze(2).transpose().reshape(x.shape),
      weights: perPlace(weights),
      scores: perPlace(scores),
    }
  }
}

/** What a captioner sees, and how much it relied on seeing. */
export interface Seen extends Attended {
  /** β, `[batch, time]`: 0 for a word that needs no picture. */
  readonly gate: Tensor
}

/**
 * Soft attention of a captioner: additive scores of a hidden state and the places of an image, and a gate on what is seen.
 *
 * `e = vᵀ tanh(W_q h + W_k a + b)`, `α = softmax(e)`, `β = σ(w h + c)`, `z = β Σ α a`. Xu et al. 2015, §4.2, eq. 4-6 and
 * §4.2.1, arXiv:1502.03044. Their hard variant: sample from the scores, see `hardChoice`.
 */
export class CaptionAttention extends Module {
  readonly score: Additive
  /** `[hiddenSize]` */
  readonly wGate: Parameter
  /** `[]` */
  readonly bGate: Parameter

  /** @param size of the additive score */
  constructor(featureSize: number, hiddenSize: number, size: number, options: LayerOptions = {}) {
    super()
    this.score = new Additive(hiddenSize, featureSize, size, { bias: true, ...options })
    this.wGate = parameter([hiddenSize], uniformInit(1 / Math.sqrt(hiddenSize)), options)
    this.bGate = parameter([], zerosInit, options)
  }

  /**
   * Hidden states look at the places of an image.
   *
   * @param hidden `[batch, time, hiddenSize]`
   * @param features `[batch, place, featureSize]`
   * @returns context `[batch, time, featureSize]`, weights and scores `[batch, time, place]`, gate `[batch, time]`
   */
  forward(
    hidden: Tensor,
    features: Tensor,
    options: Pick<AttendOptions, 'mask' | 'normalize' | 'prepared'> = {},
  ): Seen {
    const { context, ...looked } = attend(hidden, features, features, {
      ...options,
      score: this.score,
      owner: this,
    })
    const gate = hidden.matmul(this.wGate).add(this.bGate).sigmoid()
    return { ...looked, context: context.mul(gate.unsqueeze(-1)), gate }
  }
}

/**
 * How far a captioner is from looking at every place once in all: `Σ_place (1 − Σ_time α)²`, the mean over the batch.
 *
 * Xu et al. 2015, eq. 14, arXiv:1502.03044, to be multiplied by λ; they sum over a caption, we average over captions.
 *
 * @param weights `[batch, time, place]`
 * @throws ShapeError if it has other axes
 */
export function doublyStochasticPenalty(weights: Tensor): Tensor {
  if (weights.shape.length !== 3)
    throw new ShapeError(
      `doublyStochasticPenalty: weights are [${weights.shape.join(', ')}]; use [batch, time, place]`,
    )
  const left = weights.sum(1).sub(1)
  return left.mul(left).sum(-1).mean()
}
