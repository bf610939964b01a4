/** Blocks begin at multiples of this: a cache line. */
export const ALIGNMENT = 64
/** Freed blocks up to this size wait in a list of their own size; larger ones melt together with their neighbours. */
const LARGEST_CLASS = 1 << 20
/** Blocks up to this size are cut from slabs and never melt. */
const LARGEST_SMALL = 1 << 14
const SLAB = 1 << 17
const PAGE = 1 << 12

export interface PoolOptions {
  /** The first address to hand out. */
  readonly start: number
  /** Makes addresses up to `end` usable; false where there is no more. */
  readonly grow: (end: number) => boolean
  /** No address from here on is ever handed out. */
  readonly limit: number
}

/**
 * Addresses by size. Small and middle sizes come from lists, four sizes to each power of two, so that a block costs a push
 * and a pop and wastes a fifth at most; large ones from the first gap that is wide enough.
 */
export class Pool {
  readonly #lists: number[][] = []
  readonly #gaps: Gaps = new Gaps()
  readonly #grow: (end: number) => boolean
  readonly #limit: number
  /** Where unused addresses begin. */
  #end: number

  constructor({ start, grow, limit }: PoolOptions) {
    this.#end = roundUp(start, ALIGNMENT)
    this.#grow = grow
    this.#limit = limit
    for (let size = 0; size <= LARGEST_CLASS; size = capacity(size + 1)) this.#lists.push([])
  }

  /** The address of a block of {@link capacity}(bytes), or 0 where there is no room. */
  allocate(bytes: number): number {
    if (bytes > LARGEST_CLASS) return this.#cut(capacity(bytes))
    const list = this.#lists[sizeClass(bytes)] as number[]
    return list.pop() ?? this.#refill(list, capacity(bytes))
  }

  /** Takes a block of that many bytes back. */
  free(pointer: number, bytes: number): void {
    if (bytes > LARGEST_CLASS) this.#gaps.add(pointer, capacity(bytes))
    else (this.#lists[sizeClass(bytes)] as number[]).push(pointer)
  }

  #refill(list: number[], size: number): number {
    if (size > LARGEST_SMALL) return this.#cut(size)
    const slab = this.#cut(SLAB)
    if (slab === 0) return this.#cut(size)
    for (let at = size * (Math.floor(SLAB / size) - 1); at > 0; at -= size) list.push(slab + at)
    return slab
  }

  #cut(size: number): number {
    const found = this.#gaps.take(size) || this.#extend(size)
    if (found) return found
    this.#melt()
    return this.#gaps.take(size)
  }

  /** New addresses, behind all others. */
  #extend(size: number): number {
    if (this.#end + size > this.#limit || !this.#grow(this.#end + size)) return 0
    const pointer = this.#end
    this.#end += size
    return pointer
  }

  /** Gives the listed blocks of middle size to the gaps, for whatever size needs them. */
  #melt(): void {
    for (let size = capacity(LARGEST_SMALL + 1); size <= LARGEST_CLASS; size = capacity(size + 1)) {
      const list = this.#lists[sizeClass(size)] as number[]
      for (const pointer of list) this.#gaps.add(pointer, size)
      list.length = 0
    }
  }
}

/** How many bytes a block for that many has: multiples of a quarter of a power of two, of a page for large ones. */
export function capacity(bytes: number): number {
  if (bytes > LARGEST_CLASS) return roundUp(bytes, PAGE)
  if (bytes <= 4 * ALIGNMENT) return Math.max(ALIGNMENT, roundUp(bytes, ALIGNMENT))
  return roundUp(bytes, 2 ** (29 - Math.clz32(bytes - 1)))
}

/** The number of the list for blocks of that many bytes: 64, 128, 192, 256, 320, 384, 448, 512, 640 … */
export function sizeClass(bytes: number): number {
  if (bytes <= 4 * ALIGNMENT) return (Math.max(bytes, 1) - 1) >>> 6
  const last = bytes - 1
  const octave = 31 - Math.clz32(last)
  return 4 * (octave - 7) + ((last >>> (octave - 2)) & 3)
}

function roundUp(bytes: number, step: number): number {
  return Math.ceil(bytes / step) * step
}

/** Free stretches of addresses in ascending order; neighbours are one. */
class Gaps {
  readonly #starts: number[] = []
  readonly #sizes: number[] = []

  /** The start of the first gap that is wide enough, shortened by what is taken; 0 if there is none. */
  take(size: number): number {
    for (let i = 0; i < this.#sizes.length; i++) {
      const width = this.#sizes[i] as number
      if (width < size) continue
      const start = this.#starts[i] as number
      if (width === size) {
        this.#starts.splice(i, 1)
        this.#sizes.splice(i, 1)
      } else {
        this.#starts[i] = start + size
        this.#sizes[i] = width - size
      }
      return start
    }
    return 0
  }

  add(start: number, size: number): void {
    let low = 0
    let high = this.#starts.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#starts[middle] as number) < start) low = middle + 1
      else high = middle
    }
    const touchesNext = low < this.#starts.length && start + size === this.#starts[low]
    const touchesLast =
      low > 0 && (this.#starts[low - 1] as number) + (this.#sizes[low - 1] as number) === start
    if (touchesLast) {
      this.#sizes[low - 1] = (this.#sizes[low - 1] as number) + size
      if (!touchesNext) return
      this.#sizes[low - 1] = (this.#sizes[low - 1] as number) + (this.#sizes[low] as number)
      this.#starts.splice(low, 1)
      this.#sizes.splice(low, 1)
    } else if (touchesNext) {
      this.#starts[low] = start
      this.#sizes[low] = (this.#sizes[low] as number) + size
    } else {
      this.#starts.splice(low, 0, start)
      this.#sizes.splice(low, 0, size)
    }
  }
}
