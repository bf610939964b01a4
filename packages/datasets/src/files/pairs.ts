import { ConfigError, FormatError } from '@heed/core-tensor'
import type { TextPair } from '../dataset.ts'
import { decodeUtf8, gunzip } from './decode.ts'
import { readParquet } from './parquet.ts'
import { listed, type Row, readRows, type TableFormat } from './rows.ts'

/** A pair of a file. */
export interface FilePair extends TextPair {
  /** The line where it starts, counted from 1. */
  readonly line: number
}

/** A column by its number, counted from 1 as in `cut -f1`, or by its name in the header or JSON object. */
export type Column = number | string

/** How a file of pairs is to be read. */
export interface ReadPairsOptions {
  /**
   * - `tsv`: one pair a line, columns split at tabs, no quoting: `"` is a letter like any other.
   * - `csv`: columns split at commas, quoted by `"` where needed (RFC 4180); a quoted text may hold line ends.
   * - `jsonl`: one JSON object a line.
   * - `parquet`: columns by name, those inside of others with a dot: `translation.de`.
   */
  readonly format: TableFormat
  /** Whether the bytes are packed by gzip; no unless given. */
  readonly gzip?: boolean
  /** Source and target; `[1, 2]` unless given, for JSONL and Parquet `['source', 'target']`. */
  readonly columns?: readonly [source: Column, target: Column]
  /** Whether the first row names the columns (TSV and CSV); yes if `columns` are names, no if they are numbers. */
  readonly header?: boolean
  /** The name of the file in messages. */
  readonly name?: string
}

/** What the ending of a file name says: `.tsv`, `.csv`, `.jsonl`, `.parquet`, and `.gz` behind it. @throws ConfigError if nothing */
export function pairFormat(fileName: string): { format: TableFormat; gzip: boolean } {
  const [, ending, packed] = /\.(tsv|csv|jsonl|parquet)(\.gz)?$/i.exec(fileName) ?? []
  if (!ending)
    throw new ConfigError(
      `${fileName}: cannot tell the format from the name; let it end in .tsv, .csv, .jsonl or .parquet, and .gz if packed`,
    )
  return { format: ending.toLowerCase() as TableFormat, gzip: packed !== undefined }
}

/**
 * The pairs of a file of two (or more) columns, with spaces at the ends of each text removed.
 *
 * Strict: either every row is a pair or none is read. A byte order mark and both kinds of line end (LF and CRLF) are
 * understood; blank lines are allowed at the end only.
 *
 * @example
 * const pairs = await readPairs(bytes, { ...pairFormat('fra.tsv.gz'), name: 'fra.tsv.gz' })
 * pairs[0] // { source: 'Go.', target: 'Va !', line: 1 }
 *
 * @param content the bytes of the file, or its text
 * @throws FormatError if it is empty, not gzip or cut off, not UTF-8, or has rows that are no pairs: which lines and why
 * @throws ConfigError if `columns` make no sense for the format
 */
export async function readPairs(
  content: Uint8Array | string,
  { format, gzip = false, columns, header, name = 'pairs' }: ReadPairsOptions,
): Promise<FilePair[]> {
  const wanted = columns ?? (hasNames(format) ? ['source', 'target'] : [1, 2])
  const named = checkColumns(wanted, format, header)
  const bytes = gzip && typeof content !== 'string' ? await gunzip(content, name) : content
  if (format === 'parquet') {
    if (typeof bytes === 'string')
      throw new ConfigError(`${name}: Parquet is no text; give the bytes of the file`)
    return toPairs(await readParquet(bytes, wanted as readonly string[], name), [0, 1], name)
  }
  const text = typeof bytes === 'string' ? bytes.replace(/^\ufeff/, '') : decodeUtf8(bytes, name)
  const rows = text.trim() ? await readRows(text, format, wanted, name) : []
  if (!rows.length) throw new FormatError(`${name}: the file is empty; give at least one pair of sentences`)
  if (format === 'jsonl') return toPairs(rows, [0, 1], name)
  checkWidths(rows, named ? 2 : Math.max(...(wanted as [number, number])), name)
  const body = (header ?? named) ? rows.slice(1) : rows
  if (!body.length)
    throw new FormatError(`${name}: there is nothing below the header; give at least one pair`)
  const places = named
    ? findNames(rows[0] as Row, wanted, name)
    : wanted.map(column => (column as number) - 1)
  return toPairs(body, places as [number, number], name)
}

/** Whether the format knows its columns by name alone. */
function hasNames(format: TableFormat): boolean {
  return format === 'jsonl' || format === 'parquet'
}

/** Whether the columns are names. */
function checkColumns(
  columns: readonly [Column, Column],
  format: TableFormat,
  header: boolean | undefined,
): boolean {
  const named = columns.map(column => typeof column === 'string')
  const shown = JSON.stringify(columns)
  if (named[0] !== named[1])
    throw new ConfigError(`columns: ${shown} mixes a name and a number; use two of a kind`)
  if (columns[0] === columns[1]) throw new ConfigError(`columns: ${shown} is one column twice; name two`)
  if (!named[0] && columns.some(column => !Number.isInteger(column) || (column as number) < 1))
    throw new ConfigError(`columns: numbers count from 1, got ${shown}; use for example [1, 2]`)
  if (hasNames(format) && !named[0])
    throw new ConfigError(
      `columns: ${format === 'jsonl' ? 'JSONL' : 'Parquet'} has names, got ${shown}; use for example ["source", "target"]`,
    )
  if (format !== 'jsonl' && named[0] && header === false)
    throw new ConfigError(
      `columns: ${shown} are names, but header is false; use numbers, or a file with a header`,
    )
  return named[0] as boolean
}

/** All rows must have as many columns as the first one, and at least the wanted ones. */
function checkWidths(rows: readonly Row[], wanted: number, name: string): void {
  const first = rows[0] as Row
  const width = first.cells.length
  const columns = `${width} column${width === 1 ? '' : 's'}`
  if (width < wanted)
    throw new FormatError(
      `${name}: line ${first.line} has ${columns}, at least ${wanted} are needed; check the format and the columns`,
    )
  const uneven = rows.filter(({ cells }) => cells.length !== width)
  if (uneven.length) {
    const shown = listed(uneven.map(({ line, cells }) => `line ${line} has ${cells.length}`))
    throw new FormatError(`${name}: the first row has ${columns}, but ${shown}; mend these rows`)
  }
}

/** The places of the named columns, counted from 0. */
function findNames(header: Row, columns: readonly Column[], name: string): number[] {
  const titles = header.cells.map(title => title.trim())
  const missing = columns.filter(column => !titles.includes(String(column)))
  if (missing.length) {
    const shown = titles.map(title => JSON.stringify(title)).join(', ')
    throw new FormatError(
      `${name}: no column is named ${missing.join(' or ')} in line ${header.line}; there are ${shown}`,
    )
  }
  return columns.map(column => titles.indexOf(String(column)))
}

function toPairs(
  rows: readonly Row[],
  [source, target]: readonly [number, number],
  name: string,
): FilePair[] {
  const pairs = rows.map(({ cells, line }) => ({
    source: (cells[source] as string).trim(),
    target: (cells[target] as string).trim(),
    line,
  }))
  const empty = pairs.filter(pair => !pair.source || !pair.target)
  if (empty.length) {
    const shown = listed(empty.map(({ source, line }) => `line ${line} (${source ? 'target' : 'source'})`))
    throw new FormatError(`${name}: empty sentence in ${shown}; fill it in or remove the row`)
  }
  return pairs
}
