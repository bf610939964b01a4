import type { MarkdownRenderer } from 'vitepress'

/** Pages that show the README of another app, and where its pictures are from there. */
const homes: Readonly<Record<string, string>> = {
  'facts/real-data.md': '../../results/',
  'facts/benchmark.md': '../../benchmark/',
}

/** Finds the pictures of an included README where the README has them. */
export function included(md: MarkdownRenderer): void {
  const image = md.renderer.rules.image
  md.renderer.rules.image = (tokens, index, options, env, self) => {
    const home = homes[env.relativePath ?? '']
    const source = tokens[index]?.attrGet('src')
    if (home && source && !/^([a-z]+:|\/|\.\.)/.test(source)) tokens[index]?.attrSet('src', home + source)
    return image ? image(tokens, index, options, env, self) : self.renderToken(tokens, index, options)
  }
}
