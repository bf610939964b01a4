/** Rows of similar length. */
export interface LengthBin<Row> {
  /** `8 to 10`, `18 or more` */
  readonly title: string
  /** The mean length of its rows. */
  readonly length: number
  readonly rows: readonly Row[]
}

/** Rows by length: up to the first bound, up to the second, …, above the last; bins without rows are left out. */
export function binned<Row>(
  rows: readonly Row[],
  lengthOf: (row: Row) => number,
  bounds: readonly number[],
): LengthBin<Row>[] {
  const edges = [...bounds, Number.POSITIVE_INFINITY]
  return edges.flatMap((top, i) => {
    const above = i ? (edges[i - 1] as number) : -1
    const within = rows.filter(row => lengthOf(row) > above && lengthOf(row) <= top)
    if (!within.length) return []
    const title = i === 0 ? `up to ${top}` : top === Number.POSITIVE_INFINITY ? `${above + 1} or more` : `${above + 1} to ${top}` // biome-ignore format: one line
    return [
      { title, length: within.reduce((sum, row) => sum + lengthOf(row), 0) / within.length, rows: within },
    ]
  })
}
