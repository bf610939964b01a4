import { describe, expect, test } from 'vitest'
import { contextArrows, contextArrowsText, VizError } from '../src/index.ts'
import { diagonal, football, hostile } from './samples.ts'

const { source } = football
const row = football.weights[2] ?? []

describe('contextArrows', () => {
  test('draws a solid arrow for a large weight and dashed ones for small', async () => {
    const svg = contextArrows(source, row, { target: 'Fußball' })
    const lines = [...svg.matchAll(/<title>(\S+) (solid|dashed) ([\d.]+)<\/title><line [^>]*>/g)]
    expect(lines.map(([line, word, kind, weight]) => [word, kind, weight, line.includes('dasharray')])).toEqual([
      ['He', 'dashed', '0.01', true],
      ['is', 'dashed', '0.03', true],
      ['playing', 'dashed', '0.12', true],
      ['football', 'solid', '0.84', false],
    ]) // biome-ignore format: a table
    await expect(svg).toMatchFileSnapshot('snapshots/arrows-football.svg')
  })

  test('counts as solid what reaches the threshold, an even share unless told', () => {
    const kinds = (threshold?: number): string[] =>
      [...contextArrows(source, row, threshold === undefined ? {} : { threshold }).matchAll(/ (solid|dashed) [\d.]+</g)].map(([, kind]) => kind ?? '') // biome-ignore format: one line
    expect(kinds(0.12)).toEqual(['dashed', 'dashed', 'solid', 'solid'])
    expect(kinds()).toEqual(kinds(0.25))
  })

  test('draws no arrow where nothing was looked at, and says so', () => {
    const svg = contextArrows(['a', 'b'], [0, 0])
    expect([svg.includes('<line'), svg.includes('Solid arrows from nowhere')]).toEqual([false, true])
  })

  test('lets no word out of its place', () => {
    expect(contextArrows(hostile, diagonal(1, hostile.length)[0] ?? [], { target: hostile[0] ?? '' })).not.toMatch(/<script|<img|<svg onload/) // biome-ignore format: one line
  })

  test('refuses weights that do not fit', () => {
    expect(() => contextArrows(source, [1])).toThrow(new VizError('contextArrows: 1 weights for 4 words; give one row per target word, one weight from 0 to 1 per source word')) // biome-ignore format: one line
    expect(() => contextArrows([], [])).toThrow(VizError)
  })
})

describe('contextArrowsText', () => {
  test('draws lines of the same kinds', async () => {
    const text = contextArrowsText(source, row, { target: 'Fußball', width: 8 })
    expect(text.split('\n').at(-1)).toBe('football 0.84 ━━━━━━━▶')
    await expect(text).toMatchFileSnapshot('snapshots/arrows-football.txt')
  })

  test('lets no escape sequence of a word reach the terminal', () => {
    const text = contextArrowsText(hostile, diagonal(1, hostile.length)[0] ?? [])
    expect(text).not.toContain('\u001b')
    expect(text.split('\n')).toHaveLength(hostile.length)
  })
})
