import { ConfigError, Rng } from '@heed/core-tensor'
import type { WordVectors } from './vectors.ts'
import { countTokens } from './vocabulary.ts'

/** Settings of {@link countVectors}. */
export interface CountVectorsOptions {
  /** Numbers of each vector. */
  readonly size: number
  /** Words on either side that count as company; 5 unless given. */
  readonly window?: number
  /** Rarer words get no vector; 2 unless given. */
  readonly minCount?: number
  /** The most words, frequent ones first; 5,000 unless given. */
  readonly maxWords?: number
  readonly seed: number
}

/** After so many products with the matrix the space of the largest eigenvectors has settled. */
const ROUNDS = 12

/**
 * Vectors of words from the company they keep in a text: a source of pretrained vectors that needs no download.
 *
 * Row i of `U √|Λ|`, where `U Λ Uᵀ` are the `size` largest eigenvalues of the matrix of positive pointwise mutual
 * information `max(0, log p(i, j) / p(i) p(j))` of words at most `window` apart; what skip-gram does implicitly (Levy and
 * Goldberg 2014). By subspace iteration from a seed; signs and order of the numbers of a vector mean nothing.
 *
 * @param sequences the text, cut into words
 * @throws ConfigError if there are fewer words than numbers, or a number makes no sense
 */
export function countVectors(
  sequences: readonly (readonly string[])[],
  { size, window = 5, minCount = 2, maxWords = 5000, seed }: CountVectorsOptions,
): WordVectors {
  for (const [name, value] of Object.entries({ size, window, minCount, maxWords }))
    if (!Number.isInteger(value) || value < 1)
      throw new ConfigError(`vectors: ${name} must be a whole number from 1, got ${value}; use for example 5`)
  const words = [...countTokens(sequences)]
    .filter(([, count]) => count >= minCount)
    .sort(([, a], [, b]) => b - a) // stable: equally frequent ones as they first occur
    .slice(0, maxWords)
    .map(([word]) => word)
  if (words.length < size)
    throw new ConfigError(
      `vectors: ${words.length} words occur ${minCount} times, too few for ${size} numbers each; give more text or a smaller size`,
    )
  const matrix = mutualInformation(sequences, words, window)
  const { basis, wide, rotation, values } = largestEigenvectors(matrix, words.length, size, seed)
  const order = [...values.keys()].sort(
    (a, b) => Math.abs(values[b] as number) - Math.abs(values[a] as number),
  )
  const vectors = new Float32Array(words.length * size)
  for (let k = 0; k < size; k++) {
    const column = order[k] as number
    const scale = Math.sqrt(Math.abs(values[column] as number))
    for (let i = 0; i < words.length; i++) {
      let sum = 0
      for (let m = 0; m < wide; m++)
        sum += (basis[i * wide + m] as number) * (rotation[m * wide + column] as number)
      vectors[i * size + k] = scale * sum
    }
  }
  return { words, size, vectors }
}

/** A sparse symmetric matrix: what is not listed is zero. */
interface Entries {
  readonly rows: Uint32Array
  readonly columns: Uint32Array
  readonly values: Float64Array
}

function mutualInformation(
  sequences: readonly (readonly string[])[],
  words: readonly string[],
  window: number,
): Entries {
  const ids = new Map(words.map((word, i) => [word, i]))
  const together = new Map<number, number>()
  const sums = new Float64Array(words.length)
  let total = 0
  for (const sequence of sequences) {
    const places = sequence.map(word => ids.get(word) ?? -1)
    for (const [at, i] of places.entries())
      for (let by = 1; by <= window && at + by < places.length; by++) {
        const j = places[at + by] as number
        if (i < 0 || j < 0) continue
        for (const [a, b] of [
          [i, j],
          [j, i],
        ] as const) {
          together.set(a * words.length + b, (together.get(a * words.length + b) ?? 0) + 1)
          sums[a] = (sums[a] as number) + 1
          total++
        }
      }
  }
  const found = [...together].flatMap(([key, count]) => {
    const [i, j] = [Math.floor(key / words.length), key % words.length]
    const value = Math.log((count * total) / ((sums[i] as number) * (sums[j] as number)))
    return value > 0 ? [[i, j, value] as const] : []
  })
  return {
    rows: Uint32Array.from(found, ([i]) => i),
    columns: Uint32Array.from(found, ([, j]) => j),
    values: Float64Array.from(found, ([, , value]) => value),
  }
}

