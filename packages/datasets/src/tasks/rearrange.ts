import { ConfigError, Rng } from '@heed/core-tensor'
import { type AlignedPair, type Dataset, generated, type Split } from '../dataset.ts'
import { drawOf } from '../split.ts'

/** Settings of the tasks on symbols, plain JSON. */
export interface SymbolOptions {
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
}

/** Settings of {@link copy}, plain JSON. */
export interface CopyOptions extends SymbolOptions {
  /** Asks for the symbols in reverse order. */
  readonly reverse?: boolean
}

/**
 * Random symbols, to be written again: `'cab'` → `'cab'`, or `'bac'` with `reverse`.
 *
 * Symbols and lengths are equally likely. No sequence occurs in two splits, but for lengths of which there are fewer than
 * 1,000 sequences: those occur in all. `links` tells which symbol comes from which.
 *
 * @throws ConfigError if there is no symbol, one occurs twice, or a number makes no sense
 */
export function copy({ reverse = false, ...options }: CopyOptions): Dataset<AlignedPair> {
  return reverse
    ? rearranged('reverse', 'write the symbols in reverse order', options, ({ length }) =>
        Array.from({ length }, (_, i) => length - 1 - i),
      )
    : rearranged('copy', 'write the symbols again', options, symbols => [...symbols.keys()])
}

/**
 * Random symbols, to be written in the order of the alphabet: `'cabc'` → `'abcc'`. Equal symbols keep their order.
 *
 * Lengths, splits and errors as for {@link copy}.
 */
export function sort(options: SymbolOptions): Dataset<AlignedPair> {
  return rearranged('sort', 'write the symbols in the order of the alphabet', options, symbols =>
    [...symbols.keys()].sort((a, b) => (symbols[a] as number) - (symbols[b] as number)),
  )
}

/**
 * Random symbols, to be written in an order that the seed has drawn for each length, to be learned by heart: with length 3
 * always the last, the first, the second one, for example.
 *
 * Lengths, splits and errors as for {@link copy}.
 */
export function permute(options: SymbolOptions): Dataset<AlignedPair> {
  const orders = new Rng(options.seed).split('permute').split('orders')
  return rearranged('permute', 'write the symbols in the order learned for their number', options, symbols =>
    Array.from(orders.split(symbols.length).permutation(symbols.length)),
  )
}

/** @param order for each place of the target, the place in the source; symbols are numbers in the alphabet */
function rearranged(
  name: string,
  task: string,
  { seed, split, size, alphabet = 'abcdefghij', minLength = 1, maxLength = 10 }: SymbolOptions,
  order: (symbols: readonly number[]) => readonly number[],
): Dataset<AlignedPair> {
  const symbols = [...alphabet]
  if (!symbols.length || new Set(symbols).size < symbols.length)
    throw new ConfigError(
      `${name}: the alphabet must be different symbols, got "${alphabet}"; use for example "abc"`,
    )
  if (!Number.isInteger(minLength) || !Number.isInteger(maxLength) || minLength < 1 || maxLength < minLength)
    throw new ConfigError(
      `${name}: lengths of ${minLength} to ${maxLength} make no sense; use for example minLength 1, maxLength 10`,
    )
  const card = {
    name,
    task,
    source: 'generated from a seed',
    licence: 'MIT, as Heed',
    sizes: { examples: size, symbols: symbols.length },
  }
  const write = (places: readonly number[]): string => places.map(place => symbols[place]).join('')
  // The stream of both is named copy: the same seed asks for the same symbols, forwards or backwards.
  const stream = new Rng(seed).split('copy').split(split)
  return generated(card, size, index => {
    const rng = stream.split(index)
    const length = minLength + rng.int(maxLength - minLength + 1)
    const draw = (): number[] => Array.from({ length }, () => rng.int(symbols.length))
    const chosen = drawOf({ seed, split }, symbols.length ** length, draw, write)
    const places = order(chosen)
    return {
      source: write(chosen),
      target: write(places.map(place => chosen[place] as number)),
      links: places.map((place, i) => [place, i] as const),
    }
  })
}
