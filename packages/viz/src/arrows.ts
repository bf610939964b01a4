import { columnsOf, isolated, padColumns, shortenColumns } from './ansi.ts'
import { shorten, textWidth } from './layout.ts'
import { element, type Markup } from './markup.ts'
import { label, length, paint, picture } from './svg.ts'
import { checkRow, fixed, mostFocused, type WeightRow } from './weights.ts'
import { joinWords, visible } from './words.ts'

/** What {@link contextArrows} can be told. */
export interface ContextArrowsOptions {
  /** Stands above the picture. Default `Into the context vector`. */
  readonly title?: string
  /** The word that asks, named at the context: `for Fußball`. */
  readonly target?: string
  /** From this weight on an arrow is solid, below it dashed. Default: an even share, 1 / words. */
  readonly threshold?: number
}

/** What {@link contextArrowsText} can be told. */
export interface ContextArrowsTextOptions extends Omit<ContextArrowsOptions, 'title'> {
  /** Terminal columns of an arrow. Default 24. */
  readonly width?: number
}

const rowHeight = 40
const top = 74
const reach = 190 // from the words to the context
const radius = 34
const maxWord = 200

/**
 * How a context vector is made, as SVG: an arrow from each word's state to the context, solid where its weight is at least
 * the threshold, dashed below it, the thicker the heavier.
 *
 * ```ts
 * contextArrows(['He', 'is', 'playing', 'football'], [0.01, 0.03, 0.12, 0.84], { target: 'Fußball' })
 * ```
 *
 * The figure of Luong et al. 2015 turned upright, so that any number of words finds room.
 *
 * @param weights one for each word, from 0 to 1; no arrow is drawn for less than 0.005
 * @returns one `<svg>` element, the same bytes for the same input
 * @throws VizError if there is not one weight from 0 to 1 for each word
 */
export function contextArrows(
  words: readonly string[],
  weights: WeightRow,
  { title = 'Into the context vector', target, threshold = 1 / words.length }: ContextArrowsOptions = {},
): string {
  checkRow('contextArrows', weights, words.length)
  const column = Math.min(maxWord, Math.max(...words.map(word => textWidth(visible(word), 15)))) + 24
  const start = 24 + column + 50 // behind words and numbers
  const centre = { x: start + reach + radius, y: top + (words.length * rowHeight) / 2 }
  const key = `solid: ${fixed(threshold, 2)} or more; dashed: less`
  const asked = target === undefined ? '' : `for ${visible(target)}`
  const side = Math.max(centre.x + radius, centre.x + textWidth(asked, 14) / 2)
  const width = Math.max(side, 24 + textWidth(title, 17), 24 + textWidth(key, 12)) + 24
  const at = (row: number): number => top + row * rowHeight + rowHeight / 2
  const below = Math.max(top + words.length * rowHeight, centre.y + radius + (asked ? 28 : 0))
  return picture({
    width,
    height: below + 44,
    title,
    description: inWords(words, weights, { threshold, ...(target === undefined ? {} : { target }) }),
    body: [
      label(title, { x: 24, y: 38, size: 17, anchor: 'start', bold: true }),
      // Faint arrows first, so that strong ones lie above them.
      ...[...words.keys()]
        .filter(row => (weights[row] ?? 0) >= 0.005)
        .sort((a, b) => (weights[a] ?? 0) - (weights[b] ?? 0))
        .map(row => arrow({ x: start, y: at(row) }, centre, { weight: weights[row] ?? 0, threshold, word: words[row] ?? '' })), // biome-ignore format: one line
      ...words.map((word, row) => state(word, weights[row] ?? 0, { y: at(row), column })),
      element('circle', { cx: length(centre.x), cy: length(centre.y), r: radius, ...paint({ fill: 'halo', stroke: 'context' }) }), // biome-ignore format: one line
      label('context', { x: centre.x, y: centre.y + 4.5, size: 13, bold: true }),
      ...(asked ? [label(asked, { x: centre.x, y: centre.y + radius + 22, size: 14, color: paint({ fill: 'context' }) })] : []), // biome-ignore format: one line
      label(key, { x: 24, y: below + 22, size: 12, anchor: 'start', color: paint({ fill: 'quiet' }) }),
    ],
  })
}

