import {
  type Backend,
  ConfigError,
  defaultRng,
  full,
  getBackend,
  normal,
  Parameter,
  type Rng,
  type Shape,
  sizeOf,
  type Tensor,
  tensor,
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

/** Normal with deviation √(2 / (in + out)): {@link xavierUniform} with another distribution. Glorot and Bengio 2010. */
export function xavierNormal(gain = 1): Initializer {
  return (shape, options) => {
    const [out, inside] = fans(shape)
    return normalInit(gain * Math.sqrt(2 / (inside + out)))(shape, options)
  }
}

/** What follows a layer, for {@link gainOf}. */
export type Nonlinearity = 'linear' | 'sigmoid' | 'tanh' | 'relu' | 'leakyRelu' | 'selu'

/** How much first weights are enlarged for what follows them: PyTorch's `calculate_gain`. @param slope of leakyRelu below 0 */
export function gainOf(nonlinearity: Nonlinearity, slope = 0.01): number {
  const gains = { linear: 1, sigmoid: 1, tanh: 5 / 3, relu: Math.SQRT2, leakyRelu: Math.sqrt(2 / (1 + slope ** 2)), selu: 3 / 4 } // biome-ignore format: a table
  return gains[nonlinearity]
}

/** For which signals and nonlinearity Kaiming weights are made. */
export interface KaimingOptions {
  /** The slope of leakyRelu below 0. */
  readonly slope?: number
  /** Whether signals (`in`) or gradients (`out`) keep their size. */
  readonly mode?: 'in' | 'out'
  readonly nonlinearity?: Nonlinearity
}

function kaiming(
  shape: Shape,
  { slope = 0, mode = 'in', nonlinearity = 'leakyRelu' }: KaimingOptions,
): number {
  const [out, inside] = fans(shape)
  return gainOf(nonlinearity, slope) / Math.sqrt(mode === 'in' ? inside : out)
}

/** Uniform within gain · √(3 / in). He et al. 2015, §2.2, arXiv:1502.01852; defaults as PyTorch's. */
export function kaimingUniform(settings: KaimingOptions = {}): Initializer {
  return (shape, options) => uniformInit(Math.sqrt(3) * kaiming(shape, settings))(shape, options)
}

/** Normal with deviation gain / √in. He et al. 2015, §2.2, arXiv:1502.01852; defaults as PyTorch's. */
export function kaimingNormal(settings: KaimingOptions = {}): Initializer {
  return (shape, options) => normalInit(kaiming(shape, settings))(shape, options)
}

/** Normal with mean 0, drawn again where it lies beyond `limit` (in units, as PyTorch's a and b). */
export function truncatedNormal(deviation = 1, limit = 2): Initializer {
  if (!(limit > 0 && deviation > 0))
    throw new ConfigError(`truncatedNormal: deviation ${deviation} up to ${limit}; use numbers above 0`)
  return (shape, { rng = defaultRng(), backend = getBackend() }) => {
    const draw = (): number => {
      let value = deviation * rng.normal()
      while (Math.abs(value) > limit) value = deviation * rng.normal()
      return value
    }
    return tensor(Float32Array.from({ length: sizeOf(shape) }, draw), { shape, backend })
  }
}

/**
 * Rows (or columns, where there are more rows) at right angles, of length `gain`; axes behind the second count as columns.
 *
 * Saxe et al. 2014, arXiv:1312.6120. By Gram and Schmidt's method on normal numbers, twice, so that rounding does not add up.
 */
export function orthogonal(gain = 1): Initializer {
  return (shape, { rng = defaultRng(), backend = getBackend() }) => {
    const rows = shape[0] ?? 1
    const columns = sizeOf(shape.slice(1))
    const [count, length] = rows < columns ? [rows, columns] : [columns, rows]
    const vectors: Float64Array[] = []
    for (let i = 0; i < count; i++) {
      const v = Float64Array.from({ length }, () => rng.normal())
      for (const before of [...vectors, ...vectors]) {
        const along = v.reduce((sum, x, j) => sum + x * (before[j] as number), 0)
        before.forEach((x, j) => {
          v[j] = (v[j] as number) - along * x
        })
      }
      const size = Math.sqrt(v.reduce((sum, x) => sum + x * x, 0))
      vectors.push(v.map(x => x / size))
    }
    const at = (row: number, column: number): number =>
      (rows < columns ? vectors[row]?.[column] : vectors[column]?.[row]) as number
    const data = Float32Array.from({ length: rows * columns }, (_, i) => gain * at(Math.floor(i / columns), i % columns)) // biome-ignore format: one line reads best
    return tensor(data, { shape, backend })
  }
}

/** One number everywhere. */
export function constantInit(value: number): Initializer {
  return (shape, { backend = getBackend() }) => full(shape, value, { backend })
}

/** Ones. */
export const onesInit: Initializer = (shape, { backend = getBackend() }) => full(shape, 1, { backend })

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
