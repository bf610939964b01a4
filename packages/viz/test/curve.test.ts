import { expect, test } from 'vitest'
import { type CurvePoint, type CurveSeries, curve, VizError } from '../src/index.ts'
import { hostile } from './samples.ts'

const lengths = [5, 10, 15, 20, 25, 30, 35, 40]
const byLength: CurveSeries[] = [
  { name: 'with attention', points: lengths.map((x, i) => point(x, 0.98 - 0.01 * i, 0.01 + 0.004 * i)) },
  { name: 'without attention', points: lengths.map((x, i) => point(x, 0.95 - 0.11 * i, 0.03 + 0.01 * i)) },
]
const labels = { title: 'Exact match by length', xLabel: 'source length (words)', yLabel: 'exact match' }

function point(x: number, y: number, half: number): CurvePoint {
  return { x, y, lower: y - half, upper: Math.min(1, y + half) }
}

test('curve draws two lines with their intervals', async () => {
  await expect(curve(byLength, { ...labels, yRange: [0, 1] })).toMatchFileSnapshot(
    'snapshots/curve-length.svg',
  )
})

test('curve draws a loss on a logarithmic axis', async () => {
  const points = Array.from({ length: 200 }, (_, i) => ({ x: i * 10, y: 3 / (1 + i * i * 0.01) + 0.01 }))
  const svg = curve([{ name: 'training loss', points }], {
    title: 'Loss',
    xLabel: 'step',
    yLabel: 'nats per token',
    log: 'y',
  })
  expect(svg).toContain('training loss: 3.01 at 0,')
  await expect(svg).toMatchFileSnapshot('snapshots/curve-loss.svg')
})

test('curve draws six lines on two logarithmic axes, labelled where they were measured', async () => {
  const names = ['additive', 'dot', 'general', 'scaled dot', 'concat', 'location']
  const series = names.map((name, k) => ({
    name,
    points: [4, 8, 16, 32, 64, 128].map(x => ({ x, y: (k + 1) * x * x * 0.01 })),
  }))
  const svg = curve(series, { title: 'Time per step', xLabel: 'size', yLabel: 'ms', log: 'both' })
  for (const size of [4, 8, 16, 32, 64, 128]) expect(svg).toContain(`>${size}</text>`)
  await expect(svg).toMatchFileSnapshot('snapshots/curve-sizes.svg')
})

test('curve tells lines apart without colour', () => {
  const dashes = [...curve(byLength, labels).matchAll(/stroke-dasharray="([^"]+)"/g)].map(([, dash]) => dash)
  expect(new Set(dashes).size).toBe(1)
  expect(dashes).toHaveLength(2)
})

test('curve draws a single point, a flat line and a hundred thousand points', () => {
  expect(curve([{ name: 'one', points: [{ x: 1, y: 1 }] }], labels)).toContain('<circle')
  expect(
    curve(
      [
        {
          name: 'flat',
          points: [
            { x: 1, y: 2 },
            { x: 2, y: 2 },
          ],
        },
      ],
      { ...labels, log: 'both' },
    ),
  ).not.toMatch(/NaN|Infinity/)
  const points = Array.from({ length: 100_000 }, (_, i) => ({ x: i, y: i % 7 }))
  expect(curve([{ name: 'many', points }], labels)).not.toContain('NaN')
})

test('curve lets no name out of its place', () => {
  const series = hostile.map(name => ({
    name,
    points: [
      { x: 0, y: 1 },
      { x: 1, y: 2 },
    ],
  }))
  const text = hostile.join(' ')
  expect(curve(series, { title: text, xLabel: text, yLabel: text })).not.toMatch(/<script|<img|<svg onload/)
})

test('curve refuses what it cannot draw, naming each point', () => {
  expect(() => curve([], labels)).toThrow(
    new VizError('curve: no series; give finite points, positive on logarithmic axes'),
  )
  expect(() => curve([{ name: 'loss', points: [] }], labels)).toThrow('loss has no points')
  expect(() => curve([{ name: 'loss', points: [{ x: 0, y: Number.NaN }] }], labels)).toThrow(
    'loss, point 0 is not finite',
  )
  expect(() => curve([{ name: 'loss', points: [{ x: 0, y: 0 }] }], { ...labels, log: 'y' })).toThrow(
    'y = 0 on a logarithmic axis',
  )
  expect(() =>
    curve([{ name: 'loss', points: [{ x: 0, y: 1 }] }], { ...labels, log: 'y', yRange: [0, 1] }),
  ).toThrow('yRange is 0 to 1 on a logarithmic axis')
  expect(() => curve([{ name: 'a', points: [{ x: 0, y: 5, lower: 6, upper: 7 }] }], labels)).toThrow(
    'outside its interval',
  )
})

test('curve draws twelve lines of which no two look alike', () => {
  const many = Array.from({ length: 12 }, (_, i) => ({ name: `line ${i}`, points: [1, 2].map(x => ({ x, y: i })) })) // biome-ignore format: one line
  const looks = [...curve(many, labels).matchAll(/<path [^>]*stroke-width="2.5"[^>]*>/g)].map(
    ([path]) =>
    [/heed-s-series\d+/.exec(path)?.[0].replace(/\d+/, n => String(Number(n) % 6)), /dasharray="[^"]*"/.exec(path)?.[0]].join(' '), // biome-ignore format: one line
  )
  expect(new Set(looks).size).toBe(12)
})
