import { expect, test } from 'vitest'
import { alignment, VizError } from '../src/index.ts'
import { diagonal, football, hostile } from './samples.ts'

const { source, target, weights } = football

test('alignment draws lines as opaque as the weights, and the matrix', async () => {
  const svg = alignment(source, target, weights, { title: 'English to German' })
  const opacity = (title: string) =>
    new RegExp(`stroke-opacity="([\\d.]+)"[^>]*><title>${title}`).exec(svg)?.[1]
  expect(opacity('Fußball → football')).toBe('0.84')
  expect(opacity('Fußball → playing')).toBe('0.12')
  expect(opacity('Fußball → is')).toBe('0.03')
  expect(opacity('Fußball → He')).toBe('0.01')
  await expect(svg).toMatchFileSnapshot('snapshots/alignment-football.svg')
})

test('alignment gives Fußball weights that sum to 1 and are greatest at football', () => {
  const row = Array.from(weights[2] ?? [])
  expect(row.reduce((a, b) => a + b)).toBeCloseTo(1, 12)
  expect(source[row.indexOf(Math.max(...row))]).toBe('football')
})

test('alignment draws a right-to-left target from right to left', async () => {
  const words = 'אני אוהב לשחק FIFA Street'.split(' ')
  const svg = alignment(['I', 'love', 'to', 'play', 'FIFA', 'Street'], words, diagonal(5, 6), {
    matrix: false,
  })
  await expect(svg).toMatchFileSnapshot('snapshots/alignment-hebrew.svg')
})

test('alignment lets no word out of its place', () => {
  expect(alignment(hostile, hostile, diagonal(hostile.length, hostile.length))).not.toMatch(
    /<script|<img|<svg onload/,
  )
})

test('alignment refuses weights that do not fit', () => {
  expect(() => alignment(source, target, weights.slice(1))).toThrow(
    new VizError(
      'alignment: 2 rows of weights for 3 row words; give one row per target word, one weight from 0 to 1 per source word',
    ),
  )
})
