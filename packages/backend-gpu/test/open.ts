import { type GpuBackend, type GpuOptions, gpu } from '../src/index.ts'
import { useSoftwareAdapter } from '../src/testing/index.ts'

/** Whether this is Node, where Chromium's driver must be found first. */
export const node: boolean = typeof process !== 'undefined' && Boolean(process.versions?.node)

/** A backend on WebGPU in software, in Node or in Chromium. */
export async function open(options: GpuOptions = {}): Promise<GpuBackend> {
  if (node) await useSoftwareAdapter()
  return gpu({ mode: 'webgpu', software: true, ...options })
}
