/** Text that HTML and SVG show as it is. */
export function escapeText(text: string): string {
  const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
  return text.replace(/[&<>"]/g, character => entities[character] ?? character)
}

/** A length in pixels, with at most one decimal. */
export function px(value: number): string {
  return String(Math.round(value * 10) / 10)
}
