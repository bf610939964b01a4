import { ConfigError, outside, Rng } from '@heed/core-tensor'

/** How examples are dealt out into batches. */
export interface DealOptions {
  /** The most examples of a batch. */
  readonly size: number
  readonly seed: number
  /** Sorting by length happens among this many batches at a time; 100 unless given. */
  readonly window?: number
  /**
   * The most places of a batch, examples times the length of the longest: batches of short examples are larger, up to
   * `size`. No bound unless given. An example longer than that is a batch by itself.
   */
  readonly maxPlaces?: number
}

/**
 * The numbers 0 … count − 1 in batches of similar length, each number once: shuffled, sorted within windows of many
 * batches, cut, and the batches shuffled. A function of seed and epoch.
 *
 * @param lengthOf in any unit, for sorting and for `maxPlaces`
 * @param tie orders those of one length; as they come unless given
 */
export function deal(
  count: number,
  epoch: number,
  lengthOf: (index: number) => number,
  { size, seed, window = 100, maxPlaces }: DealOptions,
  tie: (a: number, b: number) => number = () => 0,
): Uint32Array[] {
  const rng = new Rng(seed).split('epoch').split(epoch)
  const order = rng.split('pairs').permutation(count)
  const groups: Uint32Array[] = []
  for (let start = 0; start < count; start += size * window) {
    const part = order.subarray(start, start + size * window)
    part.sort((a, b) => lengthOf(a) - lengthOf(b) || tie(a, b))
    groups.push(...cut(part, lengthOf, size, maxPlaces))
  }
  return Array.from(rng.split('batches').permutation(groups.length), at => groups[at] as Uint32Array)
}

/** Batches of numbers that are sorted by length. */
export function cut(
  sorted: Uint32Array,
  lengthOf: (index: number) => number,
  size: number,
  maxPlaces: number = Number.POSITIVE_INFINITY,
): Uint32Array[] {
  const groups: Uint32Array[] = []
  let start = 0
  for (let end = 1; end <= sorted.length; end++) {
    const room =
      end < sorted.length &&
      end - start < size &&
      (end - start + 1) * lengthOf(sorted[end] as number) <= maxPlaces
    if (room) continue
    groups.push(sorted.subarray(start, end))
    start = end
  }
  return groups
}

/** @throws ConfigError unless all of them are whole numbers from 1 */
export function checkSizes(sizes: Readonly<Record<string, number | undefined>>): void {
  for (const [name, value] of Object.entries(sizes))
    if (value !== undefined && (!Number.isInteger(value) || value < 1))
      throw new ConfigError(
        `batches: ${name} must be a whole number from 1, got ${value}; use for example 64`,
      )
}

/** Where a training stands: the next batch. Plain JSON, for a checkpoint. */
export interface Position {
  readonly epoch: number
  readonly batch: number
}

/**
 * Examples of any kind dealt out into batches of similar length, anew for every epoch, as `Batches` does with pairs.
 *
 * Batch `k` of epoch `e` is a function of seed, `e` and `k`, so a training goes on exactly from any {@link Position}.
 *
 * @example
 * const buckets = new Buckets(texts, { lengthOf: text => text.ids.length, collate, size: 64, seed: 1 })
 * for (const { batch, next } of buckets.from({ epoch: 0, batch: 0 })) {
 *   train(batch)
 *   save({ position: next })
 * }
 */
export class Buckets<Example, Made> {
  readonly #examples: readonly Example[]
  readonly #lengths: Float64Array
  readonly #collate: (examples: readonly Example[], indices: Uint32Array) => Made
  readonly #options: DealOptions
  #dealt: { readonly epoch: number; readonly groups: readonly Uint32Array[] } | undefined

  /**
   * `lengthOf` yields a whole number from 0, in any unit; `collate` makes a batch of some examples, whose numbers it gets
   * too.
   *
   * @throws ConfigError if there is no example or a number makes no sense
   */
  constructor(
    examples: readonly Example[],
    {
      lengthOf,
      collate,
      ...options
    }: DealOptions & {
      readonly lengthOf: (example: Example) => number
      readonly collate: (examples: readonly Example[], indices: Uint32Array) => Made
    },
  ) {
    checkSizes({ size: options.size, window: options.window, maxPlaces: options.maxPlaces })
    if (!examples.length) throw new ConfigError('batches: there are no examples; give at least one')
    this.#examples = examples
    this.#lengths = Float64Array.from(examples, lengthOf)
    const odd = this.#lengths.findIndex(length => !(length >= 0))
    if (odd >= 0)
      throw new ConfigError(
        `batches: the length of example ${odd} is ${this.#lengths[odd]}; give a number from 0`,
      )
    this.#collate = collate
    this.#options = options
  }

  /** The number of batches of an epoch; with `maxPlaces` it differs a little between epochs. */
  length(epoch: number): number {
    return this.#groups(epoch).length
  }

  /** @throws IndexError if the epoch has no such batch */
  at({ epoch, batch }: Position): Made {
    const indices = this.#groups(epoch)[batch]
    if (!indices) throw outside('batches', batch, this.length(epoch))
    return this.#collate(
      Array.from(indices, i => this.#examples[i] as Example),
      indices,
    )
  }

  /** All batches from a position on, epoch after epoch without end, each with the position behind it. */
  *from({
    epoch,
    batch,
  }: Position): Generator<{ readonly batch: Made; readonly next: Position }, never, undefined> {
    for (let at = { epoch, batch }; ; ) {
      if (at.batch >= this.length(at.epoch)) at = { epoch: at.epoch + 1, batch: 0 }
      const next = { epoch: at.epoch, batch: at.batch + 1 }
      const last = next.batch === this.length(at.epoch)
      yield { batch: this.at(at), next: last ? { epoch: at.epoch + 1, batch: 0 } : next }
      at = next
    }
  }

  #groups(epoch: number): readonly Uint32Array[] {
    if (!Number.isInteger(epoch) || epoch < 0)
      throw new ConfigError(`batches: the epoch must be a whole number from 0, got ${epoch}`)
    if (this.#dealt?.epoch !== epoch) {
      const lengthOf = (i: number) => this.#lengths[i] as number
      this.#dealt = { epoch, groups: deal(this.#examples.length, epoch, lengthOf, this.#options) }
    }
    return this.#dealt.groups
  }
}
