import { axes, inDigits, type Scale, scale, ticks } from './axes.ts'
import { VizError } from './errors.ts'
import { shorten, textWidth } from './layout.ts'
import { type Attributes, element, group, type Markup } from './markup.ts'
import { label, length, paint, picture } from './svg.ts'

/** One measurement; `lower` and `upper` bound what it may really be (an interval over seeds, say). */
export interface CurvePoint {
  readonly x: number
  readonly y: number
  readonly lower?: number
  readonly upper?: number
}

/** One line of a chart. */
export interface CurveSeries {
  readonly name: string
  /** In the order in which the line runs. */
  readonly points: readonly CurvePoint[]
}

/** What {@link curve} can be told. */
export interface CurveOptions {
  readonly title: string
  /** What runs along the bottom, with its unit: `step`, `length (words)`. */
  readonly xLabel: string
  /** What runs upwards, with its unit. */
  readonly yLabel: string
  /** The axes that count in powers of ten. Default none. */
  readonly log?: 'x' | 'y' | 'both'
  /** The least and greatest value the y axis must show, `[0, 1]` for accuracies. Default: those of the data. */
  readonly yRange?: readonly [number, number]
  /** Pixels. Default 560. */
  readonly width?: number
  /** Pixels. Default 340. */
  readonly height?: number
}

/**
 * A line chart as SVG: lines told apart by colour and by dashes, bands for intervals, round numbers on the axes.
 *
 * ```ts
 * curve([{ name: 'loss', points: [{ x: 0, y: 2.3 }, { x: 100, y: 0.4 }] }],
 *   { title: 'Loss', xLabel: 'step', yLabel: 'nats per token', log: 'y' })
 * ```
 *
 * @returns one `<svg>` element, the same bytes for the same input
 * @throws VizError naming every series without points, every number that is not finite, is not positive on a
 * logarithmic axis, or lies outside its own interval
 */
export function curve(series: readonly CurveSeries[], options: CurveOptions): string {
  const { title, xLabel, yLabel, log, yRange, width = 560, height = 340 } = options
  check(series, log, yRange)
  const points = series.flatMap(one => one.points)
  const names = legendRows(series, width - 48)
  const top = 46 + names.length * 20 + 44
  const ys = [...points.flatMap(p => [p.y, p.lower ?? p.y, p.upper ?? p.y]), ...(yRange ?? [])]
  const y = scale(ys, log === 'y' || log === 'both', [height - 52, top])
  const yTicks = ticks(y, Math.max(3, Math.floor((height - 52 - top) / 34)))
  const left = 24 + Math.max(...yTicks.map(tick => textWidth(tick.text, 12))) + 8
  const frame = { left, right: width - 26, bottom: height - 52 }
  const x = scale(
    points.map(p => p.x),
    log === 'x' || log === 'both',
    [frame.left + 4, frame.right],
  )
  return picture({
    width,
    height,
    title,
    description: `${yLabel} against ${xLabel}. ${series.map(inWords).join('; ')}.`,
    body: [
      label(title, { x: 24, y: 36, size: 17, anchor: 'start', bold: true, maxWidth: width - 48 }),
      ...names.flat(),
      label(yLabel, { x: 24, y: top - 16, size: 12, anchor: 'start', color: paint({ fill: 'quiet' }) }),
      label(xLabel, {
        x: frame.right,
        y: height - 14,
        size: 12,
        anchor: 'end',
        color: paint({ fill: 'quiet' }),
      }),
      axes(
        frame,
        ticks(
          x,
          Math.max(2, Math.floor((frame.right - frame.left) / 80)),
          points.map(p => p.x),
        ),
        yTicks,
      ),
      ...series.map((one, index) => band(one.points, index, x, y)),
      ...series.map((one, index) => line(one, index, x, y)),
    ],
  })
}

function band(points: readonly CurvePoint[], index: number, x: Scale, y: Scale): Markup {
  const bounded = points.filter(p => p.lower !== undefined || p.upper !== undefined)
  if (bounded.length === 0) return group([])
  const upper = points.map(p => `${length(x(p.x))} ${length(y(p.upper ?? p.y))}`)
  const lower = points.map(p => `${length(x(p.x))} ${length(y(p.lower ?? p.y))}`).reverse()
  return element('path', {
    d: `M${[...upper, ...lower].join('L')}Z`,
    ...paint({ fill: `series${index}` }),
    'fill-opacity': 0.16,
  })
}

