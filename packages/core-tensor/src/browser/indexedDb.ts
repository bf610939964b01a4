import type { BrowserFolder } from './folder.ts'
import { understood } from './storageError.ts'

const STORE = 'files'

/** A folder in the database `heed`: one record a file, under `[folder, file]`. */
export async function openIndexedDb(name: string): Promise<BrowserFolder> {
  const where = (file: string): string => `${file} of ${name}`
  const database = await understood(`opening ${name}`, open)
  const run = async <T>(
    mode: IDBTransactionMode,
    ask: (files: IDBObjectStore) => IDBRequest<T>,
  ): Promise<T> => {
    const transaction = database.transaction(STORE, mode, { durability: 'strict' })
    const request = ask(transaction.objectStore(STORE))
    await new Promise<void>((resolve, reject) => {
      transaction.oncomplete = () => resolve()
      transaction.onabort = () => reject(transaction.error ?? request.error)
    })
    return request.result
  }
  return {
    name,
    home: 'indexeddb',
    read: file =>
      understood(`reading ${where(file)}`, () => run('readonly', files => files.get([name, file]))),
    write: (file, bytes) =>
      understood(
        where(file),
        async () => {
          // A copy: of a view the database would store all the memory behind it.
          await run('readwrite', files => files.put(new Uint8Array(bytes), [name, file]))
        },
        bytes.length,
      ),
    remove: file =>
      understood(`removing ${where(file)}`, () => run('readwrite', files => files.delete([name, file]))),
    names: () =>
      understood(`listing ${name}`, async () => {
        // In the order of keys an array comes after every string.
        const keys = await run('readonly', files => files.getAllKeys(IDBKeyRange.bound([name], [name, []])))
        return keys.map(key => (key as [string, string])[1]).sort()
      }),
  }
}

function open(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open('heed', 1)
    request.onupgradeneeded = () => void request.result.createObjectStore(STORE)
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })
}
