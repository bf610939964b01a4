import { ConfigError, FormatError } from '@heed/core-tensor'
import { describe, expect, it } from 'vitest'
import { BEGIN, countTokens, END, PAD, UNKNOWN, Vocabulary } from '../src/index.ts'

const counts = countTokens([['b', 'a', 'b', '😀'], ['ﬁ', 'a', 'c'], ['b']])

describe('Vocabulary', () => {
  it('puts special tokens first, then the frequent before the rare, then by code point', () => {
    const { tokens } = Vocabulary.fromCounts(counts).toJSON()
    expect([PAD, UNKNOWN, BEGIN, END]).toEqual([0, 1, 2, 3])
    expect(tokens).toEqual(['b', 'a', 'c', 'ﬁ', '😀'])
    expect(Vocabulary.fromCounts(counts).id('b')).toBe(4)
  })

  it('does not depend on the order in which tokens were met', () => {
    const reversed = new Map([...counts].reverse())
    expect(Vocabulary.fromCounts(reversed).toJSON()).toEqual(Vocabulary.fromCounts(counts).toJSON())
  })

  it('leaves out rare tokens and keeps to its size', () => {
    expect(Vocabulary.fromCounts(counts, { minCount: 2 }).toJSON().tokens).toEqual(['b', 'a'])
    const small = Vocabulary.fromCounts(counts, { maxSize: 7 })
    expect(small.size).toBe(7)
    expect(small.toJSON().tokens).toEqual(['b', 'a', 'c'])
  })

  it('encodes between begin and end where asked, and decodes up to the end', () => {
    const vocabulary = Vocabulary.fromCounts(counts)
    expect([...vocabulary.encode(['a', 'zebra'], { begin: true, end: true })]).toEqual([
      BEGIN,
      5,
      UNKNOWN,
      END,
    ])
    expect([...vocabulary.encode(['a'])]).toEqual([5])
    expect(vocabulary.decode([BEGIN, 4, UNKNOWN, 5, END, 6, PAD])).toEqual(['b', '<unknown>', 'a'])
    expect(vocabulary.decode(vocabulary.encode(['ﬁ', '😀']))).toEqual(['ﬁ', '😀'])
  })

  it('does not take a token of the text for a special one', () => {
    const vocabulary = Vocabulary.fromCounts(countTokens([['<pad>', '<end>', 'a', 'a']]))
    expect(vocabulary.decode(vocabulary.encode(['<end>', '<pad>', 'a']))).toEqual(['<end>', '<pad>', 'a'])
  })

  it('comes back from JSON the same', () => {
    const vocabulary = Vocabulary.fromCounts(counts)
    const again = Vocabulary.fromJSON(JSON.parse(JSON.stringify(vocabulary)))
    expect(again.toJSON()).toEqual(vocabulary.toJSON())
    expect([...again.encode(['a', 'c', '?'])]).toEqual([...vocabulary.encode(['a', 'c', '?'])])
  })

  it.each([
    [null, 'expected a JSON object, got null'],
    [[], 'expected a JSON object, got an array'],
    [{ tokens: ['a', 'b'] }, 'format is undefined, expected "heed-vocabulary-1"'],
    [{ format: 'heed-vocabulary-1', tokens: 'ab' }, 'tokens is not an array'],
    [{ format: 'heed-vocabulary-1', tokens: ['a', 3] }, 'token 1 is 3, not a text'],
    [{ format: 'heed-vocabulary-1', tokens: ['a'] }, 'it holds 1 tokens, at least 2 are needed'],
    [{ format: 'heed-vocabulary-1', tokens: ['a', 'b', 'a'] }, 'tokens 0 and 2 are both "a"'],
  ])('refuses the damaged JSON %j and says what is wrong', (json, message) => {
    expect(() => Vocabulary.fromJSON(json)).toThrow(FormatError)
    expect(() => Vocabulary.fromJSON(json)).toThrow(`vocabulary: ${message}; `)
  })

  it('refuses a text of one word or none, since nothing can be learned from it', () => {
    expect(() => Vocabulary.fromCounts(countTokens([['a', 'a']]))).toThrow(ConfigError)
    expect(() => Vocabulary.fromCounts(countTokens([['a', 'a']]))).toThrow('vocabulary: only one word, "a"')
    expect(() => Vocabulary.fromCounts(counts, { minCount: 9 })).toThrow('no word at all of 5 different ones')
    expect(() => Vocabulary.fromCounts(new Map())).toThrow(ConfigError)
  })

  it('refuses an id that it does not have, and tokens given twice', () => {
    expect(() => Vocabulary.fromCounts(counts).decode([4, 99])).toThrow('no token has id 99, ids are 0 to 8')
    expect(() => new Vocabulary(['a', 'b', 'a'])).toThrow('1 of 3 tokens occur twice')
  })
})
