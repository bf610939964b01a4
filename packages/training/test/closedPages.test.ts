import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
// @boundaries-ignore where the browser is, said once for all tests
import { chromium as executablePath } from '../../../scripts/chromium.ts'

/** What a page can be asked: to save a checkpoint full of one number, and what the one is full of that is there. */
interface Program {
  save(home: string, version: number, size: number): Promise<string>
  load(home: string): Promise<{ readonly version: unknown; readonly values: readonly number[] }>
}

const PROGRAM = `
  import { setBackend, tensor } from '@heed/core-tensor'
  import { referenceBackend } from '@heed/core-tensor/testing'
  import { loadCheckpoint, saveCheckpoint } from '../src/browser/index.ts'
  setBackend(referenceBackend())
  window.program = {
    save: (home, version, size) =>
      saveCheckpoint('run', { tensors: { x: tensor(new Float32Array(size).fill(version)) }, facts: version }, { home })
        .then(() => 'saved', error => error.reason + ': ' + error.message),
    load: async home => {
      const { tensors, facts } = await loadCheckpoint('run', json => json, { home })
      return { version: facts, values: [...new Set(await tensors.x.data())] }
    },
  }`

const SIZE = 1_000_000

let server: Server
let origin: string
let profile: string

beforeAll(async () => {
  const { outputFiles } = await build({
    stdin: { contents: PROGRAM, resolveDir: fileURLToPath(new URL('.', import.meta.url)), loader: 'js' },
    bundle: true,
    format: 'iife',
    platform: 'browser',
    conditions: ['@heed/source'],
    write: false,
  })
  const page = `<!doctype html><meta charset="utf-8"><script>${outputFiles[0]?.text}</script>`
  server = createServer((_, response) => response.setHeader('content-type', 'text/html').end(page))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  profile = await mkdtemp(join(tmpdir(), 'heed-profile-'))
})
afterAll(async () => {
  server.closeAllConnections()
  server.close()
  await rm(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 })
})

const save = (page: Page, home: string, version: number, size = SIZE): Promise<string> =>
  page.evaluate(ask => (globalThis as unknown as { program: Program }).program.save(...ask), [
    home,
    version,
    size,
  ] as const)
const load = (page: Page, home: string): ReturnType<Program['load']> =>
  page.evaluate(home => (globalThis as unknown as { program: Program }).program.load(home), home)
const pause = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))

async function open(context: BrowserContext): Promise<Page> {
  const page = await context.newPage()
  await page.goto(origin)
  return page
}

/** A Chromium of its own that can be killed like a program. */
class Killable {
  readonly #process: ChildProcess
  readonly #browser: Browser
  readonly context: BrowserContext

  static async start(): Promise<Killable> {
    const args = ['--headless=new', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-quic']
    const child = spawn(
      executablePath,
      [...args, '--remote-debugging-port=0', `--user-data-dir=${profile}`, 'about:blank'],
      { stdio: ['ignore', 'ignore', 'pipe'], detached: true },
    )
    const address = await new Promise<string>((resolve, reject) => {
      let told = ''
      child.stderr?.on('data', text => {
        told += text
        const [, found] = /DevTools listening on (\S+)/.exec(told) ?? []
        if (found) resolve(found)
      })
      child.once('exit', () => reject(new Error(told)))
    })
    return new Killable(child, await chromium.connectOverCDP(address))
  }

  constructor(child: ChildProcess, browser: Browser) {
    this.#process = child
    this.#browser = browser
    this.context = browser.contexts()[0] as BrowserContext
  }

  /** Ends all its processes at once, as a power cut would. */
  async kill(): Promise<void> {
    const gone = new Promise(resolve => this.#process.once('exit', resolve))
    process.kill(-(this.#process.pid as number), 'SIGKILL')
    await gone
    await this.#browser.close().catch(() => {})
  }
}

describe.skipIf(!existsSync(executablePath))('a checkpoint in the browser', () => {
  it.each([['opfs'], ['indexeddb']])(
    'is the old or the new one when a page was closed in the middle of a write, in %s',
    async home => {
      let browser = await Killable.start()
      let page = await open(browser.context)
      expect(await save(page, home, 1)).toBe('saved')
      const began = performance.now()
      expect(await save(page, home, 2)).toBe('saved')
      const wholeWrite = performance.now() - began
      let cut = 0
      let last = 2
      const cutAt = async (part: number, close: () => Promise<unknown>): Promise<void> => {
        const next = last + 1
        let finished = false
        const saving = save(page, home, next).then(
          () => {
            finished = true
          },
          () => {}, // the page is gone
        )
        await pause(part * wholeWrite)
        await close()
        await saving
        if (!finished) cut++
        page = await open(browser.context)
        const { version, values } = await load(page, home)
        expect(values).toEqual([version])
        expect(finished ? [next] : [last, next]).toContain(version)
        last = version as number
      }
      for (const part of [0.2, 0.5, 0.8]) await cutAt(part, () => page.close())
      for (const part of [0.4, 0.8])
        await cutAt(part, async () => {
          await browser.kill()
          browser = await Killable.start()
        })
      expect(cut).toBeGreaterThan(0)
      // And what was left behind is no obstacle.
      expect(await save(page, home, 100)).toBe('saved')
      expect(await load(page, home)).toEqual({ version: 100, values: [100] })
      await browser.kill()
    },
  )

  it.each([['opfs'], ['indexeddb']])(
    'that does not fit says so, and leaves the one before, in %s',
    async home => {
      const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] })
      try {
        const page = await open(await browser.newContext())
        const cdp = await page.context().newCDPSession(page)
        await cdp.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 20_000_000 })
        expect(await save(page, home, 1)).toBe('saved')
        expect(await save(page, home, 2, 8 * SIZE)).toMatch(
          /^full: browserFolder: no room for checkpoint-[0-9a-f]{12}\.safetensors of run \(32,000,\d{3} bytes\), this site may not keep more; remove what is not needed/,
        )
        expect(await load(page, home)).toEqual({ version: 1, values: [1] })
        expect(await save(page, home, 3)).toBe('saved')
      } finally {
        await browser.close()
      }
    },
  )
})
