import { ConfigError } from '@heed/core-tensor'
import { describe, expect, it } from 'vitest'
import { countVectors, examples, tweets, type WordVectors } from '../src/index.ts'

function cosine({ words, size, vectors }: WordVectors, a: string, b: string): number {
  const [u, v] = [a, b].map(word =>
    vectors.subarray(words.indexOf(word) * size, (words.indexOf(word) + 1) * size),
  ) as [Float32Array, Float32Array]
  const dot = (x: Float32Array, y: Float32Array) => x.reduce((sum, one, i) => sum + one * (y[i] as number), 0)
  return dot(u, v) / Math.sqrt(dot(u, u) * dot(v, v))
}

describe('countVectors', () => {
  it('gives words of the same company similar vectors', () => {
    const texts = examples(tweets({ seed: 1, split: 'train', size: 1500 })).map(({ text }) => text.split(' '))
    const vectors = countVectors(texts, { size: 16, seed: 1 })
    for (const [a, b] of [
      ['love', 'hate'],
      ['adore', 'regret'],
    ] as const)
      for (const other of ['homework', 'rained', 'library', 'exam'])
        expect(cosine(vectors, a, b), `${a} ${b} ${other}`).toBeGreaterThan(cosine(vectors, a, other) + 0.2)
    expect(countVectors(texts, { size: 16, seed: 1 })).toEqual(vectors)
  })

  it('has the scalar products that NumPy finds by its eigenvalues', () => {
    const text =
      'the cat sat on the mat and the dog sat on the rug while a cat saw a dog and the rug lay on the mat'
    const { words, size, vectors } = countVectors([text.split(' ')], { size: 3, window: 2, seed: 4 })
    expect(words).toEqual(THEIRS.words)
    const product = (i: number, j: number) =>
      Array.from(
        { length: size },
        (_, k) => (vectors[i * size + k] as number) * (vectors[j * size + k] as number),
      ).reduce((a, b) => a + b)
    for (const [i, row] of THEIRS.products.entries())
      for (const [j, wanted] of row.entries()) expect(product(i, j)).toBeCloseTo(wanted, 3)
  })

  it('refuses too little text and numbers that make no sense', () => {
    expect(() => countVectors([['a', 'a', 'b', 'b']], { size: 3, seed: 1 })).toThrow(ConfigError)
    expect(() => countVectors([['a', 'a', 'b', 'b']], { size: 3, seed: 1 })).toThrow(
      'vectors: 2 words occur 2 times, too few for 3',
    )
    expect(() => countVectors([], { size: 0, seed: 1 })).toThrow(
      'vectors: size must be a whole number from 1, got 0',
    )
  })
})

/** By NumPy's `eigh` of the same matrix, made there anew. */
const THEIRS = {
  words: ['the', 'on', 'cat', 'sat', 'mat', 'and', 'dog', 'rug', 'a'],
  products: [
    [0.4061, 0.4833, 0.3509, -0.1144, -0.1956, 0.3179, 0.1663, -0.0185, 0.3288],
    [0.4833, 0.6239, 0.2023, -0.1098, -0.2718, 0.3547, 0.1026, -0.1533, 0.5748],
    [0.3509, 0.2023, 1.3311, -0.0344, 0.1665, 0.4695, 0.663, 0.7282, -0.2693],
    [-0.1144, -0.1098, -0.0344, 0.4759, 0.4217, 0.1122, 0.1335, 0.3233, 0.6194],
    [-0.1956, -0.2718, 0.1665, 0.4217, 0.4753, 0.0593, 0.2055, 0.4651, 0.2478],
    [0.3179, 0.3547, 0.4695, 0.1122, 0.0593, 0.3674, 0.2923, 0.2435, 0.4744],
    [0.1663, 0.1026, 0.663, 0.1335, 0.2055, 0.2923, 0.3801, 0.4596, 0.1062],
    [-0.0185, -0.1533, 0.7282, 0.3233, 0.4651, 0.2435, 0.4596, 0.7072, 0.0454],
    [0.3288, 0.5748, -0.2693, 0.6194, 0.2478, 0.4744, 0.1062, 0.0454, 1.8322],
  ],
}
