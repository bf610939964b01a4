import { type GpuBackend, type GpuOptions, GpuUnavailableError, gpu } from '@heed/backend-gpu'
import { useSoftwareAdapter } from '@heed/backend-gpu/testing'

/** The GPU of the machine, or where there is none, Chromium's software adapter. */
export async function openGpu(options: Pick<GpuOptions, 'kernels' | 'barriers'> = {}): Promise<GpuBackend> {
  try {
    return await gpu({ mode: 'webgpu', ...options })
  } catch (error) {
    if (!(error instanceof GpuUnavailableError)) throw error
    await useSoftwareAdapter()
    return await gpu({ mode: 'webgpu', ...options, software: true })
  }
}
