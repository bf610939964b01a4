import { type GpuBackend, gpu } from '../../src/index.ts'

/** gpu.js's kernels on WebGL2. */
export function webgl2(): Promise<GpuBackend> {
  return gpu({ mode: 'webgl2', software: true })
}

/** gpu.js's kernels on WebGPU. */
export function webgpu(): Promise<GpuBackend> {
  return gpu({ mode: 'webgpu', kernels: 'gpu.js', software: true })
}

/** Hand-written kernels on WebGPU. */
export function native(): Promise<GpuBackend> {
  return gpu({ mode: 'webgpu', software: true })
}
