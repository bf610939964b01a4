import { FormatError, type Tensor } from '@heed/core-tensor'

/** Tensors, and plain JSON about them. */
export interface Checkpoint<Facts> {
  readonly tensors: Readonly<Record<string, Tensor>>
  readonly facts: Facts
}

/** What `NAME.json` holds: the safetensors file that belongs to it, and the facts. */
export interface CheckpointIndex {
  readonly schema: 'heed-checkpoint/1'
  readonly file: string
  readonly sha256: string
  readonly facts: unknown
}

/** The text of `NAME.json`, and the name of the safetensors file that must be there before it. */
export function writeIndex(
  name: string,
  sha256: string,
  facts: unknown,
): { readonly file: string; readonly text: string } {
  const file = `${name}-${sha256.slice(0, 12)}.safetensors`
  const index: CheckpointIndex = { schema: 'heed-checkpoint/1', file, sha256, facts }
  return { file, text: `${JSON.stringify(index, null, 2)}\n` }
}

/** Whether a file belongs to another checkpoint of that name than the newest, whose file is named. */
export function isOlder(
  file: string,
  { name, newest }: { readonly name: string; readonly newest: string },
): boolean {
  const isOne = file.startsWith(`${name}-`) && /^[0-9a-f]{12}\.safetensors$/.test(file.slice(name.length + 1))
  return isOne && file !== newest
}

/** @throws FormatError if these are not the bytes of such a file */
export function readIndex(bytes: Uint8Array, path: string): CheckpointIndex {
  let index: Partial<CheckpointIndex> | null
  try {
    index = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (error) {
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
  return index as CheckpointIndex
}

export function missing(path: string): FormatError {
  return new FormatError(`checkpoint: ${path} is missing; restore it, or train again`)
}

/** @throws FormatError unless it is the file that was written */
export function checkSum(sha256: string, index: CheckpointIndex, path: string): void {
  if (sha256 !== index.sha256)
    throw new FormatError(
      `checkpoint: ${path} is not the file that was written (its SHA-256 differs); restore it, or train again`,
    )
}
