import { type DataFile, faultOf, type Shelf } from './file.ts'
import { type Sink, type TransferOptions, transfer } from './transfer.ts'

/**
 * Files from their public addresses, into memory, anywhere. To keep them see `downloads` of `@heed/datasets/node` and of
 * `@heed/datasets/browser`.
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
    const all = joined(this.#chunks)
    this.#chunks = [all]
    return all
  }

  fault(): Promise<string | undefined> {
    return faultOf(this.#file, this.bytes())
  }
}

/** One after the other. */
export function joined(chunks: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(chunks.reduce((size, chunk) => size + chunk.length, 0))
  let at = 0
  for (const chunk of chunks) {
    all.set(chunk, at)
    at += chunk.length
  }
  return all
}
