import { describe, expect, it } from 'vitest'
import { fitGrowth, quantile, summarize } from '../src/statistics.ts'

describe('a summary', () => {
  it('has the median, the least and the spread of the middle half', () => {
    // quartiles of 1…9 by linear interpolation (numpy.quantile): 3, 5, 7
    const { median, min, spread, count } = summarize([9, 1, 8, 2, 7, 3, 6, 4, 5])
    expect({ median, min, spread, count }).toEqual({ median: 5, min: 1, spread: 0.8, count: 9 })
  })

  it('takes the middle of two for an even number', () => expect(summarize([4, 1, 3, 2]).median).toBe(2.5))

  it('is not moved by one outlier', () => expect(summarize([1, 1, 1, 1, 500]).median).toBe(1))

  it('of a single time is that time', () =>
    expect(summarize([7])).toEqual({ median: 7, min: 7, spread: 0, count: 1 }))
})

it('a quantile interpolates between neighbours', () => expect(quantile([10, 20], 0.25)).toBe(12.5))

describe('growth', () => {
  it('finds the exponent and the factor of a power', () => {
    const { exponent, factor } = fitGrowth([1, 2, 4, 8].map(x => ({ x, y: 3 * x ** 1.5 })))
    expect(exponent).toBeCloseTo(1.5, 10)
    expect(factor).toBeCloseTo(3, 10)
  })

  it('is 0 for what does not grow', () =>
    expect(fitGrowth([1, 10, 100].map(x => ({ x, y: 5 }))).exponent).toBeCloseTo(0, 10))
})
