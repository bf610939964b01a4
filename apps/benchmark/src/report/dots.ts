import { scaleLog } from 'd3-scale'
import { escapeText, px } from './markup.ts'

/** One measurement. */
export interface Dot {
  /** Which of the chart's names it belongs to. */
  readonly name: string
  readonly x: number
  /** Drawn hollow: not to be trusted. */
  readonly doubtful: boolean
  /** What a pointer is told. */
  readonly tip: string
}

export interface DotRow {
  readonly label: string
  readonly dots: readonly Dot[]
}

export interface DotChart {
  readonly title: string
  readonly xLabel: string
  /** Everybody who may have dots, in a fixed order: colour and shape follow it. */
  readonly names: readonly string[]
  readonly rows: readonly DotRow[]
  /** Where a line stands to be compared with, and what it means. */
  readonly reference?: { readonly at: number; readonly label: string }
  /** What stands at a place of the axis. */
  readonly format: (x: number) => string
}

const WIDTH = 920
const LEFT = 250
const RIGHT = 30
const TOP = 64
const ROW = 22

/** A dot plot on a logarithmic axis, as SVG: a line for each piece of work, a mark for each library. */
export function dotPlot({ title, xLabel, names, rows, reference, format }: DotChart): string {
  const values = rows.flatMap(row => row.dots.map(dot => dot.x)).concat(reference ? [reference.at] : [])
  const height = TOP + rows.length * ROW + 44
  const scale = scaleLog([Math.min(...values) / 1.15, Math.max(...values) * 1.15], [LEFT, WIDTH - RIGHT])
  const bottom = height - 44
  const ticks = ticksOf(scale)
  const lines = ticks.map(
    tick =>
      `<line class="rule" x1="${px(scale(tick))}" x2="${px(scale(tick))}" y1="${TOP}" y2="${bottom}"/><text class="quiet" x="${px(scale(tick))}" y="${bottom + 18}" text-anchor="middle">${escapeText(format(tick))}</text>`,
  )
  const line = reference
    ? `<line class="reference" x1="${px(scale(reference.at))}" x2="${px(scale(reference.at))}" y1="${TOP - 6}" y2="${bottom}"/><text class="quiet" x="${px(scale(reference.at))}" y="${TOP - 12}" text-anchor="middle">${escapeText(reference.label)}</text>`
    : ''
  const drawn = rows.map(({ label, dots }, i) => {
    const y = TOP + (i + 0.5) * ROW
    const marks = dots.map(dot => mark(dot, names.indexOf(dot.name), scale(dot.x), y))
    return `<text x="${LEFT - 14}" y="${px(y + 4)}" text-anchor="end">${escapeText(label)}</text><line class="rule faint" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${px(y)}" y2="${px(y)}"/>${marks.join('')}`
  })
  return [
    `<svg class="dots" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="${escapeText(title)}">`,
    legend(
      names.filter(name => rows.some(row => row.dots.some(dot => dot.name === name))),
      names,
    ),
    ...lines,
    line,
    ...drawn,
    `<text class="quiet" x="${WIDTH - RIGHT}" y="${height - 6}" text-anchor="end">${escapeText(xLabel)}</text>`,
    '</svg>',
  ].join('')
}

/** Powers of ten, with 2 and 5 between where few of them fit. */
function ticksOf(scale: ReturnType<typeof scaleLog<number, number>>): number[] {
  const at = (...digits: string[]): number[] =>
    scale.ticks(10).filter(value => digits.includes(value.toExponential().split('e')[0] ?? ''))
  return at('1').length >= 4 ? at('1') : at('1', '2', '5')
}

/** Of those who have dots; their marks are the same in every chart. */
function legend(present: readonly string[], names: readonly string[]): string {
  const step = (WIDTH - 60) / Math.max(5, present.length)
  return present
    .map((name, i) => {
      const x = 30 + i * step
      return `${mark({ name, x: 0, doubtful: false, tip: name }, names.indexOf(name), x, 20)}<text x="${px(x + 12)}" y="24">${escapeText(name)}</text>`
    })
    .join('')
}

/** Colour and shape tell who it is: either alone is enough. */
function mark({ doubtful, tip }: Dot, index: number, x: number, y: number): string {
  const path = SHAPES[index % SHAPES.length] ?? ''
  return `<path class="mark s${index}${doubtful ? ' hollow' : ''}" transform="translate(${px(x)} ${px(y)})" d="${path}"><title>${escapeText(tip)}</title></path>`
}

const SHAPES: readonly string[] = [
  'M5.5 0A5.5 5.5 0 1 1-5.5 0A5.5 5.5 0 1 1 5.5 0Z',
  'M-4.8-4.8H4.8V4.8H-4.8Z',
  'M0-6L5.6 4.4H-5.6Z',
  'M0-6.4L6.4 0L0 6.4L-6.4 0Z',
  'M0 6L5.6-4.4H-5.6Z',
  'M-2-5.5H2V-2H5.5V2H2V5.5H-2V2H-5.5V-2H-2Z',
  'M-5.5-3.5L-3.5-5.5L0-2L3.5-5.5L5.5-3.5L2 0L5.5 3.5L3.5 5.5L0 2L-3.5 5.5L-5.5 3.5L-2 0Z',
]
