import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Where the project is. */
export const root: string = fileURLToPath(new URL('../../..', import.meta.url))
const docs = join(root, 'apps/docs')

/** A fenced block of a page. */
export interface Fence {
  /** `apps/docs/guide/install.md:12` */
  readonly where: string
  /** `ts` */
  readonly language: string
  /** What stands behind the language: `continue`, `throws`, `no-run: reason`. */
  readonly info: string
  readonly code: string
  /** The nearest heading above, as it is written. */
  readonly heading: string
}

/** Every page of the site that people wrote, as paths from the root. */
export function sitePages(): string[] {
  const found: string[] = []
  const walk = (folder: string): void => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (entry.isDirectory() && !['node_modules', 'api', 'test', 'public', 'results'].includes(entry.name)) {
        if (!entry.name.startsWith('.')) walk(join(folder, entry.name))
      } else if (entry.name.endsWith('.md')) found.push(relative(root, join(folder, entry.name)))
    }
  }
  walk(docs)
  return found.filter(path => !/README\.md$/.test(path)).sort()
}

/** Every README of a package or an app, and the texts of the root. */
export function readmes(): string[] {
  return ['packages', 'apps']
    .flatMap(folder => readdirSync(join(root, folder)).map(name => `${folder}/${name}/README.md`))
    .concat('README.md', 'CONTRIBUTING.md')
    .filter(path => {
      try {
        return readFileSync(join(root, path)).length > 0
      } catch {
        return false
      }
    })
}

/** The fenced blocks of a page, in order. */
export function fencesOf(path: string): Fence[] {
  const lines = readFileSync(join(root, path), 'utf8').split('\n')
  const fences: Fence[] = []
  let heading = ''
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i] as string
    if (/^#+ /.test(line)) heading = line.replace(/^#+ /, '')
    const [, indent, ticks, language, info] = /^(\s*)(`{3,}|~{3,})([\w-]*)\s*(.*)$/.exec(line) ?? []
    if (ticks === undefined) continue
    const end = lines.findIndex((other, j) => j > i && other.trim() === ticks)
    if (end < 0) throw new Error(`${path}:${i + 1}: a fence without an end`)
    const code = lines.slice(i + 1, end).map(inner => inner.slice(indent?.length ?? 0))
    fences.push({
      where: `${path}:${i + 1}`,
      language: language ?? '',
      info: info ?? '',
      code: code.join('\n'),
      heading,
    })
    i = end
  }
  return fences
}
