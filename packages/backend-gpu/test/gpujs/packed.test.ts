// What users install: built as it is published, then bundled and minified by their bundler. gpu.js reads the text of kernels, which
// must come through both.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { type Browser, chromium } from 'playwright'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
// @boundaries-ignore where the browser is, said once for all tests
import { chromium as executablePath } from '../../../../scripts/chromium.ts'

const folder = fileURLToPath(new URL('../..', import.meta.url))
const dir = mkdtempSync(join(tmpdir(), 'heed-gpu-'))

/** What the page and the worker find. */
interface Found {
  readonly mode: string
  readonly product: readonly number[]
  readonly chances: readonly number[]
  readonly sorted: readonly number[]
  /** Whether the browser's own interface of that name is still there. */
  readonly native: boolean
}

/** A page's own code; in a worker it posts what it finds. */
const page = `
import { gpu } from '@heed/backend-gpu'
import { ops, apply, softmax, tensor } from '@heed/core-tensor'
const GPU = globalThis.GPU
async function find(options) {
  const backend = await gpu({ software: true, ...options })
  const of = (values, shape) => tensor(Float32Array.from(values), { shape, backend })
  const a = of([1, 2, 3, 4, 5, 6], [2, 3])
  const read = async x => [...await x.data()]
  const found = {
    mode: backend.info().mode,
    product: await read(a.matmul(a.transpose())),
    chances: await read(softmax(of([0, 0, 0, 0], [4]))),
    sorted: await read(apply(ops.sort, [of([3, 1, 2], [3])], { axis: 0, descending: true })),
    native: globalThis.GPU === GPU && /native code/.test(Function.prototype.toString.call(globalThis.GPU)),
  }
  backend.dispose()
  return found
}
globalThis.found = Promise.all([find({ mode: 'webgl2' }), find({ mode: 'webgpu', kernels: 'gpu.js' })])
if (!globalThis.document) globalThis.found.then(found => postMessage({ found }), error => postMessage({ error: String(error) }))
`

let browser: Browser
let bundle: string
let inputs: string[]
let external: string[]
beforeAll(async () => {
  const tsup = fileURLToPath(new URL('../../node_modules/.bin/tsup', import.meta.url))
  execFileSync(tsup, ['--out-dir', dir], { cwd: folder, stdio: 'ignore' })
  const core = fileURLToPath(new URL('../../../core-tensor/src/index.ts', import.meta.url))
  const { outputFiles, metafile } = await build({
    stdin: { contents: page, resolveDir: folder },
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    format: 'esm',
    target: 'es2022',
    alias: { '@heed/backend-gpu': join(dir, 'index.js'), '@heed/core-tensor': core },
  })
  inputs = Object.keys(metafile.inputs)
  external = Object.values(metafile.outputs).flatMap(({ imports }) => imports.map(({ path }) => path))
  bundle = outputFiles[0]?.text ?? ''
  browser = await chromium.launch({
    executablePath,
    args: ['--no-sandbox', '--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'],
  })
}, 60_000)
afterAll(async () => {
  await browser?.close()
  rmSync(dir, { recursive: true })
})

const want = (mode: string): Found => ({
  mode,
  product: [14, 32, 32, 77],
  chances: [0.25, 0.25, 0.25, 0.25],
  sorted: [3, 2, 1],
  native: true,
})

describe('the packed build, minified', () => {
  it('computes on gpu.js in a page and in a worker, and leaves the name GPU alone', async () => {
    const tab = await browser.newPage()
    await tab.route('http://localhost/**', route => {
      const script = new URL(route.request().url()).pathname === '/bundle.js'
      return route.fulfill(
        script
          ? { body: bundle, contentType: 'text/javascript' }
          : {
              body: '<!doctype html><script type="module" src="/bundle.js"></script>',
              contentType: 'text/html',
            },
      )
    })
    await tab.goto('http://localhost/', { waitUntil: 'load' })
    const inPage = await tab.evaluate(() => (globalThis as unknown as { found: Promise<unknown> }).found)
    expect(inPage).toEqual([want('webgl2'), want('webgpu')])
    const inWorker = await tab.evaluate(
      () =>
        new Promise(resolve => {
          const worker = new Worker('/bundle.js', { type: 'module' })
          worker.onmessage = ({ data }) => resolve(data)
        }),
    )
    expect(inWorker).toEqual({ found: [want('webgl2'), want('webgpu')] })
    await tab.close()
  })

  it('holds gpu.js: nothing of it is installed beside', () => {
    const { dependencies, peerDependencies, optionalDependencies } = JSON.parse(
      readFileSync(join(folder, 'package.json'), 'utf8'),
    )
    expect(Object.keys({ ...dependencies, ...optionalDependencies })).toEqual(['@heed/core-tensor'])
    expect(Object.keys({ ...peerDependencies })).toEqual(['webgpu'])
    // Nothing but core is looked for beside the built files, and all of gpu.js is in a file of its own, loaded when it is needed.
    expect(inputs.filter(file => file.includes('node_modules'))).toEqual([])
    expect(external).toEqual([])
    expect(readFileSync(join(dir, 'index.js'), 'utf8')).not.toMatch(/acorn/)
  })

  it('brings the licences of what it holds', () => {
    const text = readFileSync(join(dir, 'THIRD-PARTY-LICENSES.txt'), 'utf8')
    expect(text).toMatch(
      /gpu\.js 2\.24\.1[\s\S]*Copyright \(c\) \d{4} gpu\.js Team[\s\S]*Permission is hereby granted/,
    )
    expect(text).toMatch(/acorn 8\.[\s\S]*Permission is hereby granted/)
  })
})
