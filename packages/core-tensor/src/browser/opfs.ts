import type { BrowserFolder } from './folder.ts'
import { understood } from './storageError.ts'

/** What browsers have, and TypeScript's library does not know. */
interface Movable extends FileSystemFileHandle {
  move(name: string): Promise<void>
}

/** Whether the origin private file system is here and can do what is needed; some browsers refuse it in private windows. */
export async function hasOpfs(): Promise<boolean> {
  const prototype = globalThis.FileSystemFileHandle?.prototype as Partial<Movable> | undefined
  if (!prototype?.createWritable || !prototype.move) return false
  return navigator.storage.getDirectory().then(
    () => true,
    () => false,
  )
}

/** Of files that are being written; the other names never hold this. */
const PART = '~'

/** A folder of the origin private file system, under `heed/`. */
export async function openOpfs(name: string): Promise<BrowserFolder> {
  const where = (file: string): string => `${file} of ${name}`
  // A file that gets replaced while it is read cannot be read, and two pages cannot move a file to one name at once.
  const names = `heed-folder:${name}`
  const parts = `heed-folder:${name} parts`
  const directory = await understood(`opening ${name}`, async () => {
    let at = await navigator.storage.getDirectory()
    for (const part of ['heed', ...name.split('/')]) at = await at.getDirectoryHandle(part, { create: true })
    return at
  })
  const list = async (): Promise<string[]> => {
    const found: string[] = []
    for await (const entry of directory.values()) if (entry.kind === 'file') found.push(entry.name)
    return found
  }
  const remove = (file: string): Promise<void> => directory.removeEntry(file).catch(unlessMissing)

  // What pages left behind that were closed while they wrote; only while nobody writes.
  await navigator.locks.request(parts, { ifAvailable: true }, async free => {
    if (free)
      await understood(`tidying ${name}`, async () => {
        for (const file of await list()) if (file.includes(PART)) await remove(file)
      })
  })

  return {
    name,
    home: 'opfs',
    read: file =>
      understood(`reading ${where(file)}`, () =>
        navigator.locks.request(names, { mode: 'shared' }, async () => {
          const handle = await directory.getFileHandle(file).catch(unlessMissing)
          return handle && new Uint8Array(await (await handle.getFile()).arrayBuffer())
        }),
      ),
    write: (file, bytes) =>
      understood(
        where(file),
        () =>
          navigator.locks.request(parts, { mode: 'shared' }, async () => {
            const beside = `${file}${PART}${crypto.randomUUID()}`
            try {
              const handle = (await directory.getFileHandle(beside, { create: true })) as Movable
              const stream = await handle.createWritable()
              try {
                // Asks for the room first: an error in the middle of writing does not always say that there is none.
                await stream.truncate(bytes.length)
                await stream.write(plain(bytes))
                await stream.close()
              } catch (error) {
                await stream.abort().catch(() => {}) // it may be closed by its error already
                throw error
              }
              await navigator.locks.request(names, () => handle.move(file))
            } catch (error) {
              await remove(beside)
              throw error
            }
          }),
        bytes.length,
      ),
    remove: file =>
      understood(`removing ${where(file)}`, () => navigator.locks.request(names, () => remove(file))),
    names: () =>
      understood(`listing ${name}`, async () => (await list()).filter(file => !file.includes(PART)).sort()),
  }
}

/** Streams take no shared memory. */
function plain(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes.buffer instanceof ArrayBuffer ? (bytes as Uint8Array<ArrayBuffer>) : new Uint8Array(bytes)
}

function unlessMissing(error: unknown): undefined {
  if ((error as Error | null)?.name !== 'NotFoundError') throw error
}
