import temml from 'temml'
import type { MarkdownRenderer } from 'vitepress'

/**
 * Formulas between `$` or `$$`, as MathML: browsers set it themselves and screen readers read it, with no script, no fonts
 * and no style sheet.
 */
export function math(md: MarkdownRenderer): void {
  md.inline.ruler.after('escape', 'math', (state, silent) => {
    const { src, pos } = state
    if (src[pos] !== '$') return false
    const fence = src[pos + 1] === '$' ? '$$' : '$'
    const start = pos + fence.length
    const end = src.indexOf(fence, start)
    const tex = src.slice(start, end)
    // Prices are no formulas: an opening $ touches what follows, a closing one what stands before it.
    if (end < 0 || !tex.trim() || (fence === '$' && (/^\s|\s$/.test(tex) || /\d/.test(src[end + 1] ?? ''))))
      return false
    if (!silent) state.push(fence === '$$' ? 'math_display' : 'math_inline', 'math', 0).content = tex
    state.pos = end + fence.length
    return true
  })
  for (const [name, displayMode] of [
    ['math_inline', false],
    ['math_display', true],
  ] as const)
    md.renderer.rules[name] = (tokens, index) => {
      const tex = roots(tokens[index]?.content ?? '')
      const set = temml
        .renderToString(tex, { displayMode, throwOnError: true, annotate: false })
        .replace('<math', '<math v-pre')
      // A wide formula scrolls, and does not push the page.
      return displayMode
        ? `<span tabindex="0" role="group" aria-label="Formula" style="display:block;overflow-x:auto">${set}</span>`
        : set
    }
}

/** Roots of one letter or number with the sign as text: browsers without a font for mathematics draw no other. */
function roots(tex: string): string {
  return tex.replace(
    /\\sqrt\s*(?:\{(\w)\}|(\w))/g,
    (_, braced?: string, bare?: string) => `{\\text{√}${braced ?? bare}}`,
  )
}
