import {
  ConfigError,
  DTypeError,
  indexSelect,
  isFloat,
  type Parameter,
  ShapeError,
  type Tensor,
  tensor,
  unfold,
} from '@heed/core-tensor'
import { type LayerOptions, parameter, uniformInit } from './init.ts'
import { Module } from './module.ts'

/** One number for every spatial axis, or one for each: `[height, width]`. */
export type PerAxis = number | readonly number[]

/** What stands beyond the edge: zeros, the input mirrored (without the edge itself), its edge again, or its other end. */
export type PaddingMode = 'zeros' | 'reflect' | 'replicate' | 'circular'

/** How a kernel moves over its input. */
export interface ConvolveOptions {
  /** From one place of the kernel to the next. */
  readonly stride?: PerAxis
  /** Places added at both ends of each axis; `same` for as many as keep the lengths, `valid` for none. */
  readonly padding?: PerAxis | 'same' | 'valid'
  readonly paddingMode?: PaddingMode
  /** From one weight of the kernel to the next. */
  readonly dilation?: PerAxis
  /** Channels in groups that do not see each other. */
  readonly groups?: number
}

/**
 * Cross-correlation over any number of spatial axes, `y[o, t] = b[o] + Σ_c Σ_k w[o, c, k] x[c, t·stride + k·dilation]`.
 *
 * One matrix product of the kernel with all windows of the input, which are laid out one after the other for it
 * (Chellapilla et al. 2006, "im2col"). Same padding puts the odd place at the end, as PyTorch does.
 *
 * @param x `[batch, channels, ...spatial]`, or without the batch
 * @param weight `[outChannels, channels / groups, ...kernel]`
 * @param bias `[outChannels]`
 * @returns `[batch, outChannels, ...spatial]`, lengths `⌊(length + 2·padding − dilation·(kernel − 1) − 1) / stride⌋ + 1`
 * @throws ShapeError, ConfigError, DTypeError where sizes, settings or types do not fit
 */
export function convolve(
  x: Tensor,
  weight: Tensor,
  bias?: Tensor | null,
  { stride = 1, padding = 0, paddingMode = 'zeros', dilation = 1, groups = 1 }: ConvolveOptions = {},
): Tensor {
  const kernel = weight.shape.slice(2)
  const rank = kernel.length
  if (x.shape.length === rank + 1)
    return convolve(x.unsqueeze(0), weight, bias, { stride, padding, paddingMode, dilation, groups }).squeeze(
      0,
    )
  const [out, inside] = weight.shape as [number, number]
  check(x, weight, groups)
  const strides = perAxis('convolve: stride', stride, rank, 1)
  const dilations = perAxis('convolve: dilation', dilation, rank, 1)
  const around = margins(padding, kernel, strides, dilations)
  const wide = pad(x, around, paddingMode)
  const windows = windowsOf('convolve', wide, kernel, strides, dilations) // [batch, channels, ...places, ...kernel]
  const [batch, , ...rest] = windows.shape as [number, number, ...number[]]
  const places = rest.slice(0, rank)
  // Channels and kernel become one axis of the product, batch and places the other.
  const axes = [...rest.keys()].map(axis => axis + 3)
  const columns = windows
    .reshape([batch, groups, inside, ...rest])
    .permute([1, 2, ...axes.slice(rank), 0, ...axes.slice(0, rank)])
    .reshape([groups, size([inside, ...kernel]), size([batch, ...places])])
  const rows = weight.reshape([groups, out / groups, size([inside, ...kernel])])
  const y = rows
    .matmul(columns)
    .reshape([out, batch, ...places])
    .transpose(0, 1)
  return bias ? y.add(bias.reshape([out, ...places.map(() => 1)])) : y
}

const size = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1)

/** A setting for each spatial axis. @throws ConfigError unless there are as many as axes, all whole and `least` or more */
export function perAxis(where: string, value: PerAxis, rank: number, least: number): readonly number[] {
  const all = typeof value === 'number' ? new Array<number>(rank).fill(value) : value
  if (all.length !== rank || all.some(n => !Number.isInteger(n) || n < least))
    throw new ConfigError(
      `${where} is ${JSON.stringify(value)} for ${rank} spatial ${rank === 1 ? 'axis' : 'axes'}; use one whole number of ${least} or more, or one for each`,
    )
  return all
}

/** Every window of a kernel's size: `[batch, channels, ...lengths]` → `[batch, channels, ...places, ...kernel]`. A view. */
export function windowsOf(
  where: string,
  x: Tensor,
  kernel: readonly number[],
  strides: readonly number[],
  dilations: readonly number[],
): Tensor {
  for (const [i, length] of x.shape.slice(2).entries()) {
    const reach = (dilations[i] as number) * ((kernel[i] as number) - 1) + 1
    if (reach > length)
      throw new ShapeError(
        `${where}: the kernel [${kernel.join(', ')}] reaches over ${reach} places of axis ${i + 2}, the padded input has ${length}; use a smaller kernel, or more padding`,
      )
  }
  return kernel.reduce(
    (windows, n, i) =>
      unfold(windows, i + 2, n, { stride: strides[i] as number, dilation: dilations[i] as number }),
    x,
  )
}

type Margin = readonly [before: number, after: number]

function margins(
  padding: PerAxis | 'same' | 'valid',
  kernel: readonly number[],
  strides: readonly number[],
  dilations: readonly number[],
): readonly Margin[] {
  if (padding === 'valid') return kernel.map(() => [0, 0])
  if (padding !== 'same')
    return perAxis('convolve: padding', padding, kernel.length, 0).map((n): Margin => [n, n])
  if (strides.some(n => n !== 1))
    throw new ConfigError(
      `convolve: same padding with stride [${strides.join(', ')}]; use stride 1, or give the padding in numbers`,
    )
  return kernel.map((n, i): Margin => {
    const total = (dilations[i] as number) * (n - 1)
    return [Math.floor(total / 2), Math.ceil(total / 2)]
  })
}

