import { type Parameter, Rng, setBackend, softmax, type Tensor, tensor } from '@heed/core-tensor'
import { checkGradient, checkSecondGradient, referenceBackend } from '@heed/core-tensor/testing'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  AdaptiveSpan,
  attend,
  causal,
  entmax,
  entmax15,
  sparsemax,
  temperatureSoftmax,
  topKSoftmax,
} from '../src/index.ts'

beforeAll(() => setBackend(referenceBackend()))

const f64 = (...values: number[]): Tensor => tensor(Float64Array.from(values))
const random = (seed: number, ...shape: number[]): Tensor => {
  const rng = new Rng(seed)
  return tensor(Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => rng.normal()), { shape }) // biome-ignore format: one line
}
const near = (x: Tensor, want: readonly number[], digits = 9): void => {
  const got = x.dataSync()
  expect(got).toHaveLength(want.length)
  for (const [i, w] of want.entries()) expect(got[i]).toBeCloseTo(w, digits)
}

describe('entmax', () => {
  const z = [0.7, -0.2, 1.1, 0.3, -1.5]
  // By bisection with 40 digits (mpmath); the second list is the derivative by α, by differences of 1e-12.
  const table: [alpha: number, values: number[], slopes: number[]][] = [
    [1.1, [0.2790124599034827, 0.09487647999557937, 0.4351515213863922, 0.1752377547232489, 0.015721783991296857], [0.0722683070942, -0.167807666213, 0.30693051339, -0.0782007371605, -0.133190417111]],
    [1.3, [0.29183653319334896, 0.05597012783957894, 0.4976425693924364, 0.1545413084589411, 9.461115694626727e-6], [0.0505417582931, -0.222062324118, 0.30844358094, -0.134230402046, -0.0026926130689]],
    [1.5, [0.3032855833041393, 0.01014325008758199, 0.5635710647337204, 0.12300010187455827, 0], [0.0584345606463, -0.209811014271, 0.340093457858, -0.188717004233, 0]],
    [2, [0.3, 0, 0.7, 0, 0], [-0.14424030973, 0, 0.14424030973, 0, 0]],
    [2.5, [0.21293468691978076, 0, 0.7870653130802192, 0, 0], [-0.205252826903, 0, 0.205252826903, 0, 0]],
    [4, [0, 0, 1, 0, 0], [0, 0, 0, 0, 0]],
  ] // biome-ignore format: a table

  it.each(table)(
    'of alpha %d has the values and the slopes by alpha that someone else computed',
    (alpha, values, slopes) => {
      near(entmax(f64(...z), alpha), values, 12)
      const a = f64(alpha)
      const p = entmax(f64(...z), a)
      near(p, values, 12)
      for (const [i, want] of slopes.entries()) {
        const alpha = a.detach()
        alpha.requiresGrad = true
        entmax(f64(...z), alpha).slice([{ start: i, stop: i + 1 }]).sum().backward() // biome-ignore format: one line
        near(alpha.grad as Tensor, [want], 8)
      }
      near(entmax(tensor(z), alpha), values, 5) // float32
    },
  )

  it('is softmax at 1, also in its slope, and goes there smoothly', () => {
    near(entmax(f64(...z), 1), [...softmax(f64(...z)).dataSync()], 12)
    near(entmax(f64(...z), f64(1)), [...softmax(f64(...z)).dataSync()], 12)
    // (entmax(1 + h) − softmax) / h for h = 1e-10 with 40 digits
    const want = [0.0717903623, -0.14511905, 0.2859434834, -0.0613858223, -0.1512289733]
    for (const [i, slope] of want.entries()) {
      const alpha = f64(1)
      alpha.requiresGrad = true
      entmax(f64(...z), alpha).slice([{ start: i, stop: i + 1 }]).sum().backward() // biome-ignore format: one line
      near(alpha.grad as Tensor, [slope], 8)
    }
    for (const alpha of [1 + 0.9e-4, 1 + 1.1e-4])
      near(entmax(f64(...z), f64(alpha)), softmax(f64(...z)).dataSync().map((p, i) => p + (alpha - 1) * (want[i] as number)) as never, 7) // biome-ignore format: one line
  })

  it('equals entmax15 and sparsemax, which equal the goldens, in rows and along any axis', () => {
    const x = random(3, 4, 6)
    near(entmax(x, 1.5), [...entmax15(x).dataSync()], 9)
    near(entmax(x, 2), [...sparsemax(x).dataSync()], 9)
    near(entmax(x, 1.5, 0), [...entmax15(x, 0).dataSync()], 9)
  })

  it.each([1, 1.2, 1.5, 2, 2.5])(
    'of alpha %d has gradients in scores and alpha that agree with differences',
    alpha => {
      const x = f64(0.7, -0.2, 1.1, 0.3, -1.5, 0.25, 0.5, 0.1, 0.9, -0.4).reshape([2, 5])
      expect(checkGradient((x, a) => entmax(x as Tensor, a as Tensor), [x, f64(alpha)])).toBeLessThan(1e-6)
      const perRow = f64(alpha, alpha + 0.3).reshape([2, 1])
      expect(checkGradient((x, a) => entmax(x as Tensor, a as Tensor), [x, perRow])).toBeLessThan(1e-6)
      if (alpha > 1) expect(checkSecondGradient((x, a) => entmax(x as Tensor, a as Tensor), [x, f64(alpha)], { tolerance: 1e-5 })).toBeLessThan(1e-5) // biome-ignore format: one line
    },
  )

  it('refuses alphas below 1', () => {
    expect(() => entmax(f64(1, 2), 0.5)).toThrow('entmax: alpha is 0.5; use a number of 1 or more')
    expect(() => entmax(f64(1, 2), Number.NaN)).toThrow('alpha is NaN')
  })
})

