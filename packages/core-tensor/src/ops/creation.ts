import type { Op } from '../op.ts'
import { checkShape, type DType, type Shape } from '../shape.ts'

/** A tensor full of one number. */
export const full: Op<{ readonly shape: Shape; readonly dtype: DType; readonly value: number }> = {
  name: 'full',
  infer: (_, { shape, dtype }) => {
    checkShape('full', shape)
    return [{ shape, dtype }]
  },
}

/** `start`, `start + step`, …: `[length]`. */
export const arange: Op<{
  readonly start: number
  readonly step: number
  readonly length: number
  readonly dtype: DType
}> = { name: 'arange', infer: (_, { length, dtype }) => [{ shape: [length], dtype }] }

/**
 * Uniform in [0, 1), 24 random bits each: element `i` is word `i mod 2` of Threefry block `counter + ⌊i / 2⌋` of the key.
 * The key is part of the operation, so a trace of it is honest.
 */
export const random: Op<{
  readonly shape: Shape
  readonly dtype: 'float32' | 'float64'
  readonly key: readonly [number, number]
  readonly counter: number
}> = { name: 'random', infer: (_, { shape, dtype }) => [{ shape, dtype }] }
