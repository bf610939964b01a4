import { ConfigError, Rng } from '@heed/core-tensor'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Batches, collate, type IdPair, pad } from '../src/index.ts'

fc.configureGlobal({ seed: 1 })

/** Pairs of random lengths; each sequence says the number of its pair. */
function makePairs(count: number, longest = 40): IdPair[] {
  const rng = new Rng(5)
  const sequence = (i: number) => new Int32Array(1 + rng.int(longest)).fill(i + 1)
  return Array.from({ length: count }, (_, i) => ({ source: sequence(i), target: sequence(i) }))
}

describe('pad', () => {
  it('fills up behind the end of each sequence and says where', () => {
    expect(pad([[1, 2, 3], [4], [5, 6]])).toEqual({
      ids: Int32Array.of(1, 2, 3, 4, 0, 0, 5, 6, 0),
      shape: [3, 3],
      lengths: Int32Array.of(3, 1, 2),
      mask: Uint8Array.of(1, 1, 1, 1, 0, 0, 1, 1, 0),
    })
  })

  it('gives back what was put in, for any sequences', () => {
    fc.assert(
      fc.property(fc.array(fc.array(fc.integer({ min: 1, max: 99 })), { minLength: 1 }), sequences => {
        const { ids, shape, lengths, mask } = pad(sequences)
        const [batch, time] = shape
        expect(batch * time).toBe(ids.length)
        expect(time).toBe(Math.max(...sequences.map(s => s.length)))
        for (const [row, sequence] of sequences.entries()) {
          const whole = ids.subarray(row * time, (row + 1) * time)
          expect([...whole.subarray(0, lengths[row])]).toEqual(sequence)
          expect(whole.subarray(lengths[row]).every(id => id === 0)).toBe(true)
          expect([...mask.subarray(row * time, (row + 1) * time)]).toEqual([...whole].map(id => (id ? 1 : 0)))
        }
      }),
    )
  })
})

describe('collate', () => {
  it('pads source and target to their own longest, in the order asked for', () => {
    const pairs = [
      { source: [1], target: [2, 3] },
      { source: [4, 5, 6], target: [7] },
    ]
    const batch = collate(pairs, [1, 0])
    expect([batch.sourceShape, batch.targetShape]).toEqual([
      [2, 3],
      [2, 2],
    ])
    expect([...batch.source]).toEqual([4, 5, 6, 1, 0, 0])
    expect([...batch.target]).toEqual([7, 0, 2, 3])
    expect([...batch.sourceLengths, ...batch.targetLengths]).toEqual([3, 1, 1, 2])
    expect([...batch.indices]).toEqual([1, 0])
  })

  it('names a pair that is not there', () => {
    expect(() => collate([{ source: [1], target: [2] }], [3])).toThrow('collate: index 3 is outside 0 to 0')
  })
})

describe('Batches', () => {
  const pairs = makePairs(1003)
  const batches = new Batches(pairs, { size: 32, seed: 7, window: 8 })

  it('deals out every pair exactly once in every epoch', () => {
    for (const epoch of [batches.epoch(0), batches.epoch(1), batches.sorted()]) {
      const dealt = [...epoch].flatMap(batch => [...batch.indices])
      expect(dealt.toSorted((a, b) => a - b)).toEqual(Array.from(pairs.keys()))
      expect(epoch.length).toBe(Math.ceil(1003 / 32))
    }
  })

  it('writes under each number the pair of that number', () => {
    for (const { indices, source, sourceShape, sourceLengths, targetLengths } of batches.epoch(2)) {
      for (const [row, index] of indices.entries()) {
        expect(source[row * sourceShape[1]]).toBe(index + 1)
        expect(sourceLengths[row]).toBe(pairs[index]?.source.length)
        expect(targetLengths[row]).toBe(pairs[index]?.target.length)
      }
    }
  })

  it('gives batch k of epoch e by seed, e and k alone, so that a run can go on anywhere', () => {
    const whole = [...batches.epoch(3)]
    const fresh = new Batches(pairs, { size: 32, seed: 7, window: 8 })
    expect(fresh.epoch(3).at(20)).toEqual(whole[20])
    expect([...fresh.epoch(3).from(30)]).toEqual(whole.slice(30))
  })

  it('shuffles anew for another epoch and another seed', () => {
    const first = [...batches.epoch(0).at(0).indices]
    expect([...batches.epoch(1).at(0).indices]).not.toEqual(first)
    expect([...new Batches(pairs, { size: 32, seed: 8, window: 8 }).epoch(0).at(0).indices]).not.toEqual(
      first,
    )
  })

  it('shuffles the batches too: their lengths do not grow along the epoch', () => {
    const lengths = [...batches.epoch(0)].map(batch => batch.sourceShape[1])
    expect(lengths).not.toEqual(lengths.toSorted((a, b) => a - b))
  })

  it('wastes far less on padding than without bucketing, and says how much', () => {
    const bucketed = batches.epoch(0).waste
    const plain = new Batches(pairs, { size: 32, seed: 7, window: 1 }).epoch(0).waste
    expect(bucketed.source).toBeLessThan(0.15)
    expect(plain.source).toBeGreaterThan(0.4)
    let [tokens, places] = [0, 0]
    for (const { sourceLengths, source } of batches.epoch(0)) {
      tokens += sourceLengths.reduce((sum, length) => sum + length)
      places += source.length
    }
    expect(bucketed.source).toBeCloseTo(1 - tokens / places, 12)
  })

  it('makes a batch only when it is asked for, so that an epoch needs no memory beyond its order', () => {
    let reads = 0
    const counted = pairs.map(pair => ({
      get source() {
        reads++
        return pair.source
      },
      target: pair.target,
    }))
    const epoch = new Batches(counted, { size: 32, seed: 7 }).epoch(0)
    reads = 0
    epoch.at(4)
    expect(reads).toBe(32)
  })

  it.each([
    [{ size: 0 }, 'batches: size must be a whole number from 1, got 0'],
    [{ window: 1.5 }, 'batches: window must be a whole number from 1, got 1.5'],
  ])('refuses %j', (wrong, message) => {
    expect(() => new Batches(pairs, { size: 2, seed: 1, ...wrong })).toThrow(ConfigError)
    expect(() => new Batches(pairs, { size: 2, seed: 1, ...wrong })).toThrow(message)
  })

  it('refuses no pairs, an empty sequence and an epoch that is no number', () => {
    expect(() => new Batches([], { size: 2, seed: 1 })).toThrow('batches: there are no pairs')
    const empty = [...pairs.slice(0, 3), { source: [1], target: [] }]
    expect(() => new Batches(empty, { size: 2, seed: 1 })).toThrow('batches: pair 3 has an empty sequence')
    expect(() => batches.epoch(-1)).toThrow('batches: the epoch must be a whole number from 0, got -1')
    expect(() => batches.epoch(0).at(99)).toThrow('index 99 is outside 0 to 31')
  })
})
