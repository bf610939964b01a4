import { type Backend, normal, Rng, scope, type Tensor, type TypedArray, uniform } from '@heed/core-tensor'

/** As FNV-1a, over the words of a list of numbers. */
export function hash(values: TypedArray, start = 0x811c9dc5): number {
  const { buffer, byteOffset, byteLength } = values
  const words =
    byteLength % 4 === 0
      ? new Uint32Array(buffer, byteOffset, byteLength / 4)
      : new Uint8Array(buffer, byteOffset, byteLength)
  let state = start
  for (const word of words) {
    state = Math.imul(state ^ word, 0x01000193)
    state ^= state >>> 15 // upper bits would never reach the lower ones
  }
  return state >>> 0
}

/** What tensors hold, as one word. */
export function bitsOf(results: readonly Tensor[]): string {
  let state: number | undefined
  for (const x of results) {
    const data = x.dataSync()
    if (data.some(Number.isNaN)) throw new Error(`${x} holds NaN, whose bits mean nothing`)
    state = hash(data, state)
  }
  return (state ?? 0).toString(16).padStart(8, '0')
}

/** Makes the inputs of one computation: the same numbers everywhere. */
export class Draw {
  readonly backend: Backend
  readonly #rng = new Rng(11)

  constructor(backend: Backend) {
    this.backend = backend
  }

  normal(...shape: number[]): Tensor {
    return normal(shape, { rng: this.#rng, backend: this.backend })
  }

  uniform(...shape: number[]): Tensor {
    return uniform(shape, { rng: this.#rng, backend: this.backend })
  }

  /** A tensor whose gradient will be asked for. */
  leaf(...shape: number[]): Tensor {
    const made = this.normal(...shape).mul(0.2)
    made.requiresGrad = true
    return made
  }

  ids(below: number, ...shape: number[]): Tensor {
    return this.uniform(...shape)
      .mul(below)
      .cast('int32')
  }
}

/** A computation whose bits are compared; its results, and the gradients of the leaves among its inputs. */
export type Work = (draw: Draw) => readonly Tensor[]

/** The results of some work on a backend, as one word. */
export function workOn(backend: Backend, work: Work): string {
  return scope(() => bitsOf(work(new Draw(backend))))
}
