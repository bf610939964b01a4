import { createHash, randomUUID } from 'node:crypto'
import { type FileHandle, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { homedir, hostname } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { ConfigError } from '@heed/core-tensor'
import {
  checksumOf,
  counted,
  type DataFile,
  DownloadError,
  mismatch,
  type Shelf,
  titleOf,
} from '../download/file.ts'
import { type Sink, type TransferOptions, transfer } from '../download/transfer.ts'

/** How files are fetched and kept. */
export interface CacheOptions extends TransferOptions {
  /** The folder they are kept in; {@link cacheFolder} unless given. */
  readonly cache?: string
}

/** `$HEED_CACHE`, or `heed` in `$XDG_CACHE_HOME` or `~/.cache`. */
export function cacheFolder(): string {
  const { HEED_CACHE, XDG_CACHE_HOME } = process.env
  return HEED_CACHE || join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'heed')
}

/**
 * Files from their public addresses, kept in a folder.
 *
 * @example
 * const from = downloads({ onProgress: ({ file, received }) => show(file.name, received) })
 * const pairs = await multi30k(from, { split: 'train', source: 'de', target: 'en' })
 *
 * @throws DownloadError when a file is asked for that cannot be had
 */
export function downloads(options: CacheOptions = {}): Shelf {
  return async file => (file.urls.length ? readFile(await download(file, options)) : undefined)
}

/**
 * The path of a file in the cache, where it is put first if it is not there or damaged.
 *
 * Bytes go to a file of their own, which takes its name in one step after length and checksum have been found right: a
 * file in the cache is whole, whenever a process is killed and however many run at once. What a broken or stopped run has
 * fetched of a file with a checksum is gone on with by the next one.
 *
 * @throws DownloadError if it cannot be had; the reason of `signal` if that says stop
 */
export async function download(file: DataFile, options: CacheOptions = {}): Promise<string> {
  const path = pathOf(file, options.cache ?? cacheFolder())
  options.signal?.throwIfAborted()
  return onDisk(file, path, async () => {
    if ((await faultOfFile(file, path)) === undefined) return path
    await mkdir(dirname(path), { recursive: true })
    const mine = `${path}.part-${nameOfHost()}-${process.pid}-${randomUUID()}`
    await claim(path, mine)
    const sink = await FileSink.open(file, mine)
    try {
      await transfer(file, sink, options)
      await sink.close()
      await rename(mine, path)
    } catch (error) {
      await sink.close()
      if (checksumOf(file) && sink.size) await rename(mine, `${path}.part`)
      else await rm(mine, { force: true })
      throw error
    }
    return path
  })
}

function pathOf(file: DataFile, cache: string): string {
  for (const part of [file.set, file.name])
    if (!/^\w[\w.-]*$/.test(part))
      throw new ConfigError(
        `download: ${JSON.stringify(part)} is no name of a file; use letters, digits, . _ and -`,
      )
  // Two editions of a name are two files.
  const [, sum = createHash('sha256').update(file.urls.join()).digest('hex')] = checksumOf(file) ?? []
  return join(cache, file.set, `${sum.slice(0, 8)}-${file.name}`)
}

/** Makes what the file system says understood. */
async function onDisk<T>(file: DataFile, path: string, body: () => Promise<T>): Promise<T> {
  try {
    return await body()
  } catch (error) {
    const { code, syscall } = error as NodeJS.ErrnoException
    if (!code || !syscall || error instanceof DownloadError) throw error
    throw new DownloadError(
      `download: ${titleOf(file)} cannot be kept at ${path} (${code}); make room there, or choose another folder by cache or HEED_CACHE`,
      file,
      'disk',
    )
  }
}

const DAY = 24 * 60 * 60 * 1000

/** Takes over what an earlier run has left, as the beginning of `mine`. Renaming lets one process win. */
async function claim(path: string, mine: string): Promise<void> {
  const folder = dirname(path)
  const left: { readonly path: string; readonly size: number }[] = []
  for (const name of await readdir(folder)) {
    if (!name.startsWith(`${basename(path)}.part`) || !(await isAbandoned(folder, name))) continue
    const found = await stat(join(folder, name)).catch(() => undefined)
    if (found) left.push({ path: join(folder, name), size: found.size })
  }
  left.sort((a, b) => b.size - a.size)
  let claimed = false
  for (const part of left) {
    if (claimed) await rm(part.path, { force: true })
    else
      claimed = await rename(part.path, mine).then(
        () => true,
        () => false,
      )
  }
}

/** Whether nobody writes it: handed over, untouched for a day, or of a process of this machine that is dead. */
async function isAbandoned(folder: string, name: string): Promise<boolean> {
  const [, host, pid] = /\.part-([^-]+)-(\d+)-[-0-9a-f]+$/.exec(name) ?? []
  if (host === undefined) return name.endsWith('.part')
  const found = await stat(join(folder, name)).catch(() => undefined)
  if (!found || Date.now() - found.mtimeMs > DAY) return found !== undefined
  if (host !== nameOfHost()) return false
  try {
    process.kill(Number(pid), 0)
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH'
  }
}

function nameOfHost(): string {
  return hostname().replace(/[^\w.]/g, '_')
}

/** What is wrong with a file on disk, in words, also that there is none; `undefined` if nothing is. */
export async function faultOfFile(file: DataFile, path: string): Promise<string | undefined> {
  let handle: FileHandle
  try {
    handle = await open(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'there is none'
    throw error
  }
  try {
    const { size } = await handle.stat()
    if (file.bytes !== undefined && size !== file.bytes)
      return `it has ${counted(size)} bytes, ${counted(file.bytes)} are expected`
    const [algorithm, wanted] = checksumOf(file) ?? []
    if (!algorithm) return undefined
    const hash = createHash(algorithm.replace('-', ''))
    let start: Uint8Array | undefined
    for await (const chunk of handle.createReadStream({ autoClose: false })) {
      start ??= chunk as Uint8Array
      hash.update(chunk as Uint8Array)
    }
    const found = hash.digest('hex')
    return found === wanted
      ? undefined
      : mismatch(algorithm, found, wanted as string, start ?? new Uint8Array())
  } finally {
    await handle.close()
  }
}

/** A file that grows at its end. */
class FileSink implements Sink {
  readonly #file: DataFile
  readonly #path: string
  readonly #handle: FileHandle
  size: number

  static async open(file: DataFile, path: string): Promise<FileSink> {
    const handle = await open(path, 'a')
    return new FileSink(file, path, handle, (await handle.stat()).size)
  }

  constructor(file: DataFile, path: string, handle: FileHandle, size: number) {
    this.#file = file
    this.#path = path
    this.#handle = handle
    this.size = size
  }

  async clear(): Promise<void> {
    await this.#handle.truncate(0)
    this.size = 0
  }

  async write(chunk: Uint8Array): Promise<void> {
    await this.#handle.appendFile(chunk)
    this.size += chunk.length
  }

  fault(): Promise<string | undefined> {
    return faultOfFile(this.#file, this.#path)
  }

  async close(): Promise<void> {
    if (this.#handle.fd < 0) return
    // on disk before it takes its name, should the power fail
    await this.#handle.sync()
    await this.#handle.close()
  }
}
