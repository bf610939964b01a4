import { ConfigError } from '@heed/core-tensor'
import { heatmap, heatStripText } from '@heed/viz'
import type { Screen } from '../screen.ts'
import type { Translation } from './decode.ts'

/** A stretch of the output, and where the model looked while writing it. */
export interface Look {
  readonly text: string
  /** The mean over the stretch's tokens, one for each source token. */
  readonly weights: Float32Array
}

/**
 * The output in stretches that a person reads as one: numbers and letters that stand together, or whole words. Signs
 * between them are left out.
 */
export function looks({ target, weights, source }: Translation): Look[] {
  if (!weights) return []
  const single = target.every(token => [...token].length === 1)
  const stretches: { text: string; rows: Float32Array[] }[] = []
  let open = false
  for (const [i, token] of target.entries()) {
    const word = /[\p{L}\p{N}]/u.test(token)
    const row = weights[i] as Float32Array
    if (word && open && single) {
      const last = stretches.at(-1) as { text: string; rows: Float32Array[] }
      last.text += token
      last.rows.push(row)
    } else if (word) stretches.push({ text: token, rows: [row] })
    open = word
  }
  return stretches.map(({ text, rows }) => ({ text, weights: mean(rows, source.length) }))
}

function mean(rows: readonly Float32Array[], length: number): Float32Array {
  return Float32Array.from({ length }, (_, j) =>
    Math.min(1, rows.reduce((sum, row) => sum + (row[j] ?? 0), 0) / rows.length),
  )
}

const MOST = 12 // stretches shown of one line

/** A translation and its alignment, as lines for the terminal. */
export function alignmentText(
  translation: Translation,
  screen: Pick<Screen, 'color' | 'dark' | 'width'>,
): string {
  const found = looks(translation)
  const label = Math.max(0, ...found.map(({ text }) => text.length))
  const rows = found.slice(0, MOST).flatMap(({ text, weights }) => {
    const strip = heatStripText(translation.source, weights, {
      color: screen.color,
      mode: screen.dark ? 'dark' : 'light',
      width: screen.width - label - 5,
    })
    return strip.split('\n').map((line, i) => `    ${(i ? '' : text).padStart(label)} ${line}`)
  })
  return [...rows, ...(found.length > MOST ? [`    … ${found.length - MOST} more`] : [])].join('\n')
}

/** A translation's weights as SVG, a row for each output token. @throws ConfigError if there are none */
export function alignmentPicture(translation: Translation | undefined): string {
  if (!translation?.weights?.length)
    throw new ConfigError(
      'translate: there is no alignment to draw; the model has no attention, or wrote nothing',
    )
  const { source, target, weights, text } = translation
  return `${heatmap(weights, { rows: target, columns: source, title: `Where it looked to write ${text}` })}\n`
}
