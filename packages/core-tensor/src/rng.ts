import { ConfigError } from './errors.ts'

/** What it takes to continue a stream of random numbers, as JSON. */
export interface RngState {
  readonly key: readonly [number, number]
  readonly counter: number
}

/**
 * Random numbers from a seed, by counting: number `i` of a stream is a function of its key and `i` alone, so any part
 * can be made in any order by any thread, and the same seed gives the same numbers on every machine.
 *
 * Threefry-2×32, 20 rounds: Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3", §4.2.
 *
 * @example
 * const rng = new Rng(42)
 * rng.uniform() // in [0, 1)
 * rng.split('dropout').int(6) // an independent stream
 */
export class Rng {
  readonly #key: readonly [number, number]
  #counter: number
  #spare: number | undefined

  /** @param seed any safe integer @throws ConfigError if it is not one */
  constructor(seed: number | RngState) {
    if (typeof seed === 'number') {
      if (!Number.isSafeInteger(seed))
        throw new ConfigError(`Rng: the seed must be an integer, got ${seed}; use for example 42`)
      this.#key = [seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0]
      this.#counter = 0
    } else {
      this.#key = [seed.key[0], seed.key[1]]
      this.#counter = seed.counter
    }
  }

  /** Everything needed to go on from here: `new Rng(rng.state())`. */
  state(): RngState {
    return { key: this.#key, counter: this.#counter }
  }

  /** An independent stream, the same one whenever the label is the same; this stream does not move. */
  split(label: string | number): Rng {
    const [a, b] = typeof label === 'number' ? [label >>> 0, 1] : [hashText(label), 2]
    return new Rng({ key: threefry(this.#key[0], this.#key[1], a, b), counter: 0 })
  }

  /** The next 32 random bits, as an integer in [0, 2³²). */
  bits(): number {
    // Each block of two words serves two calls.
    const at = this.#counter++
    if (at % 2 === 1 && this.#spare !== undefined) {
      const word = this.#spare
      this.#spare = undefined
      return word
    }
    const block = Math.floor(at / 2)
    const [first, second] = threefry(
      this.#key[0],
      this.#key[1],
      block >>> 0,
      Math.floor(block / 2 ** 32) >>> 0,
    )
    if (at % 2 === 1) return second
    this.#spare = second
    return first
  }

  /** Sets the next `words` words aside for a tensor: their key and first block of two. This stream goes on behind them. */
  reserve(words: number): { readonly key: readonly [number, number]; readonly counter: number } {
    const counter = Math.ceil(this.#counter / 2)
    this.#counter = 2 * (counter + Math.ceil(words / 2))
    return { key: this.#key, counter }
  }

  /** A number in [0, 1), of 24 random bits: exact in float32. */
  uniform(): number {
    return (this.bits() >>> 8) / 2 ** 24
  }

  /** A number from the standard normal distribution (Box and Muller 1958). */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()))
    return radius * Math.cos(2 * Math.PI * this.uniform())
  }

  /** An integer in [0, below), each equally likely. @throws ConfigError unless `below` is a whole number from 1 to 2³² */
  int(below: number): number {
    if (!Number.isInteger(below) || below < 1 || below > 2 ** 32)
      throw new ConfigError(`Rng.int: the bound must be a whole number from 1 to 4294967296, got ${below}`)
    const fair = 2 ** 32 - (2 ** 32 % below) // reject the last, incomplete round
    let word = this.bits()
    while (word >= fair) word = this.bits()
    return word % below
  }

  /** One of the choices. @throws ConfigError if there is none */
  pick<T>(choices: readonly T[]): T {
    return choices[this.int(choices.length)] as T
  }

  /** The numbers 0 … length − 1 in random order (Fisher and Yates). */
  permutation(length: number): Uint32Array {
    const order = Uint32Array.from({ length }, (_, i) => i)
    for (let i = length - 1; i > 0; i--) {
      const j = this.int(i + 1)
      const held = order[i] as number
      order[i] = order[j] as number
      order[j] = held
    }
    return order
  }
}

const ROTATIONS = [
  [13, 15, 26, 6],
  [17, 29, 16, 24],
] as const

/** Two words of random bits for a key and a counter, each of two words. */
export function threefry(key0: number, key1: number, counter0: number, counter1: number): [number, number] {
  const keys = [key0, key1, 0x1bd11bda ^ key0 ^ key1]
  let x = (counter0 + key0) | 0
  let y = (counter1 + key1) | 0
  for (let i = 0; i < 5; i++) {
    for (const r of ROTATIONS[(i % 2) as 0 | 1]) {
      x = (x + y) | 0
      y = ((y << r) | (y >>> (32 - r))) ^ x
    }
    x = (x + (keys[(i + 1) % 3] as number)) | 0
    y = (y + (keys[(i + 2) % 3] as number) + i + 1) | 0
  }
  return [x >>> 0, y >>> 0]
}

/** FNV-1a over UTF-16 units. */
function hashText(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash >>> 0
}

let shared = /* @__PURE__ */ new Rng(0)

/** The generator that layers draw from when they are given none. */
export function defaultRng(): Rng {
  return shared
}

/** Starts the {@link defaultRng} anew from a seed. @throws ConfigError unless it is an integer */
export function manualSeed(seed: number): void {
  shared = new Rng(seed)
}

/** Runs the body with another {@link defaultRng}: what a step draws then depends on that generator alone. */
export function withRng<T>(rng: Rng, body: () => T): T {
  const outer = shared
  shared = rng
  try {
    return body()
  } finally {
    shared = outer
  }
}
