import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type Backend, readSafetensors, writeSafetensors } from '@heed/core-tensor'
import { type Checkpoint, checkSum, isOlder, missing, readIndex, writeIndex } from '../checkpoints/format.ts'
import { writeAtomic } from './files.ts'

/**
 * Saves a checkpoint in a folder, made if need be, as `NAME.json` and the safetensors file it names.
 *
 * The JSON file is written last and replaces the one before in one move, so that whenever the power goes, a whole
 * checkpoint is there: the new or the old.
 *
 * @throws the system's error if the disk is full or the folder cannot be written; the old checkpoint is untouched then
 */
export async function saveCheckpoint<Facts>(
  folder: string,
  { tensors, facts }: Checkpoint<Facts>,
  name = 'checkpoint',
): Promise<void> {
  const bytes = await writeSafetensors(tensors)
  const { file, text } = writeIndex(name, sha256Of(bytes), facts)
  mkdirSync(folder, { recursive: true })
  writeAtomic(join(folder, file), bytes)
  writeAtomic(join(folder, `${name}.json`), text)
  for (const other of readdirSync(folder))
    if (isOlder(other, { name, newest: file })) rmSync(join(folder, other), { force: true })
}

/**
 * Reads a checkpoint back.
 *
 * @param checkFacts turns the JSON of the file into facts, or throws what is wrong with it
 * @throws FormatError if a file is missing or damaged
 */
export function loadCheckpoint<Facts>(
  folder: string,
  checkFacts: (json: unknown) => Facts,
  { name = 'checkpoint', backend }: { readonly name?: string; readonly backend?: Backend } = {},
): Checkpoint<Facts> {
  const path = join(folder, `${name}.json`)
  const index = readIndex(readWhole(path), path)
  const bytes = readWhole(join(folder, index.file))
  checkSum(sha256Of(bytes), index, join(folder, index.file))
  return {
    tensors: readSafetensors(bytes, backend ? { backend } : {}).tensors,
    facts: checkFacts(index.facts),
  }
}

function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

function readWhole(path: string): Uint8Array {
  try {
    return readFileSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    throw missing(path)
  }
}
