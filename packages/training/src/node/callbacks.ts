import { appendFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Backend } from '@heed/core-tensor'
import { type Callback, type JsonLinesOptions, jsonLines } from '../callbacks.ts'
import { type CheckpointsOptions, factsOf, keeping } from '../checkpoints/keeping.ts'
import type { Trainer } from '../trainer.ts'
import { loadCheckpoint, saveCheckpoint } from './checkpoint.ts'

/**
 * Keeps two checkpoints in a folder, made if need be: `last`, to go on from, and `best`, by a metric of the validation.
 *
 * List it behind the callbacks that remember something, so that what they learned just now is saved too.
 *
 * @throws the system's error, in training, if a file cannot be written; the checkpoint before is untouched then
 */
export function checkpoints<Batch>(folder: string, options: CheckpointsOptions = {}): Callback<Batch> {
  return keeping((checkpoint, name) => saveCheckpoint(folder, checkpoint, name), options)
}

/**
 * Goes on from a checkpoint of {@link checkpoints}.
 *
 * @throws FormatError if it is missing or damaged, ConfigError if it belongs to another model
 */
export function restore<Batch>(
  trainer: Trainer<Batch>,
  folder: string,
  { name = 'last', backend }: { readonly name?: 'last' | 'best'; readonly backend?: Backend } = {},
): void {
  const { tensors, facts } = loadCheckpoint(folder, factsOf, { name, ...(backend ? { backend } : {}) })
  trainer.load({ tensors, ...facts })
}

/** {@link jsonLines} at the end of a file in a folder, `log.jsonl` unless named. */
export function logFile<Batch>(
  folder: string,
  { name = 'log.jsonl', ...options }: JsonLinesOptions & { readonly name?: string } = {},
): Callback<Batch> {
  return jsonLines(line => {
    mkdirSync(folder, { recursive: true })
    appendFileSync(join(folder, name), `${line}\n`)
  }, options)
}
