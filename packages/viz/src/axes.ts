import { type ScaleContinuousNumeric, scaleLinear, scaleLog } from 'd3-scale'
import { element, group, type Markup } from './markup.ts'
import { label, length, type Paint, paint } from './svg.ts'

/** From data to pixels. */
export type Scale = ScaleContinuousNumeric<number, number>

/** A labelled place on an axis, in pixels. */
export interface Tick {
  readonly at: number
  readonly text: string
}

/** Where the axes lie, in pixels. */
export interface Frame {
  readonly left: number
  readonly right: number
  readonly bottom: number
}

/** The scale of values; a logarithmic one ends where the values end, a linear one at round numbers. */
export function scale(values: readonly number[], log: boolean, range: readonly [number, number]): Scale {
  // Not Math.min(...values): a long run has more values than a call may have arguments.
  let least = values.reduce((a, b) => Math.min(a, b))
  let most = values.reduce((a, b) => Math.max(a, b))
  // One value alone stands in the middle of its axis.
  if (least === most) [least, most] = log ? [least / 2, most * 2] : [least - 0.5, most + 0.5]
  return log ? scaleLog([least, most], range) : scaleLinear([least, most], range).nice()
}

/**
 * Where an axis is labelled: a linear one at about `count` round numbers, a logarithmic one where it was measured if
 * there is room, else at powers of ten or at 1, 2, 5.
 */
export function ticks(scale: Scale, count: number, measured: readonly number[] = []): Tick[] {
  if ('base' in scale)
    return logTicks(scale, measured).map(value => ({ at: scale(value), text: inDigits(value) }))
  const format = scale.tickFormat(count)
  return scale.ticks(count).map(value => ({ at: scale(value), text: format(value) }))
}

function logTicks(scale: Scale, measured: readonly number[]): number[] {
  const places = [...new Set(measured)].sort((a, b) => a - b)
  const roomy = places.every((place, i) => i === 0 || scale(place) - scale(places[i - 1] ?? place) >= 36)
  if (places.length > 0 && roomy) return places
  const starting = (...digits: string[]) =>
    scale.ticks(10).filter(value => digits.includes(value.toExponential().split('e')[0] ?? ''))
  const choices = [starting('1'), starting('1', '2', '5'), scale.ticks(5)]
  return choices.find(({ length }) => length >= 3) ?? scale.ticks(5)
}

/** Four digits that count, without exponent where that is short. */
export function inDigits(value: number): string {
  return String(Number(value.toPrecision(4)))
}

/** The axes with their labels, and grid lines across. */
export function axes(frame: Frame, xTicks: readonly Tick[], yTicks: readonly Tick[]): Markup {
  const { left, right, bottom } = frame
  const rule = (x1: number, y1: number, x2: number, y2: number, color: Paint) =>
    element('line', {
      x1: length(x1),
      y1: length(y1),
      x2: length(x2),
      y2: length(y2),
      ...paint({ stroke: color }),
    })
  return group([
    ...yTicks.flatMap(({ at, text }) => [
      rule(left, at, right, at, 'rule'),
      label(text, { x: left - 8, y: at + 4, size: 12, anchor: 'end', color: paint({ fill: 'quiet' }) }),
    ]),
    ...xTicks.flatMap(({ at, text }) => [
      rule(at, bottom, at, bottom + 5, 'quiet'),
      label(text, { x: at, y: bottom + 19, size: 12, color: paint({ fill: 'quiet' }) }),
    ]),
    rule(left, bottom, right, bottom, 'quiet'),
  ])
}
