import { type Backend, readSafetensors, writeSafetensors } from '@heed/core-tensor'
import { type BrowserFolder, browserFolder, type FolderOptions } from '@heed/core-tensor/browser'
import { type Checkpoint, checkSum, isOlder, missing, readIndex, writeIndex } from '../checkpoints/format.ts'

export interface BrowserCheckpointOptions extends FolderOptions {
  /** `checkpoint` unless given. */
  readonly name?: string
}

/**
 * Saves a checkpoint in a folder of the browser as `NAME.json` and the safetensors file it names.
 *
 * The JSON file is written last, in one step, so that whenever the page is closed, a whole checkpoint is there: the new
 * or the old.
 *
 * @throws StorageError whose `reason` is `full` if there is no room; the old checkpoint is untouched then
 */
export async function saveCheckpoint<Facts>(
  folder: string,
  { tensors, facts }: Checkpoint<Facts>,
  { name = 'checkpoint', ...options }: BrowserCheckpointOptions = {},
): Promise<void> {
  const place = await browserFolder(folder, options)
  const bytes = await writeSafetensors(tensors)
  const { file, text } = writeIndex(name, await sha256Of(bytes), facts)
  // Two pages that save at once would each remove the other's file.
  await navigator.locks.request(`heed-checkpoint:${folder}/${name}`, async () => {
    try {
      await place.write(file, bytes)
      await place.write(`${name}.json`, new TextEncoder().encode(text))
    } finally {
      // Also where there was no room: half of the new one would take more of it.
      const newest = (await indexIn(place, name))?.file ?? ''
      for (const other of await place.names()) if (isOlder(other, { name, newest })) await place.remove(other)
    }
  })
}

/**
 * Reads a checkpoint back.
 *
 * @param checkFacts turns the JSON of the file into facts, or throws what is wrong with it
 * @throws FormatError if a file is missing or damaged, StorageError if the browser cannot read
 */
export async function loadCheckpoint<Facts>(
  folder: string,
  checkFacts: (json: unknown) => Facts,
  {
    name = 'checkpoint',
    backend,
    ...options
  }: BrowserCheckpointOptions & { readonly backend?: Backend } = {},
): Promise<Checkpoint<Facts>> {
  const place = await browserFolder(folder, options)
  for (;;) {
    const index = await indexIn(place, name)
    if (!index) throw missing(`${name}.json of ${folder}`)
    const bytes = await place.read(index.file)
    if (!bytes) {
      // Another page may have saved the next one meanwhile.
      if ((await indexIn(place, name))?.file !== index.file) continue
      throw missing(`${index.file} of ${folder}`)
    }
    checkSum(await sha256Of(bytes), index, `${index.file} of ${folder}`)
    return {
      tensors: readSafetensors(bytes, backend ? { backend } : {}).tensors,
      facts: checkFacts(index.facts),
    }
  }
}

async function indexIn(
  place: BrowserFolder,
  name: string,
): Promise<ReturnType<typeof readIndex> | undefined> {
  const bytes = await place.read(`${name}.json`)
  return bytes && readIndex(bytes, `${name}.json of ${place.name}`)
}

async function sha256Of(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
  return Array.from(digest, byte => byte.toString(16).padStart(2, '0')).join('')
}
