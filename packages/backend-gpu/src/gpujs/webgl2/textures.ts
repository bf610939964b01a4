import type { MemoryReport } from '@heed/core-tensor'
import type { InputTexture } from '../../adapter/gpujs.ts'
import { bytesText, OutOfMemoryError } from '../../errors.ts'

/** A texture that holds a tensor: one float32 a texel, row by row. */
export class Texture implements InputTexture {
  readonly texture: WebGLTexture
  readonly context: WebGL2RenderingContext
  readonly width: number
  readonly height: number
  readonly size: Int32Array
  readonly dimensions: Int32Array
  readonly type = 'ArrayTexture(1)'
  freed = false

  constructor(context: WebGL2RenderingContext, texture: WebGLTexture, width: number, height: number) {
    this.context = context
    this.texture = texture
    this.width = width
    this.height = height
    this.size = Int32Array.of(width, Math.log2(width))
    this.dimensions = Int32Array.of(width * height, 1, 1)
  }
}

/** Near a square; a power of two wide, and high in steps of a quarter, so that a texture fits many tensors. */
export function sizeFor(elements: number): [width: number, height: number] {
  const width = 2 ** Math.ceil(Math.log2(Math.sqrt(Math.max(1, elements))))
  const rows = Math.max(1, Math.ceil(elements / width))
  if (rows <= 4) return [width, rows]
  const step = 2 ** (Math.floor(Math.log2(rows - 1)) - 2)
  return [width, Math.min(width, Math.ceil(rows / step) * step)]
}

/** Textures of one context, used again once they are freed: everything runs in the order of its launch. */
export class Textures {
  readonly #gl: WebGL2RenderingContext
  readonly #limit: number
  readonly #side: number
  readonly #free = new Map<string, WebGLTexture[]>()
  readonly #all = new Set<WebGLTexture>()
  #bytes = 0
  #count = 0
  #reserved = 0

  constructor(gl: WebGL2RenderingContext, side: number, limit: number) {
    this.#gl = gl
    this.#side = side
    this.#limit = limit
  }

  take(elements: number): Texture {
    if (elements > this.#side ** 2)
      throw new OutOfMemoryError(
        `gpu: one tensor of ${elements} elements, textures of WebGL2 hold ${this.#side ** 2} here; split it, or use mode 'webgpu'`,
      )
    const [width, height] = sizeFor(elements)
    const texture = this.#free.get(`${width} ${height}`)?.pop() ?? this.#create(width, height)
    this.#bytes += 4 * width * height
    this.#count++
    return new Texture(this.#gl, texture, width, height)
  }

  #create(width: number, height: number): WebGLTexture {
    const bytes = 4 * width * height
    if (this.#reserved + bytes > this.#limit) this.trim()
    if (this.#reserved + bytes > this.#limit)
      throw new OutOfMemoryError(
        `gpu: out of memory, ${bytesText(bytes)} more were asked for while ${this.#count} tensors hold ${bytesText(this.#bytes)} of ${bytesText(this.#limit)}; run each step in scope(), which frees what the step made, or use smaller batches`,
      )
    const gl = this.#gl
    const texture = gl.createTexture()
    gl.activeTexture(gl.TEXTURE15)
    gl.bindTexture(gl.TEXTURE_2D, texture)
    gl.texStorage2D(gl.TEXTURE_2D, 1, gl.R32F, width, height)
    // Asking waits for the driver: only large textures are likely to be refused.
    if (bytes >= 2 ** 24 && gl.getError() === gl.OUT_OF_MEMORY) {
      gl.deleteTexture(texture)
      throw new OutOfMemoryError(
        `gpu: WebGL2 has no memory for a texture of ${bytesText(bytes)}; run each step in scope(), or use smaller batches`,
      )
    }
    for (const name of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER])
      gl.texParameteri(gl.TEXTURE_2D, name, gl.NEAREST)
    for (const name of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T])
      gl.texParameteri(gl.TEXTURE_2D, name, gl.CLAMP_TO_EDGE)
    this.#reserved += bytes
    this.#all.add(texture)
    return texture
  }

  give(texture: Texture): void {
    if (texture.freed) throw new Error('internal: freed twice')
    texture.freed = true
    const { width, height } = texture
    this.#bytes -= 4 * width * height
    this.#count--
    const key = `${width} ${height}`
    const same = this.#free.get(key)
    if (same) same.push(texture.texture)
    else this.#free.set(key, [texture.texture])
  }

  /** Gives every texture that holds no tensor back to the driver. */
  trim(): void {
    for (const [key, textures] of this.#free) {
      const [width, height] = key.split(' ').map(Number) as [number, number]
      this.#reserved -= 4 * width * height * textures.length
      for (const texture of textures) this.#delete(texture)
    }
    this.#free.clear()
  }

  #delete(texture: WebGLTexture): void {
    this.#all.delete(texture)
    this.#gl.deleteTexture(texture)
  }

  /** Gives everything back. */
  close(): void {
    for (const texture of this.#all) this.#delete(texture)
  }

  report(): MemoryReport {
    return { bytes: this.#bytes, count: this.#count, reserved: this.#reserved }
  }
}
