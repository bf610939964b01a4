import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { evidenceCard, type ReportOptions, report, VizError } from '../src/index.ts'
import { viewerScript } from '../src/interactive/viewerScript.ts'
import { sampleReport } from './sampleReport.ts'
import { diagonal, football, hostile } from './samples.ts'

const bare: ReportOptions = { title: 'Run', summary: 'It ran.' }

describe('report', () => {
  test('tells a run on one page', async () => {
    const html = report(sampleReport)
    for (const part of ['Results', 'Curves', 'Examples', 'Where it looked', 'Evidence card', 'Configuration'])
      expect(html).toContain(`>${part}</h2>`)
    expect(html).toContain('✓ right')
    expect(html).toContain('✗ wrong')
    expect(html).toContain('<dt>optimizer.betas</dt><dd>0.9, 0.999</dd>')
    expect(report(sampleReport)).toBe(html)
    await expect(html).toMatchFileSnapshot('snapshots/report.html')
  })

  test('asks nobody for anything', () => {
    const html = report(sampleReport)
    const page = html.replace(/<script>.*<\/script>/s, '').replaceAll('http://www.w3.org/2000/svg', '')
    expect(page).not.toMatch(/\s(?:src|href|action|data|poster|srcset|style)=|@import|url\(|https?:/i)
    expect(viewerScript).not.toMatch(/fetch|XMLHttpRequest|import\(|WebSocket|innerHTML|eval|https?:/)
    expect(html).toContain('default-src &#39;none&#39;')
  })

  test('lets run the one script it carries', () => {
    const html = report(sampleReport)
    const scripts = [...html.matchAll(/<script>(.*?)<\/script>/gs)].map(([, text]) => text ?? '')
    expect(scripts).toHaveLength(1)
    const hash = createHash('sha256')
      .update(scripts[0] ?? '')
      .digest('base64')
    expect(html).toContain(`script-src &#39;sha256-${hash}&#39;`)
  })

  test('keeps every text where it belongs', () => {
    const text = hostile.join(' ')
    const html = report({
      title: text,
      summary: text,
      facts: [{ label: text, value: text, note: text }],
      tables: [{ title: text, note: text, columns: hostile, rows: [hostile] }],
      curves: [
        { title: text, xLabel: text, yLabel: text, series: [{ name: text, points: [{ x: 0, y: 0 }] }] },
      ],
      examples: [
        {
          source: hostile,
          target: hostile,
          expected: hostile,
          weights: diagonal(hostile.length, hostile.length),
        },
      ],
      card: evidenceCard({
        sourceTarget: { source: text, target: text },
        decodedOutput: text,
        alignmentNote: text,
        failureCheck: text,
        expectedOutput: text,
      }),
      configuration: { [text]: text, nested: { [text]: hostile } },
    })
    expect(html.match(/<script/g)).toHaveLength(2)
    expect(html.match(/<\/script>/g)).toHaveLength(2)
    expect(html).not.toMatch(/<img|<svg onload|<!--/)
    const [, json] = /id="heed-examples">(.*?)<\/script>/s.exec(html) ?? []
    expect(JSON.parse(json ?? '')[0].source).toEqual(hostile)
  })

  test('leaves out what it was not given, the script too', () => {
    const html = report(bare)
    expect(html).not.toMatch(/<h2|<script|<dl/)
    expect(html).toContain('<h1 dir="auto">Run</h1>')
  })

  test('lists examples without weights or output and keeps them out of the viewer', () => {
    const html = report({ ...bare, examples: [{ source: ['a'], target: [], expected: ['b'], weights: [] }] })
    expect(html).toContain('(nothing)')
    expect(html).toContain('✗ wrong')
    expect(html).not.toContain('Where it looked')
  })

  test('refuses an empty headline, ragged tables and weights that do not fit', () => {
    expect(() => report({ ...bare, summary: ' ' })).toThrow(
      new VizError('report: empty title or summary; say in a line what came out'),
    )
    expect(() =>
      report({ ...bare, tables: [{ title: 'T', columns: ['a', 'b'], rows: [['x', 1], ['y']] }] }),
    ).toThrow('T, row 1: 1 cells for 2 columns')
    expect(() => report({ ...bare, examples: [{ ...football, weights: [[1]] }] })).toThrow(
      'report, example 0: 1 rows',
    )
  })
})
