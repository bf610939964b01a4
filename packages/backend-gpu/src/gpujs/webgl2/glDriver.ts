import { BackendError } from '@heed/core-tensor'
import { type GlProgram, toGl } from '../../adapter/gpujs.ts'
import { DeviceLostError, ShaderError } from '../../errors.ts'
import type { Driver } from '../driver.ts'
import type { KernelText } from '../text.ts'
import { leave, MAX_SIDE } from './context.ts'
import { type Texture, Textures } from './textures.ts'

/** Programs of each context: backends that share one share them too. */
const compiledOn = new WeakMap<WebGL2RenderingContext, Map<string, GlProgram>>()

/** gpu.js's kernels on WebGL2: fragment shaders that draw one texture each. */
export class GlDriver implements Driver<Texture> {
  readonly mode = 'webgl2'
  readonly maxElements: number
  readonly #gl: WebGL2RenderingContext
  readonly #textures: Textures
  readonly #programs: Map<string, GlProgram>
  readonly #reading: WebGLFramebuffer
  #closed = false
  #single: boolean | undefined
  launched = 0
  uploaded = 0
  downloaded = 0

  constructor(gl: WebGL2RenderingContext, maxBytes: number) {
    this.#gl = gl
    const side = Math.min(gl.getParameter(gl.MAX_TEXTURE_SIZE) as number, MAX_SIDE)
    this.maxElements = side ** 2
    this.#textures = new Textures(gl, side, maxBytes)
    this.#reading = gl.createFramebuffer()
    this.#programs = compiledOn.get(gl) ?? new Map()
    compiledOn.set(gl, this.#programs)
  }

  get compiled(): number {
    return this.#programs.size
  }

  /** @throws DeviceLostError once the context is gone, BackendError after {@link close} */
  check(): void {
    if (this.#closed)
      throw new BackendError('gpu: this backend was disposed; make a new one with await gpu()')
    if (this.#gl.isContextLost())
      throw new DeviceLostError(
        'gpu: the WebGL2 context was lost (a driver crash, a watchdog, or more than 16 contexts on the page); make a new backend with await gpu(), and go on from the last checkpoint',
      )
  }

  take(elements: number): Texture {
    this.check()
    return this.#textures.take(elements)
  }

  run(
    kernel: KernelText,
    elements: number,
    output: Texture,
    tensors: readonly Texture[],
    numbers: readonly number[],
  ): void {
    if (elements === 0) return
    const values = [...tensors, ...numbers]
    this.program(kernel, values).run(output.texture, output.width, Math.ceil(elements / output.width), values)
    this.launched++
  }

  /** A kernel's program; made and compiled when it is first asked for. */
  program(kernel: KernelText, values: readonly unknown[]): GlProgram {
    let program = this.#programs.get(kernel.name)
    if (!program) {
      try {
        program = toGl(kernel, this.#gl, values)
      } catch (error) {
        this.check()
        throw new ShaderError(
          `gpu: the driver refuses the shader of ${kernel.name} (${(error as Error).message}); report it with gpu.info()`,
        )
      }
      this.#programs.set(kernel.name, program)
    }
    return program
  }

  write(data: Float32Array): Texture {
    const output = this.take(data.length)
    this.uploaded += data.byteLength
    const gl = this.#gl
    const { width } = output
    const whole = Math.floor(data.length / width)
    const rest = data.length - whole * width
    gl.activeTexture(gl.TEXTURE15)
    gl.bindTexture(gl.TEXTURE_2D, output.texture)
    if (whole) gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, 0, width, whole, gl.RED, gl.FLOAT, data)
    if (rest) gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, whole, rest, 1, gl.RED, gl.FLOAT, data, whole * width)
    return output
  }

  async read(texture: Texture, start: number, elements: number): Promise<Float32Array> {
    this.check()
    if (elements === 0) return new Float32Array(0)
    const gl = this.#gl
    const { first, rows, format, pixels, picked } = this.#reads(texture, start, elements)
    const pack = gl.createBuffer()
    gl.bindBuffer(gl.PIXEL_PACK_BUFFER, pack)
    gl.bufferData(gl.PIXEL_PACK_BUFFER, pixels.byteLength, gl.STREAM_READ)
    gl.readPixels(0, first, texture.width, rows, format, gl.FLOAT, 0)
    gl.bindBuffer(gl.PIXEL_PACK_BUFFER, null)
    try {
      await this.#fence()
      gl.bindBuffer(gl.PIXEL_PACK_BUFFER, pack)
      gl.getBufferSubData(gl.PIXEL_PACK_BUFFER, 0, pixels)
      gl.bindBuffer(gl.PIXEL_PACK_BUFFER, null)
    } finally {
      gl.deleteBuffer(pack)
    }
    this.check()
    return picked()
  }

  readSync(texture: Texture, start: number, elements: number): Float32Array {
    this.check()
    if (elements === 0) return new Float32Array(0)
    const { first, rows, format, pixels, picked } = this.#reads(texture, start, elements)
    this.#gl.readPixels(0, first, texture.width, rows, format, this.#gl.FLOAT, pixels)
    this.check()
    return picked()
  }

  /** Makes a texture the one that is read, and says which rows of it hold some elements. */
  #reads(texture: Texture, start: number, elements: number) {
    const gl = this.#gl
    const { width } = texture
    const first = Math.floor(start / width)
    const rows = Math.ceil((start + elements) / width) - first
    gl.bindFramebuffer(gl.FRAMEBUFFER, this.#reading)
    gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, texture.texture, 0)
    // One channel where the driver offers it; four always work.
    this.#single ??=
      gl.getParameter(gl.IMPLEMENTATION_COLOR_READ_FORMAT) === gl.RED &&
      gl.getParameter(gl.IMPLEMENTATION_COLOR_READ_TYPE) === gl.FLOAT
    const channels = this.#single ? 1 : 4
    const pixels = new Float32Array(width * rows * channels)
    this.downloaded += pixels.byteLength
    const from = start - first * width
    const picked = (): Float32Array =>
      channels === 1
        ? pixels.slice(from, from + elements)
        : Float32Array.from({ length: elements }, (_, i) => pixels[channels * (from + i)] as number)
    return { first, rows, format: this.#single ? gl.RED : gl.RGBA, pixels, picked }
  }

  /** Waits for the driver, without holding the page up. */
  #fence(): Promise<void> {
    const gl = this.#gl
    const sync = gl.fenceSync(gl.SYNC_GPU_COMMANDS_COMPLETE, 0)
    gl.flush()
    if (!sync) {
      this.check()
      return Promise.resolve()
    }
    const { port1, port2 } = new MessageChannel()
    return new Promise<void>((resolve, reject) => {
      port1.onmessage = () => {
        try {
          this.check()
        } catch (error) {
          port1.close()
          return reject(error)
        }
        const status = gl.clientWaitSync(sync, 0, 0)
        if (status === gl.TIMEOUT_EXPIRED) return port2.postMessage(0)
        gl.deleteSync(sync)
        port1.close()
        if (status === gl.WAIT_FAILED)
          reject(
            new DeviceLostError(
              'gpu: WebGL2 failed while it was waited for; make a new backend with await gpu()',
            ),
          )
        else resolve()
      }
      port2.postMessage(0)
    })
  }

  free(texture: Texture): void {
    if (!this.#closed) this.#textures.give(texture)
  }

  async sync(): Promise<void> {
    this.check()
    await this.#fence()
    this.check()
  }

  memory(): ReturnType<Textures['report']> {
    return this.#textures.report()
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#textures.close()
    this.#gl.deleteFramebuffer(this.#reading)
    leave(this.#gl)
  }
}
