import { describe, expect, it } from 'vitest'
import {
  alignmentErrorRate,
  characterErrorRate,
  editDistance,
  perplexity,
  rougeL,
  wordErrorRate,
} from '../src/index.ts'

describe('error rates', () => {
  it('count the edits of the classic example', () => {
    expect(editDistance([...'kitten'], [...'sitting'])).toBe(3)
    expect(editDistance([], ['a', 'b'])).toBe(2)
    expect(editDistance(['a', 'b'], [])).toBe(2)
  })

  it('weigh sentences by their length', () => {
    expect(wordErrorRate([['a'], ['x', 'y', 'z']], [['b'], ['x', 'y', 'z']])).toEqual({
      edits: 1,
      referenceLength: 4,
      rate: 0.25,
    })
  })

  it('count characters as people do, beyond the first plane too', () => {
    expect(characterErrorRate(['𝒂b'], ['𝒄b'])).toEqual({ edits: 1, referenceLength: 2, rate: 0.5 })
  })

  it('are 0 for nothing against nothing, infinite for something against nothing', () => {
    expect(wordErrorRate([[]], [[]]).rate).toBe(0)
    expect(wordErrorRate([['a']], [[]]).rate).toBe(Number.POSITIVE_INFINITY)
    expect(wordErrorRate([], []).rate).toBe(0)
  })

  it('ask for one reference each', () => {
    expect(() => wordErrorRate([['a']], [])).toThrow(
      'wordErrorRate: 1 hypotheses and 0 references; give one for each',
    )
  })
})

describe('rougeL', () => {
  it('is 1 for equal texts and 0 for texts that share nothing, or hold nothing', () => {
    expect(rougeL(['a', 'b'], ['a', 'b']).f1).toBe(1)
    expect(rougeL(['a'], ['b'])).toEqual({ common: 0, precision: 0, recall: 0, f1: 0 })
    expect(rougeL([], [])).toEqual({ common: 0, precision: 0, recall: 0, f1: 0 })
  })

  it('keeps the order of words', () => {
    expect(rougeL(['b', 'a'], ['a', 'b']).common).toBe(1)
  })
})

describe('alignmentErrorRate', () => {
  it('takes sure links for possible ones, and links given twice for one', () => {
    const links = [[0, 0], [0, 0], [1, 1]] as const // biome-ignore format: links
    expect(alignmentErrorRate(links, [[0, 0], [1, 1]])).toEqual({ rate: 0, precision: 1, recall: 1 }) // biome-ignore format: one line
  })

  it('is 0 where there is nothing to align, 1 where nothing was found', () => {
    expect(alignmentErrorRate([], [])).toEqual({ rate: 0, precision: 0, recall: 0 })
    expect(alignmentErrorRate([], [[0, 0]]).rate).toBe(1)
  })
})

describe('perplexity', () => {
  it('of a fair die is 6', () => {
    expect(perplexity(new Array(10).fill(Math.log(6)))).toBeCloseTo(6, 12)
  })

  it('asks for a loss', () => {
    expect(() => perplexity([])).toThrow('perplexity: no losses; give one for each word')
  })
})
