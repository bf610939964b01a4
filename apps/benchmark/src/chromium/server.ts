import { createReadStream, createWriteStream } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { peersFolder } from '../places.ts'

/** What a page is served. */
export interface Site {
  /** The bundles. */
  readonly folder: string
  /** Inputs: `DATA.json` and `DATA.bin`. */
  readonly data: string
  /** Where the next result goes: `INTO.json` and `INTO.bin`. */
  into(): string
}

const types: Readonly<Record<string, string>> = {
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
}

const HTML =
  '<!doctype html><meta charset="utf-8"><title>Heed</title><script type="module" src="/page.js"></script>'

/** Serves a page that is cross-origin isolated, which threads and a fine clock need. @returns its address */
export async function serve(site: Site): Promise<{ address: string; close(): void }> {
  const server = createServer((request, response) => {
    handle(site, request, response).catch(error => {
      if (!response.headersSent) response.writeHead(404)
      response.end(String(error))
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo // of a server that listens
  return {
    address: `http://127.0.0.1:${port}/`,
    close() {
      server.close()
      server.closeAllConnections()
    },
  }
}

async function handle(site: Site, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = decodeURIComponent(new URL(request.url ?? '/', 'http://page').pathname)
  response.setHeader('Cross-Origin-Opener-Policy', 'same-origin')
  response.setHeader('Cross-Origin-Embedder-Policy', 'require-corp')
  response.setHeader('Cross-Origin-Resource-Policy', 'same-origin')
  if (request.method === 'PUT' && /^\/result\.(json|bin)$/.test(path)) {
    await pipeline(request, createWriteStream(site.into() + extname(path)))
    response.end()
    return
  }
  if (path === '/') {
    response.setHeader('Content-Type', 'text/html').end(HTML)
    return
  }
  response.setHeader('Content-Type', types[extname(path)] ?? 'application/octet-stream')
  await pipeline(createReadStream(fileOf(site, path)), response)
}

/** @throws Error for a path that leads elsewhere */
function fileOf({ folder, data }: Site, path: string): string {
  if (path.split('/').includes('..')) throw new Error(`no ${path}`)
  if (/^\/inputs\.(json|bin)$/.test(path)) return data + extname(path)
  const [, name = '', file = ''] = /^\/files\/((?:@[^/]+\/)?[^/]+)\/([^/]+)$/.exec(path) ?? []
  if (file) return join(peersFolder, 'node_modules', name, 'dist', file)
  return join(folder, path)
}
