// What any device grants: at the default limits of WebGPU, and with the kernels that hardware runs, whose threads wait for each other.
// Dawn refuses what goes beyond a limit, whatever the adapter could do: buffers of a shader, memory and threads of a group, groups of a
// launch, bytes of a buffer; and barriers that not all threads of a group reach.
import { createRequire } from 'node:module'
import { gpu } from '@heed/backend-gpu'
import { useSoftwareAdapter } from '@heed/backend-gpu/testing'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { type Result, runGoldens } from '../src/index.ts'

const require = createRequire(new URL('../../../packages/backend-gpu/package.json', import.meta.url))
const folder = new URL('../data', import.meta.url).pathname

let dawn: GPU
beforeAll(async () => {
  await useSoftwareAdapter()
  const { create } = (await import(require.resolve('webgpu'))) as { create(flags: string[]): GPU }
  dawn = create([])
  const requestAdapter = async (): Promise<Pick<GPUAdapter, 'info' | 'limits' | 'requestDevice'>> => {
    const adapter = (await dawn.requestAdapter()) as GPUAdapter
    const { info, limits } = adapter
    return { info, limits, requestDevice: () => adapter.requestDevice() } // no limit is raised
  }
  vi.stubGlobal('navigator', { gpu: { requestAdapter } })
})
afterAll(() => vi.unstubAllGlobals())

describe.each(['native', 'gpu.js'] as const)('a device at default limits, with %s kernels', kernels => {
  it('computes every golden case', async () => {
    const backend = await gpu({ mode: 'webgpu', software: true, barriers: true, kernels })
    expect(backend.info().limits).toMatchObject({
      maxStorageBuffersPerShaderStage: 8,
      maxComputeWorkgroupStorageSize: 16384,
      maxComputeInvocationsPerWorkgroup: 256,
      maxStorageBufferBindingSize: 2 ** 27,
    })
    const results: Result[] = []
    for await (const result of runGoldens(folder, backend)) results.push(result)
    await backend.sync()
    backend.dispose()
    expect(results.filter(r => r.status !== 'passed' && r.status !== 'advisory')).toEqual([])
    expect(results).toHaveLength(568)
  }, 300_000)
})
