import { AttentionFileError, type Size } from './format.ts'

/** Numbers of one layer, `[head, query, key]`. */
export type OnLayer = (layer: number, weights: Float32Array<ArrayBuffer>, size: Omit<Size, 'layers'>) => void

/** A file taken apart: its head as JSON, its numbers handed out layer by layer. */
export interface Parts {
  readonly head: Readonly<Record<string, unknown>>
  readonly size: Size
}

const [QUOTE, BACKSLASH, COMMA, COLON] = [34, 92, 44, 58]
const [OPEN, CLOSE, BRACE, UNBRACE] = [91, 93, 123, 125]
const [ZERO, NINE, MINUS, PLUS, DOT] = [48, 57, 45, 43, 46]
const TENTHS = Array.from({ length: 23 }, (_, i) => 10 ** -i)

/**
 * Reads an attention file from its bytes. Numbers go straight into Float32Arrays: a file of 38 million weights neither
 * becomes one string (engines allow 512 MB) nor 38 million boxed numbers.
 *
 * @throws AttentionFileError with the line of what is wrong
 */
export function readAttention(
  bytes: Uint8Array,
  name: string,
  onLayer: OnLayer,
  onProgress: (share: number) => void = () => {},
): Parts {
  const reader = new Reader(bytes, name, onProgress)
  return reader.file(onLayer)
}

class Reader {
  readonly #bytes: Uint8Array
  readonly #name: string
  readonly #onProgress: (share: number) => void
  #at = 0

