import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { defineConfig, type Options } from 'tsup'
// @boundaries-ignore what all packages share
import base from '../../tsup.config.base.ts'

/** What goes into the bundle, each beside the one that asks for it. */
const bundled = ['gpu.js', 'acorn']

// gpu.js goes into the bundle: as a dependency it would bring 87 MB of binaries that it never loads.
const config: ReturnType<typeof defineConfig> = defineConfig(({ outDir = 'dist' }) => ({
  ...(base as Options),
  entry: { index: 'src/index.ts', 'testing/index': 'src/testing/index.ts' },
  splitting: true,
  noExternal: bundled,
  async onSuccess() {
    writeFileSync(join(outDir, 'THIRD-PARTY-LICENSES.txt'), licences())
  },
}))
export default config

/** The names, versions and licences of what is bundled, as they ask for. */
function licences(): string {
  let from = join(import.meta.dirname ?? __dirname, 'package.json')
  const parts = bundled.map(name => {
    from = createRequire(from).resolve(`${name}/package.json`)
    const { version, license } = JSON.parse(readFileSync(from, 'utf8'))
    return `${name} ${version} (${license})\n\n${readFileSync(join(dirname(from), 'LICENSE'), 'utf8').trim()}`
  })
  return `This package contains code of others, under their licences.\n\n${parts.join(`\n\n${'-'.repeat(80)}\n\n`)}\n`
}
