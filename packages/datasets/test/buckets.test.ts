import { ConfigError } from '@heed/core-tensor'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Batches, Buckets, type Position } from '../src/index.ts'

fc.configureGlobal({ seed: 1 })

const collate = (examples: readonly { length: number }[], indices: Uint32Array) => ({
  lengths: examples.map(({ length }) => length),
  indices: [...indices],
})
const lengthOf = ({ length }: { length: number }) => length
const setting = fc.record({
  lengths: fc.array(fc.integer({ min: 0, max: 60 }), { minLength: 1, maxLength: 200 }),
  size: fc.integer({ min: 1, max: 40 }),
  window: fc.integer({ min: 1, max: 10 }),
  maxPlaces: fc.option(fc.integer({ min: 1, max: 400 }), { nil: undefined }),
  seed: fc.integer(),
})
type Setting = typeof setting extends fc.Arbitrary<infer T> ? T : never
const bucketsOf = ({ lengths, size, window, maxPlaces, seed }: Setting) =>
  new Buckets(
    lengths.map(length => ({ length })),
    { lengthOf, collate, size, window, seed, ...(maxPlaces && { maxPlaces }) },
  )

describe('Buckets', () => {
  it('deal out every example exactly once in every epoch, within the bounds', () => {
    fc.assert(
      fc.property(setting, fc.integer({ min: 0, max: 5 }), (given, epoch) => {
        const buckets = bucketsOf(given)
        const dealt = Array.from({ length: buckets.length(epoch) }, (_, batch) =>
          buckets.at({ epoch, batch }),
        )
        const indices = dealt.flatMap(batch => batch.indices)
        expect(indices.toSorted((a, b) => a - b)).toEqual([...given.lengths.keys()])
        for (const { lengths, indices } of dealt) {
          expect(lengths).toEqual(indices.map(i => given.lengths[i]))
          expect(lengths.length).toBeLessThanOrEqual(given.size)
          if (lengths.length > 1)
            expect(Math.max(...lengths) * lengths.length).toBeLessThanOrEqual(
              given.maxPlaces ?? Number.POSITIVE_INFINITY,
            )
        }
      }),
    )
  })

  it('go on from any position as if never stopped, over the ends of epochs', () => {
    fc.assert(
      fc.property(setting, fc.integer({ min: 0, max: 30 }), (given, stop) => {
        const take = (from: Position, count: number) => {
          const found: { indices: number[]; next: Position }[] = []
          for (const { batch, next } of bucketsOf(given).from(from)) {
            found.push({ indices: batch.indices, next })
            if (found.length === count) break
          }
          return found
        }
        const whole = take({ epoch: 0, batch: 0 }, stop + 12)
        const position = stop ? (whole[stop - 1]?.next as Position) : { epoch: 0, batch: 0 }
        expect(take(JSON.parse(JSON.stringify(position)), 12)).toEqual(whole.slice(stop))
      }),
    )
  })

  it('mix lengths little: batches of a long window hold similar ones', () => {
    const lengths = Array.from({ length: 1000 }, (_, i) => 1 + ((i * 7919) % 97))
    const buckets = bucketsOf({ lengths, size: 10, window: 100, maxPlaces: undefined, seed: 3 })
    for (let batch = 0; batch < buckets.length(0); batch++) {
      const dealt = buckets.at({ epoch: 0, batch }).lengths
      expect(Math.max(...dealt) - Math.min(...dealt)).toBeLessThanOrEqual(1)
    }
  })

  it('refuse what makes no sense', () => {
    const make = (options: object) => () =>
      new Buckets([{ length: 1 }], { lengthOf, collate, size: 2, seed: 1, ...options })
    expect(make({ size: 0 })).toThrow(ConfigError)
    expect(make({ maxPlaces: 0.5 })).toThrow('batches: maxPlaces must be a whole number from 1, got 0.5')
    expect(make({ lengthOf: () => Number.NaN })).toThrow('batches: the length of example 0 is NaN')
    expect(() => new Buckets([], { lengthOf, collate, size: 2, seed: 1 })).toThrow('there are no examples')
    expect(() => make({})().at({ epoch: 0, batch: 1 })).toThrow('batches: index 1 is outside 0 to 0')
    expect(() => make({})().at({ epoch: -1, batch: 0 })).toThrow(
      'the epoch must be a whole number from 0, got -1',
    )
  })
})

describe('Batches with maxPlaces', () => {
  const sequence = fc.array(fc.integer({ min: 4, max: 9 }), { minLength: 1, maxLength: 30 })
  it('hold every pair once, as it was, and no more places than allowed', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ source: sequence, target: sequence }), { minLength: 1, maxLength: 80 }),
        fc.integer({ min: 30, max: 200 }),
        (pairs, maxPlaces) => {
          const batches = new Batches(pairs, { size: 16, seed: 2, window: 3, maxPlaces })
          for (const epoch of [batches.epoch(0), batches.epoch(1), batches.sorted()]) {
            const seen: number[] = []
            for (const batch of epoch) {
              expect(batch.source.length).toBeLessThanOrEqual(maxPlaces)
              for (const [row, index] of batch.indices.entries()) {
                seen.push(index)
                const at = row * batch.sourceShape[1]
                expect([...batch.source.subarray(at, at + (batch.sourceLengths[row] as number))]).toEqual(
                  pairs[index]?.source,
                )
              }
            }
            expect(seen.toSorted((a, b) => a - b)).toEqual([...pairs.keys()])
          }
        },
      ),
      { numRuns: 50 },
    )
  })
})
