import type { AdapterInfo } from '../../adapter/info.ts'
import { GpuUnavailableError } from '../../errors.ts'

/** One WebGL2 context for every backend of a page or worker: a page has 16, and loses the oldest without a word. */
interface Shared {
  readonly gl: WebGL2RenderingContext
  readonly adapter: string
  users: number
}

let shared: Shared | undefined

/** The context of the page or the worker, to be given back by {@link leave}. @throws GpuUnavailableError that says what is missing */
export function enter(software: boolean): { gl: WebGL2RenderingContext; info: AdapterInfo } {
  if (shared?.gl.isContextLost()) shared = undefined
  const { gl, adapter } = shared ?? open()
  const slow = /swiftshader|llvmpipe|softpipe|software|basic render/i.test(adapter)
  if (slow && !software) {
    if (!shared) lose(gl)
    throw new GpuUnavailableError(
      `gpu: the only WebGL2 adapter, ${adapter}, computes on the CPU; pass { software: true } to use it, or use await cpu() from @heed/backend-cpu, which is faster`,
    )
  }
  shared ??= { gl, adapter, users: 0 }
  shared.users++
  const size = gl.getParameter(gl.MAX_TEXTURE_SIZE) as number
  const limits = {
    maxTextureSize: size,
    maxElements: Math.min(size, MAX_SIDE) ** 2,
    maxTextures: gl.getParameter(gl.MAX_TEXTURE_IMAGE_UNITS) as number,
  }
  const reason = slow ? 'WebGL2 in software was asked for' : 'WebGL2 answered'
  return { gl, info: { mode: 'webgl2', adapter, software: slow, reason, limits } }
}

/** Beyond, drivers fail without a word. */
export const MAX_SIDE = 8192

function open(): Omit<Shared, 'users'> {
  const canvas =
    typeof OffscreenCanvas === 'undefined'
      ? globalThis.document?.createElement('canvas')
      : new OffscreenCanvas(1, 1)
  if (!canvas)
    throw new GpuUnavailableError(
      "gpu: WebGL2 needs a browser; in Node use mode 'webgpu', or await cpu() from @heed/backend-cpu",
    )
  const gl = canvas.getContext('webgl2', {
    alpha: false,
    depth: false,
    stencil: false,
    antialias: false,
    powerPreference: 'high-performance',
  }) as WebGL2RenderingContext | null
  if (!gl)
    throw new GpuUnavailableError(
      'gpu: this browser has no WebGL2, or has switched it off; use await cpu() from @heed/backend-cpu',
    )
  if (!gl.getExtension('EXT_color_buffer_float')) {
    lose(gl)
    throw new GpuUnavailableError(
      'gpu: WebGL2 here cannot draw float32 (no EXT_color_buffer_float); use await cpu() from @heed/backend-cpu',
    )
  }
  gl.enable(gl.SCISSOR_TEST)
  const names = gl.getExtension('WEBGL_debug_renderer_info')
  const adapter = gl.getParameter(names ? names.UNMASKED_RENDERER_WEBGL : gl.RENDERER) as string
  return { gl, adapter }
}

/** Gives the context back; the last one to do so ends it. */
export function leave(gl: WebGL2RenderingContext): void {
  if (shared?.gl !== gl || --shared.users > 0) return
  shared = undefined
  lose(gl)
}

function lose(gl: WebGL2RenderingContext): void {
  gl.getExtension('WEBGL_lose_context')?.loseContext()
}
