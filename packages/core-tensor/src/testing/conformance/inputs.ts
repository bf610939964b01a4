import type { Backend } from '../../backend.ts'
import { Rng } from '../../rng.ts'
import { type DType, type Shape, sizeOf, type TypedArray, typedArray } from '../../shape.ts'
import { fromData, type Tensor } from '../../tensor.ts'

/** Makes the inputs of one case: the same numbers on every backend. */
export class Inputs {
  readonly backend: Backend
  readonly #rng: Rng
  readonly #drawn: TypedArray[]
  #next = 0

  /** @param drawn what was drawn for another backend, in the order of asking; empty for the first, which fills it */
  constructor(backend: Backend, name: string, drawn: TypedArray[]) {
    this.backend = backend
    this.#rng = new Rng(1).split(name)
    this.#drawn = drawn
  }

  /** Given numbers. */
  of(values: readonly number[], dtype: DType = 'float32', shape: Shape = [values.length]): Tensor {
    const data = typedArray(dtype, values.length)
    data.set(values)
    return fromData(data, { shape, dtype }, this.backend, 'input')
  }

  /** Random numbers: floats from the normal distribution, whole numbers from −9 to 9, truth values. */
  random(shape: Shape, dtype: DType = 'float32'): Tensor {
    const draw =
      dtype === 'bool'
        ? () => this.#rng.int(2)
        : dtype === 'int32'
          ? () => this.#rng.int(19) - 9
          : () => this.#rng.normal()
    return this.#filled(shape, dtype, draw)
  }

  /** Random numbers between two bounds. */
  between(low: number, high: number, shape: Shape, dtype: DType = 'float32'): Tensor {
    return this.#filled(shape, dtype, () => low + (high - low) * this.#rng.uniform())
  }

  /** Random whole numbers in [0, below). */
  ids(below: number, shape: Shape): Tensor {
    return this.#filled(shape, 'int32', () => this.#rng.int(below))
  }

  /** A random tensor whose gradient will be asked for. */
  leaf(shape: Shape, scale = 1, dtype: DType = 'float32'): Tensor {
    const made = this.#filled(shape, dtype, () => scale * this.#rng.normal())
    made.requiresGrad = true
    return made
  }

  #filled(shape: Shape, dtype: DType, draw: () => number): Tensor {
    const at = this.#next++
    let data = this.#drawn[at]
    if (!data) {
      data = typedArray(dtype, sizeOf(shape))
      for (let i = 0; i < data.length; i++) data[i] = draw()
      this.#drawn[at] = data
    }
    return fromData(data, { shape, dtype }, this.backend, 'input')
  }
}

/** A way for a tensor of a given shape to lie in memory. */
export type Arrangement = (inputs: Inputs, shape: Shape, dtype: DType) => Tensor

/** Ways to lie in memory, by name. */
export const arrangements: Readonly<Record<string, Arrangement>> = {
  dense: (inputs, shape, dtype) => inputs.random(shape, dtype),
  transposed: (inputs, shape, dtype) => {
    const order = shape.map((_, axis) => shape.length - 1 - axis)
    return inputs.random([...shape].reverse(), dtype).permute(order)
  },
  'further in': (inputs, shape, dtype) => {
    const [first = 1, ...rest] = shape
    return inputs
      .random([first + 1, ...rest], dtype)
      .slice([{ start: 1 }])
      .reshape(shape)
  },
  'every other': (inputs, shape, dtype) =>
    inputs
      .random(
        shape.map(n => 2 * n + 1),
        dtype,
      )
      .slice(shape.map(n => ({ start: 1, stop: 2 * n + 1, step: 2 }))),
  backwards: (inputs, shape, dtype) => inputs.random(shape, dtype).flip(shape.map((_, axis) => axis)),
  columns: (inputs, shape, dtype) => {
    const wide = shape.map((n, axis) => (axis === shape.length - 1 ? n + 3 : n))
    return inputs.random(wide, dtype).slice(shape.map((n, axis) => (axis === shape.length - 1 ? { start: 2, stop: n + 2 } : {}))) // biome-ignore format: one line reads best
  },
  stretched: (inputs, shape, dtype) =>
    inputs
      .random(
        shape.map((n, axis) => (axis % 2 === 0 ? 1 : n)),
        dtype,
      )
      .expand(shape),
}

/** Lengths around the edges of vectors, tiles and blocks. */
export const lengths: readonly number[] = [0, 1, 3, 4, 5, 7, 8, 15, 16, 17, 33]

/** Shapes that meet every edge on the last axis, empty ones, and one large enough to be shared among threads. */
export const shapes: readonly Shape[] = [
  [],
  ...lengths.map(n => [n]),
  [0, 3],
  [3, 0, 2],
  [1, 1, 1],
  [3, 17],
  [17, 5],
  [2, 3, 4],
  [4, 1, 33],
  [2, 2, 3, 2],
  [300, 257],
]
