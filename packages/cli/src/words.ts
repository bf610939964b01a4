/** `98.4 %` */
export function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`
}

/** `[97.1, 99.2]`, in percent */
export function interval({ low, high }: { readonly low: number; readonly high: number }): string {
  return `[${(100 * low).toFixed(1)}, ${(100 * high).toFixed(1)}]`
}

/** Rows under a head, columns side by side; the first to the left, the others to the right. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, c) => Math.max(title.length, ...rows.map(row => (row[c] ?? '').length)))
  const line = (cells: readonly string[]): string =>
    cells
      .map((text, c) => (c ? text.padStart(widths[c] as number) : text.padEnd(widths[c] as number)))
      .join('  ')
      .trimEnd()
  return [line(head), line(widths.map(width => '─'.repeat(width))), ...rows.map(line)].join('\n')
}
