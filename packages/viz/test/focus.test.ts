import { expect, test } from 'vitest'
import { focusText, VizError } from '../src/index.ts'
import { football } from './samples.ts'

const { source, target, weights } = football

test('focusText shows input, output position, weights and the most-focused positions', async () => {
  const text = focusText(source, target, weights, { position: 2 })
  for (const part of ['input    He is playing football', 'output   3 Fußball, of Er spielt Fußball', '.84', 'focused  4 football (0.84), 3 playing (0.12), 2 is (0.03)']) // biome-ignore format: one line
    expect(text).toContain(part)
  await expect(text).toMatchFileSnapshot('snapshots/focus-football.txt')
})

test('focusText counts from 0 when told, and says where a word looked nowhere', () => {
  expect(focusText(source, target, weights, { indexBase: 0, count: 1 })).toContain('output   0 Er')
  expect(focusText(['a'], ['b'], [[0]])).toContain('focused  nowhere')
})

test('focusText refuses weights that do not fit and positions that are not there', () => {
  expect(() => focusText(source, target, weights.slice(1))).toThrow(VizError)
  expect(() => focusText(source, target, weights, { position: 3 })).toThrow('focusText: there is no target word 3 of 3') // biome-ignore format: one line
})
