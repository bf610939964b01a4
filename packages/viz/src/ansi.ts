import stringWidth from 'string-width'
import { contrast, type Mode, type Rgb, rgbOf, textColor, weightColor } from './color.ts'
import { mayTurn } from './layout.ts'
import { graphemes } from './words.ts'

/** The colours a terminal knows: none, the 256 of xterm, or all. */
export type ColorDepth = 'none' | 'ansi256' | 'truecolor'

/**
 * Text on the background that shows a weight, as escape sequences that end by resetting both colours.
 *
 * With `none` the text comes back as it is.
 */
export function paintCell(text: string, weight: number, color: ColorDepth, mode: Mode): string {
  if (color === 'none') return text
  const background = weightColor(weight, mode)
  if (color === 'truecolor') {
    const ink = rgbOf(textColor(background))
    return `\x1b[48;2;${rgbOf(background).join(';')}m\x1b[38;2;${ink.join(';')}m${text}\x1b[39;49m`
  }
  const index = nearest256(rgbOf(background))
  // Judge the ink on the colour the terminal will really show.
  const shown = hex(color256(index))
  const ink = contrast('#000000', shown) >= contrast('#ffffff', shown) ? 16 : 231
  return `\x1b[48;5;${index}m\x1b[38;5;${ink}m${text}\x1b[39;49m`
}

/** How many terminal columns a text takes. */
export function columnsOf(text: string): number {
  return stringWidth(text)
}

/** The text with spaces to fill `width` columns, at its start or end. */
export function padColumns(text: string, width: number, side: 'start' | 'end'): string {
  const spaces = ' '.repeat(Math.max(0, width - columnsOf(text)))
  return side === 'start' ? spaces + text : text + spaces
}

/** The text, cut at a grapheme and ended with `…` if it takes more than `width` columns. */
export function shortenColumns(text: string, width: number): string {
  if (columnsOf(text) <= width) return text
  let kept = ''
  for (const grapheme of graphemes(text)) {
    if (columnsOf(`${kept}${grapheme}…`) > width) break
    kept += grapheme
  }
  return `${kept}…`
}

/**
 * A text that keeps its direction to itself: right-to-left text goes between FIRST STRONG ISOLATE (U+2068) and POP
 * DIRECTIONAL ISOLATE (U+2069), so that it cannot turn its neighbours round.
 */
export function isolated(text: string): string {
  return mayTurn(text) ? `\u2068${text}\u2069` : text
}

const cube = [0, 95, 135, 175, 215, 255]

/** The xterm colour (16–255: a 6×6×6 cube and 24 greys) nearest to a colour. */
function nearest256(color: Rgb): number {
  let best = 16
  for (let index = 16; index < 256; index++) if (distance(index, color) < distance(best, color)) best = index
  return best
}

function distance(index: number, color: Rgb): number {
  const [red, green, blue] = color256(index)
  return (red - color[0]) ** 2 + (green - color[1]) ** 2 + (blue - color[2]) ** 2
}

function color256(index: number): Rgb {
  if (index >= 232) {
    const grey = 8 + 10 * (index - 232)
    return [grey, grey, grey]
  }
  const at = index - 16
  return [cube[Math.floor(at / 36)] ?? 0, cube[Math.floor(at / 6) % 6] ?? 0, cube[at % 6] ?? 0]
}

function hex(color: Rgb): string {
  return `#${color.map(part => part.toString(16).padStart(2, '0')).join('')}`
}
