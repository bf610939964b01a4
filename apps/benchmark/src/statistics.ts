/** Several times of the same work, in a few numbers. */
export interface Summary {
  readonly median: number
  readonly min: number
  /** From the lower to the upper quartile, as a share of the median. */
  readonly spread: number
  /** How many times. */
  readonly count: number
}

/** A quantile, interpolated between neighbours. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (sorted.length - 1) * share
  const low = sorted[Math.floor(at)]
  const high = sorted[Math.ceil(at)]
  if (low === undefined || high === undefined) return Number.NaN
  return low + (high - low) * (at - Math.floor(at))
}

export function summarize(times: readonly number[]): Summary {
  const median = quantile(times, 0.5)
  return {
    median,
    min: Math.min(...times),
    spread: (quantile(times, 0.75) - quantile(times, 0.25)) / median,
    count: times.length,
  }
}

/** How cost grows: the exponent p and the factor c of the closest `y = c xᵖ` (least squares of the logarithms). */
export interface Growth {
  readonly exponent: number
  readonly factor: number
}

export function fitGrowth(points: readonly { readonly x: number; readonly y: number }[]): Growth {
  const logs = points.map(({ x, y }) => ({ x: Math.log(x), y: Math.log(y) }))
  const mean = (pick: (point: { x: number; y: number }) => number): number =>
    logs.reduce((sum, point) => sum + pick(point), 0) / logs.length
  const [mx, my] = [mean(point => point.x), mean(point => point.y)]
  const exponent = mean(({ x, y }) => (x - mx) * (y - my)) / mean(({ x }) => (x - mx) ** 2)
  return { exponent, factor: Math.exp(my - exponent * mx) }
}
