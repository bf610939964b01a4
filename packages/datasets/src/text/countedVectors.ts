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

/** After so many products with the matrix the vectors have settled. */
const ROUNDS = 100

/**
 * Vectors of words from the company they keep in a text: a source of pretrained vectors that needs no download.
 *
 * Row i of `U √|Λ|`, where `U Λ Uᵀ` are the `size` largest eigenvalues of the matrix of positive pointwise mutual
 * information `max(0, log p(i, j) / p(i) p(j))` of words at most `window` apart; what skip-gram does implicitly (Levy and
 * Goldberg 2014). By orthogonal iteration from a seed; signs and order of the numbers of a vector mean nothing.
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
  const { basis, lengths } = largestEigenvectors(matrix, words.length, size, seed)
  const vectors = new Float32Array(words.length * size)
  for (let k = 0; k < size; k++)
    for (let i = 0; i < words.length; i++)
      vectors[i * size + k] = (basis[k]?.[i] as number) * Math.sqrt(lengths[k] as number)
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

/** Of the eigenvalues that are largest in size: unit vectors, and how large. */
function largestEigenvectors(
  { rows, columns, values }: Entries,
  count: number,
  size: number,
  seed: number,
): { readonly basis: readonly Float64Array[]; readonly lengths: readonly number[] } {
  const rng = new Rng(seed).split('count vectors')
  // some more than asked for, that the last ones asked for settle too
  const wide = Math.min(count, size + 8)
  let basis = Array.from({ length: wide }, () => Float64Array.from({ length: count }, () => rng.normal()))
  let lengths: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const next = basis.map(vector => {
      const product = new Float64Array(count)
      for (let e = 0; e < values.length; e++) {
        const i = rows[e] as number
        product[i] = (product[i] as number) + (values[e] as number) * (vector[columns[e] as number] as number)
      }
      return product
    })
    lengths = orthonormalize(next)
    basis = next
  }
  return { basis, lengths }
}

/** Gram and Schmidt, twice each for the sake of rounding. @returns the lengths the vectors had across those before */
function orthonormalize(vectors: readonly Float64Array[]): number[] {
  return vectors.map((vector, k) => {
    for (let pass = 0; pass < 2; pass++)
      for (const before of vectors.slice(0, k)) {
        const along = vector.reduce((sum, x, i) => sum + x * (before[i] as number), 0)
        for (const [i, x] of before.entries()) vector[i] = (vector[i] as number) - along * x
      }
    const length = Math.sqrt(vector.reduce((sum, x) => sum + x * x, 0))
    for (const [i, x] of vector.entries()) vector[i] = length > 1e-12 ? x / length : 0
    return length
  })
}