function state(word: string, weight: number, { y, column }: { y: number; column: number }): Markup {
  const shown = visible(word)
  return element('g', {}, [
    element('title', {}, [`${shown} ${fixed(weight, 2)}`]),
    element('rect', { x: 24, y: length(y - 15), width: length(column), height: 30, rx: 8, ...paint({ fill: 'glow' }), 'fill-opacity': 0.55 }), // biome-ignore format: one line
    label(shorten(shown, 15, maxWord), { x: 24 + column / 2, y: y + 5, size: 15 }),
    label(fixed(weight, 2), { x: 24 + column + 8, y: y + 4.5, size: 12, anchor: 'start', color: paint({ fill: 'quiet' }) }), // biome-ignore format: one line
  ])
}

/** A line to the rim of the context, with a head. */
function arrow(
  from: { x: number; y: number },
  to: { x: number; y: number },
  { weight, threshold, word }: { weight: number; threshold: number; word: string },
): Markup {
  const distance = Math.hypot(to.x - from.x, to.y - from.y)
  const [dx, dy] = [(to.x - from.x) / distance, (to.y - from.y) / distance]
  const strength = Math.min(1, weight)
  const head = 7 + 5 * strength
  const tip = { x: to.x - dx * (radius + 3), y: to.y - dy * (radius + 3) }
  const foot = { x: tip.x - dx * head, y: tip.y - dy * head }
  const wing = (sign: number): string =>
    `${length(foot.x - sign * dy * head * 0.45)},${length(foot.y + sign * dx * head * 0.45)}`
  const solid = weight >= threshold
  return element('g', { opacity: fixed(solid ? 0.55 + 0.45 * strength : 0.65, 2) }, [
    element('title', {}, [`${visible(word)} ${solid ? 'solid' : 'dashed'} ${fixed(weight, 2)}`]),
    element('line', {
      x1: length(from.x),
      y1: length(from.y),
      x2: length(foot.x),
      y2: length(foot.y),
      ...paint({ stroke: 'hidden' }),
      'stroke-width': length(1.4 + 4.6 * strength),
      'stroke-dasharray': solid ? undefined : '5 5',
    }),
    element('polygon', { points: `${length(tip.x)},${length(tip.y)} ${wing(1)} ${wing(-1)}`, ...paint({ fill: 'hidden' }) }), // biome-ignore format: one line
  ])
}

/**
 * The same for the terminal: a line for each word, `football ━━━━━━━▶ .84`, dashed `╌` below the threshold.
 *
 * @param weights one for each word, from 0 to 1
 * @returns lines, the last without line end
 * @throws VizError if there is not one weight from 0 to 1 for each word
 */
export function contextArrowsText(
  words: readonly string[],
  weights: WeightRow,
  { target, threshold = 1 / words.length, width = 24 }: ContextArrowsTextOptions = {},
): string {
  checkRow('contextArrowsText', weights, words.length)
  const shown = words.map(word => shortenColumns(visible(word), 24))
  const column = Math.max(...shown.map(columnsOf))
  const middle = Math.floor((words.length - 1) / 2)
  const name =
    target === undefined ? 'context' : `context for ${isolated(shortenColumns(visible(target), 24))}`
  return shown
    .map((word, row) => {
      const weight = weights[row] ?? 0
      const drawn = weight >= 0.005
      const body = !drawn ? ' '.repeat(width) : `${(weight >= threshold ? '━' : '╌').repeat(width - 1)}▶`
      return `${padColumns(isolated(word), column, 'start')} ${fixed(weight, 2)} ${body}${row === middle ? ` ${name}` : ''}`.trimEnd() // biome-ignore format: one line
    })
    .join('\n')
}

function inWords(
  words: readonly string[],
  weights: WeightRow,
  { target, threshold }: { readonly target?: string; readonly threshold: number },
): string {
  const told = (indices: readonly number[]): string => indices.map(i => `${visible(words[i] ?? '')} (${fixed(weights[i] ?? 0, 2)})`).join(', ') // biome-ignore format: one line
  const strong = mostFocused(weights, words.length).filter(i => (weights[i] ?? 0) >= threshold)
  const into = target === undefined ? 'The context' : `The context for ${visible(target)}`
  return `${into} is made of “${joinWords(words)}”. Solid arrows from ${told(strong) || 'nowhere'}; dashed from the rest.` // biome-ignore format: one line
}
