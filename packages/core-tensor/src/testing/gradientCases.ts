import type { Backend } from '../backend.ts'
import { grad } from '../differentiate.ts'
import { concat } from '../functional/arrange.ts'
import { Rng } from '../rng.ts'
import { isFloat, type Shape, sizeOf, type TypedArray } from '../shape.ts'
import { fromData, type Tensor } from '../tensor.ts'
import { type CheckGradientOptions, checkGradient } from './checkGradient.ts'
import { arithmetic, arrangement, network, reductions, unary } from './gradientRows.ts'

/** One function whose gradient is compared with finite differences. */
export interface GradientCase {
  /** What is done: `gru, backwards, lengths 1 and 3`. */
  readonly name: string
  /** From tensors to a tensor of any shape. */
  readonly f: (...x: Tensor[]) => Tensor
  /** float64 tensors, and whole numbers that pass through: the same numbers on every backend. */
  inputs(backend: Backend): Tensor[]
}

/** Makes the inputs of one case. */
export class Draw {
  readonly #backend: Backend
  readonly #rng: Rng

  constructor(backend: Backend, name: string) {
    this.#backend = backend
    this.#rng = new Rng(20).split(name)
  }

  /** Random normal numbers. */
  random(...shape: number[]): Tensor {
    return this.#of(Float64Array.from({ length: sizeOf(shape) }, () => this.#rng.normal()), shape) // biome-ignore format: one line reads best
  }

  /** Random numbers of 0.3 or more. */
  positive(...shape: number[]): Tensor {
    return this.#of(Float64Array.from({ length: sizeOf(shape) }, () => Math.abs(this.#rng.normal()) + 0.3), shape) // biome-ignore format: one line reads best
  }

  /** All different, 0.1 apart, and their sizes 0.04: for maxima and sorting. */
  apart(...shape: number[]): Tensor {
    const order = this.#rng.permutation(sizeOf(shape))
    return this.#of(Float64Array.from(order, v => (v - order.length / 2) / 10 + 0.03), shape) // biome-ignore format: one line reads best
  }

  /** Given numbers. */
  of(values: readonly number[], shape: Shape = [values.length]): Tensor {
    return this.#of(Float64Array.from(values), shape)
  }

  /** Given whole numbers, int32. */
  ids(values: readonly number[], shape: Shape = [values.length]): Tensor {
    return this.#of(Int32Array.from(values), shape)
  }

  #of(data: TypedArray, shape: Shape): Tensor {
    const dtype = data instanceof Int32Array ? 'int32' : 'float64'
    return fromData(data, { shape, dtype }, this.#backend, 'input')
  }
}

/** A row of the table: its name, the function, and what it is given. */
export type GradientRow = readonly [
  name: string,
  f: (...x: Tensor[]) => Tensor,
  inputs: (draw: Draw) => Tensor[],
]

/**
 * Every operation that has a gradient, and functions made of several, with inputs to differentiate them at. Independent of
 * any test runner, and of any backend that computes float64.
 *
 * @example
 * for (const { name, f, inputs } of gradientCases()) it(name, () => checkGradient(f, inputs(backend)))
 */
export function gradientCases(): GradientCase[] {
  return [unary(), arithmetic(), reductions(), arrangement(), network()]
    .flat()
    .map(([name, f, inputs]) => ({ name, f, inputs: backend => inputs(new Draw(backend, name)) }))
}

/**
 * Compares the gradient of a function's gradient with central differences: {@link checkGradient}, one order higher.
 *
 * @returns the largest error
 * @throws Error naming input, element and both values where they differ
 */
export function checkSecondGradient(
  f: (...inputs: Tensor[]) => Tensor,
  inputs: readonly Tensor[],
  options: CheckGradientOptions = {},
): number {
  const places = inputs.flatMap((x, i) => (isFloat(x.dtype) ? [i] : []))
  const first = (...x: Tensor[]): Tensor => {
    const made = grad((...floats: Tensor[]) => {
      const all = [...x]
      for (const [k, i] of places.entries()) all[i] = floats[k] as Tensor
      const y = f(...all)
      const rng = new Rng(2)
      const weights = Float64Array.from({ length: y.size }, () => rng.normal())
      return y.mul(fromData(weights, y, y.backend, 'cotangent')).sum()
    })(...places.map(i => x[i] as Tensor))
    return concat(made.map(dx => dx.reshape([dx.size])))
  }
  return checkGradient(first, inputs, options)
}
