import { isolated } from './ansi.ts'
import { VizError } from './errors.ts'
import { shorten, textWidth } from './layout.ts'
import { element, type Markup } from './markup.ts'
import { label, length, paint, picture } from './svg.ts'
import { fixed } from './weights.ts'
import { joinWords, visible } from './words.ts'

/** A word that a beam search kept. */
export interface BeamNode {
  readonly word: string
  /** Which entry of the step before it continues, ended ones not counted; 0 at the first step. */
  readonly parent: number
  /** Of all words up to here, 0 or less. */
  readonly logProb: number
  /** Whether the line ends with it. */
  readonly ended?: boolean
}

/** What a beam search kept at each step: what `onStep` of `beam` in `@heed/models` is told, with words for ids. */
export type BeamSteps = readonly (readonly BeamNode[])[]

/** What {@link beamTree} can be told. */
export interface BeamTreeOptions {
  /** Stands above the picture. Default `Beam search`. */
  readonly title?: string
  /** What stands before the first words. Default `begin`. */
  readonly root?: string
  /** The last word of the line that was chosen, as step and entry from 0. Default: the likeliest that ended; where none did, of the last step. */
  readonly chosen?: readonly [step: number, entry: number]
}

/** An entry, and the one it continues. */
interface Place extends BeamNode {
  readonly step: number
  readonly entry: number
  readonly before: Place | undefined
  /** Whether another entry continues it. */
  continued: boolean
}

const rowHeight = 54
const boxHeight = 40
const gap = 44
const top = 66
const maxWord = 140

/**
 * A beam search as SVG: a column for each step, the likeliest entry on top, each with the log probability of its line;
 * the chosen line is bold, ended lines have a double frame, those given up are dashed.
 *
 * ```ts
 * beamTree([[{ word: 'he', parent: 0, logProb: -0.2 }], [{ word: 'plays', parent: 0, logProb: -0.5, ended: true }]])
 * ```
 *
 * @returns one `<svg>` element, the same bytes for the same input
 * @throws VizError naming what makes no sense: no entry, a parent that is not there, a log probability above its parent's
 */
export function beamTree(
  steps: BeamSteps,
  { title = 'Beam search', root = 'begin', chosen }: BeamTreeOptions = {},
): string {
  const columns = checked('beamTree', steps)
  const best = lineOf(chosenOf(columns, chosen))
  const widths = [boxWidth(root), ...columns.map(column => Math.max(...column.map(({ word }) => boxWidth(visible(word)))))] // biome-ignore format: one line
  const lefts: number[] = []
  for (const [i, width] of [0, ...widths.slice(0, -1)].entries()) lefts.push(i ? (lefts[i - 1] as number) + width + gap : 24) // biome-ignore format: one line
  const most = Math.max(...columns.map(({ length: n }) => n))
  const height = most * rowHeight
  // Each column stands in the middle of the picture, so that lines cross less.
  const y = (step: number, entry: number): number =>
    top + (height - (step < 0 ? 1 : (columns[step]?.length ?? 0)) * rowHeight) / 2 + entry * rowHeight + rowHeight / 2 // biome-ignore format: one line
  const key =
    'numbers: log probability of the line so far; bold: chosen; double frame: ended; dashed: given up'
  const right = (lefts.at(-1) ?? 0) + (widths.at(-1) ?? 0)
  const all = columns.flat()
  const shown: Shown = {
    left: step => lefts[step + 1] ?? 0,
    width: step => widths[step + 1] ?? 0,
    y,
    kept: place => place.continued || place.ended === true || place.step === columns.length - 1,
    chosen: place => best.includes(place),
  }
  return picture({
    width: Math.max(right, 24 + textWidth(key, 12), 24 + textWidth(title, 17)) + 24,
    height: top + height + 48,
    title,
    description: inWords(columns, best),
    body: [
      label(title, { x: 24, y: 38, size: 17, anchor: 'start', bold: true }),
      ...all.filter(place => !best.includes(place)).map(place => branch(place, shown)),
      ...best.map(place => branch(place, shown)),
      label(root, { x: 24 + (widths[0] ?? 0) / 2, y: y(-1, 0) + 5, size: 14, color: paint({ fill: 'quiet' }) }), // biome-ignore format: one line
      ...all.map(place => box(place, shown)),
      label(key, { x: 24, y: top + height + 26, size: 12, anchor: 'start', color: paint({ fill: 'quiet' }) }),
    ],
  })
}

/** Where entries stand and how they are drawn. */
interface Shown {
  left(step: number): number
  width(step: number): number
  y(step: number, entry: number): number
  kept(place: Place): boolean
  chosen(place: Place): boolean
}

function boxWidth(word: string): number {
  return Math.max(56, Math.min(textWidth(word, 14), maxWord) + 20)
}

function branch(place: Place, { left, width, y, kept, chosen }: Shown): Markup {
  const { step, entry, before } = place
  const from = { x: left(step - 1) + width(step - 1), y: before ? y(step - 1, before.entry) : y(-1, 0) }
  const to = { x: left(step), y: y(step, entry) }
  const bend = gap / 2
  const bold = chosen(place)
  return element('path', {
    d: `M${length(from.x)} ${length(from.y)}C${length(from.x + bend)} ${length(from.y)} ${length(to.x - bend)} ${length(to.y)} ${length(to.x)} ${length(to.y)}`, // biome-ignore format: one line
    ...paint({ fill: 'none', stroke: bold ? 'context' : 'quiet' }),
    'stroke-width': bold ? 3.5 : 1.4,
    'stroke-dasharray': kept(place) || bold ? undefined : '4 4',
  })
}

