import { afterEach, describe, expect, test } from 'vitest'
import { alignment, beamTree, contextArrows, curve, heatmap, heatStrip } from '../src/index.ts'
import { prefer } from './reader.ts'
import { dateLines, diagonal, football, hostile, letters } from './samples.ts'

const { source, target, weights } = football
const scripts = Object.values(dateLines).flatMap(line => line.split(' '))
const words = [
  'Wirtschaftsraum',
  'WWW',
  'illicit',
  '足球俱乐部',
  'คณะกรรมการ',
  'अंतरराष्ट्रीय',
  ...scripts,
  ...hostile,
]
const points = [1, 10, 1000].map(x => ({ x, y: x * 1000 }))
const pictures: Record<string, string> = {
  football: heatmap(weights, { rows: target, columns: source }),
  words: heatmap(diagonal(words.length, words.length), { rows: words, columns: words, indexBase: 1 }),
  few: heatmap(diagonal(6, 6), {
    rows: words.slice(0, 6),
    columns: words.slice(0, 6),
    title: 'A long title '.repeat(8),
  }),
  letters: heatmap(diagonal(10, 60), { rows: letters('2023-03-14'), columns: letters('word '.repeat(12)) }),
  strip: heatStrip(words, diagonal(1, words.length)[0] ?? []),
  stripLetters: heatStrip(
    letters(dateLines.thai as string),
    diagonal(1, letters(dateLines.thai as string).length)[0] ?? [],
  ),
  alignment: alignment(words.slice(0, 10), words.slice(4, 12), diagonal(8, 10)),
  curve: curve(
    ['with attention', 'without attention, but twice as wide', '注意', hostile[0] as string].map(name => ({
      name,
      points,
    })),
    { title: 'Everything against everything', xLabel: 'tokens', yLabel: 'tokens/s', log: 'both' },
  ),
  arrows: contextArrows(words, diagonal(1, words.length)[0] ?? [], { target: words[0] ?? '' }),
  fewArrows: contextArrows(source, weights[2] ?? [], {
    title: 'A long title '.repeat(6),
    target: 'Wirtschaftsraum',
  }),
  beam: beamTree([0, 1, 2, 3].map(step => words.slice(4 * step, 4 * step + 4).map((word, i) => ({ word, parent: step ? i % 2 : 0, logProb: -1 - step - i / 10, ended: i === 3 })))), // biome-ignore format: one line
  small: curve([{ name: 'a', points }], {
    title: 'Small',
    xLabel: 'x',
    yLabel: 'y',
    width: 280,
    height: 200,
  }),
}

afterEach(() => {
  document.body.replaceChildren()
})

describe.each(Object.entries(pictures))('the picture %s', (_, svg) => {
  test('is well-formed XML', () => {
    const parsed = new DOMParser().parseFromString(svg, 'image/svg+xml')
    expect(parsed.querySelector('parsererror')?.textContent).toBeUndefined()
    expect(parsed.documentElement.tagName).toBe('svg')
  })

  test('holds all its text, and no text lies on another', () => {
    document.body.innerHTML = svg
    const frame = document.querySelector('svg')?.getBoundingClientRect() as DOMRect
    // Slanted labels have upright boxes that overlap where the letters do not: their neighbours are told by anchors.
    const texts = [...document.querySelectorAll('svg text')]
    const boxes = texts.map(text => ({
      text: text.textContent,
      slanted: text.hasAttribute('transform'),
      box: text.getBoundingClientRect(),
    }))
    for (const { text, box } of boxes) {
      expect(box.left, `${text}`).toBeGreaterThanOrEqual(frame.left)
      expect(box.right, `${text}`).toBeLessThanOrEqual(frame.right)
      expect(box.top, `${text}`).toBeGreaterThanOrEqual(frame.top)
      expect(box.bottom, `${text}`).toBeLessThanOrEqual(frame.bottom)
    }
    const upright = boxes.filter(({ slanted }) => !slanted)
    for (const [i, one] of upright.entries())
      for (const other of upright.slice(i + 1)) {
        const across = Math.min(one.box.right, other.box.right) - Math.max(one.box.left, other.box.left)
        const down = Math.min(one.box.bottom, other.box.bottom) - Math.max(one.box.top, other.box.top)
        // Line boxes are higher than letters: a few pixels of them may meet.
        expect(across > 0.5 && down > 5, `${one.text} on ${other.text}`).toBe(false)
      }
  })
})

test('words of a strip stay inside their boxes', () => {
  document.body.innerHTML = pictures.strip as string
  for (const group of document.querySelectorAll('svg g:has(> rect)')) {
    const rect = group.querySelector('rect')?.getBoundingClientRect() as DOMRect
    const text = group.querySelector('text')?.getBoundingClientRect() as DOMRect
    expect(text.left, `${group.textContent}`).toBeGreaterThanOrEqual(rect.left)
    expect(text.right, `${group.textContent}`).toBeLessThanOrEqual(rect.right)
  }
})

test('a picture follows light and dark, and a site with a switch of its own', async () => {
  document.body.innerHTML = `<div>${pictures.football}</div>`
  const holder = document.querySelector('div') as HTMLElement
  const paper = () => getComputedStyle(document.querySelector('svg > rect') as Element).fill
  holder.style.colorScheme = 'light dark'
  await prefer('dark')
  expect(paper()).toBe('rgb(18, 22, 28)')
  await prefer('light')
  expect(paper()).toBe('rgb(255, 255, 255)')
  holder.style.colorScheme = 'dark'
  expect(paper()).toBe('rgb(18, 22, 28)')
  holder.style.setProperty('--heed-paper', 'rgb(1, 2, 3)')
  expect(paper()).toBe('rgb(1, 2, 3)')
})
