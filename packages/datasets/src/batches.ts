import { ConfigError, outside } from '@heed/core-tensor'
import { checkSizes, cut, type DealOptions, deal } from './buckets.ts'

/** Two sequences of token ids. */
export interface IdPair {
  readonly source: ArrayLike<number>
  readonly target: ArrayLike<number>
}

/** Sequences of different lengths as one block of numbers. */
export interface Padded {
  /** `[batch, time]`, row by row, {@link PAD} behind the end of a sequence */
  readonly ids: Int32Array
  /** `[batch, time]`; time is the longest length */
  readonly shape: readonly [batch: number, time: number]
  /** `[batch]` */
  readonly lengths: Int32Array
  /** `[batch, time]`, 1 where a token is, 0 where padding is */
  readonly mask: Uint8Array
}

/** Some pairs of a dataset, ready for a model. The fields are those of {@link Padded}. */
export interface Batch {
  /** `[batch]`, the numbers of the pairs in the dataset */
  readonly indices: Uint32Array
  /** `[batch, sourceTime]` */
  readonly source: Int32Array
  readonly sourceShape: readonly [batch: number, time: number]
  /** `[batch]` */
  readonly sourceLengths: Int32Array
  /** `[batch, sourceTime]`, 1 where a token is */
  readonly sourceMask: Uint8Array
  /** `[batch, targetTime]` */
  readonly target: Int32Array
  readonly targetShape: readonly [batch: number, time: number]
  /** `[batch]` */
  readonly targetLengths: Int32Array
  /** `[batch, targetTime]`, 1 where a token is */
  readonly targetMask: Uint8Array
}

/** Writes sequences under each other, filled up at the end. The one place where padding and masks are made. */
export function pad(sequences: readonly ArrayLike<number>[], padding = 0): Padded {
  const lengths = Int32Array.from(sequences, ids => ids.length)
  const time = lengths.reduce((longest, length) => Math.max(longest, length), 0)
  const ids = new Int32Array(sequences.length * time).fill(padding)
  const mask = new Uint8Array(ids.length)
  for (const [row, sequence] of sequences.entries()) {
    ids.set(sequence, row * time)
    mask.fill(1, row * time, row * time + sequence.length)
  }
  return { ids, shape: [sequences.length, time], lengths, mask }
}

/** The batch of the pairs with these numbers. @throws IndexError if there is no such pair */
export function collate(pairs: readonly IdPair[], indices: ArrayLike<number>): Batch {
  const chosen = Array.from(indices, index => pairs[index] ?? missing(index, pairs.length))
  const source = pad(chosen.map(pair => pair.source))
  const target = pad(chosen.map(pair => pair.target))
  return {
    indices: Uint32Array.from(indices),
    source: source.ids,
    sourceShape: source.shape,
    sourceLengths: source.lengths,
    sourceMask: source.mask,
    target: target.ids,
    targetShape: target.shape,
    targetLengths: target.lengths,
    targetMask: target.mask,
  }
}

function missing(index: number, length: number): never {
  throw outside('collate', index, length)
}

/** How {@link Batches} deals out pairs; the length of a pair is that of its source. */
export interface BatchesOptions extends DealOptions {}

/**
 * Pairs dealt out into batches of similar length, anew for every epoch.
 *
 * All pairs are shuffled, sorted by length within windows of many batches, cut into batches, and the batches shuffled.
 * Batch `k` of epoch `e` is a function of the seed, `e` and `k`: training can stop anywhere and go on exactly.
 *
 * @example
 * const batches = new Batches(pairs, { size: 64, seed: 1 })
 * for (const { source, sourceShape } of batches.epoch(0)) train(source, sourceShape)
 */
export class Batches {
  readonly #pairs: readonly IdPair[]
  readonly #options: BatchesOptions
  readonly #sourceLengths: Uint32Array
  readonly #targetLengths: Uint32Array

  /** @throws ConfigError if there is no pair, a sequence is empty, or a number makes no sense */
  constructor(pairs: readonly IdPair[], options: BatchesOptions) {
    const { size, window, maxPlaces } = options
    checkSizes({ size, window, maxPlaces })
    if (!pairs.length) throw new ConfigError('batches: there are no pairs; give at least one')
    this.#pairs = pairs
    this.#options = options
    this.#sourceLengths = Uint32Array.from(pairs, pair => pair.source.length)
    this.#targetLengths = Uint32Array.from(pairs, pair => pair.target.length)
    const empty = pairs.findIndex((_, i) => !this.#sourceLengths[i] || !this.#targetLengths[i])
    if (empty >= 0)
      throw new ConfigError(
        `batches: pair ${empty} has an empty sequence; leave it out, or give both an end token`,
      )
  }

  /** The batches of an epoch, counted from 0. @throws ConfigError unless it is a whole number */
  epoch(epoch: number): Epoch {
    if (!Number.isInteger(epoch) || epoch < 0)
      throw new ConfigError(`batches: the epoch must be a whole number from 0, got ${epoch}`)
    const tie = (a: number, b: number) => this.#targetLength(a) - this.#targetLength(b)
    return new Epoch(
      this.#pairs,
      deal(this.#pairs.length, epoch, i => this.#sourceLength(i), this.#options, tie),
    )
  }

  /** All pairs once, sorted by length, the same way every time: for evaluation. */
  sorted(): Epoch {
    const { size, maxPlaces } = this.#options
    const order = Uint32Array.from(this.#pairs.keys()).sort(
      (a, b) =>
        this.#sourceLength(a) - this.#sourceLength(b) || this.#targetLength(a) - this.#targetLength(b),
    )
    return new Epoch(
      this.#pairs,
      cut(order, i => this.#sourceLength(i), size, maxPlaces),
    )
  }

  #sourceLength(index: number): number {
    return this.#sourceLengths[index] as number
  }

  #targetLength(index: number): number {
    return this.#targetLengths[index] as number
  }
}

/** The batches of one pass over the data, each made when it is asked for. */
export class Epoch implements Iterable<Batch> {
  readonly #pairs: readonly IdPair[]
  readonly #groups: readonly Uint32Array[]

  /** @param groups the numbers of the pairs of each batch */
  constructor(pairs: readonly IdPair[], groups: readonly Uint32Array[]) {
    this.#pairs = pairs
    this.#groups = groups
  }

  /** The number of batches. */
  get length(): number {
    return this.#groups.length
  }

  /** Batch `k`. @throws IndexError if there is none */
  at(k: number): Batch {
    return collate(this.#pairs, this.#groups[k] ?? missing(k, this.length))
  }

  /** The batches from number `start` on: how an interrupted epoch is continued. */
  *from(start: number): Generator<Batch, void, undefined> {
    for (let k = start; k < this.length; k++) yield this.at(k)
  }

  [Symbol.iterator](): Iterator<Batch> {
    return this.from(0)
  }

  /** The part of all source and target places that is padding, 0 to 1. */
  get waste(): { readonly source: number; readonly target: number } {
    return { source: this.#wasteOf('source'), target: this.#wasteOf('target') }
  }

  #wasteOf(side: 'source' | 'target'): number {
    let tokens = 0
    let places = 0
    for (const group of this.#groups) {
      let longest = 0
      for (const index of group) {
        const { length } = (this.#pairs[index] as IdPair)[side]
        tokens += length
        longest = Math.max(longest, length)
      }
      places += longest * group.length
    }
    return 1 - tokens / places
  }
}
