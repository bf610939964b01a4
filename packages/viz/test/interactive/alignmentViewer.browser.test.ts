import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { userEvent } from 'vitest/browser'
import { mountAlignment, VizError } from '../../src/index.ts'
import { dateLines, diagonal, football, hostile, letters } from '../samples.ts'

let place: HTMLElement
beforeEach(() => {
  place = document.createElement('div')
  place.textContent = 'before'
  document.body.append(place)
})
afterEach(() => place.remove())

const all = (selector: string) => [...place.querySelectorAll<HTMLElement>(selector)]
const one = (selector: string) => all(selector)[0] as HTMLElement
const options = () => all('[role=option]')
const chosen = () => options().findIndex(option => option.getAttribute('aria-selected') === 'true')
/** How opaque the box behind each source word is. */
const opacities = () =>
  all('.heed-input .heed-token').map(token => {
    const color = getComputedStyle(token, '::before').backgroundColor
    return Math.round(1e4 * Number(/ \/ ([\d.]+)\)/.exec(color)?.[1] ?? 1)) / 1e4
  })

function dates(line: string) {
  const source = letters(line)
  const target = letters('2023-03-14')
  return { source, target, weights: diagonal(target.length, source.length) }
}

describe('the alignment viewer', () => {
  test('shows input, output position, weights and most-focused positions by default', () => {
    mountAlignment(place, { examples: [football] })
    expect(one('.heed-input').textContent).toBe('He is playing football')
    expect(chosen()).toBe(0)
    expect(all('.heed-input .heed-token').map(token => token.dataset.weight)).toEqual([
      '0.90',
      '0.06',
      '0.03',
      '0.01',
    ])
    expect(all('.heed-focus li').map(item => item.textContent)).toEqual([
      'Heposition 10.90',
      'isposition 20.06',
      'playingposition 30.03',
      'footballposition 40.01',
    ])
    expect(one('table').querySelectorAll('tbody td')).toHaveLength(12)
    expect(place.querySelector('select')).toBeNull()
  })

  test('lights the source words of a clicked target word by their weights', async () => {
    mountAlignment(place, { examples: [football] })
    await userEvent.click(options()[2] as HTMLElement)
    expect(chosen()).toBe(2)
    expect(opacities()).toEqual([0.01, 0.03, 0.12, 0.84])
    expect(all('.heed-input .heed-token')[3]?.title).toBe('football 0.84, position 4')
    expect(one('[role=status]').textContent).toBe(
      'target word 3 of 3, “Fußball” → source: “football” 0.84, “playing” 0.12, “is” 0.03',
    )
    expect(all('tr[aria-current=true]').map(row => row.querySelector('th')?.textContent)).toEqual(['Fußball'])
  })

  test('moves with arrows, Home and End, one word in the tab order at a time', async () => {
    mountAlignment(place, { examples: [football] })
    await userEvent.tab()
    expect(document.activeElement).toBe(options()[0])
    await userEvent.keyboard('{ArrowRight}')
    expect(chosen()).toBe(1)
    expect(document.activeElement).toBe(options()[1])
    await userEvent.keyboard('{End}')
    expect(chosen()).toBe(2)
    await userEvent.keyboard('{ArrowRight}')
    expect(chosen()).toBe(2)
    await userEvent.keyboard('{ArrowLeft}{ArrowUp}')
    expect(chosen()).toBe(0)
    await userEvent.keyboard('{ArrowDown}{Home}')
    expect(chosen()).toBe(0)
    expect(options().map(option => option.tabIndex)).toEqual([0, -1, -1])
    expect(getComputedStyle(options()[0] as HTMLElement).outlineStyle).not.toBe('none')
  })

  test('moves where the eye goes in a right-to-left target', async () => {
    const words = 'אני אוהב לשחק'.split(' ')
    mountAlignment(place, { examples: [{ source: words, target: words, weights: diagonal(3, 3) }] })
    const [first, second] = options().map(option => option.getBoundingClientRect()) as [DOMRect, DOMRect]
    expect(second.right).toBeLessThanOrEqual(first.left)
    options()[0]?.focus()
    await userEvent.keyboard('{ArrowLeft}')
    expect(chosen()).toBe(1)
    await userEvent.keyboard('{ArrowRight}')
    expect(chosen()).toBe(0)
  })

  test('chooses a row of the matrix and another example', async () => {
    mountAlignment(place, { examples: [football, dates(dateLines.thai as string)] })
    await userEvent.click(all('tbody tr')[1] as HTMLElement)
    expect(chosen()).toBe(1)
    await userEvent.selectOptions(one('select'), one('select option:last-child'))
    expect(one('.heed-input').textContent).toBe(dateLines.thai)
    expect(options()).toHaveLength(10)
    expect(one('[role=status]').textContent).toMatch(/^target character 1 of 10, “2” → source: “.+” 0\.\d\d/)
  })

  test('keeps Arabic letters joined and every line in its reading order', () => {
    for (const line of Object.values(dateLines)) {
      const viewer = mountAlignment(place, { examples: [dates(line)] })
      const sentence = one('.heed-input')
      const plain = sentence.cloneNode() as HTMLElement
      plain.textContent = line
      sentence.after(plain)
      const width = (node: HTMLElement) => {
        const range = document.createRange()
        range.selectNodeContents(node)
        return range.getBoundingClientRect().width
      }
      // Letters that had come apart, or stood in another order, would take another width.
      expect(width(sentence), line).toBeCloseTo(width(plain), 0)
      expect(getComputedStyle(sentence).direction).toBe(/[א-ي]/.test(line) ? 'rtl' : 'ltr')
      viewer.unmount()
    }
    mountAlignment(place, { examples: [dates(dateLines.hebrew as string)] })
    const at = all('.heed-input .heed-token').map(token => token.getBoundingClientRect().left)
    expect(at[0]).toBeGreaterThan(at[1] as number)
    // 2023 at the end of the line reads from left to right.
    expect(at.at(-4)).toBeLessThan(at.at(-1) as number)
  })

  test('fits a phone', () => {
    place.style.width = '328px'
    const long = 'economic cooperation between the member states was strengthened considerably'.split(' ')
    for (const example of [
      football,
      dates('Tuesday, the fourteenth of March '.repeat(3)),
      { source: long, target: long, weights: diagonal(9, 9) },
    ]) {
      const viewer = mountAlignment(place, { examples: [example, football] })
      expect(place.scrollWidth).toBeLessThanOrEqual(328)
      viewer.unmount()
    }
  })

  test('shows hostile words as words', () => {
    mountAlignment(place, {
      examples: [{ source: hostile, target: hostile, weights: diagonal(hostile.length, hostile.length) }],
    })
    expect(place.querySelector('img, script, svg')).toBeNull()
    expect(options()[0]?.textContent).toBe(hostile[0])
  })

  test('says when a word looked nowhere', () => {
    mountAlignment(place, { examples: [{ source: ['a', 'b'], target: ['c'], weights: [[0, 0]] }] })
    expect(one('[role=status]').textContent).toMatch(/source: no weight$/)
    expect(one('.heed-focus').textContent).toBe('no input has weight')
  })

  test('counts from 0 when told', () => {
    const viewer = mountAlignment(place, { examples: [football], indexBase: 0 })
    viewer.select(0, 2)
    expect(one('[role=status]').textContent).toContain('target word 2, counted from 0')
    expect(one('.heed-focus').textContent).toContain('position 3')
  })

  test('leaves the page as it was', () => {
    const sheets = document.adoptedStyleSheets.length
    const viewer = mountAlignment(place, { examples: [football] })
    expect(document.adoptedStyleSheets).toHaveLength(sheets + 1)
    viewer.unmount()
    expect(place.textContent).toBe('before')
    expect(document.adoptedStyleSheets).toHaveLength(sheets)
  })

  test('refuses no examples, weights that do not fit and words that are not there', () => {
    expect(() => mountAlignment(place, { examples: [] })).toThrow(VizError)
    expect(() => mountAlignment(place, { examples: [football, { ...football, weights: [] }] })).toThrow(
      'mountAlignment, example 1: 0 rows of weights for 3 row words',
    )
    expect(place.textContent).toBe('before')
    expect(() => mountAlignment(place, { examples: [football] }).select(0, 9)).toThrow(
      'no target word 9 in example 0 of 1',
    )
  })
})
