// What users install, in Node: built as it is published, bundled and minified, and run in a process of its own.
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { afterAll, beforeAll, expect, it } from 'vitest'

const folder = fileURLToPath(new URL('..', import.meta.url))
const dir = mkdtempSync(join(tmpdir(), 'heed-gpu-'))

const program = `
import { gpu } from '@heed/backend-gpu'
import { useSoftwareAdapter } from '@heed/backend-gpu/testing'
import { scaledDotAttention, tensor } from '@heed/core-tensor'
await useSoftwareAdapter()
const found = []
for (const kernels of ['native', 'gpu.js']) {
  const backend = await gpu({ mode: 'webgpu', software: true, kernels }).catch(error => {
    console.error(error.name + ': ' + error.message)
    process.exit(1)
  })
  const x = tensor(Float32Array.of(1, 2, 3, 4), { shape: [1, 1, 2, 2], backend })
  x.requiresGrad = true
  const y = scaledDotAttention(x, x, x, { causal: true }).tanh().pow(2).sum()
  y.backward()
  found.push([backend.info().kernels, [await y.item(), ...(await x.grad.data())].map(v => Number(v.toFixed(4)))])
  backend.dispose()
}
console.log(JSON.stringify(found))
process.exit(0)
`

function run(...flags: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [...flags, join(dir, 'program.mjs')], {
    encoding: 'utf8',
    timeout: 50_000,
  })
}

beforeAll(async () => {
  const out = join(dir, 'dist')
  execFileSync(join(folder, 'node_modules/.bin/tsup'), ['--out-dir', out], { cwd: folder, stdio: 'ignore' })
  await build({
    stdin: { contents: program, resolveDir: folder },
    bundle: true,
    minify: true,
    outfile: join(dir, 'program.mjs'),
    format: 'esm',
    platform: 'node',
    target: 'es2022',
    logLevel: 'silent',
    alias: {
      '@heed/backend-gpu/testing': join(out, 'testing/index.js'),
      '@heed/backend-gpu': join(out, 'index.js'),
      '@heed/core-tensor': fileURLToPath(new URL('../../core-tensor/src/index.ts', import.meta.url)),
    },
  })
  writeFileSync(join(dir, 'package.json'), '{}')
}, 60_000)
afterAll(() => rmSync(dir, { recursive: true, force: true }))

it('the packed build without the package webgpu says what to install', () => {
  const { status, stderr } = run()
  expect(status).toBe(1)
  expect(stderr).toMatch(
    /GpuUnavailableError: gpu: Node has no WebGPU of its own.*run npm install webgpu@0\.6\.2, or use await cpu\(\)/,
  )
})

it('the packed build computes in Node, minified, with both kinds of kernels', () => {
  mkdirSync(join(dir, 'node_modules'))
  symlinkSync(join(folder, 'node_modules/webgpu'), join(dir, 'node_modules/webgpu'))
  const { status, stdout, stderr } = run()
  expect([status, stderr]).toEqual([0, ''])
  const [native, translated] = JSON.parse(stdout) as [[string, number[]], [string, number[]]]
  expect([native[0], translated[0]]).toEqual(['native', 'gpu.js'])
  expect(native[1][0]).toBeGreaterThan(3)
  expect(translated[1]).toEqual(native[1])
})
