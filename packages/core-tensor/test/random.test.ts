import { beforeAll, describe, expect, it } from 'vitest'
import * as heed from '../src/index.ts'
import { Rng, setBackend, type Tensor, tensor } from '../src/index.ts'
import { referenceBackend } from '../src/testing/index.ts'

beforeAll(() => setBackend(referenceBackend()))

const MANY = 20_000
const rng = (): Rng => new Rng(17)
const values = (x: Tensor): number[] => [...x.dataSync()]
const mean = (v: readonly number[]): number => v.reduce((a, b) => a + b, 0) / v.length
/** The share of numbers below each bound. */
const below = (v: readonly number[], bounds: readonly number[]): number[] => bounds.map(b => v.filter(x => x < b).length / v.length) // biome-ignore format: one line
/** Within five standard errors of a share of so many draws. */
const share = (got: number, want: number): void => expect(Math.abs(got - want)).toBeLessThan(5 * Math.sqrt((want * (1 - want)) / MANY) + 1e-9) // biome-ignore format: one line

describe('distributions', () => {
  it('bernoulli: 1 as often as its probability says', () => {
    const p = tensor([0, 0.2, 0.7, 1]).expand([MANY / 4, 4])
    const drawn = heed.bernoulli(p, { rng: rng() })
    expect(new Set(values(drawn))).toEqual(new Set([0, 1]))
    for (const [i, got] of values(drawn.mean(0)).entries()) share(got, [0, 0.2, 0.7, 1][i] as number)
    expect(drawn.dtype).toBe('float32')
  })

  it('integers: each equally likely, both ends right', () => {
    const drawn = values(heed.integers(-2, 3, [MANY], { rng: rng() }))
    for (let n = -2; n < 3; n++) share(drawn.filter(v => v === n).length / MANY, 0.2)
    expect(() => heed.integers(3, 3, [1], { rng: rng() })).toThrow('integers: from 3 to 3; use whole numbers')
    const wide = values(heed.integers(0, 2 ** 24, [MANY], { rng: rng() }))
    expect(Math.max(...wide)).toBeLessThan(2 ** 24)
  })

  it('exponential: 1 − e^(−rate x) below x', () => {
    const drawn = values(heed.exponential([MANY], { rng: rng(), rate: 2 }))
    const bounds = [0.1, 0.5, 1, 2]
    for (const [i, got] of below(drawn, bounds).entries())
      share(got, 1 - Math.exp(-2 * (bounds[i] as number)))
    expect(() => heed.exponential([1], { rng: rng(), rate: 0 })).toThrow(
      'the rate is 0; use a number above 0',
    )
  })

  it('gumbel: e^(−e^(−x)) below x', () => {
    const bounds = [-1, 0, 0.5, 2, 4]
    const drawn = values(heed.gumbel([MANY], { rng: rng() }))
    for (const [i, got] of below(drawn, bounds).entries())
      share(got, Math.exp(-Math.exp(-(bounds[i] as number))))
  })

  it('are finite for every number that can be drawn', () => {
    // All bits 0, and all bits 1: the ends of what `uniform` yields.
    for (const u of [0, 1 - 2 ** -24]) {
      const backend = referenceBackend()
      const fixed = { ...backend, kernels: { ...backend.kernels, random: (_: unknown, [y]: readonly heed.TensorSpec[]) => [backend.write(new Float32Array(heed.sizeOf(y?.shape ?? [])).fill(u), y as heed.TensorSpec)] } } as heed.Backend // biome-ignore format: one line
      for (const draw of [heed.exponential, heed.gumbel])
        expect(values(draw([2], { rng: rng(), backend: fixed })).every(Number.isFinite)).toBe(true)
    }
  })

  it('categorical: as softmax of the scores', () => {
    const drawn = values(heed.categorical(tensor([1, 2, 0, -1e30]).expand([MANY, 4]), { rng: rng() }))
    for (const [i, p] of values(heed.softmax(tensor([1, 2, 0, -1e30]))).entries())
      share(drawn.filter(v => v === i).length / MANY, p)
    expect(heed.categorical(tensor([[1, 2], [3, 4]]), { rng: rng() }).shape).toEqual([2]) // biome-ignore format: a matrix
    expect(() => heed.categorical(heed.zeros([2, 0]), { rng: rng() })).toThrow(
      'nothing to choose from in [2, 0]',
    )
  })

  it('multinomial: each class once, in the order of a draw; or again and again', () => {
    const weights = tensor([5, 0, 3, 2])
    const rows = heed.multinomial(weights.expand([MANY, 4]), 3, { rng: rng() })
    const first = values(rows.slice([{}, { stop: 1 }]))
    for (const [i, p] of [0.5, 0, 0.3, 0.2].entries()) share(first.filter(v => v === i).length / MANY, p)
    const data = values(rows)
    for (let i = 0; i < 300; i += 3) expect(new Set(data.slice(i, i + 3))).toEqual(new Set([0, 2, 3]))
    const again = values(heed.multinomial(weights, MANY, { rng: rng(), replacement: true }))
    for (const [i, p] of [0.5, 0, 0.3, 0.2].entries()) share(again.filter(v => v === i).length / MANY, p)
    expect(() => heed.multinomial(weights, 5, { rng: rng() })).toThrow('multinomial: 5 of 4 classes')
  })

  it('permutation: every number once, each order equally likely', () => {
    const own = rng()
    const seen = new Map<string, number>()
    for (let i = 0; i < 6000; i++) {
      const key = values(heed.permutation(3, { rng: own })).join('')
      seen.set(key, (seen.get(key) ?? 0) + 1)
    }
    expect(seen.size).toBe(6)
    for (const count of seen.values()) expect(Math.abs(count - 1000)).toBeLessThan(160)
    expect(heed.permutation(0, { rng: own }).shape).toEqual([0])
  })

  it('are the same from the same seed, and let no gradient pass', () => {
    const p = tensor([0.5, 0.5])
    p.requiresGrad = true
    for (const draw of [
      (rng: Rng) => heed.bernoulli(p, { rng }),
      (rng: Rng) => heed.categorical(p, { rng }),
      (rng: Rng) => heed.multinomial(p, 1, { rng }),
    ]) {
      expect(values(draw(rng()))).toEqual(values(draw(rng())))
      expect(draw(rng()).requiresGrad).toBe(false)
    }
    expect(mean(values(heed.normal([MANY], { rng: rng() })))).toBeCloseTo(0, 1)
  })
})
