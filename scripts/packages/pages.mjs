// Runs modules of a folder in Chromium: on a page, on a cross-origin isolated one, in a worker, or with an import map.
import { createReadStream, existsSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import { join, normalize } from 'node:path'
import { chromium } from 'playwright'

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium'
// WebGPU on the processor, for machines without a GPU.
const args = ['--no-sandbox', '--disable-gpu', '--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader']
const TYPES = {
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.html': 'text/html',
  '.json': 'application/json',
}

/**
 * @typedef {{ isolated?: boolean, worker?: boolean, map?: { imports: Record<string, string> } }} Where
 * @param {string} dir what is served
 * @returns {Promise<{ version: string, run(path: string, where?: Where): Promise<string[]>, close(): Promise<void> }>}
 */
export async function openPages(dir) {
  const browser = await chromium.launch({ executablePath, args })
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url, 'http://localhost')
    if (searchParams.has('isolated')) {
      response.setHeader('Cross-Origin-Opener-Policy', 'same-origin')
      response.setHeader('Cross-Origin-Embedder-Policy', 'require-corp')
    }
    if (pathname === '/page.html')
      return response.setHeader('content-type', 'text/html').end(pageOf(searchParams))
    if (pathname === '/worker.mjs')
      return response
        .setHeader('content-type', 'text/javascript')
        .end(
          `self.heedDone = lines => postMessage({ lines })\nawait import(${JSON.stringify(searchParams.get('run'))})\n`,
        )
    const file = join(dir, normalize(decodeURIComponent(pathname)))
    if (!existsSync(file) || !statSync(file).isFile()) return response.writeHead(404).end()
    response.setHeader('content-type', TYPES[/\.\w+$/.exec(file)?.[0]] ?? 'application/octet-stream')
    createReadStream(file).pipe(response)
  })
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))
  const origin = `http://127.0.0.1:${server.address().port}`
  return {
    version: browser.version(),
    async run(path, { isolated, worker, map } = {}) {
      const query = new URLSearchParams({ run: path })
      if (isolated) query.set('isolated', '')
      if (worker) query.set('worker', '')
      if (map) query.set('map', JSON.stringify(map))
      const page = await browser.newPage()
      const wrong = []
      page.on(
        'console',
        message => message.type() === 'error' && wrong.push(`${message.text()} ${message.location().url}`),
      )
      page.on('pageerror', error => wrong.push(String(error.stack ?? error)))
      try {
        await page.goto(`${origin}/page.html?${query}`)
        const lines = await page.waitForFunction('window.heedLines ?? window.heedError', undefined, {
          timeout: 60_000,
        })
        const value = await lines.jsonValue()
        if (wrong.length || !Array.isArray(value)) throw new Error(`${path}: ${[...wrong, value].join('\n')}`)
        return value
      } catch (error) {
        throw wrong.length ? new Error(`${path}: ${wrong.join('\n')}`, { cause: error }) : error
      } finally {
        await page.close()
      }
    },
    async close() {
      await browser.close()
      server.close()
    },
  }
}

function pageOf(query) {
  const run = JSON.stringify(query.get('run'))
  const map = query.has('map') ? `<script type="importmap">${query.get('map')}</script>` : ''
  const start = query.has('worker')
    ? `const worker = new Worker('/worker.mjs?run=' + encodeURIComponent(${run}), { type: 'module' })
       worker.onmessage = ({ data }) => { window.heedLines = data.lines }
       worker.onerror = event => { window.heedError = event.message || 'the worker did not start' }`
    : `window.heedDone = lines => { window.heedLines = lines }
       import(${run}).catch(error => { window.heedError = String(error.stack ?? error) })`
  return `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,">${map}<script type="module">${start}</script>`
}
