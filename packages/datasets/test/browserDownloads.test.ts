import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
// @boundaries-ignore where the browser is, said once for all tests
import { chromium as executablePath } from '../../../scripts/chromium.ts'
import type { DataFile } from '../src/index.ts'

const BODY = Buffer.from(Array.from({ length: 5_000_000 }, (_, i) => (i * 31 + (i >> 8)) % 251))
const SHA = createHash('sha256').update(BODY).digest('hex')

/** What came of a download in the page. */
interface Outcome {
  readonly sha256?: string
  readonly error?: string
  readonly reason?: string
  readonly told: readonly number[]
}

const PROGRAM = `
  import { download } from '../src/browser/index.ts'
  const hex = bytes => Array.from(new Uint8Array(bytes), b => b.toString(16).padStart(2, '0')).join('')
  window.fetchFile = async (file, options) => {
    const told = []
    try {
      const bytes = await download(file, { retries: 0, pause: 1, onProgress: ({ received }) => told.push(received), ...options })
      return { sha256: hex(await crypto.subtle.digest('SHA-256', bytes)), told }
    } catch (error) {
      return { error: error.name + ': ' + error.message, reason: error.reason, told }
    }
  }`

type Answer = (response: ServerResponse, request: IncomingMessage) => void

let server: Server
let origin: string
let browser: Browser
let context: BrowserContext
let answer: Answer
let asked: string[] = []

beforeAll(async () => {
  if (!existsSync(executablePath)) return
  const { outputFiles } = await build({
    stdin: { contents: PROGRAM, resolveDir: fileURLToPath(new URL('.', import.meta.url)), loader: 'js' },
    bundle: true,
    format: 'iife',
    platform: 'browser',
    conditions: ['@heed/source'],
    write: false,
  })
  const page = `<!doctype html><meta charset="utf-8"><script>${outputFiles[0]?.text}</script>`
  server = createServer((request, response) => {
    if (request.url === '/') return void response.setHeader('content-type', 'text/html').end(page)
    if (request.url !== '/data.bin') return void response.writeHead(404).end()
    asked.push(request.headers.range ?? 'all')
    answer(response, request)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] })
})
afterAll(async () => {
  await browser?.close()
  server?.closeAllConnections()
  server?.close()
})
beforeEach(async () => {
  asked = []
  context = await browser.newContext()
})
afterEach(() => context.close())

/** What is asked for, up to `most` bytes of the file; then nothing more comes. */
const upTo =
  (most: number): Answer =>
  (response, request) => {
    const start = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0)
    const part = start ? { 'content-range': `bytes ${start}-${BODY.length - 1}/${BODY.length}` } : {}
    response.writeHead(start ? 206 : 200, { 'content-length': BODY.length - start, ...part })
    response.write(BODY.subarray(start, most))
    if (most === BODY.length) response.end()
  }
const all = upTo(BODY.length)

const fileAt = (more: Partial<DataFile> = {}): DataFile => ({
  set: 'test',
  name: 'data.bin',
  urls: [`${origin}/data.bin`],
  bytes: BODY.length,
  sha256: SHA,
  ...more,
})
async function open(): Promise<Page> {
  const page = await context.newPage()
  await page.goto(origin)
  return page
}
const fetchFile = (page: Page, file: DataFile, options: object): Promise<Outcome> =>
  page.evaluate(
    ([file, options]) =>
      (globalThis as unknown as { fetchFile(file: DataFile, options: object): Promise<Outcome> }).fetchFile(
        file,
        options,
      ),
    [file, options] as const,
  )

