import { ConfigError, Rng } from '@heed/core-tensor'
import { type Dataset, generated, type Split, type TextPair } from '../dataset.ts'

/** Settings of {@link copy}, plain JSON. */
export interface CopyOptions {
  readonly seed: number
  readonly split: Split
  /** Number of examples. */
  readonly size: number
  /** The symbols, each a code point; `'abcdefghij'` unless given. */
  readonly alphabet?: string
  /** In symbols; 1 unless given. */
  readonly minLength?: number
  /** In symbols; 10 unless given. */
  readonly maxLength?: number
  /** Asks for the symbols in reverse order. */
  readonly reverse?: boolean
}

/**
 * Random symbols, to be written again: `'cab'` → `'cab'`, or `'bac'` with `reverse`.
 *
 * Symbols and lengths are equally likely. Splits are different random streams; short sequences occur in all of them.
 *
 * @throws ConfigError if there is no symbol, one occurs twice, or a number makes no sense
 */
export function copy(options: CopyOptions): Dataset<TextPair> {
  const {
    seed,
    split,
    size,
    alphabet = 'abcdefghij',
    minLength = 1,
    maxLength = 10,
    reverse = false,
  } = options
  const symbols = [...alphabet]
  if (!symbols.length || new Set(symbols).size < symbols.length)
    throw new ConfigError(
      `copy: the alphabet must be different symbols, got "${alphabet}"; use for example "abc"`,
    )
  if (!Number.isInteger(minLength) || !Number.isInteger(maxLength) || minLength < 1 || maxLength < minLength)
    throw new ConfigError(
      `copy: lengths of ${minLength} to ${maxLength} make no sense; use for example minLength 1, maxLength 10`,
    )
  const card = {
    name: reverse ? 'reverse' : 'copy',
    task: reverse ? 'write the symbols in reverse order' : 'write the symbols again',
    source: 'generated from a seed',
    licence: 'MIT, as Heed',
    sizes: { examples: size, symbols: symbols.length },
  }
  const stream = new Rng(seed).split('copy').split(split)
  return generated(card, size, index => {
    const rng = stream.split(index)
    const length = minLength + rng.int(maxLength - minLength + 1)
    const chosen = Array.from({ length }, () => rng.pick(symbols))
    return { source: chosen.join(''), target: (reverse ? chosen.toReversed() : chosen).join('') }
  })
}
