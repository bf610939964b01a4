import { type ColorDepth, columnsOf, isolated, padColumns, paintCell } from './ansi.ts'
import type { Mode } from './color.ts'
import { direction, mayTurn, textWidth, visualOrder } from './layout.ts'
import { element, type Markup } from './markup.ts'
import { byWeight, label, legend, length, onWeight, paint, picture } from './svg.ts'
import { checkRow, fixed, mostFocused, type WeightRow } from './weights.ts'
import { separatorOf, visible } from './words.ts'

/** What {@link heatStrip} can be told. */
export interface HeatStripOptions {
  /** Stands above the picture. Default `Attention over the sentence`. */
  readonly title?: string
  /** Pixels after which a line breaks. Default 720. */
  readonly width?: number
}

/** What {@link heatStripText} can be told. */
export interface HeatStripTextOptions {
  /** The colours the terminal knows. Default `none`: a row of numbers and bars under the words. */
  readonly color?: ColorDepth
  /** Which end of the scale is zero's: `light` for light terminals. Default `light`. */
  readonly mode?: Mode
  /** Terminal columns after which a line breaks. Default 80. */
  readonly width?: number
}

/** A word's place in the sentence and its width in the strip. */
interface Box {
  readonly index: number
  readonly width: number
}

const rowHeight = 62

/**
 * A sentence as SVG, each word on the colour of its weight and the weight below it.
 *
 * ```ts
 * heatStrip(['i', 'love', 'nlp'], [0.1, 0.2, 0.7])
 * ```
 *
 * Sentences in Hebrew, Arabic and other right-to-left scripts run from right to left.
 *
 * @param weights one for each word, from 0 to 1
 * @returns one `<svg>` element, the same bytes for the same input
 * @throws VizError if there is not one weight from 0 to 1 for each word
 */
export function heatStrip(
  words: readonly string[],
  weights: WeightRow,
  options: HeatStripOptions = {},
): string {
  const { title = 'Attention over the sentence', width = 720 } = options
  checkRow('heatStrip', weights, words.length)
  const separator = separatorOf(words)
  const tight = separator === ''
  const boxes = words.map((word, index) => ({
    index,
    width: Math.max(textWidth(visible(word), 15) + (tight ? 8 : 20), tight ? 16 : 44),
  }))
  const gap = tight ? 1 : 6
  const rows = broken(boxes, gap, width)
  const inner = Math.max(...rows.map(row => rowWidth(row, gap)), textWidth(title, 17), 200)
  const step = tight ? rowHeight - 18 : rowHeight
  const base = direction(words.join(separator))
  const body = rows.flatMap((row, r) => {
    const order = visualOrder(
      row.map(({ index }) => words[index] ?? ''),
      separator,
      base,
    )
    let x = 24 + (base === 'rtl' ? inner - rowWidth(row, gap) : 0)
    return order
      .flatMap(i => row[i] ?? [])
      .map(box => {
        const place = { x, y: 60 + r * step, width: box.width, tight }
        x += box.width + gap
        return drawWord(words[box.index] ?? '', weights[box.index] ?? 0, place)
      })
  })
  const height = 60 + rows.length * step
  return picture({
    width: inner + 48,
    height: height + 46,
    title,
    description: inWords(words, weights),
    body: [
      label(title, { x: 24, y: 38, size: 17, anchor: 'start', bold: true }),
      ...body,
      legend(24, height + 10),
    ],
  })
}

/**
 * A sentence for the terminal, each word on the colour of its weight.
 *
 * Without colours a row of bars and a row of numbers stand under the words (`.84`; for single characters one digit, in
 * tenths). Right-to-left text stands between Unicode isolates: in colour run by run, so that letters join; above
 * numbers word by word, so that each stays above its own.
 *
 * @param weights one for each word, from 0 to 1
 * @returns lines, the last without line end
 * @throws VizError if there is not one weight from 0 to 1 for each word
 */
