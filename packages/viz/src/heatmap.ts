import { type ColorDepth, columnsOf, isolated, padColumns, paintCell, shortenColumns } from './ansi.ts'
import type { Mode } from './color.ts'
import { textWidth } from './layout.ts'
import { element, group, type Markup } from './markup.ts'
import { byWeight, label, legend, length, onWeight, paint, picture } from './svg.ts'
import { checkWeights, fixed, mostFocused, type Weights } from './weights.ts'
import { visible } from './words.ts'

/** The words along the two sides of a matrix of weights. */
export interface MatrixWords {
  /** Target words, one for each row of weights. */
  readonly rows: readonly string[]
  /** Source words, one for each column of weights. */
  readonly columns: readonly string[]
}

/** What {@link heatmap} can be told. */
export interface HeatmapOptions extends MatrixWords {
  /** Stands above the picture. Default `Attention weights`. */
  readonly title?: string
  /** Writes each word's position before it, counted from here. Default: no positions. */
  readonly indexBase?: 0 | 1
}

/** What {@link heatmapText} can be told. */
export interface HeatmapTextOptions extends MatrixWords {
  /** The colours the terminal knows. Default `none`. */
  readonly color?: ColorDepth
  /** Which end of the scale is zero's: `light` for light terminals. Default `light`. */
  readonly mode?: Mode
  /** Terminal columns; wider matrices continue below. Default 80. */
  readonly width?: number
}

/** A drawn matrix, without frame. */
export interface Matrix {
  readonly markup: Markup
  readonly width: number
  readonly height: number
}

/**
 * A matrix of attention weights as SVG: a row for each target word, a column for each source word, the deeper the colour
 * the larger the weight.
 *
 * ```ts
 * heatmap([[0.01, 0.03, 0.12, 0.84]], { rows: ['Fußball'], columns: ['He', 'is', 'playing', 'football'] })
 * ```
 *
 * Cells carry their exact weight as text where there is room, and as a tooltip always.
 *
 * @param weights `[query, key]`, each from 0 to 1
 * @returns one `<svg>` element, the same bytes for the same input
 * @throws VizError if rows or columns do not fit the words, or a weight is not between 0 and 1
 */
export function heatmap(weights: Weights, options: HeatmapOptions): string {
  const { rows, columns, title = 'Attention weights', indexBase } = options
  checkWeights('heatmap', weights, rows.length, columns.length)
  const { markup, width, height } = matrix(weights, { rows, columns }, indexBase)
  const wide = Math.max(width, textWidth(title, 17), 200)
  return picture({
    width: wide + 48,
    height: height + 120,
    title,
    description: `${rows.length} target by ${columns.length} source words. ${gazes(weights, { rows, columns })}`,
    body: [
      label(title, { x: 24, y: 38, size: 17, anchor: 'start', bold: true }),
      element('g', { transform: 'translate(24 60)' }, [markup]),
      legend(24, height + 84),
    ],
  })
}

/**
 * A matrix of weights with its words, drawn from (0, 0); the weights are already checked.
 */
export function matrix(weights: Weights, words: MatrixWords, indexBase?: 0 | 1): Matrix {
  const rows = words.rows.map((word, r) => numbered(word, r, indexBase))
  const columns = words.columns.map((word, c) => numbered(word, c, indexBase))
  const { cell, row, size } = cellSize(rows, columns)
  const widest = Math.max(...columns.map(word => Math.min(textWidth(word, size), 150)))
  const level = widest <= cell - 4
  const left = Math.max(...rows.map(word => Math.min(textWidth(word, size), 170))) + 12
  const top = level ? size + 8 : widest * sin45 + size
  const at = (c: number) => left + c * cell + cell / 2
  const heads = columns.map((word, c) =>
    level
      ? label(word, { x: at(c), y: top - 8, size, color: paint({ fill: 'hidden' }) })
      : label(word, {
          x: at(c) + 3,
          y: top - 6,
          size,
          anchor: 'start',
          rotate: -45,
          maxWidth: 150,
          color: paint({ fill: 'hidden' }),
        }),
  )
  const body = rows.map((word, r) =>
    element('g', {}, [
      label(word, {
        x: left - 10,
        y: top + r * row + row / 2 + size * 0.35,
        size,
        anchor: 'end',
        maxWidth: 170,
        color: paint({ fill: 'context' }),
      }),
      ...columns.map((_, c) =>
        drawCell(weights, words, { r, c, x: left + c * cell, y: top + r * row, cell, row }),
      ),
    ]),
  )
  const overhang = level
    ? 0
    : Math.max(...columns.map((word, c) => at(c) + 8 + Math.min(textWidth(word, size), 150) * sin45))
  return {
    markup: group([...heads, ...body]),
    width: Math.max(left + columns.length * cell, overhang),
    height: top + rows.length * row,
  }
}

/**
 * A matrix of attention weights for the terminal: numbers in cells, coloured where the terminal can.
 *
 * @param weights `[query, key]`, each from 0 to 1
 * @returns lines, the last without line end
 * @throws VizError if rows or columns do not fit the words, or a weight is not between 0 and 1
 */
