import { weightColor } from '@heed/viz'

/** How a weight becomes a shade: as it is, its root (small weights show), or against the largest of the picture. */
export type Scale = 'plain' | 'root' | 'largest'

const LEVELS = 256

/** The weight scale of the library's pictures, as pixels (little-endian RGBA). */
export function palette(mode: 'light' | 'dark'): Uint32Array {
  const pixels = new Uint32Array(LEVELS)
  for (let level = 0; level < LEVELS; level++) {
    const hex = weightColor(level / (LEVELS - 1), mode)
    const [r, g, b] = [1, 3, 5].map(at => Number.parseInt(hex.slice(at, at + 2), 16)) as [
      number,
      number,
      number,
    ]
    pixels[level] = 0xff000000 | (b << 16) | (g << 8) | r
  }
  return pixels
}

/** Draws one head, a pixel for a weight. */
export function drawHead(
  canvas: HTMLCanvasElement,
  weights: Float32Array,
  [queries, keys]: readonly [number, number],
  colours: Uint32Array,
  scale: Scale,
): void {
  const context = canvas.getContext('2d')
  if (!context) return
  if (canvas.width !== keys) canvas.width = keys
  if (canvas.height !== queries) canvas.height = queries
  const image = context.createImageData(keys, queries)
  paint(weights, new Uint32Array(image.data.buffer), colours, scale)
  context.putImageData(image, 0, 0)
}

/** Draws one head small: each pixel is the largest of the weights it stands for, so that a single look does not vanish. */
export function drawSmall(
  canvas: HTMLCanvasElement,
  weights: Float32Array,
  [queries, keys]: readonly [number, number],
  side: number,
  colours: Uint32Array,
  scale: Scale,
): void {
  const [width, height] = [Math.min(side, keys), Math.min(side, queries)]
  const small = new Float32Array(width * height)
  for (let q = 0; q < queries; q++) {
    const row = Math.floor((q * height) / queries) * width
    for (let k = 0; k < keys; k++) {
      const at = row + Math.floor((k * width) / keys)
      const weight = weights[q * keys + k] as number
      if (weight > (small[at] as number)) small[at] = weight
    }
  }
  drawHead(canvas, small, [height, width], colours, scale)
}

function paint(weights: Float32Array, pixels: Uint32Array, colours: Uint32Array, scale: Scale): void {
  const top = LEVELS - 1
  let most = 1
  if (scale === 'largest') {
    most = 1e-9
    for (let i = 0; i < weights.length; i++) if ((weights[i] as number) > most) most = weights[i] as number
  }
  for (let i = 0; i < pixels.length; i++) {
    const weight = weights[i] as number
    const level = scale === 'root' ? Math.sqrt(weight) : weight / most
    pixels[i] = colours[level >= 1 ? top : level > 0 ? (level * top + 0.5) | 0 : 0] as number
  }
}

/** The places of the largest weights of a row, most first. */
export function largest(
  row: Float32Array,
  count: number,
): { readonly at: number; readonly weight: number }[] {
  return Array.from(row, (weight, at) => ({ weight, at }))
    .sort((a, b) => b.weight - a.weight || a.at - b.at)
    .slice(0, count)
}
