import { FormatError } from '@heed/core-tensor'

/** A file of a data set: what it is called, where it is had from, and how to know that it is the right one. */
export interface DataFile {
  /** The data set it belongs to. */
  readonly set: string
  /** Its name in a cache or folder, without a path. */
  readonly name: string
  /** Where it can be had, the best address first; none if it can only be at hand. */
  readonly urls: readonly string[]
  readonly bytes?: number
  /** Checksums in hex; of several the first one of these is looked at. */
  readonly sha256?: string
  readonly sha1?: string
  readonly md5?: string
}

/** The bytes of a file, checked; `undefined` if this shelf has no such file. Where the data of {@link multi30k} and others come from. */
export type Shelf = (file: DataFile) => Promise<Uint8Array | undefined>

/** Why a file could not be had. */
export type DownloadReason = 'status' | 'stalled' | 'truncated' | 'length' | 'checksum' | 'network' | 'disk'

/** One try to fetch a file from one address, and what came of it. */
export interface FailedTry {
  readonly url: string
  readonly reason: DownloadReason
  /** In words, with the numbers. */
  readonly what: string
}

/** A file could not be fetched, from any of its addresses. */
export class DownloadError extends Error {
  override readonly name: string = 'DownloadError'
  readonly file: DataFile
  /** Why the last try failed. */
  readonly reason: DownloadReason
  readonly tries: readonly FailedTry[]

  constructor(message: string, file: DataFile, reason: DownloadReason, tries: readonly FailedTry[] = []) {
    super(message)
    this.file = file
    this.reason = reason
    this.tries = tries
  }
}

/** `train.en.gz of multi30k` */
export function titleOf({ set, name }: DataFile): string {
  return `${name} of ${set}`
}

/** The checksum to compare with, if there is one. */
export function checksumOf({
  sha256,
  sha1,
  md5,
}: DataFile): readonly [algorithm: string, hex: string] | undefined {
  return sha256 ? ['SHA-256', sha256] : sha1 ? ['SHA-1', sha1] : md5 ? ['MD5', md5] : undefined
}

/**
 * What is wrong with the bytes of a file, in words; `undefined` if nothing is. MD5 is unknown to browsers: there only the
 * length is compared.
 */
export async function faultOf(file: DataFile, bytes: Uint8Array): Promise<string | undefined> {
  if (file.bytes !== undefined && bytes.length !== file.bytes)
    return `it has ${counted(bytes.length)} bytes, ${counted(file.bytes)} are expected`
  const [algorithm, hex] = checksumOf(file) ?? []
  if (!algorithm || algorithm === 'MD5') return undefined
  const digest = new Uint8Array(await crypto.subtle.digest(algorithm, new Uint8Array(bytes)))
  const found = Array.from(digest, byte => byte.toString(16).padStart(2, '0')).join('')
  return found === hex ? undefined : mismatch(algorithm, found, hex as string, bytes)
}

/** `its SHA-256 is 12ab…, 34cd… is expected; it looks like a web page` */
export function mismatch(algorithm: string, found: string, wanted: string, start: Uint8Array): string {
  const page = /^\s*<(!doctype|html)/i.test(new TextDecoder().decode(start.subarray(0, 100)))
  return `its ${algorithm} is ${found}, ${wanted} is expected${page ? ', and it looks like a web page' : ''}`
}

/** `1,234`, wherever the library runs. */
export function counted(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',')
}

/** The bytes of the first of several editions of a file that the shelf has. @throws FormatError if it has none */
export async function takeFirst<Edition extends DataFile>(
  shelf: Shelf,
  editions: readonly Edition[],
): Promise<{ readonly file: Edition; readonly bytes: Uint8Array }> {
  for (const file of editions) {
    const bytes = await shelf(file)
    if (bytes) return { file, bytes }
  }
  const [first] = editions as readonly [Edition]
  const names = editions.map(({ name }) => name).join(' or ')
  throw new FormatError(
    `${first.set}: ${names} is not there; put it into the folder, or let it be downloaded from ${first.urls[0] ?? 'its source'}`,
  )
}

/** The bytes of a file. @throws FormatError if the shelf does not have it */
export async function take(shelf: Shelf, file: DataFile): Promise<Uint8Array> {
  return (await takeFirst(shelf, [file])).bytes
}

/** Files of a GitHub repository at one commit, by GitHub itself and by a mirror. */
export function github(
  set: string,
  repository: string,
  commit: string,
  folder: string,
): (name: string, bytes: number, sha256: string) => DataFile {
  return (name, bytes, sha256) => ({
    set,
    name,
    urls: [
      `https://raw.githubusercontent.com/${repository}/${commit}/${folder}/${name}`,
      `https://cdn.jsdelivr.net/gh/${repository}@${commit}/${folder}/${name}`,
    ],
    bytes,
    sha256,
  })
}
