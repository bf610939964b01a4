import { arange, ConfigError, DTypeError, isFloat, ShapeError, type Tensor, tensor } from '@heed/core-tensor'
import { type PerAxis, perAxis, windowsOf } from './convolution.ts'
import { Module } from './module.ts'

/** Which windows of the input are pooled. */
export interface WindowPoolOptions {
  /** From one window to the next; the window's size unless given, so that windows do not overlap. */
  readonly stride?: PerAxis | undefined
  /** Places beyond both ends of each axis, half a window at most; they are never the largest. */
  readonly padding?: PerAxis
  /** Whether a last window that reaches beyond the end counts. */
  readonly ceilMode?: boolean
}

/** {@link WindowPoolOptions}, and the distance within windows. */
export interface MaxPoolOptions extends WindowPoolOptions {
  /** From one place of a window to the next. */
  readonly dilation?: PerAxis
}

/** {@link WindowPoolOptions}, and what counts. */
export interface AvgPoolOptions extends WindowPoolOptions {
  /** Whether padding counts as zeros; otherwise the mean is over real places alone. */
  readonly countIncludePad?: boolean
  /** What sums are divided by, in place of the number of places. */
  readonly divisorOverride?: number | undefined
}

/** The windows of one axis. */
interface Span {
  readonly length: number
  readonly size: number
  readonly stride: number
  readonly padding: number
  readonly dilation: number
  /** How many windows. */
  readonly count: number
}

function spans(
  where: string,
  lengths: readonly number[],
  kernel: readonly number[],
  { stride = kernel, padding = 0, ceilMode = false, dilation = 1 }: MaxPoolOptions,
): Span[] {
  const rank = kernel.length
  const strides = perAxis(`${where}: stride`, stride, rank, 1)
  const paddings = perAxis(`${where}: padding`, padding, rank, 0)
  const dilations = perAxis(`${where}: dilation`, dilation, rank, 1)
  return kernel.map((size, i) => {
    const [length, step, pad] = [lengths[i] as number, strides[i] as number, paddings[i] as number]
    if (pad > size / 2)
      throw new ConfigError(
        `${where}: padding ${pad} with windows of ${size}; pad half a window at most, so that every window holds something`,
      )
    const room = length + 2 * pad - (dilations[i] as number) * (size - 1) - 1
    const full = (ceilMode ? Math.ceil(room / step) : Math.floor(room / step)) + 1
    // A window that starts in the padding after the end is left out.
    const count = ceilMode && (full - 1) * step >= length + pad ? full - 1 : full
    if (count < 1 || length < 1)
      throw new ShapeError(
        `${where}: windows of ${size} on axis −${rank - i} of length ${length} with padding ${pad}; use smaller windows, or a larger input`,
      )
    return { length, size, stride: step, padding: pad, dilation: dilations[i] as number, count }
  })
}

/** All windows, the places of each as one last axis: `[batch, channels, ...places, window]`. */
function pooled(where: string, x: Tensor, windows: readonly Span[], fill: number): Tensor {
  const around = windows.map(({ length, size, stride, padding, dilation, count }) => {
    const end = (count - 1) * stride + dilation * (size - 1) + 1
    return [padding, Math.max(0, end - padding - length)] as const
  })
  const wide = around.every(([before, after]) => before + after === 0)
    ? x
    : x.pad([[0, 0], [0, 0], ...around], fill) // biome-ignore format: one line
  // Places after the last window are not looked at.
  const all = windowsOf(
    where,
    wide,
    windows.map(w => w.size),
    windows.map(w => w.stride),
    windows.map(w => w.dilation),
  )
  return all.reshape([...all.shape.slice(0, -windows.length), windows.reduce((n, w) => n * w.size, 1)])
}

/** With a batch for inputs that have none. */
function batched(where: string, x: Tensor, rank: number, body: (x: Tensor) => Tensor): Tensor {
  if (!isFloat(x.dtype)) throw new DTypeError(`${where}: ${x.dtype} input; use x.cast('float32') first`)
  if (x.shape.length === rank + 1) return body(x.unsqueeze(0)).squeeze(0)
  if (x.shape.length !== rank + 2)
    throw new ShapeError(
      `${where}: the input is [${x.shape.join(', ')}]; use [batch, channels, ${rank === 1 ? 'time' : 'height, width'}]`,
    )
  return body(x)
}

/** What max pooling found, and where. */
export interface MaxPooled {
  readonly values: Tensor
  /** The place of each in its channel, counted row by row: int32. */
  readonly indices: Tensor
}

abstract class MaxPool extends Module {
  readonly kernel: readonly number[]
  readonly options: MaxPoolOptions

  constructor(kernel: readonly number[], options: MaxPoolOptions) {
    super()
    this.kernel = kernel
    this.options = options
  }

