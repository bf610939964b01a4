import { describe, expect, it } from 'vitest'
import { ConfigError, Rng, threefry } from '../src/index.ts'

describe('threefry', () => {
  // Known answers of the Random123 library (Salmon et al. 2011), file kat_vectors, threefry2x32 with 20 rounds.
  it.each([
    [
      [0, 0, 0, 0],
      [0x6b200159, 0x99ba4efe],
    ],
    [
      [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
      [0x1cb996fc, 0xbb002be7],
    ],
    [
      [0x13198a2e, 0x03707344, 0x243f6a88, 0x85a308d3],
      [0xc4923a9c, 0x483df7a0],
    ],
  ] as const)('gives the known answer for %j', ([key0, key1, counter0, counter1], words) => {
    expect(threefry(key0, key1, counter0, counter1)).toEqual(words)
  })
})

describe('Rng', () => {
  it('goes on from its state as if it had never stopped', () => {
    for (const steps of [0, 1, 2, 7]) {
      const rng = new Rng(7)
      for (let i = 0; i < steps; i++) rng.bits()
      const again = new Rng(JSON.parse(JSON.stringify(rng.state())))
      expect([again.bits(), again.bits(), again.bits()]).toEqual([rng.bits(), rng.bits(), rng.bits()])
    }
  })

  it('splits into streams that depend on the label alone', () => {
    const rng = new Rng(7)
    const first = rng.split('dropout').bits()
    rng.bits()
    expect(rng.split('dropout').bits()).toBe(first)
    expect(rng.split('other').bits()).not.toBe(first)
    expect(rng.split(1).bits()).not.toBe(rng.split(2).bits())
  })

  it('is uniform in mean and variance, and normal where it says so', () => {
    const rng = new Rng(1)
    const moments = (draw: () => number): [mean: number, variance: number] => {
      const x = Float64Array.from({ length: 40_000 }, draw)
      const mean = x.reduce((s, v) => s + v, 0) / x.length
      return [mean, x.reduce((s, v) => s + (v - mean) ** 2, 0) / x.length]
    }
    const [mean, variance] = moments(() => rng.uniform())
    expect(mean).toBeCloseTo(1 / 2, 2)
    expect(variance).toBeCloseTo(1 / 12, 2)
    const [normalMean, normalVariance] = moments(() => rng.normal())
    expect(Math.abs(normalMean)).toBeLessThan(0.02)
    expect(Math.abs(normalVariance - 1)).toBeLessThan(0.03)
  })

  it('permutes without loss', () => {
    const order = new Rng(3).permutation(100)
    expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => i))
    expect([...order]).not.toEqual([...order].sort((a, b) => a - b))
  })

  it('refuses seeds and bounds that make no sense', () => {
    expect(() => new Rng(0.5)).toThrow(ConfigError)
    expect(() => new Rng(1).int(0)).toThrow(/from 1 to 4294967296, got 0/)
    expect(() => new Rng(1).pick([])).toThrow(ConfigError)
  })
})
