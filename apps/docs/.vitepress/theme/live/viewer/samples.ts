import { Rng } from '@heed/core-tensor'
import { FORMAT } from './format.ts'

/** Settings of {@link sampleFile}. */
export interface SampleOptions {
  readonly tokens: number
  readonly layers: number
  readonly heads: number
  /** Numbers in brackets, with four digits, or packed bytes. */
  readonly as: 'numbers' | 'float16'
}

/** A file of the viewer's format with weights of invented heads: one looks back, one at itself, one at the first word, others far and wide. */
export function sampleFile({ tokens, layers, heads, as }: SampleOptions): Blob {
  const rng = new Rng(1)
  const syllables = ['ba', 'do', 'ki', 'lu', 'me', 'no', 'ra', 'se', 'ti', 'vu']
  const words = Array.from(
    { length: tokens },
    (_, i) =>
      (i === 0 ? '<s>' : (syllables[rng.int(10)] as string)) + (i % 7 === 3 ? syllables[rng.int(10)] : ''),
  )
  const start = {
    format: FORMAT,
    title: `Invented: ${layers} layers, ${heads} heads, ${tokens} tokens`,
    tokens: words,
  }
  const parts: BlobPart[] = []
  const head = JSON.stringify(start).slice(0, -1)
  const row = new Float32Array(tokens)
  const falling = Array.from({ length: 9 }, (_, i) =>
    Float32Array.from({ length: tokens }, (_, distance) => Math.exp(-distance / (i + 1)) + 0.002),
  )
  const fill = (layer: number, h: number, q: number): void => {
    const kind = (layer + h) % 4
    const centre = [q - 1 - (h % 3), q, 0, (q * (h + 3)) % tokens][kind] as number
    const by = falling[(layer * 3 + h) % 9] as Float32Array
    let sum = 0
    for (let k = 0; k <= q; k++) {
      row[k] = by[Math.min(tokens - 1, Math.abs(k - centre))] as number
      sum += row[k] as number
    }
    for (let k = 0; k <= q; k++) row[k] = (row[k] as number) / sum
    row.fill(0, q + 1)
  }
  if (as === 'numbers') {
    parts.push(`${head},"weights":[`)
    for (let layer = 0; layer < layers; layer++)
      for (let h = 0; h < heads; h++) {
        const lines: string[] = []
        for (let q = 0; q < tokens; q++) {
          fill(layer, h, q)
          lines.push(`[${Array.from(row, x => x.toFixed(4)).join(',')}]`)
        }
        parts.push(`${h ? ',' : layer ? ',[' : '['}[${lines.join(',')}]${h === heads - 1 ? ']' : ''}`)
      }
    parts.push(']}')
  } else {
    parts.push(`${head},"shape":[${layers},${heads},${tokens},${tokens}],"encoding":"float16","weights":"`)
    let rest = new Uint8Array(0)
    for (let layer = 0; layer < layers; layer++)
      for (let h = 0; h < heads; h++) {
        const halves = new Uint16Array(tokens * tokens)
        for (let q = 0; q < tokens; q++) {
          fill(layer, h, q)
          for (let k = 0; k < tokens; k++) halves[q * tokens + k] = toHalf(row[k] as number)
        }
        const bytes = new Uint8Array(rest.length + halves.byteLength)
        bytes.set(rest)
        bytes.set(new Uint8Array(halves.buffer), rest.length)
        const whole = bytes.length - (bytes.length % 3)
        parts.push(base64(bytes.subarray(0, whole)))
        rest = bytes.slice(whole)
      }
    parts.push(`${base64(rest)}"}`)
  }
  return new Blob(parts, { type: 'application/json' })
}

function base64(bytes: Uint8Array): string {
  let binary = ''
  for (let i = 0; i < bytes.length; i += 8192) binary += String.fromCharCode(...bytes.subarray(i, i + 8192))
  return btoa(binary)
}

const bits = new Uint32Array(1)
const single = new Float32Array(bits.buffer)

/** Half precision of a number from 0 to 1, cut off. */
function toHalf(x: number): number {
  if (x < 2 ** -14) return Math.round(x * 2 ** 24)
  single[0] = x
  return ((bits[0] as number) >> 13) - (112 << 10) // the exponent counts from 15 in place of 127
}
