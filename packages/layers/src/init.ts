import {
  type Backend,
  defaultRng,
  getBackend,
  normal,
  Parameter,
  type Rng,
  type Shape,
  type Tensor,
  uniform,
  zeros,
} from '@heed/core-tensor'

/** Where a new layer's numbers come from and go to. */
export interface LayerOptions {
  /** What the first weights are drawn from; the {@link defaultRng} unless given. */
  readonly rng?: Rng | undefined
  readonly backend?: Backend | undefined
}

/** Makes a first value of a shape. */
export type Initializer = (shape: Shape, options: LayerOptions) => Tensor

/** Uniform between −bound and bound. */
export function uniformInit(bound: number): Initializer {
  return (shape, { rng = defaultRng(), backend = getBackend() }) =>
    uniform(shape, { rng, backend })
      .mul(2 * bound)
      .sub(bound)
}

/** Normal with mean 0. */
export function normalInit(deviation = 1): Initializer {
  return (shape, { rng = defaultRng(), backend = getBackend() }) =>
    normal(shape, { rng, backend }).mul(deviation)
}

/** Uniform within √(6 / (in + out)), so that signals keep their variance both ways. Glorot and Bengio 2010, eq. 16. */
export function xavierUniform(gain = 1): Initializer {
  return (shape, options) => {
    const [out, inside] = fans(shape)
    return uniformInit(gain * Math.sqrt(6 / (inside + out)))(shape, options)
  }
}

/** Zeros. */
export const zerosInit: Initializer = (shape, { backend = getBackend() }) => zeros(shape, { backend })

/** A learned parameter with a first value. */
export function parameter(shape: Shape, init: Initializer, options: LayerOptions): Parameter {
  return new Parameter(init(shape, options))
}

function fans(shape: Shape): [out: number, inside: number] {
  const field = shape.slice(2).reduce((a, b) => a * b, 1)
  return [(shape[0] ?? 1) * field, (shape[1] ?? 1) * field]
}
