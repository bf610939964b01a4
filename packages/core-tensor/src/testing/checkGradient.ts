import { noGrad } from '../gradMode.ts'
import { scope } from '../memory.ts'
import { Rng } from '../rng.ts'
import { show, type TypedArray } from '../shape.ts'
import { fromData, type Tensor } from '../tensor.ts'

/** How {@link checkGradient} compares. */
export interface CheckGradientOptions {
  /** How far each input is moved. */
  readonly step?: number
  /** The largest error, against the size of the gradient or 1, whichever is larger. */
  readonly tolerance?: number
}

/**
 * Compares the gradients of a function with central differences, along every element of every float64 input.
 *
 * @param f from tensors to a tensor of any shape; every element of it counts, with a random weight
 * @param inputs float64 tensors; others pass through
 * @returns the largest error
 * @throws Error naming input, element and both values where they differ
 */
export function checkGradient(
  f: (...inputs: Tensor[]) => Tensor,
  inputs: readonly Tensor[],
  { step = 1e-5, tolerance = 1e-6 }: CheckGradientOptions = {},
): number {
  const leaves = inputs.map(x => {
    const leaf = x.detach()
    leaf.requiresGrad = x.dtype === 'float64'
    return leaf
  })
  const y = f(...leaves)
  const rng = new Rng(1)
  const weights = Float64Array.from({ length: y.size }, () => rng.normal())
  const cotangent = fromData(weights, { shape: y.shape, dtype: 'float64' }, y.backend, 'cotangent')
  if (y.requiresGrad) y.backward({ gradient: cotangent }) // else it claims to depend on nothing: the differences must be 0

  const value = (at: number, data: TypedArray): number =>
    scope(() => {
      const moved = inputs.map((x, i) => (i === at ? fromData(data, x, x.backend, 'moved') : x))
      const result = noGrad(() => f(...moved)).dataSync()
      return weights.reduce((sum, weight, i) => sum + weight * (result[i] as number), 0)
    })
  let worst = 0
  for (const [at, x] of inputs.entries()) {
    if (x.dtype !== 'float64') continue
    const gradient = leaves[at]?.grad?.dataSync()
    const data = x.dataSync()
    for (let i = 0; i < data.length; i++) {
      const held = data[i] as number
      data[i] = held + step
      const above = value(at, data)
      data[i] = held - step
      const below = value(at, data)
      data[i] = held
      const want = (above - below) / (2 * step)
      const got = gradient?.[i] ?? 0
      const error = Math.abs(got - want) / Math.max(1, Math.abs(want))
      if (!(error <= tolerance))
        throw new Error(
          `checkGradient: input ${at} ${show(x.shape)}, element ${i}: gradient ${got}, differences give ${want}`,
        )
      worst = Math.max(worst, error)
    }
  }
  return worst
}
