import type { AdapterInfo } from '../adapter/info.ts'
import type { Machine } from '../webgpu/machine.ts'
import { type GpujsBackend, gpujsOn } from './backend.ts'
import { enter } from './webgl2/context.ts'
import { GlDriver } from './webgl2/glDriver.ts'
import { WgslDriver } from './wgslDriver.ts'

/** A backend on gpu.js's kernels that says what it runs on. */
export interface OpenBackend extends GpujsBackend {
  info(): AdapterInfo
}

/** Tensors in textures of WebGL2. @throws GpuUnavailableError that says what is missing */
export function openWebgl2({
  software,
  maxBytes,
}: {
  readonly software: boolean
  readonly maxBytes: number
}): OpenBackend {
  const { gl, info } = enter(software)
  return { ...gpujsOn(new GlDriver(gl, maxBytes), `webgl2, ${info.adapter}`), info: () => info }
}

/** gpu.js's kernels in place of the hand-written ones, on the same device and buffers. */
export function gpujsOnWebgpu(machine: Machine, info: AdapterInfo): OpenBackend {
  return { ...gpujsOn(new WgslDriver(machine), `webgpu, gpu.js, ${info.adapter}`), info: () => info }
}
