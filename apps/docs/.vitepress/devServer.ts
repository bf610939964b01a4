// What the development server does besides VitePress's own.
import type { Plugin } from 'vitepress'

// Several threads need a cross-origin isolated page. From a server without these headers, one thread computes.
const headers: Readonly<Record<string, string>> = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
}

/** Sends the headers with pages too, which `server.headers` does not, and has an icon where browsers look for one before the page is there. */
export function devServer(): Plugin {
  return {
    name: 'heed-dev-server',
    configureServer(server) {
      server.middlewares.use((request, response, next) => {
        for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
        if (request.url === '/favicon.ico') request.url = '/icon.svg'
        next()
      })
    },
  }
}

/**
 * What live parts load when they are used: prepared at the start, because preparing them later reloads the page in the middle of a
 * lesson.
 */
export const loadedLater: string[] = [
  '@codemirror/commands',
  '@codemirror/lang-javascript',
  '@codemirror/language',
  '@codemirror/state',
  '@codemirror/view',
  '@lezer/highlight',
  'sucrase',
  'zod',
  '@heed/datasets > csv-parse/browser/esm/sync',
  '@heed/datasets > fflate',
  '@heed/datasets > hyparquet',
  '@heed/datasets > hyparquet-compressors',
  '@heed/datasets > nanotar',
  '@heed/viz > bidi-js',
  '@heed/viz > d3-color',
  '@heed/viz > d3-interpolate',
  '@heed/viz > d3-scale',
  '@heed/viz > d3-scale-chromatic',
  '@heed/viz > string-width',
]
