import { ConfigError } from '@heed/core-tensor'
import {
  checksumOf,
  counted,
  type DataFile,
  DownloadError,
  type DownloadReason,
  type FailedTry,
  titleOf,
} from './file.ts'

/** How far a download has come. */
export interface DownloadProgress {
  readonly file: DataFile
  readonly url: string
  /** Bytes at hand, those of earlier runs among them. */
  readonly received: number
  /** Bytes of the whole file, where that is known. */
  readonly total: number | undefined
}

/** How files are fetched. */
export interface TransferOptions {
  readonly signal?: AbortSignal
  /** Called whenever bytes arrive. */
  readonly onProgress?: (progress: DownloadProgress) => void
  /** After so many ms without a byte a try has stalled; 30,000 unless given. */
  readonly timeout?: number
  /** How often an address is tried again; 2 unless given. */
  readonly retries?: number
  /** ms before the first try again, then twice as many each time; 500 unless given. */
  readonly pause?: number
}

/** Where the bytes of a file go. */
export interface Sink {
  /** Bytes it holds. */
  readonly size: number
  clear(): Promise<void>
  write(chunk: Uint8Array): Promise<void>
  /** What is wrong with all that was written, in words. */
  fault(): Promise<string | undefined>
}

/** Of a file whose length nobody says, not more is read. */
const MOST_BYTES = 4 * 2 ** 30

/**
 * Fetches a file into a sink, from the place on where the sink ends.
 *
 * Each address is tried `retries + 1` times, going on where the last try broke off if the server can do that; then the
 * next one. An answer like 404, a wrong length or wrong bytes are final for an address. Bytes are right if length and
 * checksum are; wrong ones are cleared away.
 *
 * @throws DownloadError if no address gave the file; what `signal` gives as its reason if it says stop
 */
export async function transfer(file: DataFile, sink: Sink, options: TransferOptions): Promise<void> {
  const { signal, retries = 2, pause = 500, timeout = 30_000 } = options
  for (const [name, value] of Object.entries({ retries, pause, timeout }))
    if (!(value >= 0)) throw new ConfigError(`download: ${name} must be a number from 0, got ${value}`)
  if (!file.urls.length)
    throw new ConfigError(
      `download: ${titleOf(file)} has no address; give its urls, or read it from a folder`,
    )
  const tries: FailedTry[] = []
  for (const url of file.urls) {
    const server: Server = { url, tag: undefined }
    for (let attempt = 0; attempt <= retries; attempt++) {
      if (attempt) await sleep(pause * 2 ** (attempt - 1), signal)
      signal?.throwIfAborted()
      const resumed = sink.size > 0
      try {
        await receive(file, server, sink, options)
        const fault = await sink.fault()
        if (fault === undefined) return
        await sink.clear()
        // what was there before may be to blame
        throw new Fault('checksum', fault, resumed)
      } catch (error) {
        signal?.throwIfAborted()
        if (!(error instanceof Fault)) throw error
        tries.push({ url, reason: error.reason, what: error.what })
        if (!error.again) break
      }
    }
  }
  const last = tries.at(-1) as FailedTry
  const told = tries.map(({ url, what }) => `${url}: ${what}`)
  throw new DownloadError(
    `download: ${titleOf(file)} could not be had; ${[...new Set(told)].join('; ')}; ` +
      'check the connection and try again, or fetch it by other means and read it from a folder',
    file,
    last.reason,
    tries,
  )
}

/** Why a try failed, and whether another one at the same address makes sense. */
class Fault {
  readonly reason: DownloadReason
  readonly what: string
  readonly again: boolean

  constructor(reason: DownloadReason, what: string, again: boolean) {
    this.reason = reason
    this.what = what
    this.again = again
  }
}

interface Server {
  readonly url: string
  /** What the server calls this state of the file. */
  tag: string | undefined
}

/** One try: from the end of the sink to the end of the file. @throws Fault */
async function receive(file: DataFile, server: Server, sink: Sink, options: TransferOptions): Promise<void> {
  const known = checksumOf(file) !== undefined
  if (sink.size > (file.bytes ?? Number.POSITIVE_INFINITY) || !(known || server.tag)) await sink.clear()
  if (sink.size > 0 && sink.size === file.bytes) return
  const stop = new AbortController()
  const patience = new Patience(options.timeout ?? 30_000, () => stop.abort())
  const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal
  try {
    const response = await ask(file, server, sink, signal, patience)
    const total = await agree(file, response, sink)
    server.tag = response.headers.get('etag')?.startsWith('"')
      ? (response.headers.get('etag') ?? undefined)
      : undefined
    await readBody(file, response, total, sink, patience, received =>
      options.onProgress?.({ file, url: server.url, received, total }),
    )
  } finally {
    patience.rest()
    stop.abort() // closes the connection if the body was not read to its end
  }
}

