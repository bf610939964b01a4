// npm run goldens -- DIR [--backend cpu|reference|gpu]
import { parseArgs } from 'node:util'
import { cpu } from '@heed/backend-cpu'
import type { Backend } from '@heed/core-tensor'
import { referenceBackend } from '@heed/core-tensor/testing'
import { runGoldens } from './folder.ts'
import { openGpu } from './openGpu.ts'

const USAGE = 'use: npm run goldens -- DIR [--backend cpu|reference|gpu]'
const backends: Readonly<Record<string, () => Backend | Promise<Backend>>> = {
  cpu,
  gpu: openGpu,
  reference: referenceBackend,
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { backend: { type: 'string', default: 'cpu' } },
  })
  const [folder, ...more] = positionals
  const make = Object.hasOwn(backends, values.backend) ? backends[values.backend] : undefined
  if (!folder || more.length || !make) throw new Error(USAGE)
  const count = { passed: 0, failed: 0, 'not implemented': 0, advisory: 0 }
  const missing = new Map<string, number>()
  const backend = await make()
  for await (const { id, group, op, status, detail } of runGoldens(folder, backend)) {
    count[status]++
    if (status === 'not implemented')
      missing.set(`${group}: ${op}`, (missing.get(`${group}: ${op}`) ?? 0) + 1)
    if (status === 'failed' || status === 'advisory') console.log(`${status}: ${group}/${id}: ${detail}`)
  }
  for (const [what, cases] of missing) console.log(`not implemented: ${what} (${cases})`)
  console.log(`on ${backend.name} (${backend.build})`)
  console.log(
    `${count.passed} passed, ${count.failed} failed, ${count['not implemented']} not implemented, ${count.advisory} advisory`,
  )
  backend.dispose()
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
