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

describe.each<GpuOptions>([{ mode: 'webgpu' }])('in Chromium, on $mode', options => {
  it('every golden case equals PyTorch', async () => {
    const backend = await gpu({ ...options, software: true })
    const results: Result[] = []
    for (const { name, text, data } of await groups()) {
      const read = (file: string): Uint8Array => data.get(file) as Uint8Array
      const cases: Case[] = casesOf({ name, text, read }, backend)
      for await (const result of runCases(cases, backend)) results.push(result)
    }
    backend.dispose()
    expect(results.filter(r => r.status !== 'passed' && r.status !== 'advisory')).toEqual([])
    expect(results).toHaveLength(568)
  }, 300_000)
})
