import {
  arange,
  type Backend,
  ConfigError,
  concat,
  embedding,
  type Parameter,
  ShapeError,
  stack,
  type Tensor,
  tensor,
} from '@heed/core-tensor'
import { checkAxes, checkWhole, matrices } from './check.ts'
import { type LayerOptions, normalInit, parameter } from './init.ts'
import { Module } from './module.ts'

/** How a table of positions is made. */
export interface TableOptions {
  readonly backend?: Backend
  readonly base?: number
}

/** `PE[p, 2i] = sin(p / base^(2i/size))`, `PE[p, 2i+1] = cos(…)`: `[length, size]`. Vaswani et al. 2017, §3.5, arXiv:1706.03762. */
export function sinusoidalPositions(
  length: number,
  size: number,
  { base = 10_000, ...options }: TableOptions = {},
): Tensor {
  checkWhole('sinusoidalPositions', { length, size })
  const table = new Float32Array(length * size)
  for (let p = 0; p < length; p++)
    for (let j = 0; j < size; j++) {
      const angle = p / base ** ((j - (j % 2)) / size)
      table[p * size + j] = j % 2 ? Math.cos(angle) : Math.sin(angle)
    }
  return tensor(table, { shape: [length, size], ...options })
}

/** Turns pairs of features by angles that grow with the place, so that dot products see distances. Su et al. 2021, arXiv:2104.09864. */
export interface RotaryOptions {
  readonly base?: number
  /** The place of the first step. */
  readonly offset?: number
  /** How many of the features turn, from the first on; all unless given. */
  readonly rotarySize?: number
  /** Which features make a pair: neighbours (`interleaved`, the paper's), or i and i + half (`half`, GPT-NeoX's). */
  readonly style?: 'interleaved' | 'half'
}

/** Rotary positions of queries or keys, `[..., time, size]` → the same. @throws ShapeError unless an even number of features turns */
export function rotary(
  x: Tensor,
  { base = 10_000, offset = 0, rotarySize, style = 'interleaved' }: RotaryOptions = {},
): Tensor {
  checkAxes('rotary', { x }, matrices, '[..., time, size]')
  const [time, size] = x.shape.slice(-2) as [number, number]
  const turning = rotarySize ?? size
  if (turning % 2 || !(turning >= 0 && turning <= size) || !Number.isFinite(offset))
    throw new ShapeError(
      `rotary: ${turning} features of ${size} from place ${offset} on cannot turn in pairs; use an even number up to ${size}, and a finite place`,
    )
  const half = turning / 2
  const angles = Float64Array.from(
    { length: time * half },
    (_, i) => (offset + Math.floor(i / half)) * base ** ((-2 * (i % half)) / turning),
  )
  const table = (f: (angle: number) => number): Tensor =>
    tensor(Float32Array.from(angles, f), { shape: [time, half], backend: x.backend }).cast(x.dtype)
  const [cos, sin] = [table(Math.cos), table(Math.sin)]
  const lead = x.shape.slice(0, -1)
  const part = (y: Tensor, start: number, stop: number): Tensor =>
    y.slice([...lead.map(() => ({})), { start, stop }])
  const turned = part(x, 0, turning)
  if (style === 'half') {
    const [a, b] = [part(turned, 0, half), part(turned, half, turning)]
    return concat([a.mul(cos).sub(b.mul(sin)), a.mul(sin).add(b.mul(cos)), part(x, turning, size)], -1)
  }
  const pairs = turned.reshape([...lead, half, 2])
  const [a, b] = [0, 1].map(i =>
    pairs.slice([...lead.map(() => ({})), {}, { start: i, stop: i + 1 }]).squeeze(-1),
  ) as [Tensor, Tensor]
  const both = stack([a.mul(cos).sub(b.mul(sin)), a.mul(sin).add(b.mul(cos))], -1).reshape([...lead, turning])
  return concat([both, part(x, turning, size)], -1)
}

