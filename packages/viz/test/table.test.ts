import { describe, expect, test } from 'vitest'
import { attentionTableHtml, attentionTableMarkdown, VizError, weightsTable } from '../src/index.ts'
import { diagonal, football, hostile } from './samples.ts'

const fussball = football.weights[2] ?? []

describe('weightsTable', () => {
  test('prints one object per token', async () => {
    const text = weightsTable(['i', 'love', 'nlp'], [0.1, 0.2, 0.7])
    expect(text).toBe(
      '{"token":"i","weight":0.1}\n{"token":"love","weight":0.2}\n{"token":"nlp","weight":0.7}',
    )
    expect(weightsTable(['i', 'love', 'nlp'], Float32Array.of(0.1, 0.2, 0.7))).toBe(text)
    await expect(text).toMatchFileSnapshot('snapshots/weights-nlp.txt')
  })

  test('keeps every line one JSON object whatever the tokens hold', () => {
    const lines = weightsTable(hostile, diagonal(1, hostile.length)[0] ?? []).split('\n')
    expect(lines.map(line => JSON.parse(line).token)).toEqual(hostile)
  })

  test('refuses weights that do not fit', () => {
    expect(() => weightsTable(['a'], [0.5, 0.5])).toThrow(VizError)
  })
})

describe('the attention table', () => {
  test('is Markdown', async () => {
    const text = attentionTableMarkdown(football.source, fussball)
    expect(text).toContain('| football | 0.84 |')
    await expect(text).toMatchFileSnapshot('snapshots/table-football.txt')
  })

  test('is HTML', async () => {
    await expect(attentionTableHtml(football.source, fussball)).toMatchFileSnapshot(
      'snapshots/table-football.html',
    )
  })

  test('keeps every word in its cell', () => {
    const row = diagonal(1, hostile.length)[0] ?? []
    const lines = attentionTableMarkdown(hostile, row).split('\n')
    expect(lines).toHaveLength(hostile.length + 2)
    for (const line of lines) expect(line.replaceAll(/\\./g, '').match(/\|/g)).toHaveLength(3)
    expect(lines.join('')).not.toMatch(/<|[^\\]`/)
    expect(attentionTableHtml(hostile, row)).not.toMatch(/<script|<img|<svg/)
  })

  test('refuses weights that do not fit', () => {
    expect(() => attentionTableMarkdown(['a'], [-1])).toThrow('weight 0 is -1')
    expect(() => attentionTableHtml(['a'], [])).toThrow(VizError)
  })
})
