// An import map for the packages that npm has put into a folder, so that a browser loads them without a bundler.
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'

const CONDITIONS = ['browser', 'import', 'module', 'default']

/**
 * @param {string} project where `node_modules` is
 * @param {string} base the address at which the project is served
 * @param {string[]} names packages that are imported; what they depend on joins them
 * @returns {{ imports: Record<string, string> }}
 */
export function importMap(project, base, names) {
  const imports = {}
  const seen = new Set()
  const visit = (name, from) => {
    const folder = folderOf(name, from)
    if (seen.has(folder)) return
    seen.add(folder)
    const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
    for (const [entry, target] of Object.entries(entriesOf(manifest)))
      imports[name + entry.slice(1)] = `${base}/${relative(project, join(folder, target))}`
    for (const dependency of Object.keys(manifest.dependencies ?? {})) visit(dependency, folder)
  }
  for (const name of names) visit(name, project)
  return { imports }
}

function folderOf(name, from) {
  for (let at = from; ; at = dirname(at)) {
    const folder = join(at, 'node_modules', name)
    if (existsSync(join(folder, 'package.json'))) return folder
    if (at === dirname(at)) throw new Error(`${name} is not there for ${from}`)
  }
}

function entriesOf({ exports, module, main = './index.js' }) {
  if (!exports) return { '.': module ?? main }
  const map =
    typeof exports === 'string' || !Object.keys(exports)[0]?.startsWith('.') ? { '.': exports } : exports
  return Object.fromEntries(
    Object.entries(map)
      .filter(([entry]) => !entry.includes('*'))
      .map(([entry, target]) => [entry, pick(target)])
      .filter(([, target]) => target),
  )
}

function pick(target) {
  if (typeof target === 'string' || !target) return target ?? undefined
  for (const [condition, value] of Object.entries(target))
    if (CONDITIONS.includes(condition)) {
      const found = pick(value)
      if (found) return found
    }
  return undefined
}
