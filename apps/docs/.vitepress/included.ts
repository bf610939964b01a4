import type { MarkdownRenderer } from 'vitepress'

/** Pages that show the README of another app, and where its files are from there. */
const homes: Readonly<Record<string, string>> = {
  'facts/real-data.md': '../../results/',
  'facts/benchmark.md': '../../benchmark/',
}

/** Finds the pictures of an included README where the README has them; its links into the repository become plain text. */
export function included(md: MarkdownRenderer): void {
  md.core.ruler.push('included', ({ tokens, env }) => {
    const home = homes[env.relativePath ?? '']
    if (!home) return
    for (const token of tokens) {
      let inside = false
      token.children =
        token.children?.filter(child => {
          const source = child.type === 'image' && child.attrGet('src')
          if (source && isFile(source)) child.attrSet('src', home + source)
          if (child.type === 'link_open') inside = isFile(child.attrGet('href') ?? '')
          return !(inside && /^link_(open|close)$/.test(child.type))
        }) ?? null
    }
  })
}

/** Whether it is a path in the repository: no address, no heading. */
function isFile(path: string): boolean {
  return !/^([a-z]+:|\/|#)/.test(path)
}
