import { gazes, matrix } from './heatmap.ts'
import { shorten, textWidth, visualOrder } from './layout.ts'
import { element, type Markup } from './markup.ts'
import { label, length, type Paint, paint, picture } from './svg.ts'
import { checkWeights, fixed, type Weights } from './weights.ts'
import { joinWords, separatorOf, visible } from './words.ts'

/** What {@link alignment} can be told. */
export interface AlignmentOptions {
  /** Stands above the picture. Default `Alignment`. */
  readonly title?: string
  /** Draws the weights as a matrix below the lines. Default `true`. */
  readonly matrix?: boolean
}

/** A word where it stands in its row. */
interface Placed {
  readonly word: string
  readonly middle: number
  readonly width: number
}

const lineTop = 104
const lineHeight = 110
const maxWord = 160

/**
 * Who looked at whom, as SVG: source words above, target words below, and between them lines as opaque as the weight.
 *
 * ```ts
 * alignment(['He', 'plays'], ['Er', 'spielt'], [[0.9, 0.1], [0.2, 0.8]])
 * ```
 *
 * @param source the words that were looked at
 * @param target the words that looked
 * @param weights `[target, source]`, each from 0 to 1; lines for less than 0.005 are left out
 * @returns one `<svg>` element, the same bytes for the same input
 * @throws VizError if rows or columns do not fit the words, or a weight is not between 0 and 1
 */
export function alignment(
  source: readonly string[],
  target: readonly string[],
  weights: Weights,
  { title = 'Alignment', matrix: withMatrix = true }: AlignmentOptions = {},
): string {
  checkWeights('alignment', weights, target.length, source.length)
  const below = withMatrix ? matrix(weights, { rows: target, columns: source }) : undefined
  const sourceRow = placed(source)
  const targetRow = placed(target)
  const inner = Math.max(sourceRow.width, targetRow.width, below?.width ?? 0, textWidth(title, 17), 240)
  const top = centred(sourceRow, inner)
  const bottom = centred(targetRow, inner)
  const matrixTop = lineTop + lineHeight + 34 + 40
  return picture({
    width: inner + 48,
    height: below ? matrixTop + below.height + 24 : lineTop + lineHeight + 34 + 28,
    title,
    description: inWords(source, target, weights),
    body: [
      label(title, { x: 24, y: 38, size: 17, anchor: 'start', bold: true }),
      ...lines(top, bottom, weights),
      ...top.map(place => drawWord(place, lineTop - 34, 'glow')),
      ...bottom.map(place => drawWord(place, lineTop + lineHeight, 'halo')),
      ...(below
        ? [
            element('g', { transform: `translate(${length(24 + (inner - below.width) / 2)} ${matrixTop})` }, [
              below.markup,
            ]),
          ]
        : []),
    ],
  })
}

/** The words of a sentence, given back in reading order, side by side as they are seen, from x = 0. */
function placed(words: readonly string[]): { places: Placed[]; width: number } {
  const separator = separatorOf(words)
  const tight = separator === ''
  const gap = tight ? 2 : 12
  const places: Placed[] = []
  let x = 0
  for (const index of visualOrder(words, separator)) {
    const word = visible(words[index] ?? '')
    const width = Math.min(textWidth(word, 15), maxWord) + (tight ? 8 : 22)
    places[index] = { word, middle: x + width / 2, width }
    x += width + gap
  }
  return { places, width: x - gap }
}

function centred({ places, width }: { places: readonly Placed[]; width: number }, inner: number): Placed[] {
  const shift = 24 + (inner - width) / 2
  return places.map(place => ({ ...place, middle: place.middle + shift }))
}

/** Faint lines first, so that strong ones lie above them. */
function lines(top: readonly Placed[], bottom: readonly Placed[], weights: Weights): Markup[] {
  return bottom
    .flatMap((to, t) => top.map((from, s) => ({ to, from, weight: weights[t]?.[s] ?? 0 })))
    .filter(({ weight }) => weight >= 0.005)
    .sort((a, b) => a.weight - b.weight) // stable: equal ones in reading order
    .map(({ to, from, weight }) => drawLine(to, from, weight))
}

function drawLine(to: Placed, from: Placed, weight: number): Markup {
  const start = lineTop + 3
  const end = lineTop + lineHeight - 3
  const bend = lineHeight * 0.45
  const path = [
    `M${length(from.middle)} ${length(start)}`,
    `C${length(from.middle)} ${length(start + bend)}`,
    `${length(to.middle)} ${length(end - bend)}`,
    `${length(to.middle)} ${length(end)}`,
  ]
  const strength = Math.min(1, weight)
  return element(
    'path',
    {
      d: path.join(' '),
      ...paint({ fill: 'none', stroke: 'hidden' }),
      'stroke-opacity': fixed(strength, 2),
      'stroke-width': length(1.5 + 3 * strength),
      'stroke-linecap': 'round',
    },
    [element('title', {}, [`${to.word} → ${from.word} ${fixed(weight, 2)}`])],
  )
}

function drawWord({ word, middle, width }: Placed, y: number, color: Paint): Markup {
  return element('g', {}, [
    element('title', {}, [word]),
    element('rect', {
      x: length(middle - width / 2),
      y,
      width: length(width),
      height: 34,
      rx: 8,
      ...paint({ fill: color }),
      'fill-opacity': 0.55,
    }),
    label(shorten(word, 15, maxWord), { x: middle, y: y + 22.5, size: 15 }),
  ])
}

function inWords(source: readonly string[], target: readonly string[], weights: Weights): string {
  return `From “${joinWords(source)}” to “${joinWords(target)}”. ${gazes(weights, { rows: target, columns: source })}`
}
