import { FormatError } from '@heed/core-tensor'

/** Unpacks gzip. @throws FormatError if it is not gzip, damaged or cut off */
export async function gunzip(bytes: Uint8Array, where: string): Promise<Uint8Array> {
  if (!isGzip(bytes))
    throw new FormatError(
      `${where}: not a gzip file, though read as one; drop the ending .gz or the option gzip`,
    )
  const unpacker = new DecompressionStream('gzip')
  // A copy, since the stream takes no shared memory. A failed write is also a failed read, and reported there.
  const writer = unpacker.writable.getWriter()
  const written = Promise.allSettled([writer.write(new Uint8Array(bytes)), writer.close()])
  try {
    const unpacked = await new Response(unpacker.readable).arrayBuffer()
    await written
    return new Uint8Array(unpacked)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new FormatError(
      `${where}: the gzip data is damaged or cut off (${reason}); fetch the file again, or pack it anew in one piece`,
    )
  }
}

function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b
}

/** Text from UTF-8 without its byte order mark. @throws FormatError naming line and byte of what is not UTF-8 */
export function decodeUtf8(bytes: Uint8Array, where: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new FormatError(`${where}: ${describeFault(bytes)}`)
  }
}

function describeFault(bytes: Uint8Array): string {
  if (isGzip(bytes)) return 'not text but gzip; give the option gzip, or let the name end in .gz'
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff))
    return 'not UTF-8 but UTF-16; save the file as UTF-8'
  let line = 1
  for (let start = 0; start < bytes.length; line++) {
    const end = bytes.indexOf(0x0a, start) + 1 || bytes.length
    const fault = firstFault(bytes.subarray(start, end))
    if (fault >= 0) {
      const hex = (bytes[start + fault] as number).toString(16).padStart(2, '0')
      return `not UTF-8, byte ${start + fault} (0x${hex}) in line ${line} is out of place; save the file as UTF-8`
    }
    start = end
  }
  return `${bytes.length} bytes are too many for one text; divide the file`
}

/** Where the first byte sequence begins that is not UTF-8; −1 if none does. */
function firstFault(bytes: Uint8Array): number {
  const strict = new TextDecoder('utf-8', { fatal: true })
  try {
    strict.decode(bytes)
    return -1
  } catch {
    // The longest prefix that decodes as a whole ends where the fault begins.
    const stepwise = new TextDecoder('utf-8', { fatal: true })
    let good = 0
    try {
      for (let i = 0; i < bytes.length; i++)
        if (stepwise.decode(bytes.subarray(i, i + 1), { stream: true })) good = i + 1
    } catch {}
    return good
  }
}
