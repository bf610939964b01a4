import { FormatError } from '@heed/core-tensor'
import { gunzip } from './decode.ts'

/** The files of an archive by their names. */
export type Members = ReadonlyMap<string, Uint8Array>

/**
 * Unpacks the files of a zip archive whose names fit.
 *
 * @throws FormatError if it is no zip file, damaged, or none fits
 */
export async function unzip(
  bytes: Uint8Array,
  wanted: (name: string) => boolean,
  where: string,
): Promise<Members> {
  const { unzipSync } = await import('fflate') // loaded when needed
  return unpacked(where, 'zip', () =>
    Object.entries(unzipSync(bytes, { filter: ({ name }) => !name.endsWith('/') && wanted(name) })),
  )
}

/** The same for `.tar.gz`. */
export async function untar(
  bytes: Uint8Array,
  wanted: (name: string) => boolean,
  where: string,
): Promise<Members> {
  const { parseTar } = await import('nanotar') // loaded when needed
  const plain = await gunzip(bytes, where)
  return unpacked(where, 'tar', () =>
    parseTar(plain, { filter: ({ name, type }) => type === 'file' && wanted(name) }).map(({ name, data }) => [
      name,
      data as Uint8Array,
    ]),
  )
}

function unpacked(where: string, kind: string, unpack: () => (readonly [string, Uint8Array])[]): Members {
  let members: (readonly [string, Uint8Array])[]
  try {
    members = unpack()
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new FormatError(`${where}: not a ${kind} file, or a damaged one (${reason}); fetch the file again`)
  }
  if (!members.length)
    throw new FormatError(
      `${where}: the ${kind} file holds none of the files asked for; it is another edition`,
    )
  return new Map(members)
}
