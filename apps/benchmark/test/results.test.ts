import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { describeMachine } from '../src/bench.ts'
import { measureCell } from '../src/cell.ts'
import { page } from '../src/report/page.ts'
import { type Results, resultsSchema } from '../src/results.ts'
import { readValues, writeValues } from '../src/valueFiles.ts'
import { drawFrom } from '../src/values.ts'
import { workloads } from '../src/workloads/index.ts'
import { heed, QUICK, side, torch } from './sides.ts'

async function results(): Promise<Results> {
  const subject = {
    place: 'node' as const,
    workload: 'gemm',
    variant: '256',
    threads: 1,
    tolerance: 1e-5,
    calls: 1,
    compared: 1,
  }
  const small = await measureCell(subject, [await side(heed), await side(torch)], QUICK)
  const large = await measureCell(
    { ...subject, variant: '512' },
    [await side(heed), await side(torch)],
    QUICK,
  )
  return {
    machine: describeMachine(),
    node: process.version,
    began: new Date(0).toISOString(),
    seconds: 1,
    participants: { heed: 'heed, reference' },
    rows: [...small.rows, ...large.rows],
    gaps: [
      { workload: 'gemm', variant: '512', threads: 1, participant: 'tfjs', reason: 'took <b>too</b> long' },
    ],
  }
}

describe('the file of results', () => {
  it('has the shape it promises', async () => {
    const written = JSON.parse(JSON.stringify(await results()))
    expect(resultsSchema.parse(written)).toEqual(written)
    expect(written.rows[0]).toMatchObject({
      place: 'node',
      workload: 'gemm',
      variant: '256',
      threads: 1,
      engine: 'stock',
      peer: 'torch',
      heedMs: expect.any(Number),
      peerMs: expect.any(Number),
      ratio: expect.any(Number),
      disturbed: expect.any(Boolean),
    })
  })

  it.each([
    ['an engine that there is not', { engine: 'turbo' }],
    ['a place that there is not', { place: 'firefox' }],
    ['a ratio of 0', { ratio: 0 }],
    ['words for a time', { heedMs: '3 ms' }],
    ['a field that nobody knows', { note: 'x' }],
  ])('refuses %s', async (_, change) => {
    const good = await results()
    const [row] = good.rows
    expect(resultsSchema.safeParse({ ...good, rows: [{ ...row, ...change }] }).success).toBe(false)
  })
})

describe('the page', () => {
  it('needs nothing else and runs nothing', async () => {
    const html = page(await results(), workloads)
    expect(html).toContain("default-src 'none'")
    expect(html).not.toMatch(/<script|<link|src=/)
  })

  it('shows ratios first, then times, then growth', async () => {
    const html = page(await results(), workloads)
    const at = ['How many times faster', 'Times', 'How cost grows', 'Not measured'].map(title =>
      html.indexOf(`<h2>${title}</h2>`),
    )
    expect(at).toEqual([...at].sort((a, b) => a - b))
    expect(at[0]).toBeGreaterThan(0)
  })

  it('gives the exponent of growth', async () =>
    expect(page(await results(), workloads)).toMatch(/heed ∝ x\^-?\d/))

  it('escapes what participants said', async () => {
    const html = page(await results(), workloads)
    expect(html).toContain('took &lt;b&gt;too&lt;/b&gt; long')
  })
})

describe('data', () => {
  it('is the same for the same seed, and never zeros', () => {
    const [a, b] = [drawFrom(5), drawFrom(5)].map(draw => draw.normal([3, 4]).data)
    expect(a).toEqual(b)
    expect(new Set(a).size).toBe(12)
    expect(drawFrom(6).normal([3, 4]).data).not.toEqual(a)
  })

  it('survives the way through a file', () => {
    const folder = mkdtempSync(join(tmpdir(), 'heed-bench-test-'))
    const draw = drawFrom(1)
    const values = { x: draw.normal([2, 3]), ids: draw.integers([4], 10), empty: draw.normal([0, 2]) }
    writeValues(join(folder, 'v'), values)
    expect(readValues(join(folder, 'v'))).toEqual(values)
    rmSync(folder, { recursive: true })
  })
})