  forward(x: Tensor): Tensor {
    const where = this.#name
    return batched(where, x, this.kernel.length, all => {
      const windows = pooled(where, all, this.#spans(all), Number.NEGATIVE_INFINITY)
      const first = windows.argmax(-1, { keepDims: true })
      return windows.gather(-1, first).squeeze(-1)
    })
  }

  /** {@link forward}, and where each value comes from. */
  locate(x: Tensor): MaxPooled {
    const where = this.#name
    const indices = batched(where, x, this.kernel.length, all => {
      const found = this.#spans(all)
      const first = pooled(where, all, found, Number.NEGATIVE_INFINITY).argmax(-1, { keepDims: true })
      const lengths = found.map(({ length }) => length)
      const places = arange(0, lengths.reduce((a, b) => a * b, 1), 1, { backend: x.backend }) // biome-ignore format: one line
      const inside = pooled(where, places.reshape([1, 1, ...lengths]), found, -1)
      return inside.expand([...first.shape.slice(0, -1), inside.shape.at(-1) as number]).gather(-1, first).squeeze(-1) // biome-ignore format: one line
    })
    return { values: this.forward(x), indices }
  }

  get #name(): string {
    return `MaxPool${this.kernel.length}d`
  }

  #spans(x: Tensor): Span[] {
    return spans(this.#name, x.shape.slice(2), this.kernel, this.options)
  }
}

/**
 * The largest of each window over time; the gradient goes to the first of equals.
 *
 * `forward`: `[batch, channels, time]` → `[batch, channels, windows]`, or without the batch. Settings as in PyTorch.
 *
 * @throws ConfigError, ShapeError, DTypeError where settings or input make no sense
 */
export class MaxPool1d extends MaxPool {
  constructor(kernelSize: PerAxis, options: MaxPoolOptions = {}) {
    super(perAxis('MaxPool1d: kernelSize', kernelSize, 1, 1), options)
  }
}

/**
 * The largest of each window of an image; the gradient goes to the first of equals, row by row.
 *
 * `forward`: `[batch, channels, height, width]` → the same with fewer places, or without the batch. Settings as in PyTorch.
 *
 * @throws ConfigError, ShapeError, DTypeError where settings or input make no sense
 */
export class MaxPool2d extends MaxPool {
  constructor(kernelSize: PerAxis, options: MaxPoolOptions = {}) {
    super(perAxis('MaxPool2d: kernelSize', kernelSize, 2, 1), options)
  }
}

abstract class AvgPool extends Module {
  readonly kernel: readonly number[]
  readonly options: AvgPoolOptions

  constructor(kernel: readonly number[], options: AvgPoolOptions) {
    super()
    if (options.divisorOverride === 0)
      throw new ConfigError(`AvgPool${kernel.length}d: divisorOverride is 0; use another number`)
    this.kernel = kernel
    this.options = options
  }

  forward(x: Tensor): Tensor {
    const where = `AvgPool${this.kernel.length}d`
    const { countIncludePad = true, divisorOverride, ...options } = this.options
    return batched(where, x, this.kernel.length, all => {
      const found = spans(where, all.shape.slice(2), this.kernel, options)
      const total = pooled(where, all, found, 0).sum(-1)
      if (divisorOverride !== undefined) return total.mul(1 / divisorOverride)
      return found.reduce((mean, span, i) => {
        const counts = tensor(placesIn(span, countIncludePad), { dtype: x.dtype, backend: x.backend })
        return mean.div(counts.reshape([-1, ...found.slice(i + 1).map(() => 1)]))
      }, total)
    })
  }
}

/** How many places each window has: of input and padding, or of input alone; those beyond the padding never count. */
function placesIn({ length, size, stride, padding, count }: Span, countIncludePad: boolean): number[] {
  return Array.from({ length: count }, (_, i) => {
    const start = i * stride - padding
    const end = Math.min(start + size, length + padding)
    return countIncludePad ? end - start : Math.min(end, length) - Math.max(start, 0)
  })
}

/**
 * The mean of each window over time.
 *
 * `forward`: `[batch, channels, time]` → `[batch, channels, windows]`, or without the batch. Settings as in PyTorch.
 *
 * @throws ConfigError, ShapeError, DTypeError where settings or input make no sense
 */
export class AvgPool1d extends AvgPool {
  constructor(kernelSize: PerAxis, options: AvgPoolOptions = {}) {
    super(perAxis('AvgPool1d: kernelSize', kernelSize, 1, 1), options)
  }
}

/**
 * The mean of each window of an image.
 *
 * `forward`: `[batch, channels, height, width]` → the same with fewer places, or without the batch. Settings as in PyTorch.
 *
 * @throws ConfigError, ShapeError, DTypeError where settings or input make no sense
 */
export class AvgPool2d extends AvgPool {
  constructor(kernelSize: PerAxis, options: AvgPoolOptions = {}) {
    super(perAxis('AvgPool2d: kernelSize', kernelSize, 2, 1), options)
  }
}

/**
 * The mean of each channel over all places, the lengths kept as 1: `[batch, channels, ...spatial]` → `[batch, channels, 1, …]`.
 *
 * Lin et al. 2014, §3.2, arXiv:1312.4400.
 *
 * @throws ShapeError unless there is a spatial axis
 */
export function globalAveragePool(x: Tensor): Tensor {
  if (x.shape.length < 3)
    throw new ShapeError(
      `globalAveragePool: the input is [${x.shape.join(', ')}]; use [batch, channels, ...spatial]`,
    )
  return x.mean(
    [...x.shape.keys()].filter(axis => axis > 1),
    { keepDims: true },
  )
}
