import { ConfigError, FormatError } from '@heed/core-tensor'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { PAD, readVectors, UNKNOWN, Vocabulary, vectorTable } from '../src/index.ts'

fc.configureGlobal({ seed: 1 })

describe('readVectors', () => {
  it.each([
    ["GloVe's format", 'the 0.5 -1 2e-1\ncat 1 2 3\n'],
    ["word2vec's format", '2 3\nthe 0.5 -1 2e-1 \ncat 1 2 3 '],
    ['tabs and CRLF', 'the\t0.5\t-1\t2e-1\r\ncat\t1\t2\t3\r\n'],
  ])('understands %s', (_, text) => {
    const { words, size, vectors } = readVectors(new TextEncoder().encode(text))
    expect([words, size]).toEqual([['the', 'cat'], 3])
    expect([...vectors]).toEqual([0.5, -1, Math.fround(0.2), 1, 2, 3])
  })

  it('keeps only the words asked for, words with spaces, and the first of two', () => {
    const text = 'a 1 2\n. . . 3 4\nb 5 6\na 7 8\nnew york 9 10\n'
    const { words, vectors } = readVectors(text, { only: word => word !== 'b' })
    expect(words).toEqual(['a', '. . .', 'new york'])
    expect([...vectors]).toEqual([1, 2, 3, 4, 9, 10])
  })

  it('gives back what was written, for any words and numbers', () => {
    const word = fc.stringMatching(/^[^\s\d]\S{0,5}$/)
    const rows = fc.uniqueArray(
      fc.tuple(
        word,
        fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), { minLength: 4, maxLength: 4 }),
      ),
      {
        minLength: 1,
        selector: ([name]) => name,
      },
    )
    fc.assert(
      fc.property(rows, table => {
        const text = table.map(([name, numbers]) => `${name} ${numbers.join(' ')}\n`).join('')
        const { words, vectors } = readVectors(text)
        expect(words).toEqual(table.map(([name]) => name))
        expect(vectors).toEqual(Float32Array.from(table.flatMap(([, numbers]) => numbers.map(x => x + 0))))
      }),
    )
  })

  it('reads a file of many megabytes in parts', () => {
    const line = `${'w'.repeat(20)} ${'0.125 '.repeat(20).trim()}\n`
    const text = Array.from({ length: 40_000 }, (_, i) => i + line).join('')
    expect(text.length).toBeGreaterThan(5_000_000)
    const { words, size } = readVectors(text)
    expect([words.length, size, words[39_999]]).toEqual([40_000, 20, `39999${'w'.repeat(20)}`])
  })

  it.each([
    ['', 'v: there are no vectors in it'],
    ['a 1 2\nb 1\n', 'v: 2 numbers a word are expected, line 2 has 1'],
    [
      'a 1 2\nb 1 x\nc nan 2\n',
      'v: 2 numbers a word are expected, line 2 ("b") holds what is no number, line 3 ("c")',
    ],
  ])('refuses %j', (text, message) => {
    expect(() => readVectors(text, { name: 'v' })).toThrow(FormatError)
    expect(() => readVectors(text, { name: 'v' })).toThrow(message)
  })
})

describe('vectorTable', () => {
  const vectors = readVectors('cat 3 4\nthe 0 5\nDog 1 1\n')

  it('gives each id the vector of its word, in lower case too, and the others a random one of that size', () => {
    const vocabulary = new Vocabulary(['The', 'cat', 'dog', 'xyzzy'])
    const { table, found, coverage } = vectorTable(vocabulary, vectors, { seed: 1 })
    const row = (id: number) => [...table.subarray(2 * id, 2 * id + 2)]
    expect([row(PAD), row(vocabulary.id('The')), row(vocabulary.id('cat'))]).toEqual([
      [0, 0],
      [0, 5],
      [3, 4],
    ])
    expect([[...found], coverage]).toEqual([[0, 0, 0, 0, 1, 1, 0, 0], 0.5])
    expect(row(UNKNOWN)).not.toEqual([0, 0])
    expect(row(vocabulary.id('dog'))).not.toEqual(row(vocabulary.id('xyzzy')))
    expect(vectorTable(vocabulary, vectors, { seed: 1 }).table).toEqual(table)
    expect(vectorTable(vocabulary, vectors, { seed: 2 }).table).not.toEqual(table)
  })

  it('refuses vectors of another language', () => {
    const make = () => vectorTable(new Vocabulary(['un', 'deux']), vectors, { seed: 1 })
    expect(make).toThrow(ConfigError)
    expect(make).toThrow('vectors: none of the 2 words has a vector among 3')
  })
})
