// An empty project that installs packages by name, from the registry on this machine.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { exec, pnpm } from './exec.mjs'

/** @param {string} dir @param {string} registry @param {Record<string, unknown>} [manifest] */
export function emptyProject(dir, registry, manifest = {}) {
  mkdirSync(dir, { recursive: true })
  writeFileSync(join(dir, 'package.json'), JSON.stringify({ private: true, type: 'module', ...manifest }))
  writeFileSync(join(dir, '.npmrc'), `@heed:registry=${registry}\n`)
  return dir
}

export async function npmInstall(dir, ...packages) {
  await exec('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', ...packages], { cwd: dir })
}

/** With a store of its own: the packages of one version differ from run to run. */
export async function pnpmInstall(dir, ...packages) {
  // The install script of `webgpu` is not needed; pnpm wants to be told.
  writeFileSync(
    join(dir, 'pnpm-workspace.yaml'),
    'pmOnFail: ignore\nupdateNotifier: false\nallowBuilds:\n  webgpu: false\n',
  )
  const store = ['--store-dir', join(dir, '.store')]
  await pnpm(['add', '--prefer-offline', ...store, ...packages], { cwd: dir })
}

/** Everything a user of TypeScript can be strict about. */
export const STRICT = {
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  skipLibCheck: false,
  noEmit: true,
  target: 'ES2022',
}

/** Checks files of a project. @param {string} tsc path of a compiler */
export async function checkTypes(dir, { tsc, name, files, options }) {
  const config = join(dir, `tsconfig.${name}.json`)
  writeFileSync(config, JSON.stringify({ compilerOptions: { ...STRICT, ...options }, files }))
  await exec(process.execPath, [tsc, '-p', config], { cwd: dir })
}
