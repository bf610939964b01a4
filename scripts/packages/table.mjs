// The table of the matrix: printed, and kept in the docs' page about support.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './packed.mjs'

const page = join(root, 'apps/docs/guide/support.md')
const [BEGIN, END] = ['<!-- matrix -->', '<!-- /matrix -->']

/**
 * @param {Record<string, Record<string, string>>} table cells by package and column
 * @returns {string[]} lines of Markdown
 */
export function linesOf(table) {
  const columns = [...new Set(Object.values(table).flatMap(row => Object.keys(row)))]
  const line = cells => `| ${cells.join(' | ')} |`
  return [
    line(['package', ...columns]),
    line(['---', ...columns.map(() => ':-:')]),
    ...Object.entries(table).map(([name, row]) => line([name, ...columns.map(column => row[column] ?? '')])),
  ]
}

/**
 * Puts rows into the page. Rows of other packages stay if they were tried with the same versions, and go if not.
 *
 * @param {Record<string, Record<string, string>>} table
 * @param {string} versions what was tried with, in words
 * @param {readonly string[]} packages all there are, in the order of the page
 */
export function keepTable(table, versions, packages) {
  const text = readFileSync(page, 'utf8')
  const [from, to] = [text.indexOf(BEGIN), text.indexOf(END)]
  if (from < 0 || to < from) throw new Error(`keepTable: ${page} has no ${BEGIN} … ${END}; put both into it`)
  const kept = text.slice(from, to)
  const rows = { ...(kept.includes(versions) ? rowsOf(kept) : {}), ...table }
  const ordered = Object.fromEntries(packages.filter(name => rows[name]).map(name => [name, rows[name]]))
  const block = [BEGIN, '', versions, '', ...linesOf(ordered), '', ''].join('\n')
  writeFileSync(page, text.slice(0, from) + block + text.slice(to))
}

/** What {@link linesOf} wrote. */
function rowsOf(text) {
  const [head = [], , ...rows] = text
    .split('\n')
    .filter(line => line.startsWith('|'))
    .map(line =>
      line
        .split('|')
        .slice(1, -1)
        .map(cell => cell.trim()),
    )
  return Object.fromEntries(
    rows.map(([name, ...cells]) => [name, Object.fromEntries(cells.map((cell, i) => [head[i + 1], cell]))]),
  )
}
