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
import { afterAll, beforeAll, expect, it } from 'vitest'
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

let built: Promise<void> | undefined
/** Builds the site, through turbo: nothing happens where nothing has changed, nor where `HEED_SITE` says that it is built. */
export function build(): Promise<void> {
  built ??= process.env.HEED_SITE ? Promise.resolve() : turboBuild()
  return built
}

async function turboBuild(): Promise<void> {
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
  /**
   * A page that others were shown in before: what all have in common is fetched and compiled once. It is lent for as long as the body runs,
   * comes 1280 × 900 and light, and complains as any other.
   */
  lend<T>(path: string, body: (opened: Omit<Opened, 'context'>) => Promise<T>): Promise<T>
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
  const size = { width: 1280, height: 900 }
  let shared: Promise<BrowserContext> | undefined
  const idle: { page: Page; complaints: string[] }[] = []
  const show = async (page: Page, path: string): Promise<void> => {
    await page.goto(path.startsWith('/') ? `${address}${path}` : path, { waitUntil: 'networkidle' })
    await alive(page)
  }
  return {
    address,
    async open(path, options = {}) {
      const context = await browser.newContext({ viewport: size, ...options })
      const page = await context.newPage()
      const complaints = complaintsOf(page, address)
      await show(page, path)
      return { page, complaints, context }
    },
    async lend(path, body) {
      shared ??= browser.newContext({ viewport: size, colorScheme: 'light' })
      let lent = idle.pop()
      if (!lent) {
        const page = await (await shared).newPage()
        lent = { page, complaints: complaintsOf(page, address) }
      }
      const { page, complaints } = lent
      complaints.length = 0
      await page.setViewportSize(size)
      await page.emulateMedia({ colorScheme: 'light' })
      await show(page, path)
      const made = await body(lent)
      idle.push(lent) // one whose test failed is not lent again
      return made
    },
    close: () => browser.close(),
  }
}

/** What a page complains of from now on. */
function complaintsOf(page: Page, address: string): string[] {
  const complaints: string[] = []
  page.on('console', message => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text())
  })
  page.on('pageerror', error => complaints.push(String(error)))
  page.on('requestfailed', request => {
    if (!request.failure()?.errorText.includes('ERR_ABORTED')) complaints.push(`not loaded: ${request.url()}`)
  })
  page.on('request', request => {
    const { origin, protocol } = new URL(request.url())
    if (protocol.startsWith('http') && origin !== address) complaints.push(`elsewhere: ${request.url()}`)
  })
  return complaints
}

/** The site for the tests of one file. */
export interface ServedSite {
  /** @throws Error where there is no browser to look with */
  here(): Site
  /** Opens a page, does what the reader does, and expects a console without complaints but those expected. */
  read(path: string, reader: (page: Page) => Promise<void>, expected?: RegExp): Promise<void>
}

/** Builds the site and serves it before the first test of a file, and closes it after the last. */
export function served(): ServedSite {
  let site: Site | undefined
  beforeAll(async () => {
    if (!canLook) return
    await build()
    site = await serve()
  }, 300_000)
  afterAll(async () => site?.close())
  const here = (): Site => {
    if (!site) throw new Error('the site is not served')
    return site
  }
  return {
    here,
    async read(path, reader, expected = /^$/) {
      const { page, complaints, context } = await here().open(path)
      try {
        await reader(page)
        expect(complaints.filter(complaint => !expected.test(complaint))).toEqual([])
      } finally {
        await context.close()
      }
    },
  }
}
