/** What a page points to, and what can be pointed to in it. */
export interface Links {
  readonly links: ReadonlySet<string>
  readonly ids: ReadonlySet<string>
}

/** The links and anchors of a page's HTML. */
export function linksOf(html: string): Links {
  const body = html.replaceAll(/<script[\s\S]*?<\/script>/g, '')
  const all = (pattern: RegExp): Set<string> =>
    new Set([...body.matchAll(pattern)].map(([, value = '']) => unescaped(value)))
  return { links: all(/<a\b[^>]*?\shref="([^"]*)"/g), ids: all(/\sid="([^"]*)"/g) }
}

function unescaped(text: string): string {
  return text
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&')
}
