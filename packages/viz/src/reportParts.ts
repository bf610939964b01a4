import { alignment } from './alignment.ts'
import { type CurveOptions, type CurveSeries, curve } from './curve.ts'
import type { AlignmentExample } from './interactive/alignmentViewer.ts'
import { type Child, element, type Markup, scriptJson } from './markup.ts'
import type { Weights } from './weights.ts'
import { joinWords } from './words.ts'

/** One number worth knowing. */
export interface ReportFact {
  readonly label: string
  readonly value: string | number
  /** What the number is compared with, or how sure it is. */
  readonly note?: string
}

/** One chart of a report. */
export interface ReportCurve extends CurveOptions {
  readonly series: readonly CurveSeries[]
}

/** A table of results, a row for each bucket, say, and a column with and one without attention. */
export interface ReportTable {
  readonly title: string
  readonly note?: string
  readonly columns: readonly string[]
  /** Each as long as `columns`; the first cell names the row. */
  readonly rows: readonly (readonly (string | number)[])[]
}

/** One sentence that the model was given. */
export interface ReportExample {
  readonly source: readonly string[]
  /** What the model wrote. */
  readonly target: readonly string[]
  /** What it should have written. */
  readonly expected?: readonly string[]
  /** `[target, source]`; with them the example can be explored in the viewer. */
  readonly weights?: Weights
}

/** The numbers worth knowing, large, side by side. */
export function factList(facts: readonly ReportFact[]): Markup {
  return element(
    'dl',
    { class: 'facts' },
    facts.map(({ label, value, note }) =>
      element('div', {}, [
        element('dt', {}, [label]),
        element('dd', { class: 'value' }, [String(value)]),
        ...(note ? [element('dd', { class: 'note' }, [note])] : []),
      ]),
    ),
  )
}

/** A table under its title; columns of numbers stand to the right. */
export function resultTable({ title, note, columns, rows }: ReportTable): Markup {
  const numeric = columns.map((_, c) => c > 0 && rows.every(row => isNumber(row[c] ?? '')))
  const cell = (name: 'td' | 'th', c: number, text: Child, scope?: string) =>
    element(name, { class: numeric[c] ? 'number' : undefined, scope }, [text])
  return element('figure', {}, [
    element('figcaption', {}, [title, ...(note ? [element('small', {}, [note])] : [])]),
    element('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': title }, [
      element('table', {}, [
        element('thead', {}, [
          element(
            'tr',
            {},
            columns.map((name, c) => cell('th', c, name, 'col')),
          ),
        ]),
        element(
          'tbody',
          {},
          rows.map(row =>
            element(
              'tr',
              {},
              row.map((value, c) =>
                cell(c === 0 ? 'th' : 'td', c, String(value), c === 0 ? 'row' : undefined),
              ),
            ),
          ),
        ),
      ]),
    ]),
  ])
}

/** Charts side by side. */
export function curveGrid(curves: readonly ReportCurve[]): Markup {
  // Small enough to be read on a phone without scaling much, two side by side on a desk.
  const drawn = curves.map(({ series, ...options }) => ({
    markup: curve(series, { width: 400, height: 300, ...options }),
  }))
  return element(
    'div',
    { class: 'curves' },
    drawn.map(one => element('figure', {}, [one])),
  )
}

/** What went in, what came out, what was asked for, and whether that is the same. */
export function exampleList(examples: readonly ReportExample[]): Markup {
  const row = (name: string, words: readonly string[]) =>
    element('div', {}, [
      element('dt', {}, [name]),
      element('dd', { dir: 'auto' }, [words.length === 0 ? '(nothing)' : joinWords(words)]),
    ])
  return element(
    'ol',
    { class: 'examples' },
    examples.map(({ source, target, expected }) => {
      const right = expected && joinWords(expected) === joinWords(target)
      return element('li', {}, [
        element('dl', {}, [
          row('Source', source),
          row('Output', target),
          ...(expected ? [row('Expected', expected)] : []),
        ]),
        ...(expected
          ? [element('p', { class: right ? 'mark good' : 'mark bad' }, [right ? '✓ right' : '✗ wrong'])]
          : []),
      ])
    }),
  )
}

/**
 * The alignment viewer's place and the examples it shows.
 *
 * Until the script runs, and where none may, a picture of the first example stands there.
 */
export function viewer(examples: readonly AlignmentExample[]): Markup[] {
  const pictures = examples.slice(0, 1).map(({ source, target, weights }) => ({
    markup: alignment(source, target, weights, { title: 'The first example', matrix: false }),
  }))
  const data = examples.map(({ source, target, weights }) => ({
    source,
    target,
    weights: weights.map(row => Array.from(row, weight => Number(weight.toFixed(4)))),
  }))
  return [
    element('div', { id: 'heed-alignment', class: 'scroll' }, pictures),
    element('p', { class: 'caveat' }, [
      'Weights tell where the model looked while it wrote, not by themselves why it wrote what it did.',
    ]),
    element('script', { type: 'application/json', id: 'heed-examples' }, [scriptJson(data)]),
  ]
}

/** A configuration as names and values. */
export function settings(configuration: Readonly<Record<string, unknown>>): Markup {
  return element(
    'dl',
    { class: 'settings' },
    flat(configuration).map(([name, value]) =>
      element('div', {}, [element('dt', {}, [name]), element('dd', {}, [value])]),
    ),
  )
}

/** Nested settings as dotted names, lists with commas. */
function flat(settings: Readonly<Record<string, unknown>>, path = ''): [name: string, value: string][] {
  return Object.entries(settings).flatMap(([key, value]): [string, string][] => {
    const name = path ? `${path}.${key}` : key
    if (Array.isArray(value)) return [[name, value.map(written).join(', ')]]
    if (typeof value === 'object' && value !== null)
      return flat(value as Readonly<Record<string, unknown>>, name) // plain objects: configurations are JSON
    return [[name, written(value)]]
  })
}

function written(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? 'undefined')
}

/** Whether an example has something to explore. */
export function isExplorable(example: ReportExample): example is ReportExample & AlignmentExample {
  return example.weights !== undefined && example.source.length > 0 && example.target.length > 0
}

/** Whether a cell starts like a number, or is a dash where one is missing. */
function isNumber(cell: string | number): boolean {
  return typeof cell === 'number' || /^[-−+±<>≈]?\s?\d|^[-–—]?$/.test(cell.trim())
}
