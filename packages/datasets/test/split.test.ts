import { ConfigError } from '@heed/core-tensor'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { splitBySource } from '../src/index.ts'

fc.configureGlobal({ seed: 1 })

const pairs = Array.from({ length: 1000 }, (_, i) => ({
  source: `sentence ${i % 400}`,
  target: `phrase ${i}`,
}))

describe('splitBySource', () => {
  it('puts every pair into one part, in the order of the input', () => {
    fc.assert(
      fc.property(fc.integer(), fc.double({ min: 0, max: 0.4, noNaN: true }), (seed, share) => {
        const { train, validation, test } = splitBySource(pairs, { seed, validation: share, test: share })
        const order = (part: typeof pairs) => part.map(pair => pairs.indexOf(pair))
        expect([...order(train), ...order(validation), ...order(test)].toSorted((a, b) => a - b)).toEqual([
          ...pairs.keys(),
        ])
        expect(order(train)).toEqual(order(train).toSorted((a, b) => a - b))
      }),
      { numRuns: 20 },
    )
  })

  it('lets no source sentence occur in two parts, nor one that differs in spaces alone', () => {
    const messy = pairs.map((pair, i) =>
      i % 2 ? { ...pair, source: ` ${pair.source.replace(' ', '\u00a0 ')}` } : pair,
    )
    const { train, validation, test } = splitBySource(messy, { seed: 1 })
    const sources = [train, validation, test].map(
      part => new Set(part.map(pair => pair.source.replace(/\s+/g, ' ').trim())),
    ) as [Set<string>, Set<string>, Set<string>]
    expect(sources[0].size + sources[1].size + sources[2].size).toBe(400)
  })

  it('makes parts of the size asked for, as a share or as a number', () => {
    const { validation, test } = splitBySource(pairs, { seed: 1, validation: 0.2, test: 50 })
    expect(validation.length).toBeGreaterThanOrEqual(200)
    expect(validation.length).toBeLessThan(203)
    expect(test.length).toBeGreaterThanOrEqual(50)
    expect(test.length).toBeLessThan(53)
    expect(splitBySource(pairs, { seed: 1, validation: 0, test: 0 }).train).toEqual(pairs)
  })

  it('gives the same parts for the same seed and others for another', () => {
    expect(splitBySource(pairs, { seed: 1 })).toEqual(splitBySource(pairs, { seed: 1 }))
    expect(splitBySource(pairs, { seed: 1 }).test).not.toEqual(splitBySource(pairs, { seed: 2 }).test)
  })

  it('keeps the other fields of a pair', () => {
    const numbered = pairs.map((pair, i) => ({ ...pair, line: i + 1 }))
    expect(splitBySource(numbered, { seed: 1 }).test[0]?.line).toBeGreaterThan(0)
  })

  it('refuses too few sentences and sizes that make no sense', () => {
    const few = pairs.slice(0, 2)
    expect(() => splitBySource(few, { seed: 1 })).toThrow(ConfigError)
    expect(() => splitBySource(few, { seed: 1 })).toThrow(
      'split: 2 pairs with 2 different source sentences do not',
    )
    expect(() => splitBySource(pairs, { seed: 1, test: 1.5 })).toThrow(
      'split: test must be a share below 1 or a whole',
    )
    expect(() => splitBySource(pairs, { seed: 1, validation: -1 })).toThrow('validation must be a share')
  })
})
