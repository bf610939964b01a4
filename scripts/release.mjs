// Publishes every package whose version the registry does not have yet, those that others depend on first.
//   node scripts/release.mjs [--dry-run] [--provenance] [--registry URL]
// `npm run check:release` tries it against a registry on this machine; .github/workflows/release.yml runs it for real.
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { exec, pnpm } from './packages/exec.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const words = process.argv.slice(2)
const dryRun = words.includes('--dry-run')
const registry = words.includes('--registry') ? ['--registry', words[words.indexOf('--registry') + 1]] : []
// exec() hands no npm_config_* down, and where the token is must not be lost.
const { npm_config_userconfig, NPM_CONFIG_USERCONFIG = npm_config_userconfig } = process.env
const env = NPM_CONFIG_USERCONFIG ? { npm_config_userconfig: NPM_CONFIG_USERCONFIG } : {}

const packages = readdirSync(join(root, 'packages')).map(folder => {
  const path = join(root, 'packages', folder, 'package.json')
  return { folder, path, manifest: JSON.parse(readFileSync(path, 'utf8')) }
})

// Provenance names the repository, and npm compares: so it is the one that this runs in, nowhere written by hand.
const { GITHUB_REPOSITORY, GITHUB_SERVER_URL } = process.env
if (GITHUB_REPOSITORY)
  for (const { folder, path, manifest } of packages) {
    const url = `git+${GITHUB_SERVER_URL}/${GITHUB_REPOSITORY}.git`
    const repository = { type: 'git', url, directory: `packages/${folder}` }
    writeFileSync(path, `${JSON.stringify({ ...manifest, repository }, null, 2)}\n`)
  }

const packed = mkdtempSync(join(tmpdir(), 'heed-release-'))
await pnpm(['-r', '--filter', './packages/*', 'pack', '--pack-destination', packed], { cwd: root })

for (const { manifest } of inOrder(packages)) {
  const { name, version } = manifest
  if (await isThere(name, version)) {
    console.log(`${name} ${version} is there`)
    continue
  }
  const tarball = join(packed, `${name.slice(1).replace('/', '-')}-${version}.tgz`)
  const flags = [
    ...(dryRun ? ['--dry-run'] : []),
    ...(words.includes('--provenance') ? ['--provenance'] : []),
  ]
  await exec('npm', ['publish', tarball, '--access', 'public', ...flags, ...registry], { cwd: packed, env })
  console.log(`${name} ${version} ${dryRun ? 'would be published' : 'published'}`)
}

/** Those that others depend on first. */
function inOrder(all) {
  const names = new Set(all.map(({ manifest }) => manifest.name))
  const done = new Set()
  const order = []
  const visit = one => {
    if (done.has(one)) return
    done.add(one)
    for (const name of Object.keys(one.manifest.dependencies ?? {}))
      if (names.has(name)) visit(all.find(({ manifest }) => manifest.name === name))
    order.push(one)
  }
  for (const one of all) visit(one)
  return order
}

async function isThere(name, version) {
  try {
    return (
      (await exec('npm', ['view', `${name}@${version}`, 'version', ...registry], { env })).trim() === version
    )
  } catch (error) {
    if (/E404/.test(error.message)) return false
    throw error
  }
}
