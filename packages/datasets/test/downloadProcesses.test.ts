import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { afterAll, beforeAll, expect, it } from 'vitest'

const BODY = Buffer.alloc(2_000_000, 'two processes at once ')
const SHA = createHash('sha256').update(BODY).digest('hex')

let server: Server
let folder: string
let program: string
/** How many bytes were sent; none more are while the gate is shut. */
let sent = 0
let gate: Promise<void> = Promise.resolve()
const ranges: (string | undefined)[] = []

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'heed-processes-'))
  program = join(folder, 'program.mjs')
  server = createServer(async (request, response) => {
    ranges.push(request.headers.range)
    let at = Number(/\d+/.exec(request.headers.range ?? '')?.[0] ?? 0)
    const part = at ? { 'content-range': `bytes ${at}-${BODY.length - 1}/${BODY.length}` } : {}
    response.writeHead(at ? 206 : 200, { 'content-length': BODY.length - at, ...part })
    for (; at < BODY.length && !response.destroyed; at += 100_000) {
      response.write(BODY.subarray(at, at + 100_000))
      sent += 100_000
      if (at >= 900_000) await gate
    }
    response.end()
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const file = {
    set: 'test',
    name: 'data.bin',
    urls: [`http://127.0.0.1:${(server.address() as AddressInfo).port}/`],
    bytes: BODY.length,
    sha256: SHA,
  }
  const cache = join(folder, 'cache')
  await build({
    stdin: {
      contents: `import { download } from './index.ts'
        console.log(await download(${JSON.stringify(file)}, ${JSON.stringify({ cache })}))`,
      resolveDir: fileURLToPath(new URL('../src/node', import.meta.url)),
      loader: 'ts',
    },
    bundle: true,
    platform: 'node',
    format: 'esm',
    conditions: ['@heed/source'],
    outfile: program,
  })
})
afterAll(async () => {
  server.closeAllConnections()
  server.close()
  await rm(folder, { recursive: true, force: true })
})

function run(): { readonly child: ChildProcess; readonly end: Promise<number | null> } {
  const child = spawn(process.execPath, [program], { stdio: ['ignore', 'ignore', 'inherit'] })
  return { child, end: new Promise(resolve => child.once('exit', code => resolve(code))) }
}

const cached = () => readdir(join(folder, 'cache', 'test'))

it('many processes at once leave one whole file', async () => {
  expect(await Promise.all(Array.from({ length: 4 }, () => run().end))).toEqual([0, 0, 0, 0])
  const [name, ...more] = await cached()
  expect(more).toEqual([])
  expect((await readFile(join(folder, 'cache', 'test', name as string))).equals(BODY)).toBe(true)
  await rm(join(folder, 'cache'), { recursive: true })
})

it('a process killed in the middle leaves no whole name, and the next one goes on from there', async () => {
  let open = () => {}
  gate = new Promise(resolve => {
    open = resolve
  })
  sent = 0
  const { child, end } = run()
  while (sent < 1_000_000) await new Promise(resolve => setTimeout(resolve, 10))
  // until what was sent lies on disk
  let size = 0
  while (size < 500_000) {
    await new Promise(resolve => setTimeout(resolve, 10))
    const [part] = await cached()
    size = part ? (await readFile(join(folder, 'cache', 'test', part))).length : 0
  }
  child.kill('SIGKILL')
  await end
  expect((await cached()).filter(name => !name.includes('.part'))).toEqual([])
  open()
  ranges.length = 0
  expect(await run().end).toBe(0)
  expect(Number(/\d+/.exec(ranges[0] ?? '')?.[0])).toBeGreaterThanOrEqual(500_000)
  const [name, ...more] = await cached()
  expect(more).toEqual([])
  expect((await readFile(join(folder, 'cache', 'test', name as string))).equals(BODY)).toBe(true)
})
