import { describe, expect, test } from 'vitest'
import { type BeamSteps, beamTree, beamTreeText, VizError } from '../src/index.ts'
import { hostile } from './samples.ts'

/** Two lines side by side: "he plays" ends, "she reads" is given up, "he reads football" ends later. */
export const search: BeamSteps = [
  [
    { word: 'he', parent: 0, logProb: -0.3 },
    { word: 'she', parent: 0, logProb: -1.4 },
  ],
  [
    { word: 'plays', parent: 0, logProb: -0.8 },
    { word: 'reads', parent: 0, logProb: -1.5 },
  ],
  [
    { word: '.', parent: 0, logProb: -0.9, ended: true },
    { word: 'books', parent: 1, logProb: -2.1 },
  ],
  [{ word: '.', parent: 0, logProb: -2.2, ended: true }],
]

describe('beamTree', () => {
  test('draws every entry, the chosen line bold, ended ones twice framed', async () => {
    const svg = beamTree(search, { title: 'What it might have said' })
    expect(svg.match(/log probability -[\d.]+, (ended|continued|given up)/g)).toEqual([
      'log probability -0.30, continued', 'log probability -1.40, given up',
      'log probability -0.80, continued', 'log probability -1.50, continued',
      'log probability -0.90, ended', 'log probability -2.10, continued', 'log probability -2.20, ended',
    ]) // biome-ignore format: a list
    expect(svg).toContain('Chosen: “he plays .”, log probability -0.90.')
    expect(svg.match(/stroke-width="3.5"/g)).toHaveLength(3)
    await expect(svg).toMatchFileSnapshot('snapshots/beam-tree.svg')
  })

  test('counts parents among those that had not ended', () => {
    expect(beamTree(search, { chosen: [3, 0] })).toContain('Chosen: “he reads books .”')
  })

  test('lets no word out of its place', () => {
    const steps = [hostile.map(word => ({ word, parent: 0, logProb: -1 }))]
    expect(beamTree(steps)).not.toMatch(/<script|<img|<svg onload/)
    expect(beamTreeText(steps)).not.toContain('\u001b')
  })

  test.each<[string, BeamSteps, RegExp]>([
    ['nothing', [], /0 steps/],
    ['an empty step', [[]], /1 of them empty/],
    ['a parent that is not there', [[{ word: 'a', parent: 0, logProb: -1 }], [{ word: 'b', parent: 1, logProb: -2 }]], /entry 0 of step 1 continues 1 of 1/],
    ['a parent that has ended', [[{ word: 'a', parent: 0, logProb: -1, ended: true }], [{ word: 'b', parent: 0, logProb: -2 }]], /continues 0 of 0/],
    ['a line likelier than its beginning', [[{ word: 'a', parent: 0, logProb: -1 }], [{ word: 'b', parent: 0, logProb: -0.5 }]], /log probability -0.5, the line before it -1/],
    ['what is no number', [[{ word: 'a', parent: 0, logProb: Number.NaN }]], /log probability NaN/],
  ])('refuses %s', (_, steps, message) => {
    expect(() => beamTree(steps)).toThrow(VizError)
    expect(() => beamTreeText(steps)).toThrow(message)
  }) // biome-ignore format: a table

  test('refuses a chosen entry that is not there', () => {
    expect(() => beamTree(search, { chosen: [9, 0] })).toThrow('beamTree: there is no entry 0 in step 9 of 4')
  })
})

describe('beamTreeText', () => {
  test('is a tree with marks', async () => {
    const text = beamTreeText(search)
    expect(text.split('\n')[0]).toBe('begin')
    expect(text).toContain('│  ├─ plays -0.80 *')
    await expect(text).toMatchFileSnapshot('snapshots/beam-tree.txt')
  })
})
