import { cpu } from '@heed/backend-cpu'
import type { Backend } from '@heed/core-tensor'
import { referenceBackend } from '@heed/core-tensor/testing'
import { describe, expect, it } from 'vitest'
import { type Result, runGoldens } from '../src/index.ts'

const folder = new URL('../data', import.meta.url).pathname

/** What is not there yet: a row that leaves this list must not come back. */
const MISSING = new Set<string>([])

describe.each<[string, () => Backend | Promise<Backend>]>([
  ['reference', referenceBackend],
  ['cpu', () => cpu()],
])('on the %s backend', (_, make) => {
  it('every golden case equals PyTorch, or is on the list of what is missing', async () => {
    const results: Result[] = []
    const backend = await make()
    for await (const result of runGoldens(folder, backend)) results.push(result)
    backend.dispose()
    expect(results.filter(r => r.status === 'failed')).toEqual([])
    const missing = results
      .filter(r => r.status === 'not implemented')
      .map(r => [r.group, `${r.group}: ${r.op}`])
    expect(missing.filter(names => !names.some(name => MISSING.has(name as string)))).toEqual([])
    expect(results).toHaveLength(568)
  })
})
