import { describe, expect, test } from 'vitest'
import { isolated } from '../src/ansi.ts'
import { direction, shorten, textWidth, visualOrder } from '../src/layout.ts'
import { element, scriptJson } from '../src/markup.ts'
import { joinWords, separatorOf, visible } from '../src/words.ts'
import { hostile, letters } from './samples.ts'

describe('visible', () => {
  test('shows what cannot be seen', () => {
    expect(visible(' ')).toBe('␣')
    expect(visible(' the')).toBe('␣the')
    expect(visible('')).toBe('∅')
    expect(visible('a\u0000\tb\u001b[31m')).toBe('a␀␉b␛[31m')
    expect(visible('Fußball')).toBe('Fußball')
  })

  test('leaves no control, no half surrogate and no direction override', () => {
    for (const word of hostile)
      expect(visible(word)).not.toMatch(/\p{Control}|\p{Surrogate}|[\u202A-\u202E\u2066-\u2069]/u)
  })
})

describe('sentences', () => {
  test('words are joined by spaces, characters and words with spaces of their own by nothing', () => {
    expect(joinWords(['He', 'is', 'playing'])).toBe('He is playing')
    expect(joinWords(letters('14 मार्च'))).toBe('14 मार्च')
    expect(joinWords(['He', ' is'])).toBe('He is')
    expect(separatorOf(['二', '〇'])).toBe('')
  })

  test('direction is that of the first letter', () => {
    expect(direction('Fußball')).toBe('ltr')
    expect(direction('14 במרץ')).toBe('rtl')
    expect(direction('FIFA אחד')).toBe('ltr')
    expect(direction('')).toBe('ltr')
  })

  test('a right-to-left line stands from right to left, the numbers and names inside it from left to right', () => {
    const order = (words: string[], separator: string) => visualOrder(words, separator).map(i => words[i])
    expect(order(['אחד', 'שתיים', 'שלוש'], ' ')).toEqual(['שלוש', 'שתיים', 'אחד'])
    expect(order(['אחד', 'FIFA', 'Street', 'שלוש'], ' ')).toEqual(['שלוש', 'FIFA', 'Street', 'אחד'])
    expect(order(letters('ב 2023'), '').join('')).toBe('2023 ב')
    expect(order(['one', 'two'], ' ')).toEqual(['one', 'two'])
  })

  test('right-to-left text is isolated, other text left alone', () => {
    expect(isolated('אחד')).toBe('\u2068אחד\u2069')
    expect(isolated('one')).toBe('one')
  })
})

describe('layout', () => {
  test('texts are cut between characters, with an ellipsis', () => {
    expect(shorten('short', 14, 100)).toBe('short')
    const cut = shorten('👩‍👩‍👧‍👦👩‍👩‍👧‍👦👩‍👩‍👧‍👦👩‍👩‍👧‍👦', 14, textWidth('👩‍👩‍👧‍👦…', 14) + 1)
    expect(cut).toBe('👩‍👩‍👧‍👦…')
  })
})

describe('markup', () => {
  test('escapes text and attributes and leaves out what XML forbids', () => {
    const { markup } = element('text', { title: '"<&>\'\n', hidden: true, no: undefined, off: false }, [
      '<&>\u0000\ud800',
    ])
    expect(markup).toBe('<text title="&quot;&lt;&amp;&gt;&#39;&#10;" hidden>&lt;&amp;&gt;␀\uFFFD</text>')
    expect(element('rect', { x: 1 }).markup).toBe('<rect x="1"/>')
  })

  test('JSON in a script can neither end nor comment it, and reads back the same', () => {
    const { markup } = scriptJson(hostile)
    expect(markup).not.toMatch(/[<>&\u2028\u2029]/)
    expect(JSON.parse(markup)).toEqual(hostile)
  })
})
