/**
 * The files of a tar archive that npm or pnpm made.
 *
 * @param {Buffer} tar
 * @returns {Map<string, Buffer>}
 */
export function parseTar(tar) {
  const files = new Map()
  let longName
  for (let at = 0; at + 512 <= tar.length && tar[at]; ) {
    const text = (from, length) =>
      tar
        .subarray(at + from, at + from + length)
        .toString()
        .replace(/\0.*$/s, '')
    const size = Number.parseInt(text(124, 12), 8)
    const data = tar.subarray(at + 512, at + 512 + size)
    const kind = text(156, 1)
    if (kind === 'x') longName = /\d+ path=(.*)\n/.exec(data.toString())?.[1]
    else {
      if (kind === '0' || kind === '')
        files.set(longName ?? [text(345, 155), text(0, 100)].filter(Boolean).join('/'), data)
      longName = undefined
    }
    at += 512 + Math.ceil(size / 512) * 512
  }
  return files
}
