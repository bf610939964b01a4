import { ConfigError } from '../errors.ts'
import { openIndexedDb } from './indexedDb.ts'
import { hasOpfs, openOpfs } from './opfs.ts'
import { StorageError } from './storageError.ts'

/** Where a browser keeps files: its origin private file system, or a database. */
export type FolderHome = 'opfs' | 'indexeddb'

/**
 * Files that a browser keeps for the pages of one origin.
 *
 * A file is replaced in one step: whoever reads it, in this tab or another, before or after a page was closed in the
 * middle of a write, finds the old bytes or the new ones, whole.
 */
export interface BrowserFolder {
  readonly name: string
  readonly home: FolderHome
  /** The bytes of a file; `undefined` if there is none. @throws StorageError */
  read(file: string): Promise<Uint8Array<ArrayBuffer> | undefined>
  /** Makes or replaces a file, in one step. @throws StorageError whose `reason` is `full` if there is no room; the old file is untouched then */
  write(file: string, bytes: Uint8Array): Promise<void>
  /** Removes a file, if there is one. @throws StorageError */
  remove(file: string): Promise<void>
  /** The names of all files, sorted. @throws StorageError */
  names(): Promise<string[]>
}

/** How {@link browserFolder} opens one. */
export interface FolderOptions {
  /** The origin private file system where the browser has one, else IndexedDB, unless given. */
  readonly home?: FolderHome
}

/**
 * Opens a folder in the browser, on a page or in a worker. It need not exist.
 *
 * @param name words of letters, digits and `. _ -`, with `/` between them: `runs/dates`
 * @throws StorageError if this page may not keep files, ConfigError for a name that is none
 */
export async function browserFolder(name: string, { home }: FolderOptions = {}): Promise<BrowserFolder> {
  for (const part of name.split('/')) checkName('the folder', part)
  // Hashes and locks are for secure pages only, and so is the file system.
  if (typeof navigator === 'undefined' || !navigator.locks)
    throw new StorageError(
      'browserFolder: nothing can be kept here; use a browser, and serve the page by https or from localhost',
      'unavailable',
    )
  const folder = (home ?? ((await hasOpfs()) ? 'opfs' : 'indexeddb')) === 'opfs' ? openOpfs : openIndexedDb
  return checked(await folder(name))
}

/** A folder that looks at names first. */
function checked(folder: BrowserFolder): BrowserFolder {
  const named = (file: string): string => checkName('the file', file)
  return {
    name: folder.name,
    home: folder.home,
    read: async file => folder.read(named(file)),
    write: async (file, bytes) => folder.write(named(file), bytes),
    remove: async file => folder.remove(named(file)),
    names: () => folder.names(),
  }
}

function checkName(what: string, name: string): string {
  if (!/^\w[\w.-]*$/.test(name))
    throw new ConfigError(
      `browserFolder: ${what} cannot be called ${JSON.stringify(name)}; use letters, digits, . _ and -`,
    )
  return name
}
