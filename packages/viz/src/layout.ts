import bidiFactory, { type Bidi } from 'bidi-js'
import stringWidth from 'string-width'
import { graphemes } from './words.ts'

/** The fonts of every picture; widths are estimated for these. */
export const fonts = "system-ui,-apple-system,'Segoe UI',Roboto,'Noto Sans',sans-serif"

/**
 * About how wide a text is, in the units of `size`.
 *
 * An SVG must be laid out before anybody knows the font, so this errs on the wide side: average advances of common
 * sans-serif faces by kind of letter, a full square for East Asian letters and emoji.
 */
export function textWidth(text: string, size: number): number {
  let ems = 0
  for (const character of text) ems += advance(character)
  return ems * size
}

/** The text, cut at a grapheme and ended with `…` if it is wider than `width`. */
export function shorten(text: string, size: number, width: number): string {
  if (textWidth(text, size) <= width) return text
  let kept = ''
  for (const grapheme of graphemes(text)) {
    if (textWidth(`${kept}${grapheme}…`, size) > width) break
    kept += grapheme
  }
  return `${kept}…`
}

/** The direction in which a text starts: that of its first letter with one (Unicode UAX #9, rule P2). */
export function direction(text: string): 'ltr' | 'rtl' {
  if (!mayTurn(text)) return 'ltr'
  return (bidi().getEmbeddingLevels(text).paragraphs[0]?.level ?? 0) % 2 === 1 ? 'rtl' : 'ltr'
}

/**
 * The order in which the words of one line stand from left to right, as indices into `words`.
 *
 * `words` in reading order; the numbers and Latin names inside a Hebrew or Arabic line keep their own order (UAX #9,
 * rule L2, word by word).
 *
 * @param base the direction of the whole sentence, of which the line may be a part
 */
export function visualOrder(
  words: readonly string[],
  separator: string,
  base: 'ltr' | 'rtl' = direction(words.join(separator)),
): number[] {
  const order = words.map((_, index) => index)
  const line = words.join(separator)
  if (base === 'ltr' && !mayTurn(line)) return order
  const { levels } = bidi().getEmbeddingLevels(line, base)
  let start = 0
  const wordLevels = words.map(word => {
    const level = Math.min(...levels.subarray(start, start + Math.max(1, word.length)))
    start += word.length + separator.length
    return Number.isFinite(level) ? level : 0
  })
  for (let level = Math.max(...wordLevels); level >= 1; level--) turnRuns(order, wordLevels, level)
  return order
}

/** Turns round every run of positions whose word has at least `level`. */
function turnRuns(order: number[], wordLevels: readonly number[], level: number): void {
  const high = (at: number) => (wordLevels[order[at] ?? -1] ?? -1) >= level
  for (let from = 0; from < order.length; from++) {
    if (!high(from)) continue
    let to = from
    while (to + 1 < order.length && high(to + 1)) to++
    order.splice(from, to - from + 1, ...order.slice(from, to + 1).reverse())
    from = to
  }
}

/** Whether a text has letters or marks that are written from right to left. */
export function mayTurn(text: string): boolean {
  return /[\u0590-\u08FF\u200F\u202B\u202E\u2067\uFB1D-\uFDFF\uFE70-\uFEFF\u{10800}-\u{10FFF}\u{1E800}-\u{1EFFF}]/u.test(
    text,
  )
}

// The package is CommonJS whose types claim a default export inside it; at run time the import is the function itself.
function bidi(): Bidi {
  return (bidiFactory as unknown as () => Bidi)()
}

/** Ems. */
function advance(character: string): number {
  if (/[\p{Mn}\p{Me}\p{Cf}]/u.test(character)) return 0
  if (stringWidth(character) === 2) return 1.04
  if (/[ijl.,:;'|!I\u0640]/.test(character)) return 0.31
  if (/[frt()[\]\-/ ]/.test(character)) return 0.42
  if (/[mwMWQ@%…]/.test(character)) return 0.96
  if (/\p{Lu}/u.test(character)) return 0.74
  return /[\p{Script=Latin}\p{Nd}]/u.test(character) ? 0.6 : 0.7
}
