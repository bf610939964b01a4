import { type DataFile, faultOf, type Shelf } from './file.ts'
import { type Sink, type TransferOptions, transfer } from './transfer.ts'

/**
 * Files from their public addresses, into memory: for browsers, whose own cache keeps them. For Node see `downloads` of
 * `@heed/datasets/node`, which keeps them in a folder.
 *
 * @throws DownloadError when a file is asked for that no address gives
 */
export function fetched(options: TransferOptions = {}): Shelf {
  return async file => {
    if (!file.urls.length) return undefined
    const memory = new Memory(file)
    await transfer(file, memory, options)
    return memory.bytes()
  }
}

class Memory implements Sink {
  readonly #file: DataFile
  #chunks: Uint8Array[] = []
  size = 0

  constructor(file: DataFile) {
    this.#file = file
  }

  async clear(): Promise<void> {
    this.#chunks = []
    this.size = 0
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#chunks.push(chunk)
    this.size += chunk.length
  }

  bytes(): Uint8Array {
    const all = new Uint8Array(this.size)
    let at = 0
    for (const chunk of this.#chunks) {
      all.set(chunk, at)
      at += chunk.length
    }
    this.#chunks = [all]
    return all
  }

  fault(): Promise<string | undefined> {
    return faultOf(this.#file, this.bytes())
  }
}