  constructor(bytes: Uint8Array, name: string, onProgress: (share: number) => void) {
    this.#bytes = bytes
    this.#name = name
    this.#onProgress = onProgress
    if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) this.#at = 3 // byte order mark
  }

  file(onLayer: OnLayer): Parts {
    this.#space()
    if (this.#bytes[this.#at] !== BRACE) this.#fail(`found ${this.#here()} where { of an object should be`)
    this.#at++
    const head: Record<string, unknown> = {}
    let size: Size | undefined
    let packed: { from: number; to: number } | undefined
    this.#space()
    while (this.#bytes[this.#at] !== UNBRACE) {
      const key = this.#string()
      this.#space()
      this.#expect(COLON, ':')
      this.#space()
      if (key === 'weights' && this.#bytes[this.#at] === OPEN) size = this.#nested(onLayer)
      else if (key === 'weights' && this.#bytes[this.#at] === QUOTE) packed = this.#extent()
      else head[key] = this.#value(key)
      this.#space()
      if (this.#bytes[this.#at] === COMMA) {
        this.#at++
        this.#space()
        if (this.#bytes[this.#at] === UNBRACE) this.#fail('found } behind a comma')
      } else if (this.#bytes[this.#at] !== UNBRACE) this.#fail(`found ${this.#here()} where , or } should be`)
    }
    if (size && head.shape !== undefined) this.#sameShape(head.shape, size)
    if (packed) size = this.#packed(packed, head, onLayer)
    if (!size)
      throw new AttentionFileError(
        `${this.#name}: there are no weights; give "weights", [layer][head][query][key]`,
      )
    return { head, size }
  }

  /** Numbers in brackets, two to four deep. */
  #nested(onLayer: OnLayer): Size {
    const begin = this.#at
    let depth = 0
    for (let at = this.#at; this.#bytes[at] === OPEN || (this.#bytes[at] as number) <= 32; at++)
      depth += Number(this.#bytes[at] === OPEN)
    if (depth < 2 || depth > 4)
      this.#fail(
        `weights are ${depth} brackets deep; give [query][key], [head][query][key] or [layer][head][query][key]${depth === 5 ? ', of one text without the batch around it' : ''}`,
      )
    let [keys, queries, heads] = [-1, -1, -1]
    let numbers = new Float32Array(1 << 16)
    let used = 0
    const row = (): void => {
      this.#expect(OPEN, '[')
      const first = used
      this.#space()
      while (this.#bytes[this.#at] !== CLOSE) {
        if (used === numbers.length) {
          const more = new Float32Array(2 * used)
          more.set(numbers)
          numbers = more
        }
        numbers[used++] = this.#number()
        if ((this.#bytes[this.#at] as number) <= 32) this.#space()
        if (this.#bytes[this.#at] === COMMA) this.#at++
        else if (this.#bytes[this.#at] !== CLOSE) this.#fail(`found ${this.#here()} where , or ] should be`)
        if ((this.#bytes[this.#at] as number) <= 32) this.#space()
      }
      this.#at++
      if (keys < 0) keys = used - first
      if (used - first !== keys || keys === 0)
        this.#fail(`a row of ${used - first} weights, the first has ${keys}; make all rows equally long`)
    }
    const list = (each: () => void): number => {
      this.#space()
      this.#expect(OPEN, '[')
      let count = 0
      do {
        this.#space()
        each()
        count++
        this.#space()
      } while (this.#bytes[this.#at] === COMMA && ++this.#at)
      this.#expect(CLOSE, ']')
      return count
    }
    const matrix = (): void => {
      const rows = list(row)
      if (queries < 0) queries = rows
      if (rows !== queries)
        this.#fail(`a head of ${rows} rows, the first has ${queries}; make all heads equally large`)
      this.#onProgress(this.#at / this.#bytes.length)
    }
    let layers = 0
    const layer = (): void => {
      used = 0
      let count = 1
      if (depth === 2) matrix()
      else count = list(matrix)
      if (heads < 0) heads = count
      if (count !== heads)
        this.#fail(`a layer of ${count} heads, the first has ${heads}; make all layers equally large`)
      onLayer(layers++, numbers.slice(0, used), { heads, queries, keys })
    }
    this.#at = begin
    if (depth === 4) list(layer)
    else layer()
    return { layers, heads, queries, keys }
  }

  /** A JSON number, at the precision of float32. */
  #number(): number {
    const bytes = this.#bytes
    let at = this.#at
    const negative = bytes[at] === MINUS
    if (negative) at++
    const first = at
    let value = 0
    let byte = bytes[at] as number
    while (byte >= ZERO && byte <= NINE) {
      value = value * 10 + byte - ZERO
      byte = bytes[++at] as number
    }
    if (at === first)
      this.#fail(
        `found ${this.#here()} where a number should be${bytes[at] === 110 || bytes[at] === 78 ? '; weights must be numbers, not null or NaN' : ''}`,
      )
    if (byte === DOT) {
      const point = at
      let digits = 0
      byte = bytes[++at] as number
      while (byte >= ZERO && byte <= NINE) {
        if (digits < 17) {
          value = value * 10 + byte - ZERO
          digits++
        }
        byte = bytes[++at] as number
      }
      if (at === point + 1) this.#fail('a number ends with a point')
      value *= TENTHS[digits] as number
    }
    if (byte === 101 || byte === 69) {
      byte = bytes[++at] as number
      const down = byte === MINUS
      if (down || byte === PLUS) byte = bytes[++at] as number
      let exponent = 0
      const digits = at
      while (byte >= ZERO && byte <= NINE) {
        exponent = exponent * 10 + byte - ZERO
        byte = bytes[++at] as number
      }
      if (at === digits) this.#fail('a number has no digits behind its e')
      value *= 10 ** (down ? -exponent : exponent)
    }
    this.#at = at
    return negative ? -value : value
  }

  /** Numbers as bytes in base64. */
  #packed(
    { from, to }: { from: number; to: number },
    head: Readonly<Record<string, unknown>>,
    onLayer: OnLayer,
  ): Size {
    const { shape, encoding } = head
    const widths: Readonly<Record<string, number>> = { float32: 4, float16: 2, uint8: 1 }
    const width = typeof encoding === 'string' ? widths[encoding] : undefined
    if (!width)
      throw new AttentionFileError(
        `${this.#name}: weights are text, and encoding is ${JSON.stringify(encoding)}; use "float32", "float16" or "uint8"`,
      )
    if (
      !Array.isArray(shape) ||
      shape.length < 2 ||
      shape.length > 4 ||
      !shape.every(side => Number.isInteger(side) && side > 0)
    )
      throw new AttentionFileError(
        `${this.#name}: weights are text, and shape is ${JSON.stringify(shape)}; give [layers, heads, queries, keys]`,
      )
    const [layers, heads, queries, keys] = [...Array<number>(4 - shape.length).fill(1), ...shape] as [
      number,
      number,
      number,
      number,
    ]
    const perLayer = heads * queries * keys
    const wanted = layers * perLayer * width
    const letters = to - from - (this.#bytes[to - 1] === 61 ? 1 : 0) - (this.#bytes[to - 2] === 61 ? 1 : 0)
    const have = Math.floor((letters * 3) / 4)
    if (have !== wanted)
      throw new AttentionFileError(
        `${this.#name}: weights hold ${have} bytes, ${shape.join(' × ')} of ${encoding} are ${wanted}; check shape and encoding`,
      )
    const bits = { value: 0, count: 0, at: from }
    for (let layer = 0; layer < layers; layer++) {
      const raw = new Uint8Array(perLayer * width)
      this.#base64(raw, bits)
      onLayer(layer, floats(raw, encoding as string), { heads, queries, keys })
      this.#onProgress(bits.at / this.#bytes.length)
    }
    return { layers, heads, queries, keys }
  }

  #base64(into: Uint8Array, bits: { value: number; count: number; at: number }): void {
    let { value, count, at } = bits
    for (let i = 0; i < into.length; i++) {
      while (count < 8) {
        const six = SIXES[this.#bytes[at] as number] as number
        if (six < 0) {
          this.#at = at
          this.#fail(`found ${this.#here()}, which is no base64`)
        }
        value = ((value << 6) | six) & 0xffff
        count += 6
        at++
      }
      count -= 8
      into[i] = (value >> count) & 0xff
    }
    Object.assign(bits, { value, count, at })
  }

  #sameShape(shape: unknown, { layers, heads, queries, keys }: Size): void {
    const found = [layers, heads, queries, keys]
    if (
      !Array.isArray(shape) ||
      [...Array<number>(Math.max(0, 4 - shape.length)).fill(1), ...shape].join() !== found.join()
    )
      throw new AttentionFileError(
        `${this.#name}: shape is ${JSON.stringify(shape)}, the weights are [${found.join(', ')}]; leave shape out, or mend it`,
      )
  }

  /** The place of the text at hand, without its quotes. */
  #extent(): { from: number; to: number } {
    const from = ++this.#at
    const to = this.#bytes.indexOf(QUOTE, from)
    if (to < 0) this.#fail('a text has no end')
    this.#at = to + 1
    return { from, to }
  }

  #string(): string {
    if (this.#bytes[this.#at] !== QUOTE) this.#fail(`found ${this.#here()} where a name in quotes should be`)
    return this.#value('a name') as string
  }

  /** Any JSON value, read by the engine. */
  #value(what: string): unknown {
    const from = this.#at
    let depth = 0
    let inside = false
    const bytes = this.#bytes
    for (; this.#at < bytes.length; this.#at++) {
      const byte = bytes[this.#at] as number
      if (inside) {
        if (byte === BACKSLASH) this.#at++
        else if (byte === QUOTE) {
          inside = false
          if (depth === 0) {
            this.#at++
            break
          }
        }
      } else if (byte === QUOTE) inside = true
      else if (byte === OPEN || byte === BRACE) depth++
      else if (byte === CLOSE || byte === UNBRACE) {
        if (depth === 0) break
        if (--depth === 0) {
          this.#at++
          break
        }
      } else if (depth === 0 && (byte === COMMA || byte <= 32)) break
    }
    const text = decoder.decode(bytes.subarray(from, this.#at))
    try {
      return JSON.parse(text)
    } catch {
      this.#at = from
      this.#fail(`${what}: ${JSON.stringify(text.slice(0, 40))} is not JSON`)
    }
  }

  #space(): void {
    while ((this.#bytes[this.#at] as number) <= 32) this.#at++
  }

  #expect(byte: number, letter: string): void {
    if (this.#bytes[this.#at] !== byte) this.#fail(`found ${this.#here()} where ${letter} should be`)
    this.#at++
  }

  #here(): string {
    const rest = decoder.decode(this.#bytes.subarray(this.#at, this.#at + 12))
    return rest ? JSON.stringify(rest) : 'the end of the file'
  }

  #fail(problem: string): never {
    let line = 1
    let start = 0
    for (let at = this.#bytes.indexOf(10); at >= 0 && at < this.#at; at = this.#bytes.indexOf(10, at + 1)) {
      line++
      start = at + 1
    }
    throw new AttentionFileError(`${this.#name}, line ${line}, character ${this.#at - start + 1}: ${problem}`)
  }
}

const decoder = new TextDecoder()
const SIXES = new Int8Array(256).fill(-1)
for (const [i, letter] of [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'].entries())
  SIXES[letter.charCodeAt(0)] = i

function floats(raw: Uint8Array<ArrayBuffer>, encoding: string): Float32Array<ArrayBuffer> {
  if (encoding === 'float32') return new Float32Array(raw.buffer)
  if (encoding === 'uint8') return Float32Array.from(raw, byte => byte / 255)
  const halves = new Uint16Array(raw.buffer)
  return Float32Array.from(halves, half)
}

/** IEEE 754 half precision. */
function half(bits: number): number {
  const exponent = (bits >> 10) & 31
  const fraction = bits & 1023
  const sign = bits & 0x8000 ? -1 : 1
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY
  return sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : 2 ** -24 * fraction)
}

/**
 * Looks at the numbers of a layer.
 *
 * @returns how rows differ from a sum of 1, for a note
 * @throws AttentionFileError if one is negative, above 1 or no number
 */
export function checkNumbers(
  layer: number,
  weights: Float32Array,
  { queries, keys }: Omit<Size, 'layers'>,
  name: string,
): { readonly least: number; readonly most: number } {
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (let row = 0; row * keys < weights.length; row++) {
    let sum = 0
    for (let k = row * keys; k < (row + 1) * keys; k++) {
      const weight = weights[k] as number
      if (!(weight >= -1e-4 && weight <= 1.0001))
        throw new AttentionFileError(
          `${name}: weights[${layer}][${Math.floor(row / queries)}][${row % queries}][${k - row * keys}] is ${weight}; weights are from 0 to 1, behind the softmax`,
        )
      sum += weight
    }
    least = Math.min(least, sum)
    most = Math.max(most, sum)
  }
  return { least, most }
}