export function heatStripText(
  words: readonly string[],
  weights: WeightRow,
  { color = 'none', mode = 'light', width = 80 }: HeatStripTextOptions = {},
): string {
  checkRow('heatStripText', weights, words.length)
  const tight = separatorOf(words) === ''
  const plain = color === 'none'
  const boxes = words.map((word, index) => ({
    index,
    width: Math.max(columnsOf(visible(word)), plain && !tight ? 3 : 1) + (tight || plain ? 0 : 2),
  }))
  const rows = broken(boxes, tight ? 0 : 1, width)
  if (!plain) return rows.map(row => colored(row, words, weights, { tight, color, mode })).join('\n')
  return rows
    .map(row => {
      const line = (text: (box: Box) => string) =>
        row
          .map(text)
          .join(tight ? '' : ' ')
          .trimEnd()
      return [
        line(box => padColumns(isolated(visible(words[box.index] ?? '')), box.width, 'end')),
        line(box => bar(weights[box.index] ?? 0).repeat(box.width)),
        line(box => padColumns(shortNumber(weights[box.index] ?? 0, tight), box.width, 'end')),
      ].join('\n')
    })
    .join('\n\n')
}

/** One line of words on their colours; a run from right to left stands in one isolate. */
function colored(
  row: readonly Box[],
  words: readonly string[],
  weights: WeightRow,
  { tight, color, mode }: { tight: boolean; color: ColorDepth; mode: Mode },
): string {
  const shown = row.map(({ index }) => visible(words[index] ?? '').replaceAll('␣', ' '))
  const turned = turnedRuns(shown)
  return row
    .map(({ index }, i) => {
      const opens = turned[i] && !turned[i - 1] ? '\u2068' : ''
      const closes = turned[i] && !turned[i + 1] ? '\u2069' : ''
      const space = tight || i === row.length - 1 ? '' : ' '
      const text = tight ? (shown[i] ?? '') : ` ${shown[i]} `
      const cell = opens + paintCell(text, weights[index] ?? 0, color, mode)
      return closes ? cell + closes + space : cell + space
    })
    .join('')
}

/** Which words belong to a right-to-left run: those with such letters, and what stands between two of them without letters. */
function turnedRuns(words: readonly string[]): boolean[] {
  const turned = words.map(mayTurn)
  let last = -1
  words.forEach((word, i) => {
    if (turned[i]) {
      if (last >= 0) turned.fill(true, last, i)
      last = i
    } else if (/\p{L}/u.test(word)) last = -1
  })
  return turned
}

/** The boxes in lines of at most `width`, in reading order. */
function broken(boxes: readonly Box[], gap: number, width: number): Box[][] {
  let row: Box[] = []
  const rows = [row]
  for (const box of boxes) {
    if (row.length > 0 && rowWidth(row, gap) + gap + box.width > width) {
      row = []
      rows.push(row)
    }
    row.push(box)
  }
  return rows
}

function rowWidth(row: readonly Box[], gap: number): number {
  return row.reduce((sum, box) => sum + box.width, 0) + gap * (row.length - 1)
}

function drawWord(
  word: string,
  weight: number,
  { x, y, width, tight }: { x: number; y: number; width: number; tight: boolean },
): Markup {
  const number = label(fixed(weight, 2), {
    x: x + width / 2,
    y: y + 49,
    size: 11,
    color: paint({ fill: 'quiet' }),
  })
  return element('g', {}, [
    element('title', {}, [`${visible(word)} ${fixed(weight, 2)}`]),
    element('rect', {
      x: length(x),
      y,
      width: length(width),
      height: 34,
      rx: tight ? 3 : 6,
      ...byWeight(weight),
    }),
    label(visible(word), { x: x + width / 2, y: y + 22.5, size: 15, color: onWeight(weight) }),
    ...(tight ? [] : [number]),
  ])
}

/** `.84`, `1.0`; or one digit of tenths. */
function shortNumber(weight: number, tight: boolean): string {
  if (tight) return String(Math.min(9, Math.floor(weight * 10)))
  return weight >= 0.995 ? '1.0' : fixed(weight, 2).slice(1)
}

/** A block as high as the weight; nothing for what prints as `.00`. */
function bar(weight: number): string {
  if (weight < 0.005) return ' '
  return '▁▂▃▄▅▆▇█'.charAt(Math.min(7, Math.floor(weight * 8)))
}

function inWords(words: readonly string[], weights: WeightRow): string {
  const told = mostFocused(weights, 3).map(i => `${visible(words[i] ?? '')} (${fixed(weights[i] ?? 0, 2)})`)
  return `${words.length} words. ${told.length === 0 ? 'No word has weight' : `Most weight on ${told.join(', ')}`}.`
}
