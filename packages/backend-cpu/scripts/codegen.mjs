// assembly/ → WebAssembly, once per build → src/generated/wasm.ts (base64) and src/generated/exports.ts (its type).
// It is AssemblyScript, whose decorators TypeScript's tools refuse: hence the extension `.as`.
// src/worker/worker.ts → one self-contained module as a string → src/generated/workerSource.ts.

import { readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import asc from 'assemblyscript/asc'
import { build as bundle } from 'esbuild'
import { builds } from './builds.mjs'
import { loops } from './loops.mjs'
import { tile } from './tile.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const generated = `${root}src/generated/`

/** Compiles one build. */
async function compile(build) {
  const written = new Map([
    ['tile.ts', tile(build)],
    ['loops.ts', loops(build)],
  ])
  const made = {}
  const { error, stderr } = await asc.main(
    [
      ...[
        'index.ts',
        '--outFile',
        'kernels.wasm',
        '--bindings',
        'raw',
        '-O3',
        '--noAssert',
        '--runtime',
        'stub',
      ],
      ...['--use', 'abort=', '--enable', build.fused ? 'simd,relaxed-simd,threads' : 'simd,threads'],
      // Memory below memoryBase belongs to assembly/team.as.
      ...['--importMemory', '--sharedMemory', '--initialMemory', '1', '--maximumMemory', '65536'],
      ...['--memoryBase', '16384'],
    ],
    {
      readFile: name => {
        try {
          return written.get(name) ?? readFileSync(`${root}assembly/${name.replace(/ts$/, 'as')}`, 'utf8')
        } catch {
          return null
        }
      },
      writeFile: (name, data) => {
        made[name] = data
      },
    },
  )
  if (error) throw new Error(`${build.name}: ${error.message}\n${stderr}`)
  return { wasm: Buffer.from(made['kernels.wasm']), types: made['kernels.d.ts'] }
}

/** An interface of what the module exports, from the compiler's own declarations. */
function interfaceOf(types) {
  const functions = [...types.matchAll(/export function (\w+)\(([^)]*)\): (\w+);/g)]
  const members = functions.map(([, name, parameters, result]) => `  ${name}(${parameters}): ${result}`)
  return `/** What assembly/index.as exports. */\nexport interface Exports {\n${members.join('\n')}\n}\n`
}

await mkdir(generated, { recursive: true })
const compiled = await Promise.all(builds.map(compile))
const entries = builds.map(({ name, rows, columns }, i) => {
  const base64 = compiled[i].wasm.toString('base64')
  return `  { name: '${name}', tile: '${rows}×${columns}', base64: '${base64}' },`
})
await writeFile(
  `${generated}wasm.ts`,
  `/** assembly/, compiled: see scripts/builds.mjs. */\nexport const builds: readonly { readonly name: string; readonly tile: string; readonly base64: string }[] = [\n${entries.join('\n')}\n]\n`,
)
await writeFile(`${generated}exports.ts`, interfaceOf(compiled[0].types))
const worker = await bundle({
  absWorkingDir: root,
  entryPoints: ['src/worker/worker.ts'],
  bundle: true,
  write: false,
  format: 'esm',
  minify: true,
  target: 'es2022',
})
await writeFile(
  `${generated}workerSource.ts`,
  `/** src/worker/worker.ts, bundled. */\nexport const workerSource: string = ${JSON.stringify(worker.outputFiles[0].text)}\n`,
)
console.log(
  `codegen: ${builds.map(({ name }, i) => `${name} ${compiled[i].wasm.length} B`).join(', ')}, worker ${worker.outputFiles[0].text.length} B`,
)
