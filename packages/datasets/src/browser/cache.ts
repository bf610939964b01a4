import { ConfigError } from '@heed/core-tensor'
import { browserFolder, type FolderOptions, StorageError } from '@heed/core-tensor/browser'
import { checksumOf, type DataFile, DownloadError, type Shelf, titleOf } from '../download/file.ts'
import { type TransferOptions, transfer } from '../download/transfer.ts'
import { Pieces } from './pieces.ts'

/** How files are fetched and kept. */
export interface CacheOptions extends TransferOptions, FolderOptions {
  /** The folder of the browser they are kept in; `data` unless given. */
  readonly cache?: string
}

/**
 * Files from their public addresses, kept by the browser, for this page and later ones.
 *
 * @example
 * const from = downloads({ onProgress: ({ file, received }) => show(file.name, received) })
 * const pairs = await multi30k(from, { split: 'train', source: 'de', target: 'en' })
 *
 * @throws DownloadError when a file is asked for that cannot be had
 */
export function downloads(options: CacheOptions = {}): Shelf {
  return async file => (file.urls.length ? download(file, options) : undefined)
}

/**
 * The bytes of a file in the cache, where it is put first if it is not there or damaged.
 *
 * It is kept in pieces, and counts as there once length and checksum have been found right. What a page that was closed has
 * fetched of a file with a checksum, up to its last MiB, is gone on with by the next one. Pages that want the same file at
 * once wait for the first.
 *
 * @throws DownloadError if it cannot be had, with the reason `disk` if the browser has no room; the reason of `signal` if
 * that says stop
 */
export async function download(
  file: DataFile,
  { cache = 'data', home, ...options }: CacheOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const name = await nameOf(file)
  options.signal?.throwIfAborted()
  try {
    const folder = await browserFolder(`${cache}/${file.set}`, home ? { home } : {})
    const wait = options.signal ? { signal: options.signal } : {}
    return await navigator.locks.request(`heed-download:${folder.name}/${name}`, wait, async () => {
      const pieces = await Pieces.open(file, folder, name)
      if (pieces.whole && (await pieces.fault()) === undefined) return pieces.bytes()
      if (pieces.whole || !checksumOf(file)) await pieces.clear()
      try {
        await transfer(file, pieces, options)
        await pieces.finish()
      } catch (error) {
        if (checksumOf(file) && !(error instanceof StorageError)) await pieces.flush()
        else await pieces.clear()
        throw error
      }
      return pieces.bytes()
    })
  } catch (error) {
    if (!(error instanceof StorageError)) throw error
    throw new DownloadError(
      `download: ${titleOf(file)} cannot be kept (${error.message}); or take it into memory, by fetched()`,
      file,
      'disk',
    )
  }
}

async function nameOf(file: DataFile): Promise<string> {
  for (const part of [file.set, file.name])
    if (!/^\w[\w.-]*$/.test(part))
      throw new ConfigError(
        `download: ${JSON.stringify(part)} is no name of a file; use letters, digits, . _ and -`,
      )
  // Two editions of a name are two files.
  const [, sum = await sha256(file.urls.join())] = checksumOf(file) ?? []
  return `${sum.slice(0, 8)}-${file.name}`
}

/** Only secure pages have hashes, and only these may keep files: without them the folder says so. */
async function sha256(text: string): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)))
  return Array.from(digest, byte => byte.toString(16).padStart(2, '0')).join('')
}
