import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ConfigError, FormatError } from '@heed/core-tensor'
import { checksumOf, faultOf, type Shelf, titleOf } from '../download/file.ts'
import { gunzip } from '../files/decode.ts'

/**
 * Files that are at hand in a folder, under their own names, packed by gzip or not, there or in a subfolder named after
 * the data set.
 *
 * @param options.verify whether a file whose length or checksum is another one is refused; yes unless given
 * @throws ConfigError when a path cannot be read, FormatError when a file is not the one it should be
 */
export function folder(path: string, { verify = true }: { readonly verify?: boolean } = {}): Shelf {
  return async file => {
    for (const place of [join(path, file.name), join(path, file.set, file.name)]) {
      for (const packed of [false, true]) {
        const bytes = await readIfThere(packed ? `${place}.gz` : place)
        if (!bytes) continue
        const whole = packed ? await gunzip(bytes, `${place}.gz`) : bytes
        const fault = verify && checksumOf(file) ? await faultOf(file, whole) : undefined
        if (fault)
          throw new FormatError(
            `${packed ? `${place}.gz` : place}: not ${titleOf(file)}: ${fault}; fetch it again, or read it as it is by verify: false`,
          )
        return whole
      }
    }
    return undefined
  }
}

async function readIfThere(path: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw new ConfigError(`${path}: cannot be read (${code}); check the path and its permissions`)
  }
}
