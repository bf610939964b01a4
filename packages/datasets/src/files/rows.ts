import { FormatError } from '@heed/core-tensor'

/** The formats of tables that can be read. */
export type TableFormat = 'tsv' | 'csv' | 'jsonl' | 'parquet'

/** A row of a table. */
export interface Row {
  readonly cells: readonly string[]
  /** The line where it starts, counted from 1. */
  readonly line: number
}

/** The rows of a table without blank lines at its end; of JSONL the wanted columns only. */
export async function readRows(
  text: string,
  format: Exclude<TableFormat, 'parquet'>,
  columns: readonly (string | number)[],
  where: string,
): Promise<Row[]> {
  switch (format) {
    case 'tsv':
      return readLines(text).map(({ text, line }) => ({ cells: text.split('\t'), line }))
    case 'csv':
      return readCsv(text, where)
    case 'jsonl':
      return readJsonLines(text, columns as readonly string[], where)
  }
}

function readLines(text: string): { text: string; line: number }[] {
  const lines = text.split(/\r?\n/).map((text, i) => ({ text, line: i + 1 }))
  return lines.slice(0, lines.findLastIndex(({ text }) => text.trim()) + 1)
}

const QUOTE_FAULTS: Readonly<Record<string, string>> = {
  CSV_QUOTE_NOT_CLOSED: 'a quoted text has no end',
  CSV_INVALID_CLOSING_QUOTE: 'a quoted text goes on behind its closing quote',
  CSV_NON_TRIMABLE_CHAR_AFTER_CLOSING_QUOTE: 'a quoted text goes on behind its closing quote',
  INVALID_OPENING_QUOTE: 'a quote stands within a text without quotes',
}

async function readCsv(text: string, where: string): Promise<Row[]> {
  // Loaded when needed, and the browser's build everywhere: it needs nothing of Node, and there is one behaviour.
  const { parse, CsvError } = await import('csv-parse/browser/esm/sync')
  const rows: Row[] = []
  let line = 1
  try {
    // Bytes, since the parser's own way from text to bytes takes half of its time.
    parse(new TextEncoder().encode(text), {
      record_delimiter: ['\r\n', '\n'],
      relax_column_count: true,
      on_record: (cells: string[]) => {
        rows.push({ cells, line })
        // Counted here: the parser's own count takes a CRLF within quotes for two lines.
        for (const cell of cells) line += cell.split('\n').length - 1
        line++
        return null
      },
    })
  } catch (error) {
    if (!(error instanceof CsvError)) throw error
    const reason = QUOTE_FAULTS[error.code] ?? error.code
    throw new FormatError(
      `${where}: line ${line}: ${reason}; quote the text with " and write "" for a " in it`,
    )
  }
  return rows.slice(0, rows.findLastIndex(({ cells }) => cells.some(cell => cell.trim())) + 1)
}

function readJsonLines(text: string, columns: readonly string[], where: string): Row[] {
  const wrong: string[] = []
  const rows = readLines(text).map(({ text, line }) => {
    const fault = (what: string): Row => {
      wrong.push(`line ${line} ${what}`)
      return { cells: [], line }
    }
    let value: unknown
    try {
      value = JSON.parse(text)
    } catch {
      return fault(text.trim() ? 'is not JSON' : 'is blank')
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return fault('is not an object')
    const object = value as Record<string, unknown>
    const missing = columns.filter(column => !Object.hasOwn(object, column))
    if (missing.length) return fault(`has no ${missing.map(m => JSON.stringify(m)).join(' and no ')}`)
    const cells = columns.map(column => object[column])
    const other = columns.filter((_, i) => typeof cells[i] !== 'string')
    if (other.length) return fault(`has no text under ${other.map(o => JSON.stringify(o)).join(' and ')}`)
    return { cells: cells as string[], line }
  })
  if (wrong.length)
    throw new FormatError(`${where}: ${listed(wrong)}; write one object a line, with a text for each column`)
  return rows
}

/** The first three of several places, and how many more there are. */
export function listed(places: readonly string[]): string {
  const more = places.length - 3
  return places.slice(0, 3).join(', ') + (more > 0 ? ` and ${more} more` : '')
}
