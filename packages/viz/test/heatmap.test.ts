import { describe, expect, test } from 'vitest'
import { heatmap, heatmapText, VizError, weightsCsv } from '../src/index.ts'
import { dateLines, diagonal, football, hostile, letters } from './samples.ts'

const { source, target, weights } = football
const words = { rows: target, columns: source }

describe('heatmap', () => {
  test('draws the football matrix', async () => {
    const svg = heatmap(weights, { ...words, title: 'He is playing football' })
    expect(svg).toContain('<title>Fußball → football 0.84</title>')
    expect(svg).toContain('Fußball looks most at football (0.84)')
    await expect(svg).toMatchFileSnapshot('snapshots/heatmap-football.svg')
  })

  test('draws long words slanted, with positions', async () => {
    const columns = [
      'The',
      'agreement',
      'on',
      'the',
      'European',
      'Economic',
      'Area',
      'was',
      'signed',
      'in',
      'August',
      '1992',
    ]
    const rows = [
      'Das',
      'Abkommen',
      'über',
      'den',
      'Europäischen',
      'Wirtschaftsraum',
      'wurde',
      'unterzeichnet',
    ]
    await expect(heatmap(diagonal(8, 12), { rows, columns, indexBase: 1 })).toMatchFileSnapshot(
      'snapshots/heatmap-long.svg',
    )
  })

  test('draws a date line character by character', async () => {
    const columns = letters(dateLines.thai as string)
    const rows = letters('2023-03-14')
    const svg = heatmap(diagonal(rows.length, columns.length), { rows, columns, title: 'Thai date' })
    await expect(svg).toMatchFileSnapshot('snapshots/heatmap-thai.svg')
  })

  test('counts from 0 or from 1 as told', () => {
    expect(heatmap(weights, { ...words, indexBase: 0 })).toContain('>0 He<')
    expect(heatmap(weights, { ...words, indexBase: 1 })).toContain('>1 He<')
    expect(heatmap(weights, words)).toContain('>He<')
  })

  test('takes float32 weights and gives the same picture', () => {
    expect(
      heatmap(
        weights.map(row => Float32Array.from(row)),
        words,
      ),
    ).toBe(heatmap(weights, words))
  })

  test('names itself for screen readers and follows light and dark', () => {
    const svg = heatmap(weights, words)
    const [, title, description] = /role="img" aria-labelledby="(\S+) (\S+)"/.exec(svg) ?? []
    expect(svg).toContain(`<title id="${title}">Attention weights</title>`)
    expect(svg).toContain(`<desc id="${description}">3 target by 4 source words.`)
    expect(svg).toMatch(/\.heed-w84\{fill:light-dark\(#[0-9a-f]{6},#[0-9a-f]{6}\)\}/)
  })

  test('lets no word out of its place', () => {
    const svg = heatmap(diagonal(hostile.length, hostile.length), {
      rows: hostile,
      columns: hostile,
      title: hostile.join(),
    })
    expect(svg).not.toMatch(/<script|<img|<svg onload/)
    expect(svg.replaceAll('\n', ' ')).not.toMatch(/\p{Control}|\p{Surrogate}|\uffff/u)
  })

  test('refuses weights that do not fit, naming each mismatch', () => {
    expect(() =>
      heatmap([[0.5, Number.NaN], [-0.1]], { rows: ['a', 'b', 'c'], columns: ['x', 'y'] }),
    ).toThrow(
      new VizError(
        'heatmap: 2 rows of weights for 3 row words, weight [0, 1] is NaN, row 1 has 1 weights for 2 column words, weight [1, 0] is -0.1; give one row per target word, one weight from 0 to 1 per source word',
      ),
    )
    expect(() => heatmap([], { rows: [], columns: [] })).toThrow(VizError)
    expect(() => heatmap([[1.5]], { rows: ['a'], columns: ['x'] })).toThrow('weight [0, 0] is 1.5')
    expect(() => heatmap([Array(9).fill(2)], { rows: ['a'], columns: Array(9).fill('x') })).toThrow(
      'and 5 more',
    )
  })
})

describe('heatmapText', () => {
  test('prints numbers under words', async () => {
    await expect(heatmapText(weights, words)).toMatchFileSnapshot('snapshots/heatmap-football.txt')
  })

  test('colours cells and leaves the rest alone', async () => {
    await expect(heatmapText(weights, { ...words, color: 'truecolor', mode: 'dark' })).toMatchFileSnapshot(
      'snapshots/heatmap-football.ansi.txt',
    )
  })

  test('continues below what a terminal cannot hold', () => {
    const text = heatmapText(diagonal(2, 30), {
      rows: ['a', 'b'],
      columns: Array.from({ length: 30 }, (_, i) => `w${i}`),
      width: 40,
    })
    expect(Math.max(...text.split('\n').map(line => line.length))).toBeLessThanOrEqual(40)
    expect(text).toContain('w29')
    expect(text.split('\n\n')).toHaveLength(5)
  })

  test('lets no escape sequence of a word reach the terminal', () => {
    const text = heatmapText(diagonal(hostile.length, 2), { rows: hostile, columns: ['a', 'b'] })
    expect(text).not.toContain('\u001b')
    expect(text.split('\n')).toHaveLength(hostile.length + 1)
  })

  test('refuses weights that do not fit', () => {
    expect(() => heatmapText(weights, { rows: ['a'], columns: source })).toThrow(VizError)
  })
})

describe('weightsCsv', () => {
  test('writes words and weights', () => {
    expect(weightsCsv(weights.slice(2), { rows: ['Fußball'], columns: source })).toBe(
      ',He,is,playing,football\r\nFußball,0.01,0.03,0.12,0.84\r\n',
    )
  })

  test('quotes as RFC 4180 says', () => {
    expect(weightsCsv([[1, 0]], { rows: ['a "b"'], columns: ['x,y', 'line\nbreak'] })).toBe(
      ',"x,y","line\nbreak"\r\n"a ""b""",1,0\r\n',
    )
  })

  test('writes float32 weights with the digits they have', () => {
    expect(weightsCsv([Float32Array.of(0.1, 0.9)], { rows: ['r'], columns: ['a', 'b'] })).toContain(
      'r,0.1,0.9',
    )
  })

  test('refuses weights that do not fit', () => {
    expect(() => weightsCsv([[0.5]], { rows: ['a'], columns: ['x', 'y'] })).toThrow(VizError)
  })
})
