import { isolated } from './ansi.ts'
import { element, escapeText } from './markup.ts'
import { checkRow, fixed, type WeightRow } from './weights.ts'
import { visible } from './words.ts'

/**
 * The weight of each token, one JSON object a line: `{"token":"i","weight":0.1}`.
 *
 * Weights are rounded to `digits` decimals, so that float32 weights print as people wrote them.
 *
 * @param weights one for each token, from 0 to 1
 * @param digits decimals kept. Default 4
 * @returns lines, the last without line end
 * @throws VizError if there is not one weight from 0 to 1 for each token
 */
export function weightsTable(tokens: readonly string[], weights: WeightRow, digits = 4): string {
  checkRow('weightsTable', weights, tokens.length)
  return tokens
    .map((token, i) => JSON.stringify({ token, weight: Number(fixed(weights[i] ?? 0, digits)) }))
    .join('\n')
}

/**
 * A two-column table of input words and attention weights in Markdown.
 *
 * @param weights one for each word, from 0 to 1
 * @param digits decimals shown. Default 2
 * @returns lines, the last without line end
 * @throws VizError if there is not one weight from 0 to 1 for each word
 */
export function attentionTableMarkdown(words: readonly string[], weights: WeightRow, digits = 2): string {
  checkRow('attentionTableMarkdown', weights, words.length)
  const rows = words.map((word, i) => `| ${markdownWord(word)} | ${fixed(weights[i] ?? 0, digits)} |`)
  return ['| Input word | Attention weight |', '| --- | ---: |', ...rows].join('\n')
}

/**
 * A two-column table of input words and attention weights in HTML.
 *
 * @param weights one for each word, from 0 to 1
 * @param digits decimals shown. Default 2
 * @returns one `<table>` element
 * @throws VizError if there is not one weight from 0 to 1 for each word
 */
export function attentionTableHtml(words: readonly string[], weights: WeightRow, digits = 2): string {
  checkRow('attentionTableHtml', weights, words.length)
  const head = element('thead', {}, [
    element('tr', {}, [
      element('th', { scope: 'col' }, ['Input word']),
      element('th', { scope: 'col' }, ['Attention weight']),
    ]),
  ])
  const rows = words.map((word, i) =>
    element('tr', {}, [
      element('th', { scope: 'row' }, [element('bdi', {}, [visible(word)])]),
      element('td', {}, [fixed(weights[i] ?? 0, digits)]),
    ]),
  )
  return element('table', { class: 'heed-table' }, [head, element('tbody', {}, rows)]).markup
}

/** User text that Markdown shows as it is, on one line. */
export function markdownText(text: string): string {
  return escapeText(text)
    .replace(/[\\`*_{}[\]()#+\-!|~]/g, '\\$&')
    .replace(/\s*[\r\n]+\s*/g, ' ')
}

function markdownWord(word: string): string {
  return markdownText(isolated(visible(word)))
}
