import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect } from 'vitest'
import { root } from './fences.ts'
import { build, canLook, looking, openServed, type Site } from './site.ts'

// `pnpm --filter docs dev`, as the README says it: the sources of the site, served while somebody writes.

let server: ChildProcess | undefined
let site: Site | undefined
const said: string[] = []

beforeAll(async () => {
  if (!canLook) return
  await build()
  const { packageManager } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8'))
  server = spawn('npx', ['--yes', packageManager, '--filter', 'docs', 'dev', '--port', '0'], {
    cwd: root,
    detached: true, // it has children, which end with it
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const address = await new Promise<string>((resolve, reject) => {
    for (const stream of [server?.stdout, server?.stderr])
      stream?.on('data', chunk => {
        said.push(String(chunk))
        const found = /http:\/\/localhost:\d+/.exec(plain())
        if (found) resolve(found[0])
      })
    server?.once('close', code => reject(new Error(`dev ended with ${code}:\n${plain()}`)))
  })
  site = await openServed(address)
}, 300_000)
afterAll(async () => {
  if (server?.pid) process.kill(-server.pid)
  await site?.close()
})

/** What the server said, without colours. */
function plain(): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with one
  return said.join('').replace(/\u001b\[[\d;]*m/g, '')
}

looking(
  'serves lessons and playground with workers, several threads and nothing to complain of',
  async () => {
    if (!site) throw new Error('nothing is served')
    const { page, complaints, context } = await site.open('/lessons/soft-attention')
    await page.locator('[data-context]', { hasText: '[0.5662, 0.4338]' }).waitFor()
    await page.goto(`${site.address}/playground`)
    await page.locator('[data-run]:enabled').click()
    await page.getByText(/^Done in/).waitFor()
    expect(await page.locator('[data-output]').textContent()).toContain('[[[0.40176, 0.328933, 0.269307]]]')
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(true)
    expect(complaints).toEqual([])
    // What is found late is prepared late, and the page is loaded anew under the reader.
    expect(plain()).not.toContain('reloading')
    await context.close()
  },
  120_000,
)
