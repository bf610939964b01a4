// What importing costs: each row of sizes.json bundled with esbuild, minified and gzipped, against its budget. A row is a whole
// entry point of a package, or a few names of some. What is loaded only when it is needed (`import()`) does not count.
//   node apps/goldens/scripts/sizes.mjs
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const esbuild = createRequire(join(root, 'packages/backend-cpu/package.json'))('esbuild')

/**
 * @typedef {{ bytes: number } & ({ entry: string } | { what: string, code: string, without: string[] })} Budget
 * @typedef {{ what: string, bytes: number, gzip: number, minified: number, files: string[], unwanted: string[], over: string | undefined }} Size
 */

/** Every row of sizes.json, measured. @returns {Promise<Size[]>} */
export async function measureSizes() {
  /** @type {Budget[]} */
  const budgets = JSON.parse(readFileSync(new URL('sizes.json', import.meta.url), 'utf8'))
  const entries = new Map(entryPoints().map(entry => [entry.name, entry]))
  return Promise.all(
    budgets.map(async budget => {
      const { bytes } = budget
      const entry = 'entry' in budget ? entries.get(budget.entry) : undefined
      if ('entry' in budget && !entry)
        throw new Error(`sizes.json: no package has the entry ${budget.entry}; remove its row`)
      const what = entry ? entry.name : budget.what
      const bundled = await bundle(
        entry ? `export * from ${JSON.stringify(entry.file)}` : budget.code,
        entry?.node ? 'node' : 'browser',
      )
      const without = 'without' in budget ? budget.without : []
      const unwanted = without.flatMap(name =>
        Object.keys(bundled.parts).filter(file => file.endsWith(`/${name}`)),
      )
      return {
        what,
        bytes,
        gzip: bundled.gzip,
        minified: bundled.minified,
        files: Object.keys(bundled.parts),
        unwanted,
        over: bundled.gzip > bytes ? tooLarge(what, bytes, bundled) : undefined,
      }
    }),
  )
}

/** Every entry point of every package, as people import it. @returns {{ name: string, file: string, node: boolean }[]} */
export function entryPoints() {
  return readdirSync(join(root, 'packages')).flatMap(folder => {
    const path = join(root, 'packages', folder, 'package.json')
    if (!existsSync(path)) return []
    const { name, exports } = JSON.parse(readFileSync(path, 'utf8'))
    return Object.entries(exports).flatMap(([entry, { '@heed/source': source }]) =>
      source
        ? [
            {
              name: name + entry.slice(1),
              file: join(root, 'packages', folder, source),
              node: entry === './node' || folder === 'cli',
            },
          ]
        : [],
    )
  })
}

/** @param {number} bytes */
export function kilobytes(bytes) {
  return `${(bytes / 1024).toFixed(1)} KB`
}

function tooLarge(what, budget, { gzip, parts }) {
  const largest = Object.entries(parts)
    .sort(([, a], [, b]) => b - a)
    .slice(0, 8)
    .map(
      ([file, bytes]) =>
        `\n  ${kilobytes(bytes).padStart(9)}  ${file.replace(/.*node_modules\/(?!.*node_modules\/)/, '')}`,
    )
  return (
    `${what}: ${kilobytes(gzip)} of gzip, its budget is ${kilobytes(budget)}. Largest before gzip:${largest.join('')}\n` +
    'Take out what is not needed, load it by import() when it is, or raise the budget in apps/goldens/scripts/sizes.json and say why.'
  )
}

/** The code with all that it loads at once. @param {string} code @param {'browser' | 'node'} platform */
async function bundle(code, platform) {
  const { outputFiles, metafile } = await esbuild.build({
    stdin: { contents: code, resolveDir: join(root, 'apps/goldens'), loader: 'ts', sourcefile: 'entry.ts' },
    absWorkingDir: root,
    bundle: true,
    splitting: true,
    outdir: 'out',
    minify: true,
    format: 'esm',
    platform,
    target: 'es2022',
    conditions: ['@heed/source'],
    external: ['node:*'],
    write: false,
    metafile: true,
    logLevel: 'error',
  })
  const texts = new Map(outputFiles.map(({ path, contents }) => [path.slice(root.length), contents]))
  const first = Object.keys(metafile.outputs).find(path => metafile.outputs[path].entryPoint)
  const loaded = new Set([first])
  for (const path of loaded)
    for (const { path: next, kind, external } of metafile.outputs[path].imports)
      if (kind === 'import-statement' && !external) loaded.add(next)
  const parts = {}
  for (const path of loaded)
    for (const [file, { bytesInOutput }] of Object.entries(metafile.outputs[path].inputs))
      if (bytesInOutput) parts[file] = bytesInOutput
  const all = Buffer.concat([...loaded].map(path => texts.get(path)))
  return { minified: all.length, gzip: gzipSync(all, { level: 9 }).length, parts }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const { what, bytes, gzip, minified, over, unwanted } of await measureSizes()) {
    process.stdout.write(
      `${kilobytes(gzip)} of ${kilobytes(bytes)} gzip (${kilobytes(minified)} minified): ${what}\n`,
    )
    if (over) process.stdout.write(`TOO LARGE ${over}\n`)
    if (unwanted.length) process.stdout.write(`UNWANTED in ${what}: ${unwanted.join(', ')}\n`)
    if (over || unwanted.length) process.exitCode = 1
  }
}