/** The slopes of {@link alibi}, one a head: powers of 2^(−8/n); for other numbers of heads those of the next power below, then every second of twice it. */
export function alibiSlopes(numHeads: number): number[] {
  if (!Number.isInteger(numHeads) || numHeads < 1)
    throw new ConfigError(`alibiSlopes: ${numHeads} heads; use a whole number of 1 or more`)
  const power = 2 ** Math.floor(Math.log2(numHeads))
  const series = (n: number): number[] => Array.from({ length: n }, (_, i) => 2 ** ((-8 * (i + 1)) / n))
  return [...series(power), ...series(2 * power).filter((_, i) => i % 2 === 0)].slice(0, numHeads)
}

/** A bias against distance, `−slope · |key − query|`, `[heads, query, key]`; the queries are the last of the keys. Press et al. 2022, arXiv:2108.12409. */
export function alibi(
  numHeads: number,
  queries: number,
  keys: number,
  options: { readonly backend?: Backend } = {},
): Tensor {
  checkWhole('alibi', { numHeads, queries, keys })
  const bias = new Float32Array(numHeads * queries * keys)
  for (const [h, slope] of alibiSlopes(numHeads).entries())
    for (let i = 0; i < queries; i++)
      for (let j = 0; j < keys; j++)
        bias[(h * queries + i) * keys + j] = -slope * Math.abs(j - (i + keys - queries))
  return tensor(bias, { shape: [numHeads, queries, keys], ...options })
}

/** How distances share buckets. */
export interface RelativeBiasOptions extends LayerOptions {
  readonly numBuckets?: number
  /** Distances beyond share the last bucket. */
  readonly maxDistance?: number
  /** Whether places behind the query have buckets of their own. */
  readonly bidirectional?: boolean
}

/**
 * A learned bias for each head and bucket of distances: exact near by, logarithmic farther away.
 *
 * Raffel et al. 2020, §2.1, arXiv:1910.10683.
 */
export class RelativeBias extends Module {
  /** `[numBuckets, heads]` */
  readonly weight: Parameter
  readonly maxDistance: number
  readonly bidirectional: boolean

  constructor(
    numHeads: number,
    { numBuckets = 32, maxDistance = 128, bidirectional = true, ...options }: RelativeBiasOptions = {},
  ) {
    super()
    checkWhole('RelativeBias', { numHeads, numBuckets }, 1)
    this.weight = parameter([numBuckets, numHeads], normalInit(), options)
    this.maxDistance = maxDistance
    this.bidirectional = bidirectional
  }

  /** The bucket of every pair, `[query, key]`, int32. */
  buckets(queries: number, keys: number): Tensor {
    checkWhole('RelativeBias', { queries, keys })
    const all = this.weight.shape[0] as number
    const n = this.bidirectional ? all / 2 : all
    const exact = Math.floor(n / 2)
    const found = new Int32Array(queries * keys)
    for (let i = 0; i < queries; i++)
      for (let j = 0; j < keys; j++) {
        const relative = j - i
        const distance = this.bidirectional ? Math.abs(relative) : Math.max(-relative, 0)
        const far =
          exact + Math.floor((Math.log(distance / exact) / Math.log(this.maxDistance / exact)) * (n - exact))
        found[i * keys + j] =
          (this.bidirectional && relative > 0 ? n : 0) + (distance < exact ? distance : Math.min(far, n - 1))
      }
    return tensor(found, { shape: [queries, keys], backend: this.weight.backend })
  }

  /** `[heads, query, key]` */
  forward(queries: number, keys: number): Tensor {
    return embedding(this.weight, this.buckets(queries, keys)).permute([2, 0, 1])
  }
}

/** A learned vector for each place, added to what stands there. */
export class LearnedPositions extends Module {
  /** `[maxLength, size]` */
  readonly weight: Parameter

  constructor(maxLength: number, size: number, options: LayerOptions = {}) {
    super()
    this.weight = parameter([maxLength, size], normalInit(), options)
  }

  /** `[batch, time, size]` → the same, place by place moved. @throws ShapeError beyond the longest length */
  forward(x: Tensor, { offset = 0 }: { readonly offset?: number } = {}): Tensor {
    const [longest, time] = [this.weight.shape[0] as number, x.shape[1] as number]
    if (offset + time > longest)
      throw new ShapeError(
        `LearnedPositions: place ${offset + time - 1} of at most ${longest}; make the table longer`,
      )
    return x.add(embedding(this.weight, arange(offset, offset + time, 1, { backend: x.backend })))
  }
}
