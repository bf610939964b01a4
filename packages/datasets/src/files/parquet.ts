import { FormatError } from '@heed/core-tensor'
import { listed, type Row } from './rows.ts'

/**
 * The rows of a Parquet file, of the wanted columns only; a row's number, from 1, stands for its line.
 *
 * A column inside of another is named with a dot, `translation.de`. Numbers and truth values become text. All of Parquet's
 * compressions are understood.
 *
 * @throws FormatError if it is damaged or of another kind, lacks a column, or a cell is empty or holds no text
 */
export async function readParquet(
  bytes: Uint8Array,
  columns: readonly string[],
  where: string,
): Promise<Row[]> {
  // Loaded when needed.
  const [{ parquetMetadata, parquetReadObjects }, { compressors }] = await Promise.all([
    import('hyparquet'),
    import('hyparquet-compressors'),
  ])
  // A copy only where the bytes are part of something larger, or shared between threads.
  const file = bytes.slice().buffer
  let records: Record<string, unknown>[]
  try {
    const titles = parquetMetadata(file).schema.slice(1)
    const names = new Set(titles.map(({ name }) => name))
    const missing = columns.filter(column => !names.has(column) && !names.has(rootOf(column)))
    if (missing.length)
      throw new FormatError(
        `${where}: no column is named ${missing.join(' or ')}; there are ${[...names].map(name => JSON.stringify(name)).join(', ')}`,
      )
    records = await parquetReadObjects({
      file,
      compressors,
      columns: [...new Set(columns.map(column => (names.has(column) ? column : rootOf(column))))],
    })
  } catch (error) {
    if (error instanceof FormatError) throw error
    const reason = error instanceof Error ? error.message : String(error)
    throw new FormatError(
      `${where}: not a Parquet file, or a damaged one (${reason}); fetch or write it again`,
    )
  }
  const wrong: string[] = []
  const rows = records.map((record, i) => ({
    line: i + 1,
    cells: columns.map(column => {
      const cell = cellOf(record, column)
      if (['string', 'number', 'bigint', 'boolean'].includes(typeof cell)) return String(cell)
      wrong.push(`row ${i + 1} has no text under ${JSON.stringify(column)}`)
      return ''
    }),
  }))
  if (wrong.length) throw new FormatError(`${where}: ${listed(wrong)}; fill it in, or name other columns`)
  return rows
}

function rootOf(column: string): string {
  return column.split('.')[0] as string
}

function cellOf(record: Record<string, unknown>, column: string): unknown {
  if (column in record) return record[column]
  let value: unknown = record
  for (const name of column.split('.')) value = (value as Record<string, unknown> | null | undefined)?.[name]
  return value
}
