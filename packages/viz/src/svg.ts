import { type Mode, textColor, weightColor, weightLevel } from './color.ts'
import { direction, fonts, shorten } from './layout.ts'
import { type Attributes, type Child, element, group, type Markup } from './markup.ts'
import { darkTheme, lightDark, lightTheme, type Theme, type ThemeColor } from './theme.ts'
import { fixed } from './weights.ts'

/** A colour of the theme, or a line of a chart by its place (`series0`). */
export type Paint = ThemeColor | `series${number}`

/** A whole picture, to be framed by {@link picture}. Lengths are in CSS pixels. */
export interface Picture {
  readonly width: number
  readonly height: number
  /** The picture's name, read out first. */
  readonly title: string
  /** What the picture says, in a sentence or two. */
  readonly description: string
  readonly body: readonly Markup[]
}

/** How a text stands in a picture. */
export interface LabelOptions {
  readonly x: number
  readonly y: number
  readonly size?: number
  readonly anchor?: 'start' | 'middle' | 'end'
  readonly bold?: boolean
  /** Colour attributes, from {@link paint} or {@link onWeight}. */
  readonly color?: Attributes
  /** Degrees about (x, y), clockwise. */
  readonly rotate?: number
  /** Longer texts are cut and end with `…`. */
  readonly maxWidth?: number
}

/**
 * An SVG file: titled and described for screen readers, in light and dark.
 *
 * Every colour is written twice: as an attribute, for whatever reads only those, and in a style sheet that follows
 * `color-scheme`. A reader who sets `--heed-ink` and its sisters recolours the picture.
 */
export function picture({ width, height, title, description, body }: Picture): string {
  const content = group([
    element('rect', { width: length(width), height: length(height), rx: 10, ...paint({ fill: 'paper' }) }),
    ...body,
  ])
  const id = `heed-${fingerprint(`${title}\n${description}\n${content.markup}`)}`
  return element(
    'svg',
    {
      xmlns: 'http://www.w3.org/2000/svg',
      class: 'heed',
      width: length(width),
      height: length(height),
      viewBox: `0 0 ${length(width)} ${length(height)}`,
      'font-family': fonts,
      role: 'img',
      'aria-labelledby': `${id}-title ${id}-description`,
    },
    [
      element('title', { id: `${id}-title` }, [title]),
      element('desc', { id: `${id}-description` }, [description]),
      styleSheet(content.markup),
      content,
    ],
  ).markup
}

/** A text, cut to its room, its direction its own. */
export function label(text: string, options: LabelOptions): Markup {
  const {
    x,
    y,
    size = 13,
    anchor = 'middle',
    bold,
    color = paint({ fill: 'ink' }),
    rotate,
    maxWidth,
  } = options
  const shown = maxWidth === undefined ? text : shorten(text, size, maxWidth)
  const turned = direction(text) === 'rtl'
  // In a right-to-left text `start` is its right end: anchors here always mean left and right.
  const side = turned && anchor !== 'middle' ? (anchor === 'start' ? 'end' : 'start') : anchor
  const children: Child[] = shown === text ? [text] : [element('title', {}, [text]), shown]
  return element(
    'text',
    {
      x: length(x),
      y: length(y),
      'font-size': size,
      'text-anchor': side === 'start' ? undefined : side,
      'font-weight': bold ? 600 : undefined,
      direction: turned ? 'rtl' : undefined,
      'unicode-bidi': 'isolate',
      transform: rotate === undefined ? undefined : `rotate(${rotate} ${length(x)} ${length(y)})`,
      ...color,
    },
    children,
  )
}

/** Colour attributes from the theme. */
export function paint({ fill, stroke }: { fill?: Paint | 'none'; stroke?: Paint }): Attributes {
  const classes = [
    ...(fill && fill !== 'none' ? [`heed-f-${fill}`] : []),
    ...(stroke ? [`heed-s-${stroke}`] : []),
  ]
  return {
    class: classes.length > 0 ? classes.join(' ') : undefined,
    fill: fill === 'none' ? fill : fill && themed(lightTheme, fill),
    stroke: stroke && themed(lightTheme, stroke),
  }
}

/** Colour attributes of a shape that shows a weight. */
export function byWeight(weight: number): Attributes {
  return { class: `heed-w${weightLevel(weight)}`, fill: weightColor(weight) }
}

/** Colour attributes of text that stands on {@link byWeight}. */
export function onWeight(weight: number): Attributes {
  return { class: `heed-t${weightLevel(weight)}`, fill: textColor(weightColor(weight)) }
}

/** A length, with at most two decimals. */
export function length(value: number): string {
  return fixed(value, 2).replace(/\.?0+$/, '')
}

/** The weight scale from 0 to 1 with its ends named; 190 wide, 12 high. */
export function legend(x: number, y: number): Markup {
  const steps = Array.from({ length: 21 }, (_, i) => i / 20)
  return group([
    label('0', { x, y: y + 10, size: 11, anchor: 'start', color: paint({ fill: 'quiet' }) }),
    ...steps.map((weight, i) =>
      element('rect', {
        x: length(x + 14 + 7 * i),
        y: length(y),
        width: 7.2,
        height: 11,
        ...byWeight(weight),
      }),
    ),
    label('1', { x: x + 168, y: y + 10, size: 11, anchor: 'start', color: paint({ fill: 'quiet' }) }),
  ])
}

/** One rule for each colour class the picture uses; user text cannot name one, its quotes are escaped. */
function styleSheet(markup: string): Markup {
  const names = new Set(
    [...markup.matchAll(/class="([^"]*)"/g)].flatMap(([, list]) => (list ?? '').split(' ')),
  )
  const rules = [...names].sort().map(name => `.${name}{${declaration(name)}}`)
  return element('style', {}, [
    {
      markup: `.heed{max-width:100%;height:auto}@supports (color:light-dark(#000,#fff)){svg.heed:root{color-scheme:light dark}${rules.join('')}}`,
    },
  ])
}

function declaration(name: string): string {
  const [, kind, rest] = /^heed-([fswt])-?(.+)$/.exec(name) ?? []
  if (kind === 'w' || kind === 't') {
    const shade = (mode: Mode) => {
      const color = weightColor(Number(rest) / 100, mode)
      return kind === 'w' ? color : textColor(color)
    }
    return `fill:${lightDark(shade('light'), shade('dark'))}`
  }
  const paintName = rest as Paint // these classes come from `paint` alone
  const value = lightDark(themed(lightTheme, paintName), themed(darkTheme, paintName))
  return `${kind === 'f' ? 'fill' : 'stroke'}:var(--heed-${paintName},${value})`
}

function themed(theme: Theme, name: Paint): string {
  if (!isSeries(name)) return theme[name]
  const index = Number(name.slice('series'.length)) % theme.series.length
  return theme.series[index] ?? theme.ink
}

function isSeries(name: Paint): name is `series${number}` {
  return name.startsWith('series')
}

/** FNV-1a, 32 bits: ids that differ between the pictures of a page and never between runs. */
function fingerprint(text: string): string {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return (hash >>> 0).toString(16).padStart(8, '0')
}
