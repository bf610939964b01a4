import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { peersFolder } from '../places.ts'
import type { Untyped } from '../workload.ts'

const require = createRequire(join(peersFolder, 'package.json'))

/** A package of the peers' folder; its default export where everything is in there. */
export async function loadPeer(name: string): Promise<Untyped> {
  const { href } = pathToFileURL(fileOfPeer(name))
  const module: Untyped = await import(href)
  return module.default ?? module
}

export function fileOfPeer(name: string): string {
  return require.resolve(name)
}

/** Which version is installed. @throws Error if none is */
export function versionOfPeer(name: string): string {
  const text = readFileSync(join(peersFolder, 'node_modules', name, 'package.json'), 'utf8')
  return (JSON.parse(text) as { version: string }).version // every package has one
}
