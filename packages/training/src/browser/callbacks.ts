import type { Backend } from '@heed/core-tensor'
import type { FolderOptions } from '@heed/core-tensor/browser'
import type { Callback } from '../callbacks.ts'
import { type CheckpointsOptions, factsOf, keeping } from '../checkpoints/keeping.ts'
import type { Trainer } from '../trainer.ts'
import { loadCheckpoint, saveCheckpoint } from './checkpoint.ts'

/**
 * Keeps two checkpoints in a folder of the browser: `last`, to go on from, and `best`, by a metric of the validation.
 *
 * List it behind the callbacks that remember something, so that what they learned just now is saved too.
 *
 * @throws StorageError, in training, if there is no room; the checkpoint before is untouched then
 */
export function checkpoints<Batch>(
  folder: string,
  { home, ...options }: CheckpointsOptions & FolderOptions = {},
): Callback<Batch> {
  const where = home ? { home } : {}
  return keeping((checkpoint, name) => saveCheckpoint(folder, checkpoint, { name, ...where }), options)
}

/**
 * Goes on from a checkpoint of {@link checkpoints}.
 *
 * @throws FormatError if it is missing or damaged, ConfigError if it belongs to another model
 */
export async function restore<Batch>(
  trainer: Trainer<Batch>,
  folder: string,
  {
    name = 'last',
    ...options
  }: FolderOptions & { readonly name?: 'last' | 'best'; readonly backend?: Backend } = {},
): Promise<void> {
  const { tensors, facts } = await loadCheckpoint(folder, factsOf, { name, ...options })
  trainer.load({ tensors, ...facts })
}
