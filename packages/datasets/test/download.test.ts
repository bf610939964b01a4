import { fork } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ConfigError, FormatError } from '@heed/core-tensor'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type DataFile, DownloadError, type DownloadProgress, fetched } from '../src/index.ts'
import { cacheFolder, download, downloads, folder } from '../src/node/index.ts'

const BODY = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * 31) % 251))
const SHA = createHash('sha256').update(BODY).digest('hex')
const FAST = { retries: 1, pause: 1, timeout: 300 }

type Answer = (response: ServerResponse, request: IncomingMessage) => void

let server: Server
let origin: string
let answers: Answer[] = []
let asked: string[] = []
let cache: string

beforeAll(async () => {
  server = createServer((request, response) => {
    asked.push(request.headers.range ?? 'all')
    const answer = answers.length > 1 ? (answers.shift() as Answer) : answers[0]
    answer?.(response, request)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})
beforeEach(async () => {
  asked = []
  cache = await mkdtemp(join(tmpdir(), 'heed-cache-'))
})
afterEach(() => rm(cache, { recursive: true, force: true }))

const fileAt = (path = '/data.bin', more: Partial<DataFile> = {}): DataFile => ({
  set: 'test',
  name: 'data.bin',
  urls: [origin + path],
  bytes: BODY.length,
  sha256: SHA,
  ...more,
})

/** All of it, as an honest server without Range does. */
const whole: Answer = response => response.writeHead(200, { 'content-length': BODY.length }).end(BODY)
/** What is asked for, as an honest server with Range does. */
const ranged: Answer = (response, request) => {
  const start = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0)
  if (!start) return whole(response, request)
  response
    .writeHead(206, {
      'content-range': `bytes ${start}-${BODY.length - 1}/${BODY.length}`,
      'content-length': BODY.length - start,
    })
    .end(BODY.subarray(start))
}
/** Half of it, then the connection breaks. */
const half: Answer = response => {
  response.writeHead(200, { 'content-length': BODY.length })
  response.write(BODY.subarray(0, 150_000), () => setTimeout(() => response.destroy(), 20))
}
const status =
  (code: number): Answer =>
  response =>
    response.writeHead(code).end('no')

async function failing(promise: Promise<unknown>): Promise<DownloadError> {
  const error = await promise.then(
    () => undefined,
    (e: unknown) => e,
  )
  expect(error).toBeInstanceOf(DownloadError)
  return error as DownloadError
}

/** The names in the cache without the random part. */
async function kept(): Promise<string[]> {
  const names = await readdir(join(cache, 'test')).catch(() => [])
  return names.map(name => name.replace(/-\d+-[-0-9a-f]{36}$/, '-mine')).sort()
}
const FINAL = `${SHA.slice(0, 8)}-data.bin`

describe('download', () => {
  it('keeps the file under its name, tells how far it is, and asks once only', async () => {
    answers = [whole]
    const seen: DownloadProgress[] = []
    const path = await download(fileAt(), { cache, onProgress: progress => seen.push(progress) })
    expect(path).toBe(join(cache, 'test', FINAL))
    expect((await readFile(path)).equals(BODY)).toBe(true)
    expect(seen.at(-1)).toMatchObject({
      received: BODY.length,
      total: BODY.length,
      url: `${origin}/data.bin`,
    })
    const counts = seen.map(({ received }) => received)
    expect(counts).toEqual(counts.toSorted((a, b) => a - b))
    expect(await download(fileAt(), { cache })).toBe(path)
    expect(asked).toEqual(['all'])
    expect(await kept()).toEqual([FINAL])
    expect(Buffer.from((await downloads({ cache })(fileAt())) as Uint8Array).equals(BODY)).toBe(true)
  })

  it('goes on where the connection broke, if the server can', async () => {
    answers = [half, ranged]
    await download(fileAt(), { cache, ...FAST })
    expect(asked).toEqual(['all', 'bytes=150000-'])
    expect(await kept()).toEqual([FINAL])
  })

  it('starts anew where the server cannot', async () => {
    answers = [half, whole]
    await download(fileAt(), { cache, ...FAST })
    expect(asked).toEqual(['all', 'bytes=150000-'])
    expect((await readFile(join(cache, 'test', FINAL))).equals(BODY)).toBe(true)
  })

  it('keeps half a file for the next run, which asks for the other half', async () => {
    answers = [half]
    const error = await failing(download(fileAt(), { cache, ...FAST, retries: 0 }))
    expect(error.reason).toBe('truncated')
    expect(error.message).toContain('download: data.bin of test could not be had')
    expect(error.message).toContain('after 150,000 of 300,000 bytes')
    expect(await kept()).toEqual([`${FINAL}.part`])
    answers = [ranged]
    const seen: number[] = []
    await download(fileAt(), { cache, onProgress: ({ received }) => seen.push(received) })
    expect(asked).toEqual(['all', 'bytes=150000-'])
    expect(seen[0]).toBeGreaterThan(150_000)
    expect(await kept()).toEqual([FINAL])
  })

  it('takes over what a killed process left, and not what a living one writes', async () => {
    await mkdir(join(cache, 'test'))
    const dead = fork('-e', [], { execArgv: ['-e', ''], stdio: 'ignore' })
    await new Promise(resolve => dead.once('exit', resolve))
    const host = (await import('node:os')).hostname().replace(/[^\w.]/g, '_')
    const left = (pid: number | undefined, id: string) =>
      join(cache, 'test', `${FINAL}.part-${host}-${pid}-${id}`)
    await writeFile(left(dead.pid, '1'.repeat(36)), BODY.subarray(0, 1000))
    await writeFile(left(process.pid, '2'.repeat(36)), BODY.subarray(0, 5000))
    answers = [ranged]
    await download(fileAt(), { cache })
    expect(asked).toEqual(['bytes=1000-'])
    expect(await readdir(join(cache, 'test'))).toEqual([
      FINAL,
      `${FINAL}.part-${host}-${process.pid}-${'2'.repeat(36)}`,
    ])
  })

  it('needs no request for a partial file that is whole', async () => {
    await mkdir(join(cache, 'test'))
    await writeFile(join(cache, 'test', `${FINAL}.part`), BODY)
    await download(fileAt(), { cache })
    expect(asked).toEqual([])
  })

  it.each([
    ['wrong', Buffer.alloc(1000, 7)],
    ['too long', Buffer.concat([BODY, BODY])],
    ['of the right length, but wrong', Buffer.alloc(BODY.length)],
  ])('fetches all of it if a partial file is %s', async (_, partial) => {
    await mkdir(join(cache, 'test'))
    await writeFile(join(cache, 'test', `${FINAL}.part`), partial)
    answers = [ranged]
    await download(fileAt(), { cache, ...FAST })
    expect(asked.at(-1)).toBe('all')
    expect((await readFile(join(cache, 'test', FINAL))).equals(BODY)).toBe(true)
  })

  it('fetches a file of the cache anew that has been damaged', async () => {
    answers = [whole]
    const path = await download(fileAt(), { cache })
    for (const damage of [BODY.subarray(1), Buffer.alloc(BODY.length)]) {
      await writeFile(path, damage)
      await download(fileAt(), { cache })
      expect((await readFile(path)).equals(BODY)).toBe(true)
    }
    expect(asked).toHaveLength(3)
  })

  it('says that a server is silent, before and within the data', async () => {
    answers = [() => {}]
    const silent = await failing(download(fileAt(), { cache, timeout: 60, retries: 0 }))
    expect([silent.reason, silent.tries[0]?.what]).toEqual(['stalled', 'no answer within 60 ms'])
    answers = [
      response => response.writeHead(200, { 'content-length': BODY.length }).write(BODY.subarray(0, 2000)),
    ]
    const stalled = await failing(download(fileAt(), { cache, timeout: 60, retries: 0 }))
    expect([stalled.reason, stalled.tries[0]?.what]).toEqual([
      'stalled',
      'nothing came for 60 ms after 2,000 of 300,000 bytes',
    ])
    expect(await kept()).toEqual([`${FINAL}.part`])
  })

  it('goes on after a stall', async () => {
    answers = [
      response => response.writeHead(200, { 'content-length': BODY.length }).write(BODY.subarray(0, 2000)),
      ranged,
    ]
    await download(fileAt(), { cache, timeout: 100, retries: 1, pause: 1 })
    expect(asked).toEqual(['all', 'bytes=2000-'])
  })

  it('waits as long as bytes come, however slowly', async () => {
    const part = BODY.length / 5
    answers = [
      response => {
        response.writeHead(200)
        let sent = 0
        const timer = setInterval(() => {
          response.write(BODY.subarray(sent, sent + part))
          sent += part
          if (sent < BODY.length) return
          clearInterval(timer)
          response.end()
        }, 40)
      },
    ]
    await download(fileAt(), { cache, timeout: 150, retries: 0 })
  })

  it.each([
    [
      'announces another length',
      (r => r.writeHead(200, { 'content-length': 5 }).end('short')) as Answer,
      'length',
      'the server announces 5 bytes, 300,000 are expected',
    ],
    [
      'ends early without announcing',
      (r => {
        r.writeHead(200)
        r.end(BODY.subarray(0, 1000))
      }) as Answer,
      'truncated',
      'the data ended after 1,000 of 300,000 bytes',
    ],
    [
      'sends more than expected',
      (r => {
        r.writeHead(200)
        r.write(BODY)
        r.end('more')
      }) as Answer,
      'length',
      'more than the 300,000 bytes expected arrived',
    ],
    [
      'sends nothing',
      (r => r.writeHead(200).end()) as Answer,
      'truncated',
      'the data ended after 0 of 300,000 bytes',
    ],
    ['answers 404', status(404), 'status', 'the server answered 404'],
    ['answers 500', status(500), 'status', 'the server answered 500'],
    [
      'sends wrong bytes',
      (r => r.writeHead(200).end(Buffer.alloc(BODY.length, 1))) as Answer,
      'checksum',
      `${SHA} is expected`,
    ],
    [
      'sends a page',
      (r =>
        r.writeHead(200).end(Buffer.concat([Buffer.from('<!DOCTYPE html>'), BODY.subarray(15)]))) as Answer,
      'checksum',
      'it looks like a web page',
    ],
    [
      'redirects for ever',
      (r => r.writeHead(302, { location: '/data.bin' }).end()) as Answer,
      'network',
      'no connection (redirect count exceeded)',
    ],
    ['speaks no HTTP', (r => r.socket?.end('what?\r\n\r\n')) as Answer, 'network', 'no connection'],
  ])('ends clearly, and with a clean cache, if the server %s', async (_, answer, reason, what) => {
    answers = [answer]
    const error = await failing(download(fileAt(), { cache, ...FAST, retries: 0 }))
    expect(error.reason).toBe(reason)
    expect(error.message).toContain(what)
    expect(error.message).toMatch(
      /^download: data\.bin of test could not be had; http.*; check the connection/,
    )
    expect(error.file.name).toBe('data.bin')
    expect((await kept()).filter(name => name !== `${FINAL}.part`)).toEqual([])
    if (reason === 'checksum' || reason === 'status') expect(await kept()).toEqual([])
  })

  it('tries 404 and wrong lengths once, and what may pass again', async () => {
    answers = [status(404)]
    await failing(download(fileAt(), { cache, ...FAST, retries: 3 }))
    expect(asked).toHaveLength(1)
    for (const code of [408, 429, 500, 503]) {
      asked = []
      answers = [status(code), whole]
      await rm(join(cache, 'test'), { recursive: true, force: true })
      await download(fileAt(), { cache, ...FAST })
      expect(asked).toHaveLength(2)
    }
  })

  it('goes to the next address, and tells of all if none is good', async () => {
    answers = [status(404), whole]
    const two = fileAt('/', { urls: [`${origin}/first`, `${origin}/second`] })
    await download(two, { cache, ...FAST })
    answers = [status(404)]
    const error = await failing(download({ ...two, sha256: 'a'.repeat(64) }, { cache, ...FAST }))
    expect(error.message).toContain(
      `${origin}/first: the server answered 404; ${origin}/second: the server answered 404`,
    )
    expect(error.tries.map(({ url }) => url)).toEqual([`${origin}/first`, `${origin}/second`])
  })

  it('never mixes bytes of two servers into a file: the second one is asked from the start again', async () => {
    const bad: Answer = response => {
      response.writeHead(200, { 'content-length': BODY.length })
      response.write(Buffer.alloc(1000, 9), () => setTimeout(() => response.destroy(), 20))
    }
    answers = [bad, ranged, ranged]
    await download(fileAt('/', { urls: [`${origin}/bad`, `${origin}/good`] }), {
      cache,
      pause: 1,
      retries: 1,
    })
    expect((await readFile(join(cache, 'test', FINAL))).equals(BODY)).toBe(true)
  })

  it('follows redirects', async () => {
    answers = [response => response.writeHead(302, { location: '/elsewhere' }).end(), whole]
    await download(fileAt(), { cache })
    expect(asked).toHaveLength(2)
  })

  it.each([
    ['another part', 'bytes 7-299999/300000'],
    ['nonsense', 'bytes */x'],
  ])('drops the beginning if a server gives %s for the rest', async (_, range) => {
    const wrong: Answer = response =>
      response.writeHead(206, { 'content-range': range }).end(BODY.subarray(7))
    answers = [half, wrong, whole]
    await download(fileAt(), { cache, pause: 1, retries: 2 })
    expect(asked).toEqual(['all', 'bytes=150000-', 'all'])
  })

  it('drops the beginning if a server has nothing behind it', async () => {
    answers = [half, status(416), whole]
    await download(fileAt(), { cache, pause: 1, retries: 2 })
    expect(asked).toEqual(['all', 'bytes=150000-', 'all'])
  })

  it('refuses the rest of another file', async () => {
    const other: Answer = response =>
      response.writeHead(206, { 'content-range': 'bytes 150000-399999/400000' }).end(BODY.subarray(0, 9))
    answers = [half, other]
    const error = await failing(download(fileAt(), { cache, pause: 1, retries: 1 }))
    expect(error.tries[1]?.what).toBe('the server announces 400,000 bytes, 300,000 are expected')
  })

  it('resumes a file without checksum only while its tag is the same, and never from an earlier run', async () => {
    const loose = fileAt('/loose')
    const plain: DataFile = { set: loose.set, name: loose.name, urls: loose.urls }
    let condition: string | undefined
    const tagged: Answer = response => {
      response.writeHead(200, { 'content-length': BODY.length, etag: '"v1"' })
      response.write(BODY.subarray(0, 1000), () => setTimeout(() => response.destroy(), 20))
    }
    const resumed: Answer = (response, request) => {
      condition = request.headers['if-range'] as string
      ranged(response, request)
    }
    answers = [tagged, resumed]
    const path = await download(plain, { cache, ...FAST })
    expect([condition, asked[1]]).toEqual(['"v1"', 'bytes=1000-'])
    expect((await readFile(path)).equals(BODY)).toBe(true)
    await rm(path)
    answers = [half]
    await failing(download(plain, { cache, ...FAST, retries: 0 }))
    expect(await kept()).toEqual([])
  })

  it('stops at once when told to, with the reason given, and the next run goes on', async () => {
    const stop = new AbortController()
    answers = [
      response => response.writeHead(200, { 'content-length': BODY.length }).write(BODY.subarray(0, 3000)),
    ]
    const running = download(fileAt(), {
      cache,
      signal: stop.signal,
      onProgress: () => stop.abort(new Error('enough')),
    })
    await expect(running).rejects.toThrow('enough')
    expect(await kept()).toEqual([`${FINAL}.part`])
    await expect(download(fileAt(), { cache, signal: AbortSignal.abort() })).rejects.toMatchObject({
      name: 'AbortError',
    })
    expect(asked).toHaveLength(1)
    answers = [ranged]
    await download(fileAt(), { cache })
    expect(asked.at(-1)).toMatch(/^bytes=\d+-$/)
  })

  it('stops between two tries as well', async () => {
    answers = [status(500)]
    const stop = new AbortController()
    const running = download(fileAt(), { cache, signal: stop.signal, retries: 9, pause: 60_000 })
    setTimeout(() => stop.abort(), 50)
    await expect(running).rejects.toMatchObject({ name: 'AbortError' })
  })

  it('passes on what the progress callback throws', async () => {
    answers = [whole]
    const tell = () => {
      throw new RangeError('mine')
    }
    await expect(download(fileAt(), { cache, onProgress: tell })).rejects.toThrow(RangeError)
  })

  it('says that nobody is there', async () => {
    const closed = createServer()
    await new Promise<void>(resolve => closed.listen(0, '127.0.0.1', resolve))
    const { port } = closed.address() as AddressInfo
    await new Promise(resolve => closed.close(resolve))
    const file = fileAt('/', { urls: [`http://127.0.0.1:${port}/`] })
    const error = await failing(download(file, { cache, ...FAST }))
    expect([error.reason, error.tries[0]?.what]).toEqual(['network', 'no connection (ECONNREFUSED)'])
    expect(error.tries).toHaveLength(2)
  })

  it('says that a folder cannot be written', async () => {
    await writeFile(join(cache, 'test'), 'a file, no folder')
    answers = [whole]
    const error = await failing(download(fileAt(), { cache }))
    expect(error.reason).toBe('disk')
    expect(error.message).toMatch(
      /data\.bin of test cannot be kept at .*; make room there, or choose another folder/,
    )
  })

  it('lets many run at once, in one process', async () => {
    answers = [ranged]
    const paths = await Promise.all(Array.from({ length: 6 }, () => download(fileAt(), { cache })))
    expect(new Set(paths).size).toBe(1)
    expect(await kept()).toEqual([FINAL])
    expect((await readFile(paths[0] as string)).equals(BODY)).toBe(true)
  })

  it.each([
    [{ name: '../up' }, 'download: "../up" is no name of a file'],
    [{ set: '..' }, 'download: ".." is no name of a file'],
    [{ urls: [] }, 'has no address'],
  ])('refuses %j', async (more, message) => {
    await expect(download(fileAt('/', more), { cache })).rejects.toThrow(ConfigError)
    await expect(download(fileAt('/', more), { cache })).rejects.toThrow(message)
    await expect(download(fileAt(), { cache, retries: -1 })).rejects.toThrow(
      'retries must be a number from 0, got -1',
    )
  })

  it('looks into the folder of the environment', () => {
    const before = process.env.HEED_CACHE
    process.env.HEED_CACHE = '/somewhere'
    expect(cacheFolder()).toBe('/somewhere')
    delete process.env.HEED_CACHE
    expect(cacheFolder()).toMatch(/heed$/)
    if (before !== undefined) process.env.HEED_CACHE = before
  })
})

describe('fetched', () => {
  it('gives the bytes in memory, resumed and checked as those on disk', async () => {
    answers = [half, ranged]
    const bytes = (await fetched(FAST)(fileAt())) as Uint8Array
    expect(Buffer.from(bytes).equals(BODY)).toBe(true)
    expect(asked).toEqual(['all', 'bytes=150000-'])
    answers = [response => response.writeHead(200).end(Buffer.alloc(BODY.length))]
    expect((await failing(fetched(FAST)(fileAt()))).reason).toBe('checksum')
    expect(await fetched()(fileAt('/', { urls: [] }))).toBeUndefined()
  })
})

describe('folder', () => {
  it('finds a file, packed or in the subfolder of its set, and checks it', async () => {
    const { gzipSync } = await import('node:zlib')
    const from = folder(cache)
    expect(await from(fileAt())).toBeUndefined()
    await mkdir(join(cache, 'test'))
    await writeFile(join(cache, 'test', 'data.bin.gz'), gzipSync(BODY))
    expect(Buffer.from((await from(fileAt())) as Uint8Array).equals(BODY)).toBe(true)
    await writeFile(join(cache, 'data.bin'), 'something else')
    await expect(from(fileAt())).rejects.toThrow(FormatError)
    await expect(from(fileAt())).rejects.toThrow(
      'not data.bin of test: it has 14 bytes, 300,000 are expected',
    )
    const other = { ...fileAt(), bytes: 14 }
    await expect(from(other)).rejects.toThrow(`${SHA} is expected`)
    expect(await folder(cache, { verify: false })(fileAt())).toHaveLength(14)
  })

  it('says that a path cannot be read', async () => {
    await mkdir(join(cache, 'data.bin'))
    await expect(folder(cache)(fileAt())).rejects.toThrow(
      `${join(cache, 'data.bin')}: cannot be read (EISDIR)`,
    )
    await chmod(cache, 0o700)
  })
})
