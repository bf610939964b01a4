// npm run goldens -- DIR [--backend cpu|reference|gpu|webgl2] [--kernels gpu.js] [--barriers] [--place chromium]
import { parseArgs } from 'node:util'
import { cpu } from '@heed/backend-cpu'
import type { Backend } from '@heed/core-tensor'
import { referenceBackend } from '@heed/core-tensor/testing'
import { inChromium, type Wanted } from './chromium/inChromium.ts'
import { runGoldens } from './folder.ts'
import { openGpu } from './openGpu.ts'
import type { Result } from './run.ts'

const USAGE = `use: npm run goldens -- DIR [--backend cpu|reference|gpu|webgl2] [--kernels gpu.js] [--barriers] [--place chromium]
  gpu          WebGPU, in Node; in a page with --place chromium
  webgl2       WebGL2, always in Chromium
  --kernels    gpu.js: its kernels in place of those in WGSL
  --barriers   with gpu: the kernels that hardware runs, whose threads wait for each other`
const backends: Readonly<Record<string, (wanted: Wanted) => Backend | Promise<Backend>>> = {
  cpu: () => cpu(),
  reference: () => referenceBackend(),
  gpu: openGpu,
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      backend: { type: 'string', default: 'cpu' },
      kernels: { type: 'string' },
      barriers: { type: 'boolean' },
      place: { type: 'string', default: 'node' },
    },
  })
  const [folder, ...more] = positionals
  const { backend, kernels, barriers, place } = values
  const gpu = backend === 'gpu' || backend === 'webgl2'
  const known = backend === 'webgl2' || Object.hasOwn(backends, backend)
  if (
    !folder ||
    more.length ||
    !known ||
    (kernels !== undefined && (kernels !== 'gpu.js' || !gpu)) ||
    (barriers && backend !== 'gpu') ||
    !(place === 'node' || (place === 'chromium' && gpu))
  )
    throw new Error(USAGE)
  const wanted: Wanted = {
    mode: backend === 'webgl2' ? 'webgl2' : 'webgpu',
    ...(kernels && { kernels: 'gpu.js' }),
    ...(barriers && { barriers }),
  }
  const count = { passed: 0, failed: 0, 'not implemented': 0, advisory: 0 }
  const missing = new Map<string, number>()
  const take = ({ id, group, op, status, detail }: Result): void => {
    count[status]++
    if (status === 'not implemented')
      missing.set(`${group}: ${op}`, (missing.get(`${group}: ${op}`) ?? 0) + 1)
    if (status === 'failed' || status === 'advisory') console.log(`${status}: ${group}/${id}: ${detail}`)
  }
  let ran: string
  if (backend === 'webgl2' || place === 'chromium') {
    const { mode, adapter, kernels } = await inChromium(folder, wanted, take)
    ran = `${mode} in Chromium (${kernels} kernels${barriers ? ' with barriers' : ''}, ${adapter})`
  } else {
    const made = await (backends[backend] as (typeof backends)[string])(wanted)
    for await (const result of runGoldens(folder, made)) take(result)
    ran = `${made.name} (${made.build}${barriers ? ', with barriers' : ''})`
    made.dispose()
  }
  for (const [what, cases] of missing) console.log(`not implemented: ${what} (${cases})`)
  console.log(`on ${ran}`)
  console.log(
    `${count.passed} passed, ${count.failed} failed, ${count['not implemented']} not implemented, ${count.advisory} advisory`,
  )
  return count.failed ? 1 : 0
}

main().then(
  code => {
    process.exitCode = code
  },
  error => {
    console.error(error instanceof Error ? error.message : error)
    process.exitCode = 2
  },
)
