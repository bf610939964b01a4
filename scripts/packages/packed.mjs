// The packages as they will be on npm: their tarballs, and what their READMEs promise.
import { existsSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { pnpm } from './exec.mjs'
import { parseTar } from './tar.mjs'

export const root = fileURLToPath(new URL('../..', import.meta.url))
const esbuild = createRequire(join(root, 'packages/backend-cpu/package.json'))('esbuild')

/**
 * @typedef {{ name: string, code: string, imports: string[], nodeOnly: boolean }} Example a block of a README
 * @typedef {{ folder: string, name: string, path: string, tarball: Buffer, files: Map<string, Buffer>,
 *   manifest: Record<string, any>, entries: string[], examples: Example[] }} Packed
 */

/** Packs all of `packages/`. @returns {Promise<Packed[]>} */
export async function packAll() {
  const chosen = readdirSync(join(root, 'packages'))
  const to = mkdtempSync(join(tmpdir(), 'heed-packed-'))
  await pnpm(['-r', '--filter', './packages/*', 'pack', '--pack-destination', to], { cwd: root })
  const tarballs = readdirSync(to).filter(name => name.endsWith('.tgz'))
  if (tarballs.length !== chosen.length) throw new Error(`packed ${tarballs} of ${chosen}`)
  return tarballs.map(name => {
    const path = join(to, name)
    const tarball = readFileSync(path)
    const files = parseTar(gunzipSync(tarball))
    const manifest = JSON.parse(files.get('package/package.json').toString())
    const folder = manifest.name.split('/')[1]
    return {
      folder,
      name: manifest.name,
      path,
      tarball,
      files,
      manifest,
      entries: Object.keys(manifest.exports).filter(entry => entry !== './package.json'),
      examples: examplesOf(join(root, 'packages', folder, 'README.md')),
    }
  })
}

/** The blocks of a README that run, each a module of its own. @returns {Example[]} */
export function examplesOf(readme) {
  if (!existsSync(readme)) return []
  const blocks = [...readFileSync(readme, 'utf8').matchAll(/^```ts\n([\s\S]*?)^```/gm)].map(match => match[1])
  return blocks.map((code, i) => {
    const imports = [...code.matchAll(/from '([^']+)'/g)].map(match => match[1])
    const nodeOnly = imports.some(from => from.startsWith('node:') || from.endsWith('/node'))
    return { name: `example-${i}`, code, imports: [...new Set(imports)], nodeOnly }
  })
}

/** What must be installed for an import: `@heed/core-tensor/testing` is in `@heed/core-tensor`. */
export function packageOf(specifier) {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}

/** As JavaScript that hands all it printed to `heedDone`, which whoever runs it defines. */
export function asProgram(code) {
  const { code: js } = esbuild.transformSync(code, { loader: 'ts', format: 'esm', target: 'es2022' })
  return `const heedLines = []
console.log = (...values) => void heedLines.push(values.map(String).join(' '))
${js}
globalThis.heedDone(heedLines)
`
}

/** What is wrong with a package before anybody installs it. @param {Packed} packed @returns {string[]} */
export function faultsOf({ folder, files, manifest, entries, examples }) {
  const wrong = []
  const has = file => files.has(`package/${file.replace(/^\.\//, '')}`)
  for (const file of ['LICENSE', 'README.md']) if (!has(file)) wrong.push(`its tarball has no ${file}`)
  if (!examples.length && folder !== 'cli') wrong.push('its README has no ts example')
  for (const field of ['description', 'license', 'type', 'engines', 'exports', 'files', 'keywords'])
    if (!manifest[field]) wrong.push(`its package.json has no ${field}`)
  if (manifest.sideEffects !== false) wrong.push('its package.json does not say that it has no side effects')
  if (manifest.engines?.node !== '>=20.19.0') wrong.push(`engines are ${JSON.stringify(manifest.engines)}`)
  if (manifest.publishConfig?.access !== 'public') wrong.push('publishConfig.access is not public')
  if (manifest.scripts?.preinstall || manifest.scripts?.install || manifest.scripts?.postinstall)
    wrong.push('it has an install script')
  for (const [name, range] of Object.entries(manifest.dependencies ?? {}))
    if (/workspace|catalog|link:|file:/.test(range)) wrong.push(`${name} is ${range} in the tarball`)
  for (const entry of entries)
    for (const [condition, file] of Object.entries(manifest.exports[entry]))
      if (!has(file)) wrong.push(`${entry} has no ${file} (${condition})`)
  for (const file of files.keys())
    if (/tsbuildinfo|\/test\/|\.test\./.test(file)) wrong.push(`its tarball has ${file}`)
  return wrong
}
