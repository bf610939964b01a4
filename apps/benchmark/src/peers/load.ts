import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, sep } from 'node:path'
import { pathToFileURL } from 'node:url'
import { peersFolder } from '../places.ts'
import type { Untyped } from '../workload.ts'
import type { Shelf } from './shelf.ts'

const require = createRequire(join(peersFolder, 'package.json'))

/** The peers' folder, for participants in Node. */
export const nodeShelf: Shelf = {
  place: 'node',
  async load(name) {
    const { href } = pathToFileURL(require.resolve(name))
    const module: Untyped = await import(href)
    return module.default ?? module
  },
  version: async name => versionOfPeer(name),
  files: name => dirname(require.resolve(name)) + sep,
}

/** Which version is installed. @throws Error if none is */
export function versionOfPeer(name: string): string {
  const text = readFileSync(join(peersFolder, 'node_modules', name, 'package.json'), 'utf8')
  return (JSON.parse(text) as { version: string }).version // every package has one
}
