/// <reference types="vite/client" />
import { type GpuOptions, gpu } from '@heed/backend-gpu'
import { describe, expect, it } from 'vitest'
import { type Case, casesOf, type Result, runCases } from '../src/web.ts'

const texts = import.meta.glob<string>('../data/*.json', { query: '?raw', import: 'default', eager: true })
const urls = import.meta.glob<string>('../data/*.safetensors', {
  query: '?url',
  import: 'default',
  eager: true,
})

const base = (path: string): string => path.slice(path.lastIndexOf('/') + 1)

/** Each group's cases when their turn comes: Chromium's adapter in software has little memory. */
async function groups(): Promise<{ name: string; text: string; data: Map<string, Uint8Array> }[]> {
  const data = new Map<string, Uint8Array>()
  for (const [path, url] of Object.entries(urls))
    data.set(base(path), new Uint8Array(await (await fetch(url)).arrayBuffer()))
  return Object.entries(texts).map(([path, text]) => ({ name: base(path), text, data }))
}

/** One in so many cases of each operation. */
function some(cases: readonly Case[], every: number): Case[] {
  const seen = new Map<string, number>()
  return cases.filter(({ op }) => {
    const before = seen.get(op) ?? 0
    seen.set(op, before + 1)
    return before % every === 0
  })
}

// On WebGL2 all take a minute where two cores do everything else too: for those who ask by VITE_HEED_LONG=1, or by
// `npm run goldens -- apps/goldens/data --backend webgl2`. Its kernels are gpu.js's, which run all cases on WebGPU in limits.test.ts.
const part = import.meta.env.VITE_HEED_LONG ? 1 : 4

describe.each<GpuOptions & { every: number; total: number }>([
  { mode: 'webgpu', every: 1, total: 568 },
  { mode: 'webgl2', every: part, total: part === 1 ? 568 : 236 },
])('in Chromium, on $mode', ({ every, total, ...options }) => {
  it(`${every === 1 ? 'every golden case' : `one in ${every} golden cases of each operation`} equals PyTorch`, async () => {
    const backend = await gpu({ ...options, software: true })
    const results: Result[] = []
    for (const { name, text, data } of await groups()) {
      const read = (file: string): Uint8Array => data.get(file) as Uint8Array
      const cases = some(casesOf({ name, text, read }, backend), every)
      for await (const result of runCases(cases, backend)) results.push(result)
    }
    backend.dispose()
    expect(results.filter(r => r.status !== 'passed' && r.status !== 'advisory')).toEqual([])
    expect(results).toHaveLength(total)
  }, 300_000)
})
