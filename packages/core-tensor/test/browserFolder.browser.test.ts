import { afterEach, describe, expect, it } from 'vitest'
import { type BrowserFolder, browserFolder, type FolderHome, StorageError } from '../src/browser/index.ts'

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values)
const NAME = 'test/folder'

afterEach(async () => {
  for (const home of ['opfs', 'indexeddb'] as const)
    for (const name of [NAME, 'test/other', 'test']) {
      const folder = await browserFolder(name, { home })
      for (const file of await folder.names()) await folder.remove(file)
    }
})

describe.each<FolderHome>(['opfs', 'indexeddb'])('a folder of the browser in %s', home => {
  const open = (name = NAME): Promise<BrowserFolder> => browserFolder(name, { home })

  it('gives back what was written, also after it was opened again', async () => {
    const folder = await open()
    expect(folder.home).toBe(home)
    expect(await folder.read('a.bin')).toBeUndefined()
    await folder.write('a.bin', bytes(1, 2, 3))
    await folder.write('empty', bytes())
    expect(await (await open()).read('a.bin')).toEqual(bytes(1, 2, 3))
    expect(await folder.read('empty')).toEqual(bytes())
    expect(await folder.names()).toEqual(['a.bin', 'empty'])
  })

  it('replaces a file by a shorter one, and removes it', async () => {
    const folder = await open()
    await folder.write('a.bin', bytes(1, 2, 3))
    await folder.write('a.bin', bytes(4))
    expect(await folder.read('a.bin')).toEqual(bytes(4))
    await folder.remove('a.bin')
    await folder.remove('a.bin')
    expect(await folder.names()).toEqual([])
  })

  it('keeps folders apart, also one within the other', async () => {
    const [a, b, above] = [await open(), await open('test/other'), await open('test')]
    await a.write('x', bytes(1))
    await b.write('x', bytes(2))
    await above.write('folder.txt', bytes(3))
    expect([await a.read('x'), await b.read('x')]).toEqual([bytes(1), bytes(2)])
    expect([await a.names(), await b.names(), await above.names()]).toEqual([['x'], ['x'], ['folder.txt']])
  })

  it('stores a view, not the memory behind it, and shared memory too', async () => {
    const folder = await open()
    await folder.write('view', new Uint8Array(1000).fill(7).subarray(10, 12))
    const read = (await folder.read('view')) as Uint8Array
    expect(read).toEqual(bytes(7, 7))
    expect(read.buffer.byteLength).toBe(2)
    const shared = new Uint8Array(new SharedArrayBuffer(3)).fill(9)
    await folder.write('shared', shared)
    expect(await folder.read('shared')).toEqual(bytes(9, 9, 9))
  })

  it('never shows half of a file to who reads while it is written', async () => {
    const folder = await open()
    const size = 1_000_000
    await folder.write('big', new Uint8Array(size))
    const seen: number[] = []
    let writing = true
    const reader = (async () => {
      while (writing) {
        const read = (await folder.read('big')) as Uint8Array
        expect(read.length).toBe(size)
        expect(read.every(value => value === read[0])).toBe(true)
        seen.push(read[0] as number)
      }
    })()
    for (let i = 1; i <= 20; i++) await folder.write('big', new Uint8Array(size).fill(i))
    writing = false
    await reader
    expect(seen.length).toBeGreaterThan(2)
  })

  it('takes many writes of one name at once; one of them stays', async () => {
    const folders = await Promise.all(Array.from({ length: 8 }, () => open()))
    await Promise.all(folders.map((folder, i) => folder.write('a', new Uint8Array(10_000).fill(i))))
    const read = (await folders[0]?.read('a')) as Uint8Array
    expect(read.length).toBe(10_000)
    expect(read.every(value => value === read[0])).toBe(true)
    expect(await folders[0]?.names()).toEqual(['a'])
  })

  it('refuses names that lead elsewhere', async () => {
    const folder = await open()
    await expect(folder.write('../x', bytes(1))).rejects.toThrow(
      'browserFolder: the file cannot be called "../x"; use letters, digits, . _ and -',
    )
    await expect(open('a//b')).rejects.toThrow('browserFolder: the folder cannot be called ""')
  })
})

it('a folder is in the private file system where there is one', async () => {
  expect((await browserFolder(NAME)).home).toBe('opfs')
  const { move } = FileSystemFileHandle.prototype as unknown as Record<string, unknown>
  Reflect.deleteProperty(FileSystemFileHandle.prototype, 'move')
  try {
    expect((await browserFolder(NAME)).home).toBe('indexeddb')
  } finally {
    Object.assign(FileSystemFileHandle.prototype, { move })
  }
})

it('errors of the browser say what was tried', async () => {
  const folder = await browserFolder(NAME)
  const { createWritable } = FileSystemFileHandle.prototype
  FileSystemFileHandle.prototype.createWritable = () =>
    Promise.reject(new DOMException('too much', 'QuotaExceededError'))
  try {
    const error = await folder.write('a', bytes(1, 2)).catch((e: unknown) => e)
    expect(error).toBeInstanceOf(StorageError)
    expect(error).toMatchObject({ reason: 'full', cause: { name: 'QuotaExceededError' } })
    expect(String(error)).toContain(
      'StorageError: browserFolder: no room for a of test/folder (2 bytes), this site may not keep more; remove',
    )
  } finally {
    FileSystemFileHandle.prototype.createWritable = createWritable
  }
  expect(await folder.names()).toEqual([])
})
