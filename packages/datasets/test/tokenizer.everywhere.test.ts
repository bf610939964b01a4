import { ConfigError } from '@heed/core-tensor'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createTokenizer, graphemes, normalizeText, words } from '../src/index.ts'

fc.configureGlobal({ seed: 1 })

/** Any text, often with characters that change when they meet: marks, joiners, jamo, flags, kinds of space. */
const text = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom(
        ..."e\u0301 ' ’ ￭ ■ . , ( - हि กำ 한 각 ᄀ 🇫🇷 👩‍🚀 \r\n \u00a0 \u202f \u2009 \u200d \u200f a1 é".split(
          ' ',
        ),
        ' ',
      ),
    ),
  )
  .map(parts => parts.join(''))

describe('graphemes', () => {
  it('cuts a text where a reader does', () => {
    expect(graphemes().encode('e\u0301tait')).toEqual(['e\u0301', 't', 'a', 'i', 't'])
    expect(graphemes().encode('हिन्दी')).not.toContain('\u093f')
    expect(graphemes().encode('👩‍🚀🇫🇷!')).toEqual(['👩‍🚀', '🇫🇷', '!'])
    expect(graphemes().encode('')).toEqual([])
  })

  it('puts every text together again exactly', () => {
    const { encode, join } = graphemes()
    fc.assert(fc.property(text, x => join(encode(x)) === x))
  })

  it('cuts simple texts unit by unit exactly as the segmenter of the engine does', () => {
    const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' })
    const units = Array.from({ length: 0xd7ff }, (_, unit) => String.fromCharCode(unit))
    const { encode } = graphemes()
    const cut = (x: string): string[] => Array.from(segmenter.segment(x), ({ segment }) => segment)
    const single = units.filter(unit => encode(`a${unit}b`).length === 3)
    // Each unit before and after each of a few others, the whole of it long enough to hold every kind of pair.
    for (let start = 0; start < single.length; start += 97) {
      const some = single.slice(start, start + 97)
      for (const other of [
        'a',
        '한',
        '가',
        '©',
        '\u05d0',
        '\u0640',
        '\u200f',
        '、',
        single[(start * 7) % single.length] as string,
      ]) {
        const mixed = some.map(unit => unit + other).join('')
        expect(encode(mixed)).toEqual(cut(mixed))
      }
    }
  })
})

describe('words', () => {
  const { encode, join } = words()

  it.each([
    ['Go.', 'Go|￭.'],
    ['Va !', 'Va|!'],
    ["L'eau, ici\u202f!", "L'￭|eau|￭,|ici|!"],
    ['Don’t go (now)', 'Don’￭|t|go|(￭|now|￭)'],
    ['two-year-old, 3.14 %', 'two|￭-￭|year|￭-￭|old|￭,|3.14|%'],
    ['  a \t b\u00a0\u2009c\r\n', 'a|b|c'],
    ['我爱', expect.stringMatching(/^我(\|￭)?爱$/)],
    ['"Hé"', '"￭|Hé|￭"'],
  ])('cuts %j into words and punctuation', (line, tokens) => {
    expect(encode(line).join('|')).toEqual(tokens)
  })

  it('puts every text together again as normalised', () => {
    fc.assert(fc.property(text, x => join(encode(x)) === normalizeText(x)))
    fc.assert(fc.property(fc.lorem({ mode: 'sentences' }), x => join(encode(x)) === x))
  })

  it('cuts plain words exactly as the segmenter of the engine does', () => {
    const segmenter = new Intl.Segmenter('en', { granularity: 'word' })
    const letters = fc.string({ unit: fc.constantFrom(...'aZéßÿœǆɏΆΈΩώЀяҁҊԯ'), minLength: 1, maxLength: 4 })
    const plain = fc.tuple(fc.constantFrom('', "l'", 'Ωд’'), letters, fc.constantFrom('', '.', ',', '!', '?'))
    fc.assert(
      fc.property(plain, ([article, word, mark]) => {
        const line = normalizeText(article + word + mark)
        const segments = Array.from(segmenter.segment(line), ({ segment }) =>
          segment.split(/(?<=['’])/),
        ).flat()
        expect(encode(line).map(token => token.replaceAll('￭', ''))).toEqual(segments)
      }),
    )
  })

  it('keeps words clean of marks, so that a word before a comma is the same word', () => {
    expect(encode('dog, dog dog.').filter(token => token === 'dog')).toHaveLength(3)
  })

  it('writes in lower case if asked', () => {
    expect(words({ lowercase: true }).encode('Ça VA ?')).toEqual(['ça', 'va', '?'])
    expect(encode('Ça')).toEqual(['Ça'])
  })

  it('joins whatever a model writes', () => {
    expect(join(['￭', 'a', '￭￭', '(￭', '￭)', 'b'])).toBe('a() b')
    fc.assert(fc.property(fc.array(fc.string()), tokens => typeof join(tokens) === 'string'))
  })
})

describe('normalizeText', () => {
  it('composes letters, and makes every kind of space one plain space', () => {
    expect(normalizeText(' e\u0301\u00a0\u202f\u2009 ?\n')).toBe('é ?')
  })

  it('changes nothing when applied again', () => {
    fc.assert(fc.property(text, x => normalizeText(normalizeText(x)) === normalizeText(x)))
  })
})

describe('createTokenizer', () => {
  it('makes the tokeniser that wrote its configuration', () => {
    for (const tokenizer of [graphemes(), words(), words({ lowercase: true })]) {
      const again = createTokenizer(JSON.parse(JSON.stringify(tokenizer.config)))
      expect(again.encode('Été, 3')).toEqual(tokenizer.encode('Été, 3'))
    }
  })

  it('refuses a name it does not know', () => {
    expect(() => createTokenizer({ kind: 'letters' as 'words' })).toThrow(ConfigError)
    expect(() => createTokenizer({ kind: 'letters' as 'words' })).toThrow(
      'tokenizer: unknown kind letters; use graphemes, words, spaces or bpe',
    )
  })
})
