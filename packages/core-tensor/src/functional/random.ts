import { type RandomOptions, uniform } from '../creation.ts'
import { getBackend } from '../current.ts'
import { ConfigError, ShapeError } from '../errors.ts'
import { noGrad } from '../gradMode.ts'
import type { Rng } from '../rng.ts'
import { checkShape, isFloat, type Shape, show } from '../shape.ts'
import { fromData, type Tensor } from '../tensor.ts'
import { topK } from './statistics.ts'

/** The generator to draw from; every function takes the next words of it. */
export interface DrawOptions {
  readonly rng: Rng
}

/** 1 with the given probabilities, else 0: of the same shape and type. No gradient passes. */
export function bernoulli(probability: Tensor, { rng }: DrawOptions): Tensor {
  return noGrad(() => draws(probability, rng).less(probability).cast(probability.dtype))
}

/** Whole numbers from `low` up to, and without, `high`, each equally likely: int32. @throws ConfigError unless there are 1 to 2²⁴ of them */
export function integers(low: number, high: number, shape: Shape, options: RandomOptions): Tensor {
  const count = high - low
  if (!Number.isInteger(low) || !Number.isInteger(high) || count < 1 || count > 2 ** 24)
    throw new ConfigError(`integers: from ${low} to ${high}; use whole numbers, 1 to 16777216 of them`)
  // u · count is exact in float64 and may round up to count in float32, where 24 bits are drawn.
  return uniform(shape, { ...options, dtype: 'float64' })
    .mul(count)
    .cast('int32')
    .add(low)
}

/** Waiting times, `−log u / rate`. @throws ConfigError unless the rate is above 0 */
export function exponential(
  shape: Shape,
  { rate = 1, ...options }: RandomOptions & { readonly rate?: number },
): Tensor {
  if (!(rate > 0)) throw new ConfigError(`exponential: the rate is ${rate}; use a number above 0`)
  return aboveZero(uniform(shape, options))
    .log()
    .mul(-1 / rate)
}

/** From the standard Gumbel distribution, −log(−log u): the largest of many. Added to scores, the largest is a choice by their softmax. */
export function gumbel(shape: Shape, options: RandomOptions): Tensor {
  return exponential(shape, options).log().neg()
}

/**
 * Class numbers by their scores: softmax says how likely each is. `[..., classes]` → `[...]`, int32. No gradient passes.
 *
 * By the largest of scores and {@link gumbel} noise (Gumbel 1954, Maddison et al. 2014).
 */
export function categorical(logits: Tensor, { rng }: DrawOptions): Tensor {
  classesOf('categorical', logits)
  return noGrad(() => logits.detach().add(noise(logits, rng)).argmax(-1))
}

/**
 * Class numbers by their weights, which need not sum to 1: `[..., classes]` → `[..., count]`, int32; each class once at
 * most, unless `replacement`. Classes of weight 0 come last, if they must. No gradient passes.
 *
 * @throws ShapeError if more classes are asked for than there are
 */
export function multinomial(
  weights: Tensor,
  count: number,
  { rng, replacement = false }: DrawOptions & { readonly replacement?: boolean },
): Tensor {
  const classes = classesOf('multinomial', weights)
  if (!Number.isInteger(count) || count < 0 || (!replacement && count > classes))
    throw new ShapeError(
      `multinomial: ${count} of ${classes} classes; use a whole number up to that, or { replacement: true }`,
    )
  return noGrad(() => {
    const scores = weights.detach().log()
    if (!replacement) return topK(scores.add(noise(scores, rng)), count).indices
    const wide = scores.unsqueeze(-2).expand([...scores.shape.slice(0, -1), count, classes])
    return wide.add(noise(wide, rng)).argmax(-1)
  })
}

/** The numbers 0 … length − 1 in random order: int32, `[length]`. */
export function permutation(
  length: number,
  { rng, backend = getBackend() }: Omit<RandomOptions, 'dtype'>,
): Tensor {
  checkShape('permutation', [length])
  const order = Int32Array.from(rng.permutation(length))
  return fromData(order, { shape: [length], dtype: 'int32' }, backend, 'permutation')
}

function classesOf(where: string, x: Tensor): number {
  const classes = x.shape.at(-1) ?? 0
  if (classes === 0 || !isFloat(x.dtype))
    throw new ShapeError(
      `${where}: nothing to choose from in ${show(x.shape)} ${x.dtype}; use [..., classes], float`,
    )
  return classes
}

/** Uniform numbers like another tensor. */
function draws({ shape, dtype, backend }: Tensor, rng: Rng): Tensor {
  return uniform(shape, { rng, backend, dtype: dtype === 'float64' ? dtype : 'float32' })
}

function noise(like: Tensor, rng: Rng): Tensor {
  return aboveZero(draws(like, rng)).log().neg().log().neg()
}

/** 0, which has no logarithm, becomes half of the smallest number that is drawn. The largest drawn is below 1. */
function aboveZero(u: Tensor): Tensor {
  return u.maximum(2 ** -25)
}
