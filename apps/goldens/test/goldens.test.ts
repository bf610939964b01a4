import { cpu } from '@heed/backend-cpu'
import type { Backend } from '@heed/core-tensor'
import { referenceBackend } from '@heed/core-tensor/testing'
import { describe, expect, it } from 'vitest'
import { type Result, runGoldens } from '../src/index.ts'

const folder = new URL('../data', import.meta.url).pathname

// The GPU's kernels have files of their own: limits.test.ts in Node, gpu.browser.test.ts in Chromium.
describe.each<[string, () => Backend | Promise<Backend>]>([
  ['reference', referenceBackend],
  ['cpu', () => cpu()],
])('on the %s backend', (_, make) => {
  it('every golden case equals PyTorch', async () => {
    const results: Result[] = []
    const backend = await make()
    for await (const result of runGoldens(folder, backend)) results.push(result)
    backend.dispose()
    expect(results.filter(r => r.status !== 'passed' && r.status !== 'advisory')).toEqual([])
    expect(results).toHaveLength(568)
  }, 300_000)
})
