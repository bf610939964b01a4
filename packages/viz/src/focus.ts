import { isolated } from './ansi.ts'
import { VizError } from './errors.ts'
import { type HeatStripTextOptions, heatStripText } from './strip.ts'
import { checkWeights, fixed, mostFocused, type Weights } from './weights.ts'
import { joinWords, visible } from './words.ts'

/** What {@link focusText} can be told. */
export interface FocusTextOptions extends HeatStripTextOptions {
  /** Which target word, from 0. Default 0. */
  readonly position?: number
  /** How many of the most-focused positions. Default 3. */
  readonly count?: number
  /** From what positions are counted in the text. Default 1. */
  readonly indexBase?: 0 | 1
}

/**
 * What is most worth showing of one step, for the terminal: the input, the current output position, the weight of each
 * input, and the positions that got most. {@link mountAlignment} shows the same four in a browser.
 *
 * ```ts
 * focusText(['He', 'plays'], ['Er', 'spielt'], [[0.9, 0.1], [0.2, 0.8]], { position: 1 })
 * ```
 *
 * @param weights `[target, source]`, each from 0 to 1
 * @returns lines, the last without line end
 * @throws VizError if rows or columns do not fit the words, or there is no such position
 */
export function focusText(
  source: readonly string[],
  target: readonly string[],
  weights: Weights,
  { position = 0, count = 3, indexBase = 1, ...strip }: FocusTextOptions = {},
): string {
  checkWeights('focusText', weights, target.length, source.length)
  const row = weights[position]
  const word = target[position]
  if (row === undefined || word === undefined)
    throw new VizError(`focusText: there is no target word ${position} of ${target.length}; positions count from 0`) // biome-ignore format: one line
  const focused = mostFocused(row, count).map(i => `${i + indexBase} ${isolated(visible(source[i] ?? ''))} (${fixed(row[i] ?? 0, 2)})`) // biome-ignore format: one line
  return [
    `input    ${isolated(joinWords(source))}`,
    `output   ${position + indexBase} ${isolated(visible(word))}, of ${isolated(joinWords(target))}`,
    'weights',
    heatStripText(source, row, strip).replaceAll(/^/gm, '  '),
    `focused  ${focused.join(', ') || 'nowhere'}`,
  ].join('\n')
}