/**
 * An orthonormal basis `[count, wide]` of the space of the largest eigenvectors, and within it, by Rayleigh and Ritz, the
 * eigenvectors themselves as columns of `rotation` `[wide, wide]`, with their values `[wide]` in no order.
 */
function largestEigenvectors(
  matrix: Entries,
  count: number,
  size: number,
  seed: number,
): {
  readonly basis: Float64Array
  readonly wide: number
  readonly rotation: Float64Array
  readonly values: Float64Array
} {
  const rng = new Rng(seed).split('count vectors')
  const wide = Math.min(count, size + 8) // some more than asked for, that the last ones asked for settle too
  let basis = Float64Array.from({ length: count * wide }, () => rng.normal())
  orthonormalize(basis, wide)
  for (let round = 0; round < ROUNDS; round++) {
    basis = times(matrix, basis, wide)
    orthonormalize(basis, wide)
  }
  const product = times(matrix, basis, wide)
  const small = new Float64Array(wide * wide)
  for (let i = 0; i < count; i++)
    for (let a = 0; a < wide; a++)
      for (let b = 0; b < wide; b++)
        small[a * wide + b] =
          (small[a * wide + b] as number) +
          (basis[i * wide + a] as number) * (product[i * wide + b] as number)
  return { basis, wide, ...eigen(small, wide) }
}

/** `[count, wide]` → `[count, wide]` */
function times(
  { rows, columns, values }: Entries,
  vectors: Float64Array,
  wide: number,
): Float64Array<ArrayBuffer> {
  const product = new Float64Array(vectors.length)
  for (let e = 0; e < values.length; e++) {
    const [to, from, value] = [(rows[e] as number) * wide, (columns[e] as number) * wide, values[e] as number]
    for (let k = 0; k < wide; k++)
      product[to + k] = (product[to + k] as number) + value * (vectors[from + k] as number)
  }
  return product
}

/** The columns of `[count, wide]` by Gram and Schmidt, twice each for the sake of rounding, in place. */
function orthonormalize(vectors: Float64Array, wide: number): void {
  for (let k = 0; k < wide; k++) {
    for (let pass = 0; pass < 2; pass++) {
      const along = new Float64Array(k)
      for (let at = 0; at < vectors.length; at += wide)
        for (let m = 0; m < k; m++)
          along[m] = (along[m] as number) + (vectors[at + k] as number) * (vectors[at + m] as number)
      for (let at = 0; at < vectors.length; at += wide) {
        let rest = vectors[at + k] as number
        for (let m = 0; m < k; m++) rest -= (along[m] as number) * (vectors[at + m] as number)
        vectors[at + k] = rest
      }
    }
    let square = 0
    for (let at = k; at < vectors.length; at += wide) square += (vectors[at] as number) ** 2
    const scale = square > 1e-24 ? 1 / Math.sqrt(square) : 0
    for (let at = k; at < vectors.length; at += wide) vectors[at] = scale * (vectors[at] as number)
  }
}

/** Eigenvectors, as columns, and values of a symmetric matrix `[size, size]`, by Jacobi's rotations (1846), in place. */
function eigen(
  matrix: Float64Array,
  size: number,
): { readonly rotation: Float64Array; readonly values: Float64Array } {
  const rotation = Float64Array.from({ length: size * size }, (_, i) => Number(i % (size + 1) === 0))
  for (let sweep = 0; sweep < 30; sweep++) {
    let off = 0
    for (let p = 0; p < size; p++)
      for (let q = p + 1; q < size; q++) {
        const apq = matrix[p * size + q] as number
        off += apq * apq
        if (Math.abs(apq) < 1e-14) continue
        const theta = ((matrix[q * size + q] as number) - (matrix[p * size + p] as number)) / (2 * apq)
        const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1))
        const c = 1 / Math.sqrt(t * t + 1)
        turn(matrix, size, 1, p * size, q * size, c, t * c)
        turn(matrix, size, size, p, q, c, t * c)
        turn(rotation, size, size, p, q, c, t * c)
      }
    if (off < 1e-20) break
  }
  return { rotation, values: Float64Array.from({ length: size }, (_, i) => matrix[i * (size + 1)] as number) }
}

/** Turns two rows (step 1) or columns (step `size`) into each other. */
function turn(m: Float64Array, size: number, step: number, p: number, q: number, c: number, s: number): void {
  for (let k = 0; k < size; k++) {
    const [x, y] = [m[p + k * step] as number, m[q + k * step] as number]
    m[p + k * step] = c * x - s * y
    m[q + k * step] = s * x + c * y
  }
}
