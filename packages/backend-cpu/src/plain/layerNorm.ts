import type { Args, TypedArray } from '@heed/core-tensor'

/** y = (x − mean) / √(variance + ε) · weight + bias, row by row of n. */
export function layerNorm(
  n: number,
  epsilon: number,
  [x, weight, bias]: Args<TypedArray>,
  y: TypedArray,
): void {
  for (let row = 0; row < y.length; row += n) {
    const [mean, root] = measure(x, row, n, epsilon)
    for (let i = 0; i < n; i++) {
      const z = ((x[row + i] as number) - mean) * root
      y[row + i] = weight ? z * (weight[i] as number) + (bias[i] as number) : z
    }
  }
}

/** Its gradients by x, and by weight and bias where there is a weight. */
export function layerNormGrad(
  n: number,
  epsilon: number,
  [dy, x, weight]: Args<TypedArray>,
  [dx, dWeight, dBias]: Args<TypedArray>,
): void {
  if (weight) {
    dWeight.fill(0)
    dBias.fill(0)
  }
  for (let row = 0; row < dx.length; row += n) {
    const [mean, root] = measure(x, row, n, epsilon)
    const z = (i: number): number => ((x[row + i] as number) - mean) * root
    const g = (i: number): number => (dy[row + i] as number) * (weight ? (weight[i] as number) : 1)
    let plain = 0
    let along = 0
    for (let i = 0; i < n; i++) {
      plain += g(i) / n
      along += (g(i) * z(i)) / n
    }
    for (let i = 0; i < n; i++) {
      dx[row + i] = root * (g(i) - plain - z(i) * along)
      if (!weight) continue
      dWeight[i] = (dWeight[i] as number) + (dy[row + i] as number) * z(i)
      dBias[i] = (dBias[i] as number) + (dy[row + i] as number)
    }
  }
}

/** The mean of a row, and 1 / √(variance + ε). */
function measure(x: TypedArray, row: number, n: number, epsilon: number): [mean: number, root: number] {
  let mean = 0
  for (let i = 0; i < n; i++) mean += (x[row + i] as number) / n
  let variance = 0
  for (let i = 0; i < n; i++) variance += ((x[row + i] as number) - mean) ** 2 / n
  return [mean, 1 / Math.sqrt(variance + epsilon)]
}
