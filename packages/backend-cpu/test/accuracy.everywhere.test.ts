import { type Backend, erf, expm1, log1p, scope, type Tensor, tensor } from '@heed/core-tensor'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cpu } from '../src/index.ts'
import { erf as erf64 } from '../src/plain/erf.ts'
import { builds } from './builds.ts'

/** How far from the exact value a function's results may be. */
interface Bound {
  readonly of: (x: Tensor) => Tensor
  /** In float64, whose own error is nothing next to what is allowed. */
  readonly exact: (x: number) => number
  /** In units of the exact value's last place; for results below the normal numbers, of the smallest denormal. */
  readonly ulps: number
}

const sigmoid = (x: number): number => (x < 0 ? Math.exp(x) / (1 + Math.exp(x)) : 1 / (1 + Math.exp(-x)))

/** The bounds that the package promises for float32. */
const bounds: Readonly<Record<string, Bound>> = {
  exp: { of: x => x.exp(), exact: Math.exp, ulps: 1.1 },
  expm1: { of: expm1, exact: Math.expm1, ulps: 1.6 },
  log: { of: x => x.log(), exact: Math.log, ulps: 0.9 },
  log1p: { of: log1p, exact: Math.log1p, ulps: 1 },
  sin: { of: x => x.sin(), exact: Math.sin, ulps: 0.502 },
  cos: { of: x => x.cos(), exact: Math.cos, ulps: 0.502 },
  tanh: { of: x => x.tanh(), exact: Math.tanh, ulps: 6 },
  sigmoid: { of: x => x.sigmoid(), exact: sigmoid, ulps: 2.5 },
  erf: { of: erf, exact: erf64, ulps: 7 },
  sqrt: { of: x => x.sqrt(), exact: Math.sqrt, ulps: 0.5 },
  'pow 1.7': { of: x => x.pow(1.7), exact: x => x ** Math.fround(1.7), ulps: 0.502 },
  'pow −0.3': { of: x => x.pow(-0.3), exact: x => x ** Math.fround(-0.3), ulps: 0.502 },
  'pow 3': { of: x => x.pow(3), exact: x => x ** 3, ulps: 0.502 },
}

/** erf as the C library has it. */
const erfs: readonly (readonly [x: number, y: number])[] = [
  [1e-10, 1.1283791670955126e-10],
  [0.1, 0.1124629160182849],
  [0.5, 0.5204998778130465],
  [0.84375, 0.7672256612323416],
  [1, 0.8427007929497149],
  [1.25, 0.9229001282564582],
  [1.5, 0.9661051464753108],
  [2, 0.9953222650189527],
  [2.5, 0.999593047982555],
  [3, 0.9999779095030014],
  [3.5, 0.9999992569016276],
  [4, 0.9999999845827421],
  [5, 0.9999999999984626],
  [5.9, 0.9999999999999999],
]

/** The distance between neighbours among float32 numbers of that size. */
function lastPlace(x: number): number {
  const size = Math.abs(x)
  if (size < 2 ** -126) return 2 ** -149
  return 2 ** (Math.min(127, Math.floor(Math.log2(size))) - 23)
}

/** Every 4,093rd number of all float32, and all special ones: 1,049,350 of them. */
function allSizes(): Float32Array {
  const words = Int32Array.from({ length: 1_049_344 }, (_, i) => i * 4093)
  words.set([0, 0x80000000, 1, 0x80000001, 0x7f800000, 0xff800000, 0x7fc00000, 0x7f7fffff, 0xff7fffff, 0x00800000]) // biome-ignore format: a list
  return new Float32Array(words.buffer)
}

/** 200,001 numbers as far apart from −12 to 12, where most of what networks compute happens. */
function nearZero(): Float32Array {
  return Float32Array.from({ length: 200_001 }, (_, i) => (i - 100_000) * 1.2e-4)
}

/** The largest error, in last places, and where it is. */
function worst({ exact }: Bound, xs: Float32Array, ys: Float32Array): { ulps: number; at: number } {
  let ulps = 0
  let at = 0
  for (let i = 0; i < xs.length; i++) {
    const x = xs[i] as number
    const y = ys[i] as number
    const want = exact(x)
    const rounded = Math.fround(want)
    if (y === rounded || (Number.isNaN(y) && Number.isNaN(want))) continue
    // Beyond the largest number: either that, or infinity, is within the error of the other.
    const error = Math.abs(Math.min(Math.max(y, -(2 ** 128)), 2 ** 128) - Math.min(Math.max(want, -(2 ** 128)), 2 ** 128)) / lastPlace(want) // biome-ignore format: one line reads best
    if (!(error <= ulps)) {
      ulps = error
      at = x
    }
  }
  return { ulps, at }
}

describe.each(await builds())('the error of a function, build %s', (_name, options) => {
  let backend: Backend
  beforeAll(async () => {
    backend = await cpu({ threads: 1, ...options })
  })
  afterAll(() => backend.dispose())

  it.each(Object.entries(bounds))('of %s is below its bound', (_, bound) => {
    const found = [allSizes(), nearZero()].map(xs => {
      const ys = scope(() => bound.of(tensor(xs, { backend })).dataSync()) as Float32Array
      return worst(bound, xs, ys)
    })
    for (const { ulps, at } of found) expect(ulps, `at ${at}`).toBeLessThanOrEqual(bound.ulps)
  })

  it('never carries tanh, erf, sin, cos or sigmoid beyond 1, nor sigmoid below 0', () => {
    const [most, least] = scope(() => {
      const x = tensor(nearZero(), { backend })
      const limited = [x.tanh(), erf(x), x.sin(), x.cos(), x.mul(9).sigmoid()]
      return [limited.map(y => y.abs().max().dataSync()[0]), x.mul(9).sigmoid().min().dataSync()[0]]
    }) as [number[], number]
    for (const y of most) {
      expect(y).toBeLessThanOrEqual(1)
      expect(y).toBeGreaterThan(1 - 2 ** -21)
    }
    expect(least).toBeGreaterThanOrEqual(0)
  })

  it('ends tanh and erf at 1 exactly', () => {
    const x = tensor([9.1, 20, 1e30, Infinity, -9.1, -20, -1e30, -Infinity], { backend })
    const made = scope(() => [x.tanh().dataSync(), erf(x).dataSync()])
    for (const ys of made) expect([...(ys ?? [])]).toEqual([1, 1, 1, 1, -1, -1, -1, -1])
  })

  it('of float64 functions is that of the engine, and of erf below 2 last places', () => {
    const x = tensor(Float64Array.from(erfs, ([x]) => x), { backend }) // biome-ignore format: one line reads best
    const made = scope(() => [x.exp().dataSync(), erf(x).dataSync(), erf(x.neg()).dataSync()] as const)
    for (const [i, [at, y]] of erfs.entries()) {
      expect(made[0][i]).toBe(Math.exp(at))
      expect(Math.abs((made[1][i] as number) - y)).toBeLessThanOrEqual(y * 2 ** -51)
      expect(made[2][i]).toBe(-(made[1][i] as number))
    }
  })
})