function line({ name, points }: CurveSeries, index: number, x: Scale, y: Scale): Markup {
  const path = element('path', {
    d: `M${points.map(p => `${length(x(p.x))} ${length(y(p.y))}`).join('L')}`,
    ...paint({ fill: 'none', stroke: `series${index}` }),
    ...stroke(index),
  })
  const dots = points.map(p =>
    element(
      'circle',
      { cx: length(x(p.x)), cy: length(y(p.y)), r: 3.5, ...paint({ fill: `series${index}` }) },
      [element('title', {}, [`${name}: ${inDigits(p.x)}, ${inDigits(p.y)}${interval(p)}`])],
    ),
  )
  return group(points.length <= 24 ? [path, ...dots] : [path])
}

/** The names of the series with a piece of their line, in as many rows as they need. */
function legendRows(series: readonly CurveSeries[], width: number): Markup[][] {
  let row: Markup[] = []
  const rows = [row]
  let x = 24
  series.forEach(({ name }, index) => {
    const shown = shorten(name, 13, width - 40)
    const room = 34 + textWidth(shown, 13) + 22
    if (x > 24 && x + room - 22 > width + 24) {
      row = []
      rows.push(row)
      x = 24
    }
    const y = 46 + rows.length * 20
    row.push(
      element('line', {
        x1: length(x),
        y1: y - 4,
        x2: length(x + 26),
        y2: y - 4,
        ...paint({ stroke: `series${index}` }),
        ...stroke(index),
      }),
      label(shown, { x: x + 34, y, anchor: 'start' }),
    )
    x += room
  })
  return rows
}

/** Solid, then ever shorter dashes: lines differ without colour too. One more than there are colours, so that the two never begin again together. */
function stroke(index: number): Attributes {
  const dashes = [undefined, '8 4', '2 4', '12 4 2 4', '5 5', '1 3', '16 3 5 3']
  return {
    'stroke-width': 2.5,
    'stroke-linejoin': 'round',
    'stroke-linecap': index === 0 ? 'round' : 'butt',
    'stroke-dasharray': dashes[index % dashes.length],
  }
}

function inWords({ name, points }: CurveSeries): string {
  const ends = [points[0], points.at(-1)].flatMap(point => point ?? [])
  return `${name}: ${ends.map(({ x, y }) => `${inDigits(y)} at ${inDigits(x)}`).join(', ')}`
}

function interval({ lower, upper }: CurvePoint): string {
  return lower === undefined || upper === undefined ? '' : ` (${inDigits(lower)} to ${inDigits(upper)})`
}

function check(
  series: readonly CurveSeries[],
  log: CurveOptions['log'],
  yRange: CurveOptions['yRange'] = [1, 1],
): void {
  const problems: string[] = []
  const [least, most] = yRange
  if (!(least <= most && Number.isFinite(most - least))) problems.push(`yRange is ${least} to ${most}`)
  if ((log === 'y' || log === 'both') && least <= 0)
    problems.push(`yRange is ${least} to ${most} on a logarithmic axis`)
  if (series.length === 0) problems.push('no series')
  for (const { name, points } of series) {
    if (points.length === 0) problems.push(`${name} has no points`)
    points.forEach((point, i) => {
      const { x, y, lower = y, upper = y } = point
      const where = `${name}, point ${i}`
      if (![x, y, lower, upper].every(Number.isFinite))
        problems.push(`${where} is not finite, ${JSON.stringify([x, y, lower, upper].map(String))}`)
      else if (lower > y || upper < y)
        problems.push(`${where} is outside its interval, ${y} against ${lower} to ${upper}`)
      if ((log === 'x' || log === 'both') && x <= 0)
        problems.push(`${where} has x = ${x} on a logarithmic axis`)
      if ((log === 'y' || log === 'both') && lower <= 0)
        problems.push(`${where} has y = ${lower} on a logarithmic axis`)
    })
  }
  if (problems.length === 0) return
  const more = problems.length > 4 ? `, and ${problems.length - 4} more` : ''
  throw new VizError(
    `curve: ${problems.slice(0, 4).join(', ')}${more}; give finite points, positive on logarithmic axes`,
  )
}
