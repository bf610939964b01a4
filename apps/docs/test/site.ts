import { execFile } from 'node:child_process'
import { createReadStream, existsSync, readFileSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Page,
} from 'playwright'
import { it } from 'vitest'
// @boundaries-ignore where the browser is, said once for all tests
import { chromium as executablePath } from '../../../scripts/chromium.ts'

const docs = fileURLToPath(new URL('..', import.meta.url))
/** What VitePress has built: here, or where `HEED_SITE` says that it is already. */
export const dist: string = process.env.HEED_SITE ?? join(docs, '.vitepress/dist')
/** Whether there is a browser to look at the site with. */
export const canLook: boolean = existsSync(executablePath)
/** A test that looks; without a browser the run says that it lacks one. */
export const looking: typeof it | typeof it.skip = canLook ? it : it.skip

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
}

/** Builds the site, through turbo: nothing happens where nothing has changed. */
export async function build(): Promise<void> {
  if (process.env.HEED_SITE) return
  const { packageManager } = JSON.parse(
    readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'),
  )
  const turbo = ['turbo', 'run', 'build', '--filter=@heed/docs', '--output-logs=errors-only']
  try {
    // turbo wants pnpm on its path, and npx puts it there.
    await promisify(execFile)('npx', ['--yes', packageManager, 'exec', ...turbo], {
      cwd: docs,
      maxBuffer: 2 ** 26,
    })
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string }
    throw new Error(`the site does not build:\n${stdout}\n${stderr}`)
  }
}

/** The built site behind an address of its own. */
export interface Site {
  /** `http://127.0.0.1:PORT` */
  readonly address: string
  /** A page in Chromium, in a context of its own. Errors and warnings of its console are collected. */
  open(path: string, options?: BrowserContextOptions): Promise<Opened>
  close(): Promise<void>
}

/** A page that is being looked at. */
export interface Opened {
  readonly page: Page
  /** What the console complained of, and what failed to load. */
  readonly complaints: readonly string[]
  readonly context: BrowserContext
}

/** Serves the built site as any static server would; with `isolated`, with the headers that allow several threads. */
export async function serve({ isolated = false }: { readonly isolated?: boolean } = {}): Promise<Site> {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://site')
    const asked = join(dist, decodeURIComponent(pathname))
    const file = existsSync(asked) && statSync(asked).isDirectory() ? join(asked, 'index.html') : asked
    const found = file.startsWith(dist) && existsSync(file)
    response.writeHead(found ? 200 : 404, {
      'content-type': types[extname(file)] ?? 'application/octet-stream',
      ...(isolated
        ? { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' }
        : {}),
    })
    if (found) createReadStream(file).pipe(response)
    else response.end('nothing here')
  })
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  const site = await openServed(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  return {
    ...site,
    async close() {
      await site.close()
      await new Promise(done => server.close(done))
    },
  }
}

/** Chromium for a site that is served already. */
export async function openServed(address: string): Promise<Site> {
  const browser = await chromium.launch({
    executablePath,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--disable-background-networking',
      // WebGPU on the processor: no reader is offered it, unless the address asks for it.
      '--enable-unsafe-webgpu',
      '--use-webgpu-adapter=swiftshader',
    ],
  })
  return siteOf(address, browser)
}

/** Waits until a page answers: before, its buttons are there already, and do nothing. */
export async function alive(page: Page): Promise<void> {
  await page.waitForFunction(() => {
    const app = document.querySelector('#app')
    return !app || '__vue_app__' in app
  })
}

function siteOf(address: string, browser: Browser): Site {
  return {
    address,
    async open(path, options = {}) {
      const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options })
      const page = await context.newPage()
      const complaints: string[] = []
      page.on('console', message => {
        if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text())
      })
      page.on('pageerror', error => complaints.push(String(error)))
      page.on('requestfailed', request => {
        if (!request.failure()?.errorText.includes('ERR_ABORTED'))
          complaints.push(`not loaded: ${request.url()}`)
      })
      page.on('request', request => {
        const { origin, protocol } = new URL(request.url())
        if (protocol.startsWith('http') && origin !== address) complaints.push(`elsewhere: ${request.url()}`)
      })
      await page.goto(path.startsWith('/') ? `${address}${path}` : path, { waitUntil: 'networkidle' })
      await alive(page)
      return { page, complaints, context }
    },
    close: () => browser.close(),
  }
}
