import { VizError } from './errors.ts'
import type { EvidenceCard } from './evidenceCard.ts'
import { viewerScript, viewerScriptHash } from './interactive/viewerScript.ts'
import { element, type Markup } from './markup.ts'
import {
  curveGrid,
  exampleList,
  factList,
  isExplorable,
  type ReportCurve,
  type ReportExample,
  type ReportFact,
  type ReportTable,
  resultTable,
  settings,
  viewer,
} from './reportParts.ts'
import { reportStyle } from './reportStyle.ts'
import { checkWeights } from './weights.ts'

/** What {@link report} can be told; parts left out leave no trace on the page. */
export interface ReportOptions {
  /** The headline. */
  readonly title: string
  /** The result in one line. */
  readonly summary: string
  readonly facts?: readonly ReportFact[]
  readonly curves?: readonly ReportCurve[]
  readonly tables?: readonly ReportTable[]
  readonly examples?: readonly ReportExample[]
  readonly card?: EvidenceCard
  /** Whatever made the run what it was; nested values are written as dotted names. */
  readonly configuration?: Readonly<Record<string, unknown>>
}

/**
 * A run told on one HTML page: result, tables, curves, examples, an alignment viewer, evidence card, configuration.
 *
 * The page is complete in itself. Its content security policy forbids every other resource and every script but the
 * viewer, so that no text it shows can load or run anything. It follows the reader's light or dark, fits a phone, and
 * prints.
 *
 * @returns a whole HTML document, the same bytes for the same input
 * @throws VizError if title or summary is empty, a table row is not as long as its head, the weights of an example do
 * not fit its words, or a curve cannot be drawn
 */
export function report(options: ReportOptions): string {
  const {
    title,
    summary,
    facts = [],
    curves = [],
    tables = [],
    examples = [],
    card,
    configuration = {},
  } = options
  check(options)
  const explorable = examples.filter(isExplorable)
  const body = element('body', {}, [
    element('main', {}, [
      element('header', {}, [
        element('h1', { dir: 'auto' }, [title]),
        element('p', { class: 'lead', dir: 'auto' }, [summary]),
      ]),
      ...(facts.length > 0 ? [factList(facts)] : []),
      ...section('results', 'Results', tables.map(resultTable)),
      ...section('curves', 'Curves', curves.length > 0 ? [curveGrid(curves)] : []),
      ...section('examples', 'Examples', examples.length > 0 ? [exampleList(examples)] : []),
      ...section('alignment', 'Where it looked', explorable.length > 0 ? viewer(explorable) : []),
      ...section('evidence', 'Evidence card', card ? [{ markup: card.html() }] : []),
      ...section(
        'configuration',
        'Configuration',
        Object.keys(configuration).length > 0 ? [settings(configuration)] : [],
      ),
    ]),
    ...(explorable.length > 0 ? [element('script', {}, [{ markup: viewerScript }])] : []),
  ])
  return `<!doctype html>\n${element('html', { lang: 'en' }, [head(title, summary), body]).markup}\n`
}

function head(title: string, summary: string): Markup {
  // Styles may stand in the page: they can fetch nothing, `default-src` forbids it.
  const policy = `default-src 'none'; style-src 'unsafe-inline'; script-src '${viewerScriptHash}'; base-uri 'none'; form-action 'none'`
  return element('head', {}, [
    element('meta', { charset: 'utf-8' }),
    element('meta', { 'http-equiv': 'Content-Security-Policy', content: policy }),
    element('meta', { name: 'viewport', content: 'width=device-width, initial-scale=1' }),
    element('meta', { name: 'color-scheme', content: 'light dark' }),
    element('meta', { name: 'description', content: summary }),
    element('title', {}, [title]),
    element('style', {}, [{ markup: reportStyle() }]),
  ])
}

/** A part of the page under its heading; nothing if it has no content. */
function section(id: string, title: string, content: readonly Markup[]): Markup[] {
  if (content.length === 0) return []
  return [
    element('section', { 'aria-labelledby': `heed-${id}-title` }, [
      element('h2', { id: `heed-${id}-title` }, [title]),
      ...content,
    ]),
  ]
}

function check({ title, summary, tables = [], examples = [] }: ReportOptions): void {
  if (title.trim() === '' || summary.trim() === '')
    throw new VizError('report: empty title or summary; say in a line what came out')
  const ragged = tables.flatMap(({ title, columns, rows }) =>
    rows.flatMap((row, r) =>
      row.length === columns.length
        ? []
        : [`${title}, row ${r}: ${row.length} cells for ${columns.length} columns`],
    ),
  )
  if (ragged.length > 0)
    throw new VizError(`report: ${ragged.join(', ')}; give every row one cell per column`)
  examples.forEach((example, i) => {
    if (isExplorable(example))
      checkWeights(`report, example ${i}`, example.weights, example.target.length, example.source.length)
  })
}
