import { stripVTControlCharacters } from 'node:util'
import { describe, expect, test } from 'vitest'
import { heatStrip, heatStripText, VizError } from '../src/index.ts'
import { dateLines, diagonal, football, hostile, letters } from './samples.ts'

const nlp = { tokens: ['i', 'love', 'nlp'], weights: [0.1, 0.2, 0.7] }
const tweet =
  'I love this course , even though the homework is hard and long and the bus was late again today and it rained all week so nobody slept well and we are still struggling , professor'.split(
    ' ',
  )
const tweetWeights = tweet.map(word => (word === 'love' ? 0.5 : 0.5 / (tweet.length - 1)))

describe('heatStrip', () => {
  test('draws the three tokens of the tutorial', async () => {
    await expect(heatStrip(nlp.tokens, nlp.weights)).toMatchFileSnapshot('snapshots/strip-nlp.svg')
  })

  test('breaks a tweet into lines, love darkest', async () => {
    const svg = heatStrip(tweet, tweetWeights, { title: 'A tweet' })
    expect(svg).toContain('Most weight on love (0.50)')
    await expect(svg).toMatchFileSnapshot('snapshots/strip-tweet.svg')
  })

  test('draws right-to-left sentences from right to left', async () => {
    const words = 'אני אוהב לשחק FIFA Street 2005 מאוד'.split(' ')
    const svg = heatStrip(words, diagonal(1, words.length)[0] ?? [], { title: 'עברית' })
    const at = (word: string) => Number(new RegExp(`<text x="([\\d.]+)"[^>]*>${word}<`).exec(svg)?.[1])
    expect(at('אני')).toBeGreaterThan(at('אוהב'))
    expect(at('FIFA')).toBeLessThan(at('Street'))
    await expect(svg).toMatchFileSnapshot('snapshots/strip-hebrew.svg')
  })

  test('draws a Hindi date grapheme by grapheme', async () => {
    const words = letters(dateLines.hindi as string)
    await expect(heatStrip(words, diagonal(1, words.length)[0] ?? [])).toMatchFileSnapshot(
      'snapshots/strip-hindi.svg',
    )
  })

  test('lets no word out of its place', () => {
    const svg = heatStrip(hostile, diagonal(1, hostile.length)[0] ?? [])
    expect(svg).not.toMatch(/<script|<img|<svg onload/)
  })

  test('refuses weights that do not fit', () => {
    expect(() => heatStrip(['a', 'b'], [1])).toThrow(
      new VizError(
        'heatStrip: 1 weights for 2 words; give one row per target word, one weight from 0 to 1 per source word',
      ),
    )
    expect(() => heatStrip(['a'], [Number.NaN])).toThrow('weight 0 is NaN')
    expect(() => heatStrip([], [])).toThrow('nothing to draw')
  })
})

describe('heatStripText', () => {
  test('shows bars and numbers where there are no colours', async () => {
    const text = heatStripText(football.source, football.weights[2] ?? [])
    expect(text.split('\n')[2]).toBe('.01 .03 .12     .84')
    await expect(text).toMatchFileSnapshot('snapshots/strip-football.txt')
  })

  test('colours words in 256 and in all colours', async () => {
    for (const color of ['ansi256', 'truecolor'] as const) {
      const text = heatStripText(nlp.tokens, nlp.weights, { color })
      expect(stripVTControlCharacters(text)).toBe(' i   love   nlp ')
      await expect(text).toMatchFileSnapshot(`snapshots/strip-nlp.${color}.txt`)
    }
  })

  test('keeps every number under its word, in scripts of double width too', () => {
    const lines = heatStripText(['我', 'like', '足球'], [0.1, 0.2, 0.7]).split('\n')
    expect(lines[0]).toBe('我  like 足球')
    expect(lines[2]).toBe('.10 .20  .70')
  })

  test('puts a right-to-left run of characters into one isolate, so that letters join', () => {
    const words = letters(dateLines.arabic as string)
    const text = heatStripText(words, diagonal(1, words.length)[0] ?? [], { color: 'ansi256' })
    expect(text.match(/\u2068/g)).toHaveLength(1)
    expect(text.match(/\u2069/g)).toHaveLength(1)
    expect(stripVTControlCharacters(text)).toBe(`\u2068${dateLines.arabic}\u2069`)
  })

  test('ends an isolate before the next left-to-right word', () => {
    const text = heatStripText(['ארוך', 'מאוד', 'FIFA', 'כן'], [0, 0, 0, 1], { color: 'ansi256' })
    expect(stripVTControlCharacters(text)).toBe('\u2068 ארוך   מאוד \u2069  FIFA  \u2068 כן \u2069')
  })

  test('isolates word by word above numbers', () => {
    const [first, , third] = heatStripText(['אחד', 'שתיים'], [0.25, 0.75]).split('\n')
    expect(first).toBe('\u2068אחד\u2069 \u2068שתיים\u2069')
    expect(third).toBe('.25 .75')
  })

  test('breaks lines at the width of the terminal', () => {
    const text = heatStripText(tweet, tweetWeights, { width: 40 })
    expect(Math.max(...text.split('\n').map(line => line.length))).toBeLessThanOrEqual(40)
  })

  test('lets no escape sequence of a word reach the terminal', () => {
    const text = heatStripText(hostile, diagonal(1, hostile.length)[0] ?? [], { width: 1000 })
    expect(text).not.toContain('\u001b')
    expect(text.split('\n')).toHaveLength(3)
  })

  test('refuses weights that do not fit', () => {
    expect(() => heatStripText(['a'], [2])).toThrow(VizError)
  })
})