function box(place: Place, { left, width, y, kept, chosen }: Shown): Markup {
  const { word, logProb, step, entry, ended } = place
  const shown = visible(word)
  const [x, middle, wide] = [left(step), y(step, entry), width(step)]
  const bold = chosen(place)
  const frame = (inset: number): Markup =>
    element('rect', {
      x: length(x + inset),
      y: length(middle - boxHeight / 2 + inset),
      width: length(wide - 2 * inset),
      height: length(boxHeight - 2 * inset),
      rx: length(8 - inset),
      ...paint({ fill: inset ? 'none' : bold ? 'halo' : 'raised', stroke: bold ? 'context' : 'quiet' }),
      'stroke-width': bold ? 2 : 1,
      'stroke-dasharray': bold || kept(place) ? undefined : '4 4',
    })
  const fate = ended ? 'ended' : kept(place) ? 'continued' : 'given up'
  return element('g', {}, [
    element('title', {}, [`${shown}, log probability ${fixed(logProb, 2)}, ${fate}`]),
    frame(0),
    ...(ended ? [frame(3)] : []),
    label(shorten(shown, 14, maxWord), { x: x + wide / 2, y: middle - 0.5, size: 14, bold }),
    label(fixed(logProb, 2), {
      x: x + wide / 2,
      y: middle + 13,
      size: 11,
      color: paint({ fill: bold ? 'ink' : 'quiet' }),
    }),
  ])
}

/**
 * A beam search for the terminal: a tree with the likeliest branch first.
 *
 * The chosen line is marked `*`, an ended one `■`, one that was given up `×`.
 *
 * @returns lines, the last without line end
 * @throws VizError as {@link beamTree}
 */
export function beamTreeText(
  steps: BeamSteps,
  { root = 'begin', chosen }: Omit<BeamTreeOptions, 'title'> = {},
): string {
  const columns = checked('beamTreeText', steps)
  const best = lineOf(chosenOf(columns, chosen))
  const lines = [root]
  const draw = (children: readonly Place[], indent: string): void => {
    for (const [i, place] of children.entries()) {
      const last = i === children.length - 1
      const { word, logProb, step, ended } = place
      const mark = `${ended ? ' ■' : place.continued || step === columns.length - 1 ? '' : ' ×'}${best.includes(place) ? ' *' : ''}` // biome-ignore format: one line
      lines.push(`${indent}${last ? '└─' : '├─'} ${isolated(visible(word))} ${fixed(logProb, 2)}${mark}`)
      const next = (columns[step + 1] ?? []).filter(({ before }) => before === place)
      draw(next, `${indent}${last ? '   ' : '│  '}`)
    }
  }
  draw(columns[0] ?? [], '')
  return lines.join('\n')
}

/** Entries with what they continue. @throws VizError */
function checked(where: string, steps: BeamSteps): Place[][] {
  const problems: string[] = []
  if (steps.length === 0 || steps.some(({ length: n }) => n === 0))
    problems.push(`${steps.length} steps, ${steps.filter(({ length: n }) => n === 0).length} of them empty`)
  const columns: Place[][] = []
  for (const [s, step] of steps.entries()) {
    const open = (columns[s - 1] ?? []).filter(({ ended }) => !ended)
    columns.push(
      step.map((node, e) => {
        const before = s ? open[node.parent] : undefined
        if (s ? !before : node.parent !== 0)
          problems.push(`entry ${e} of step ${s} continues ${node.parent} of ${s ? open.length : 1}`)
        if (!(node.logProb <= (before?.logProb ?? 0) + 1e-4))
          problems.push(`entry ${e} of step ${s} has log probability ${node.logProb}, the line before it ${before?.logProb ?? 0}`) // biome-ignore format: one line
        if (before) before.continued = true
        return { ...node, step: s, entry: e, before, continued: false }
      }),
    )
  }
  if (problems.length)
    throw new VizError(
      `${where}: ${problems.slice(0, 4).join(', ')}; give each step’s entries with the number of the one they continue`,
    )
  return columns
}

function chosenOf(columns: readonly (readonly Place[])[], chosen: BeamTreeOptions['chosen']): Place {
  if (chosen) {
    const found = columns[chosen[0]]?.[chosen[1]]
    if (!found)
      throw new VizError(
        `beamTree: there is no entry ${chosen[1]} in step ${chosen[0]} of ${columns.length}; both count from 0`,
      )
    return found
  }
  const ended = columns.flat().filter(place => place.ended)
  const from = ended.length ? ended : (columns.at(-1) ?? [])
  return from.reduce((best, place) => (place.logProb > best.logProb ? place : best))
}

/** The entries of a line, first word first. */
function lineOf(last: Place): Place[] {
  const line: Place[] = []
  for (let place: Place | undefined = last; place; place = place.before) line.unshift(place)
  return line
}

function inWords(columns: readonly (readonly Place[])[], best: readonly Place[]): string {
  const ended = columns.flat().filter(place => place.ended).length
  const most = Math.max(...columns.map(({ length: n }) => n))
  return `${columns.length} steps, at most ${most} lines side by side, ${ended} ended. Chosen: “${joinWords(best.map(({ word }) => word))}”, log probability ${fixed(best.at(-1)?.logProb ?? 0, 2)}.` // biome-ignore format: one line
}