export function heatmapText(weights: Weights, options: HeatmapTextOptions): string {
  const { color = 'none', mode = 'light', width = 80 } = options
  checkWeights('heatmapText', weights, options.rows.length, options.columns.length)
  const rows = options.rows.map(word => shortenColumns(visible(word), 18))
  const columns = options.columns.map(word => shortenColumns(visible(word), 12))
  const side = Math.max(...rows.map(columnsOf))
  const cell = Math.max(4, ...columns.map(columnsOf)) + 1
  const perBlock = Math.max(1, Math.floor((width - side) / cell))
  const blocks: string[] = []
  for (let from = 0; from < columns.length; from += perBlock) {
    const part = columns.slice(from, from + perBlock)
    const head = ' '.repeat(side) + part.map(word => padColumns(isolated(word), cell, 'start')).join('')
    const lines = rows.map((word, r) => {
      const cells = part.map((_, i) => {
        const weight = weights[r]?.[from + i] ?? 0
        return paintCell(`${fixed(weight, 2)} `.padStart(cell), weight, color, mode)
      })
      return padColumns(isolated(word), side, 'start') + cells.join('')
    })
    blocks.push([head.trimEnd(), ...lines.map(line => line.trimEnd())].join('\n'))
  }
  return blocks.join('\n\n')
}

/**
 * A matrix of attention weights as CSV (RFC 4180): a first row of source words, then a row for each target word.
 *
 * Words are written as they are. A spreadsheet may take a word such as `=1+1` for a formula: open files of strangers'
 * text as text.
 *
 * @param weights `[query, key]`, each from 0 to 1; written with as many digits as they need
 * @returns lines ended by CR LF
 * @throws VizError if rows or columns do not fit the words, or a weight is not between 0 and 1
 */
export function weightsCsv(weights: Weights, { rows, columns }: MatrixWords): string {
  checkWeights('weightsCsv', weights, rows.length, columns.length)
  const lines = [
    ['', ...columns].map(quoted),
    ...rows.map((word, r) => [quoted(word), ...Array.from(weights[r] ?? [], plain)]),
  ]
  return lines.map(fields => `${fields.join(',')}\r\n`).join('')
}

const sin45 = Math.SQRT1_2

/** Cell width, row height and letter size: as generous as the count of words allows. */
function cellSize(
  rows: readonly string[],
  columns: readonly string[],
): { cell: number; row: number; size: number } {
  const most = Math.max(rows.length, columns.length)
  if (most > 40) return { cell: 14, row: 14, size: 10 }
  if (most > 20) return { cell: 24, row: 22, size: 12 }
  const widest = Math.max(...columns.map(word => textWidth(word, 14)))
  return { cell: columns.length <= 10 && widest <= 84 ? Math.max(54, widest + 10) : 46, row: 36, size: 14 }
}

function drawCell(
  weights: Weights,
  { rows, columns }: MatrixWords,
  { r, c, x, y, cell, row }: { r: number; c: number; x: number; y: number; cell: number; row: number },
): Markup {
  const weight = weights[r]?.[c] ?? 0
  const gap = cell > 20 ? 2 : 1
  const text = fixed(weight, 2)
  const tooltip = `${visible(rows[r] ?? '')} → ${visible(columns[c] ?? '')} ${text}`
  return element('g', {}, [
    element('title', {}, [tooltip]),
    element('rect', {
      x: length(x + gap / 2),
      y: length(y + gap / 2),
      width: length(cell - gap),
      height: length(row - gap),
      rx: cell > 20 ? 4 : 2,
      ...byWeight(weight),
    }),
    ...(cell >= 40 ? [label(text, { x: x + cell / 2, y: y + row / 2 + 4.5, color: onWeight(weight) })] : []),
  ])
}

function numbered(word: string, index: number, indexBase: 0 | 1 | undefined): string {
  return indexBase === undefined ? visible(word) : `${index + indexBase} ${visible(word)}`
}

/** What a matrix says, in words: for each target word the source word it looked at most. */
export function gazes(weights: Weights, { rows, columns }: MatrixWords): string {
  const told = rows.slice(0, 12).map((word, r) => {
    const row = weights[r] ?? []
    const best = mostFocused(row, 1)[0]
    return best === undefined
      ? `${visible(word)} looks nowhere`
      : `${visible(word)} looks most at ${visible(columns[best] ?? '')} (${fixed(row[best] ?? 0, 2)})`
  })
  const more = rows.length > told.length ? `; and ${rows.length - told.length} more` : ''
  return `${told.join('; ')}${more}.`
}

/** Float32 weights get the digits they have, not those of their float64 neighbour. */
function plain(weight: number): string {
  return String(Number(weight.toPrecision(7)))
}

function quoted(field: string): string {
  return /[",\r\n]|^\s|\s$/.test(field) ? `"${field.replaceAll('"', '""')}"` : field
}