describe('top-k and temperature', () => {
  it('weigh the k largest alone, as softmax of these', () => {
    const x = f64(1, 3, 2, 3, 0)
    near(topKSoftmax(x, 2), [0, 0.5, 0, 0.5, 0], 12)
    near(topKSoftmax(x, 3), [0, ...softmax(f64(3, 2, 3)).dataSync().slice(0, 2), softmax(f64(3, 2, 3)).dataSync()[2] as number, 0], 12) // biome-ignore format: one line
    near(topKSoftmax(x, 9), [...softmax(x).dataSync()], 12)
    expect(checkGradient(x => topKSoftmax(x as Tensor, 2), [random(1, 3, 5)])).toBeLessThan(1e-6)
    expect(() => topKSoftmax(x, 0)).toThrow('topKSoftmax: k is 0; use a whole number of 1 or more')
  })

  it('take just k of equals', () => {
    expect([...topKSoftmax(f64(1, 1, 1, 1), 2).dataSync()].sort()).toEqual([0, 0, 0.5, 0.5])
  })

  it('go from the largest alone to the mean', () => {
    const x = f64(1, 1.5, 0.5)
    near(temperatureSoftmax(x, 0.01), [0, 1, 0], 12)
    near(temperatureSoftmax(x, 1e9), [1 / 3, 1 / 3, 1 / 3], 8)
    expect(checkGradient((x, t) => temperatureSoftmax(x as Tensor, t as Tensor), [random(2, 2, 4), f64(0.7)])).toBeLessThan(1e-6) // biome-ignore format: one line
    expect(() => temperatureSoftmax(x, 0)).toThrow('the temperature is 0; use a number above 0')
  })
})

describe('an adaptive span', () => {
  it('fades weights over the ramp, as in equation 4', () => {
    const span = new AdaptiveSpan(1, 8, { ramp: 2, start: 1 })
    // Equal scores, the last of six queries: m(d) = clamp((2 + 1 − d) / 2, 0, 1) = 0 0 0 ½ 1 1 for d = 5 … 0.
    const zero = tensor(new Float32Array(12), { shape: [1, 6, 2] })
    const { weights } = attend(zero, zero, zero, { mask: causal, ...span.forward() })
    near(weights.slice([{}, { start: 5 }]), [0, 0, 0, 0.2, 0.4, 0.4], 6)
    near(weights.slice([{}, { start: 1, stop: 2 }]), [0.5, 0.5, 0, 0, 0, 0], 6)
    near(weights.sum(-1), [1, 1, 1, 1, 1, 1], 6)
  })

  it('has a span for each head, and a gradient that agrees with differences', () => {
    const span = new AdaptiveSpan(2, 6, { ramp: 3, start: 2.3 })
    const [q, k] = [random(1, 1, 2, 5, 3), random(2, 1, 2, 5, 3)]
    const f = (q?: Tensor, k?: Tensor, logit?: Tensor): Tensor => {
      const { normalize } = span.forward()
      return attend(q as Tensor, k as Tensor, k, { normalize, uses: [(logit as Tensor).sigmoid().mul(6)] }).context // biome-ignore format: one line
    }
    expect(checkGradient(f, [q, k, f64(0.3, -0.4).reshape([2, 1, 1])])).toBeLessThan(1e-6)
  })

  /** Steps of gradient descent on one span where the answer stands `distance` places back. */
  const learned = (distance: number): number => {
    const span = new AdaptiveSpan(1, 16, { ramp: 2, start: 8 })
    const time = 18
    // Keys say their place; the query of place t looks for place t − distance, faintly for all others.
    const place = (shift: number): Tensor => tensor(Float32Array.from({ length: time * time }, (_, i) => (i % time === Math.max(0, Math.floor(i / time) - shift) ? 4 : 0)), { shape: [1, time, time] }) // biome-ignore format: one line
    const [queries, keys] = [place(distance), place(0)]
    const late = { start: 17 } // queries that have a place so far back
    const logit = span.logit as Parameter
    for (let step = 0; step < 60; step++) {
      const { context } = attend(queries, keys, keys, { mask: causal, ...span.forward() })
      const error = context.slice([{}, late]).sub(queries.slice([{}, late]))
      error.mul(error).sum().add(span.penalty()).backward()
      logit.assign(logit.detach().sub((logit.grad as Tensor).mul(2)))
      logit.zeroGrad()
    }
    return span.spans().dataSync()[0] as number
  }

  it('shrinks under the penalty where the answer is near, and stays wide where it is far', () => {
    expect(learned(1)).toBeLessThan(1.5)
    expect(learned(12)).toBeGreaterThan(9)
  })

  it('refuses settings that make no sense', () => {
    expect(() => new AdaptiveSpan(0, 4)).toThrow('AdaptiveSpan: 0 heads, spans up to 4 from 1 on')
    expect(() => new AdaptiveSpan(1, 4, { start: 4 })).toThrow('a start below the longest')
  })
})
