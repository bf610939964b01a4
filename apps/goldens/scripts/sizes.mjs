// What importing a part costs: each row of sizes.json bundled with esbuild, minified and gzipped, against its budget.
//   node apps/goldens/scripts/sizes.mjs
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const esbuild = createRequire(join(root, 'packages/backend-cpu/package.json'))('esbuild')

/**
 * @typedef {{ what: string, code: string, bytes: number, without: string[] }} Budget
 * @typedef {Budget & { gzip: number, minified: number, files: string[] }} Size
 */

/** Every row of sizes.json, measured. @returns {Promise<Size[]>} */
export async function measureSizes() {
  /** @type {Budget[]} */
  const budgets = JSON.parse(readFileSync(new URL('sizes.json', import.meta.url), 'utf8'))
  return Promise.all(budgets.map(async budget => ({ ...budget, ...(await bundle(budget.code)) })))
}

/** @param {string} code */
async function bundle(code) {
  const { outputFiles, metafile } = await esbuild.build({
    stdin: { contents: code, resolveDir: join(root, 'apps/goldens'), loader: 'ts' },
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    conditions: ['@heed/source'],
    external: ['node:*'],
    write: false,
    metafile: true,
  })
  const { contents } = outputFiles[0]
  const [output] = Object.values(metafile.outputs)
  const files = Object.entries(output.inputs).flatMap(([file, { bytesInOutput }]) =>
    bytesInOutput ? [file] : [],
  )
  return { minified: contents.length, gzip: gzipSync(contents, { level: 9 }).length, files }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const kilo = bytes => `${(bytes / 1024).toFixed(1)} KB`
  let over = 0
  for (const { what, bytes, gzip, minified } of await measureSizes()) {
    if (gzip > bytes) over++
    process.stdout.write(
      `${gzip > bytes ? 'TOO LARGE ' : ''}${kilo(gzip)} of ${kilo(bytes)} gzip (${kilo(minified)} minified): ${what}\n`,
    )
  }
  process.exitCode = over ? 1 : 0
}
