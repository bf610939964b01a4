import type { BrowserFolder } from '@heed/core-tensor/browser'
import { joined } from '../download/fetched.ts'
import { type DataFile, faultOf } from '../download/file.ts'
import type { Sink } from '../download/transfer.ts'

/** Bytes of a piece, at least: what a page that is closed may lose. */
const PIECE = 2 ** 20

/**
 * A file that grows at its end: the files `NAME.0-1048576`, `NAME.1048576-2097152` … of a folder, named after the bytes
 * they hold, and `NAME.whole` once all are there.
 */
export class Pieces implements Sink {
  readonly #file: DataFile
  readonly #folder: BrowserFolder
  readonly #name: string
  /** Where each piece ends, by where it starts. */
  readonly #ends: Map<number, number>
  #waiting: Uint8Array[] = []
  #kept: number
  #all: Uint8Array<ArrayBuffer> | undefined
  size: number
  whole: boolean

  static async open(file: DataFile, folder: BrowserFolder, name: string): Promise<Pieces> {
    const names = (await folder.names()).filter(other => other.startsWith(`${name}.`))
    const ends = new Map<number, number>()
    for (const other of names) {
      const [, start, end] = /\.(\d+)-(\d+)$/.exec(other) ?? []
      if (start !== undefined) ends.set(Number(start), Number(end))
    }
    return new Pieces(file, folder, name, { ends, whole: names.includes(`${name}.whole`) })
  }

  private constructor(
    file: DataFile,
    folder: BrowserFolder,
    name: string,
    { ends, whole }: { readonly ends: Map<number, number>; readonly whole: boolean },
  ) {
    this.#file = file
    this.#folder = folder
    this.#name = name
    this.#ends = ends
    this.#kept = 0
    for (let end = ends.get(0); end !== undefined; end = ends.get(end)) this.#kept = end
    this.size = this.#kept
    this.whole = whole
  }

  async clear(): Promise<void> {
    this.#waiting = []
    this.#all = undefined
    await this.#folder.remove(`${this.#name}.whole`)
    this.whole = false
    for (const [start, end] of this.#ends) await this.#folder.remove(this.#piece(start, end))
    this.#ends.clear()
    this.#kept = this.size = 0
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#all = undefined
    this.#waiting.push(chunk)
    this.size += chunk.length
    if (this.size - this.#kept >= PIECE) await this.flush()
  }

  /** Keeps what has arrived. */
  async flush(): Promise<void> {
    if (this.size === this.#kept) return
    await this.#folder.write(this.#piece(this.#kept, this.size), joined(this.#waiting))
    this.#ends.set(this.#kept, this.size)
    this.#waiting = []
    this.#kept = this.size
  }

  /** From now on it is there. */
  async finish(): Promise<void> {
    await this.flush()
    await this.#folder.write(`${this.#name}.whole`, new Uint8Array())
    this.whole = true
  }

  /** All of it, as it is kept. */
  async bytes(): Promise<Uint8Array<ArrayBuffer>> {
    if (this.#all) return this.#all
    const pieces: Uint8Array[] = []
    let at = 0
    for (let end = this.#ends.get(0); end !== undefined; end = this.#ends.get(end)) {
      // One that the browser has dropped makes the file shorter, which is noticed.
      pieces.push((await this.#folder.read(this.#piece(at, end))) ?? new Uint8Array())
      at = end
    }
    this.#all = joined([...pieces, ...this.#waiting])
    return this.#all
  }

  async fault(): Promise<string | undefined> {
    await this.flush()
    return faultOf(this.#file, await this.bytes())
  }

  #piece(start: number, end: number): string {
    return `${this.#name}.${start}-${end}`
  }
}
