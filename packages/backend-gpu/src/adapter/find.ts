import { GpuUnavailableError } from '../errors.ts'
import type { AdapterInfo } from './info.ts'

/** Limits that kernels profit from: asked for as far as the adapter goes. */
const WANTED = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
] as const

const CPU = 'or use await cpu() from @heed/backend-cpu'

/** A WebGPU device of the page, the worker or the process. @throws GpuUnavailableError that says what is missing */
export async function findDevice(
  software: boolean,
): Promise<{ device: GPUDevice; adapter: GPUAdapter; info: AdapterInfo }> {
  const gpu = await entry()
  const adapter =
    (await gpu.requestAdapter({ powerPreference: 'high-performance' })) ??
    (software ? await gpu.requestAdapter({ forceFallbackAdapter: true }) : null)
  if (!adapter) {
    dawn = undefined // a driver may come
    throw new GpuUnavailableError(
      `gpu: WebGPU is there, but no adapter answers; install or update the graphics driver (on Linux also Vulkan's loader, libvulkan1), ${CPU}`,
    )
  }
  const name = nameOf(adapter.info)
  const slow = isSoftware(adapter.info)
  if (slow && !software)
    throw new GpuUnavailableError(
      `gpu: the only adapter, ${name}, computes on the CPU; pass { software: true } to use it, ${CPU}, which is faster`,
    )
  const requiredLimits: Record<string, number> = {}
  for (const limit of WANTED) requiredLimits[limit] = adapter.limits[limit]
  const device = await adapter.requestDevice({ requiredLimits }).catch((error: Error) => {
    throw new GpuUnavailableError(
      `gpu: ${name} gives no device (${error.message}); restart the browser, ${CPU}`,
    )
  })
  const limits = Object.fromEntries(WANTED.map(limit => [limit, device.limits[limit]]))
  const reason = slow ? 'the only WebGPU adapter computes on the CPU, and software was asked for' : 'a WebGPU adapter answered' // biome-ignore format: one line reads best
  return { device, adapter, info: { mode: 'webgpu', adapter: name, software: slow, reason, limits } }
}

function nameOf({ vendor, architecture, device, description }: GPUAdapterInfo): string {
  return (
    [...new Set([vendor, architecture, device, description])].filter(Boolean).join(' ') || 'unnamed adapter'
  )
}

function isSoftware(info: GPUAdapterInfo): boolean {
  return (
    (info as { isFallbackAdapter?: boolean }).isFallbackAdapter === true ||
    /swiftshader|llvmpipe|lavapipe|software|basic render/i.test(nameOf(info))
  )
}

/** `navigator.gpu`, or in Node what the optional package `webgpu` brings. */
async function entry(): Promise<GPU> {
  const known = (globalThis.navigator as Navigator | undefined)?.gpu
  if (known) return known
  if (typeof process === 'undefined' || !process.versions?.node)
    throw new GpuUnavailableError(
      globalThis.isSecureContext === false
        ? 'gpu: WebGPU needs a secure page; serve it by https or from localhost'
        : `gpu: this browser has no WebGPU; use another one, mode 'webgl2', ${CPU}`,
    )
  dawn ??= load()
  return dawn
}

/** One instance a process: each would look for drivers of its own. */
let dawn: Promise<GPU> | undefined

async function load(): Promise<GPU> {
  const name = 'webgpu' // a variable, so that bundlers leave it alone
  let brought: { create(flags: readonly string[]): GPU }
  try {
    brought = await import(/* @vite-ignore */ /* webpackIgnore: true */ name)
  } catch (error) {
    dawn = undefined
    const [reason] = (error as Error).message.split('\n')
    throw new GpuUnavailableError(
      `gpu: Node has no WebGPU of its own, and the package webgpu does not load (${reason}); run npm install webgpu@0.6.2, ${CPU}`,
    )
  }
  return brought.create([])
}
