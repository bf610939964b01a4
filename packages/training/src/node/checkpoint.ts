import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type Backend, FormatError, readSafetensors, type Tensor, writeSafetensors } from '@heed/core-tensor'
import { writeAtomic } from './files.ts'

/** Tensors, and plain JSON about them. */
export interface Checkpoint<Facts> {
  readonly tensors: Readonly<Record<string, Tensor>>
  readonly facts: Facts
}

interface Index {
  readonly schema: 'heed-checkpoint/1'
  readonly file: string
  readonly sha256: string
  readonly facts: unknown
}

/**
 * Saves a checkpoint in a folder as `NAME.json` and the safetensors file it names.
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
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  const file = `${name}-${sha256.slice(0, 12)}.safetensors`
  writeAtomic(join(folder, file), bytes)
  const index: Index = { schema: 'heed-checkpoint/1', file, sha256, facts }
  writeAtomic(join(folder, `${name}.json`), `${JSON.stringify(index, null, 2)}\n`)
  for (const other of readdirSync(folder))
    if (other !== file && other.startsWith(`${name}-`) && /-[0-9a-f]{12}\.safetensors$/.test(other))
      rmSync(join(folder, other), { force: true })
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
  const index = readIndex(folder, name)
  const bytes = readWhole(join(folder, index.file))
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  if (sha256 !== index.sha256)
    throw new FormatError(
      `checkpoint: ${join(folder, index.file)} is not the file that was written (its SHA-256 differs); restore it, or train again`,
    )
  return {
    tensors: readSafetensors(bytes, backend ? { backend } : {}).tensors,
    facts: checkFacts(index.facts),
  }
}

function readIndex(folder: string, name: string): Index {
  const path = join(folder, `${name}.json`)
  let index: Partial<Index> | null
  try {
    index = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(readWhole(path)))
  } catch (error) {
    if (error instanceof FormatError) throw error
    throw new FormatError(
      `checkpoint: ${path} is not JSON (${error instanceof Error ? error.message : error}); restore it, or train again`,
    )
  }
  if (
    index?.schema !== 'heed-checkpoint/1' ||
    typeof index.file !== 'string' ||
    typeof index.sha256 !== 'string' ||
    /[\\/]/.test(index.file)
  )
    throw new FormatError(`checkpoint: ${path} is not a checkpoint of this kind; restore it, or train again`)
  return index as Index
}

function readWhole(path: string): Uint8Array {
  try {
    return readFileSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    throw new FormatError(`checkpoint: ${path} is missing; restore it, or train again`)
  }
}
