import { existsSync, readdirSync, readFileSync } from 'node:fs'
import type { DefaultTheme } from 'vitepress'

type Item = DefaultTheme.SidebarItem

const api = new URL('../api/typedoc-sidebar.json', import.meta.url)
const lessons = new URL('../lessons/', import.meta.url)

/** From what typedoc wrote, each package's pages beside a list of packages; nothing before it ran. */
export function apiSidebars(): Record<string, Item[]> {
  if (!existsSync(api)) return {}
  const packages: Item[] = JSON.parse(readFileSync(api, 'utf8'))
  const all = { text: 'Packages', items: packages.map(({ text = '', link = '' }) => ({ text, link })) }
  return Object.fromEntries([
    ...packages.map(({ text = '', link = '', items = [] }) => [link, [{ text, items: flat(items) }, all]]),
    ['/api/', [all]],
  ])
}

/** Without the folds around kinds of pages. */
function flat(items: readonly Item[]): Item[] {
  return items.flatMap(item =>
    item.link
      ? [item]
      : isKind(item)
        ? flat(item.items ?? [])
        : [{ text: item.text ?? '', items: flat(item.items ?? []) }],
  )
}

function isKind({ text }: Item): boolean {
  return text === 'Modules' || text === 'Namespaces'
}

/** Lessons in the order of their front matter, under the names of their parts. */
export function lessonItems(): Item[] {
  const parts = new Map<string, Item[]>()
  for (const { title, part, link } of readLessons())
    parts.set(part, [...(parts.get(part) ?? []), { text: title, link }])
  return [{ text: 'All lessons', link: '/lessons/' }, ...[...parts].map(([text, items]) => ({ text, items }))]
}

interface Lesson {
  readonly title: string
  readonly part: string
  readonly order: number
  readonly link: string
}

function readLessons(): Lesson[] {
  return readdirSync(lessons)
    .filter(name => name.endsWith('.md') && name !== 'index.md')
    .map(name => {
      const [, head = ''] = /^---\n(.*?)\n---/s.exec(readFileSync(new URL(name, lessons), 'utf8')) ?? []
      const said = new Map(
        [...head.matchAll(/^(\w+):\s*(.*?)\s*$/gm)].map(([, key, value]) => [
          key,
          value?.replace(/^(['"])(.*)\1$/, '$2'),
        ]),
      )
      const order = Number(said.get('order'))
      const [title, part] = [said.get('title'), said.get('part')]
      if (!title || !part || !Number.isFinite(order))
        throw new Error(`lessons/${name}: the front matter needs title, part and order (a number)`)
      return { title, part, order, link: `/lessons/${name.slice(0, -'.md'.length)}` }
    })
    .sort((a, b) => a.order - b.order)
}