/** More places at both ends of the spatial axes. */
function pad(x: Tensor, around: readonly Margin[], mode: PaddingMode): Tensor {
  if (around.every(([before, after]) => before === 0 && after === 0)) return x
  if (mode === 'zeros') return x.pad([[0, 0], [0, 0], ...around]) // biome-ignore format: one line
  return around.reduce((wide, margin, i) => extend(wide, i + 2, margin, mode), x)
}

/** Places beyond both ends of an axis that repeat places of it. */
function extend(
  x: Tensor,
  axis: number,
  [before, after]: Margin,
  mode: Exclude<PaddingMode, 'zeros'>,
): Tensor {
  const length = x.shape[axis] as number
  const most = { reflect: length - 1, replicate: length ? Number.POSITIVE_INFINITY : 0, circular: length }[
    mode
  ]
  if (Math.max(before, after) > most)
    throw new ShapeError(
      `convolve: ${mode} padding of ${before} and ${after} around axis ${axis} of [${x.shape.join(', ')}]; use ${most} at most`,
    )
  const source = {
    reflect: (i: number) => (i < 0 ? -i : i < length ? i : 2 * (length - 1) - i),
    replicate: (i: number) => Math.min(length - 1, Math.max(0, i)),
    circular: (i: number) => (i + length) % length,
  }[mode]
  const places = Int32Array.from({ length: before + length + after }, (_, i) => source(i - before))
  return indexSelect(x, axis, tensor(places, { backend: x.backend }))
}

function check(x: Tensor, weight: Tensor, groups: number): void {
  const [out, inside] = weight.shape as [number, number]
  if (x.shape.length !== weight.shape.length || weight.shape.length < 3)
    throw new ShapeError(
      `convolve: input [${x.shape.join(', ')}] and weight [${weight.shape.join(', ')}] do not fit; use [batch, channels, ...spatial] and [outChannels, channels / groups, ...kernel]`,
    )
  if (!Number.isInteger(groups) || groups < 1 || out % groups || x.shape[1] !== inside * groups)
    throw new ShapeError(
      `convolve: the input has ${x.shape[1]} channels, the weight [${weight.shape.join(', ')}] in ${groups} groups reads ${inside * groups}; make them equal, and groups a divisor of both channels`,
    )
  if (!isFloat(x.dtype) || x.dtype !== weight.dtype)
    throw new DTypeError(
      `convolve: ${x.dtype} input with ${weight.dtype} weight; cast both to one float type`,
    )
}

/** How a convolution is made. */
export interface ConvOptions extends ConvolveOptions, LayerOptions {
  readonly bias?: boolean
}

/** A kernel that is learned. */
abstract class Convolution extends Module {
  readonly weight: Parameter
  readonly bias: Parameter | null
  readonly settings: Required<ConvolveOptions>

  constructor(inChannels: number, outChannels: number, kernel: readonly number[], options: ConvOptions) {
    super()
    const { bias = true, rng, backend, stride = 1, padding = 0, paddingMode = 'zeros', ...rest } = options
    const { dilation = 1, groups = 1 } = rest
    if (!Number.isInteger(groups) || groups < 1 || inChannels % groups || outChannels % groups)
      throw new ConfigError(
        `Conv${kernel.length}d: ${inChannels} channels to ${outChannels} do not make ${groups} equal groups; use a divisor of both`,
      )
    this.settings = { stride, padding, paddingMode, dilation, groups }
    const shape = [outChannels, inChannels / groups, ...kernel]
    const init = uniformInit(1 / Math.sqrt(size(shape.slice(1))))
    this.weight = parameter(shape, init, { rng, backend })
    this.bias = bias ? parameter([outChannels], init, { rng, backend }) : null
  }

  forward(x: Tensor): Tensor {
    return convolve(x, this.weight, this.bias, this.settings)
  }
}

/**
 * A learned kernel over time: {@link convolve} with one spatial axis.
 *
 * `forward`: `[batch, inChannels, time]` → `[batch, outChannels, time]`. Weights `[outChannels, inChannels / groups, kernel]`
 * and bias start uniform in ±1/√(inChannels / groups · kernel), as in PyTorch. LeCun et al. 1989.
 *
 * @example
 * new Conv1d(16, 32, 3, { padding: 'same' })
 * @throws ConfigError if a setting makes no sense
 */
export class Conv1d extends Convolution {
  constructor(inChannels: number, outChannels: number, kernelSize: PerAxis, options: ConvOptions = {}) {
    super(inChannels, outChannels, perAxis('Conv1d: kernelSize', kernelSize, 1, 1), options)
  }
}

/**
 * A learned kernel over images: {@link convolve} with two spatial axes.
 *
 * `forward`: `[batch, inChannels, height, width]` → `[batch, outChannels, height, width]`. Weights
 * `[outChannels, inChannels / groups, height, width]` and bias start as those of {@link Conv1d}.
 *
 * @example
 * new Conv2d(3, 16, [3, 5], { stride: 2, padding: [1, 2] })
 * @throws ConfigError if a setting makes no sense
 */
export class Conv2d extends Convolution {
  constructor(inChannels: number, outChannels: number, kernelSize: PerAxis, options: ConvOptions = {}) {
    super(inChannels, outChannels, perAxis('Conv2d: kernelSize', kernelSize, 2, 1), options)
  }
}