async function ask(
  file: DataFile,
  { url, tag }: Server,
  sink: Sink,
  signal: AbortSignal,
  patience: Patience,
): Promise<Response> {
  const headers: Record<string, string> = { 'accept-encoding': 'identity' }
  if (sink.size) headers.range = `bytes=${sink.size}-`
  if (sink.size && tag && !checksumOf(file)) headers['if-range'] = tag
  try {
    return await fetch(url, { headers, signal, cache: 'no-store' })
  } catch (error) {
    if (patience.over) throw new Fault('stalled', `no answer within ${counted(patience.ms)} ms`, true)
    throw new Fault('network', `no connection (${reasonOf(error)})`, true)
  }
}

/** Whether the answer is the file, or its missing part. @returns the bytes of the whole file, if known @throws Fault */
async function agree(file: DataFile, { status, headers }: Response, sink: Sink): Promise<number | undefined> {
  if (status === 416) {
    await sink.clear()
    throw new Fault('length', 'the server has no bytes where the partial file ends; it was dropped', true)
  }
  if (status !== 200 && status !== 206) {
    const again = status >= 500 || [408, 425, 429].includes(status)
    throw new Fault('status', `the server answered ${status}`, again)
  }
  if (status === 206) {
    const [, start, all] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headers.get('content-range') ?? '') ?? []
    if (Number(start) !== sink.size) {
      const asked = sink.size
      await sink.clear()
      throw new Fault(
        'length',
        `asked for bytes from ${counted(asked)} on, the server gave ${headers.get('content-range')}`,
        true,
      )
    }
    return expect(file, all === '*' ? undefined : Number(all))
  }
  if (sink.size) await sink.clear() // the server sends all of it
  const length = headers.get('content-length')
  return expect(file, length === null || headers.has('content-encoding') ? undefined : Number(length))
}

function expect(file: DataFile, announced: number | undefined): number | undefined {
  if (file.bytes !== undefined && announced !== undefined && announced !== file.bytes)
    throw new Fault(
      'length',
      `the server announces ${counted(announced)} bytes, ${counted(file.bytes)} are expected`,
      false,
    )
  return file.bytes ?? announced
}

async function readBody(
  file: DataFile,
  { body }: Response,
  total: number | undefined,
  sink: Sink,
  patience: Patience,
  tell: (received: number) => void,
): Promise<void> {
  const reader = body?.getReader()
  const of = total === undefined ? '' : ` of ${counted(total)}`
  for (;;) {
    patience.renew()
    const { done, value } = await read(reader, patience, () => `${counted(sink.size)}${of} bytes`)
    patience.rest() // writing and telling take the time they take
    if (done) break
    if (sink.size + value.length > (total ?? MOST_BYTES)) {
      await sink.clear()
      throw new Fault('length', `more than the ${counted(total ?? MOST_BYTES)} bytes expected arrived`, false)
    }
    await sink.write(value)
    tell(sink.size)
  }
  if (total !== undefined && sink.size < total)
    throw new Fault('truncated', `the data ended after ${counted(sink.size)}${of} bytes`, true)
  if (!sink.size && file.bytes !== 0) throw new Fault('truncated', 'the answer was empty', true)
}

async function read(
  reader: ReadableStreamDefaultReader<Uint8Array> | undefined,
  patience: Patience,
  soFar: () => string,
): Promise<
  { readonly done: false; readonly value: Uint8Array } | { readonly done: true; readonly value?: undefined }
> {
  try {
    const { done, value } = (await reader?.read()) ?? { done: true }
    return done ? { done } : { done, value: value as Uint8Array }
  } catch (error) {
    if (patience.over)
      throw new Fault('stalled', `nothing came for ${counted(patience.ms)} ms after ${soFar()}`, true)
    throw new Fault('truncated', `the connection broke after ${soFar()} (${reasonOf(error)})`, true)
  }
}

/** Runs out unless it is renewed. */
class Patience {
  readonly ms: number
  over = false
  readonly #give: () => void
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(ms: number, give: () => void) {
    this.ms = ms
    this.#give = give
    this.renew()
  }

  renew(): void {
    this.rest()
    if (this.ms >= 2 ** 31) return // longer than timers can wait
    this.#timer = setTimeout(() => {
      this.over = true
      this.#give()
    }, this.ms)
  }

  rest(): void {
    clearTimeout(this.#timer)
  }
}

/** `ECONNREFUSED`, or what else the engine says. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { cause } = error
  if (!(cause instanceof Error)) return error.message
  return (cause as Error & { readonly code?: string }).code ?? cause.message
}

function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop)
      resolve()
    }, ms)
    const stop = (): void => {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    if (signal?.aborted) stop()
    else signal?.addEventListener('abort', stop, { once: true })
  })
}