describe.skipIf(!existsSync(executablePath)).each([['opfs'], ['indexeddb']])(
  'downloads kept by the browser in %s',
  home => {
    it('are asked for once, tell how far they are, and are found again by later pages', async () => {
      answer = all
      const first = await fetchFile(await open(), fileAt(), { home })
      expect(first.sha256).toBe(SHA)
      expect(first.told.at(-1)).toBe(BODY.length)
      expect(first.told).toEqual(first.told.toSorted((a, b) => a - b))
      expect(await fetchFile(await open(), fileAt(), { home })).toEqual({ sha256: SHA, told: [] })
      expect(asked).toEqual(['all'])
    })

    it('go on where a page was closed in the middle', async () => {
      answer = upTo(3_500_000)
      const page = await open()
      let last = 0
      await page.exposeFunction('arrived', (received: number) => {
        last = received
      })
      await page.evaluate(() => {
        const { fetch } = window
        // Tells of what the page took in, without a change to it.
        window.fetch = async (...args) => {
          const response = await fetch(...args)
          let received = 0
          const counting = new TransformStream({
            transform(chunk: Uint8Array, controller) {
              received += chunk.length
              controller.enqueue(chunk)
              ;(window as unknown as { arrived(n: number): void }).arrived(received)
            },
          })
          return new Response(response.body?.pipeThrough(counting), response)
        }
      })
      void fetchFile(page, fileAt(), { home }).catch(() => {})
      while (last < 3_500_000) await new Promise(resolve => setTimeout(resolve, 10))
      await new Promise(resolve => setTimeout(resolve, 300)) // the pieces reach the disk
      await page.close()
      answer = all
      const rest = await fetchFile(await open(), fileAt(), { home })
      expect(rest.sha256).toBe(SHA)
      const [, from] = /bytes=(\d+)-/.exec(asked[1] ?? '') ?? []
      expect(Number(from)).toBeGreaterThanOrEqual(3_500_000 - 2 ** 20 - 2 ** 18)
      expect(Number(from)).toBeLessThanOrEqual(3_500_000)
      expect(rest.told[0]).toBeGreaterThan(Number(from))
    })

    it('go on where the connection broke, and drop what turns out wrong', async () => {
      answer = upTo(2_000_000)
      const page = await open()
      const broken = await fetchFile(page, fileAt(), { home, timeout: 300 })
      expect(broken).toMatchObject({ reason: 'stalled' })
      answer = all
      const other = { ...fileAt(), sha256: `${SHA.slice(0, 8)}${'0'.repeat(56)}` }
      const wrong = await fetchFile(page, other, { home })
      expect(asked).toEqual(['all', 'bytes=2000000-'])
      expect(wrong.reason).toBe('checksum')
      expect((await fetchFile(page, fileAt(), { home })).sha256).toBe(SHA)
      expect(asked).toEqual(['all', 'bytes=2000000-', 'all'])
    })

    it('are taken once by two pages that want them at once', async () => {
      answer = (response, request) => setTimeout(() => all(response, request), 200)
      const pages = [await open(), await open()]
      const outcomes = await Promise.all(pages.map(page => fetchFile(page, fileAt(), { home })))
      expect(outcomes.map(({ sha256 }) => sha256)).toEqual([SHA, SHA])
      expect(asked).toEqual(['all'])
    })

    it('of a file without a checksum begin anew after a break', async () => {
      const { sha256: _, ...file } = fileAt()
      answer = upTo(2_000_000)
      const page = await open()
      expect((await fetchFile(page, file, { home, timeout: 300 })).reason).toBe('stalled')
      answer = all
      expect((await fetchFile(page, file, { home })).sha256).toBe(SHA)
      expect(asked).toEqual(['all', 'all'])
    })

    it('that do not fit say so, and leave no piece', async () => {
      answer = all
      const page = await open()
      const cdp = await context.newCDPSession(page)
      await cdp.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 500_000 })
      const outcome = await fetchFile(page, fileAt(), { home })
      expect(outcome.reason).toBe('disk')
      expect(outcome.error).toMatch(
        /^DownloadError: download: data\.bin of test cannot be kept \(browserFolder: no room for .*\); or take it into memory, by fetched\(\)$/,
      )
      await cdp.send('Storage.overrideQuotaForOrigin', { origin })
      expect((await fetchFile(page, fileAt(), { home })).sha256).toBe(SHA)
      expect(asked).toEqual(['all', 'all'])
    })
  },
)
