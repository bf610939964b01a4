import { createHash } from 'node:crypto'
import { resolve } from 'node:path'
import { ConfigError, FormatError, type Tensor, tensor } from '@heed/core-tensor'
import { readVectors, type Vocabulary, vectorTable, type WordVectors } from '@heed/datasets'
import type { SentimentConfig } from '../run.ts'
import { readData } from '../translate/data.ts'
import type { Pretrained } from './train.ts'

/** A row for each word of a vocabulary, `[vocab, size]`; words without a vector get one drawn from the seed. */
export function tableOf(vocabulary: Vocabulary, vectors: WordVectors, seed: number): Tensor {
  const { table } = vectorTable(vocabulary, vectors, { seed })
  return tensor(table, { shape: [vocabulary.size, vectors.size] })
}

/** A file of word vectors as a run's configuration names it. @throws ConfigError if there is no such file */
export function vectorsOf(path: string, use: Pretrained['use']): NonNullable<SentimentConfig['vectors']> {
  return { path: resolve(path), sha256: hash(readData(path, '--vectors')), use }
}

/** How many numbers each vector of a file has. @throws FormatError if it is damaged */
export function vectorSize(path: string): number {
  return readVectors(readData(path, '--vectors'), { only: () => false, name: path }).size
}

/**
 * The word vectors a run begins with, and the share of its words that have one.
 *
 * @throws FormatError if the file is damaged, or another one than when the run began; ConfigError if its vectors have not
 * the size of the run's, or no word has one
 */
export function loadVectors(
  { vectors, embedding, seed }: Pick<SentimentConfig, 'vectors' | 'embedding' | 'seed'>,
  vocabulary: Vocabulary,
): { readonly pretrained: Pretrained; readonly coverage: number } | undefined {
  if (!vectors) return undefined
  const { path, sha256, use } = vectors
  const bytes = readData(path, '--vectors')
  if (hash(bytes) !== sha256)
    throw new FormatError(
      `${path}: the file has changed since this run began; restore it, or start a new run`,
    )
  const wanted = new Set<string>()
  for (let id = 0; id < vocabulary.size; id++)
    wanted.add(vocabulary.token(id)).add(vocabulary.token(id).toLowerCase())
  const found = readVectors(bytes, { only: word => wanted.has(word), name: path })
  if (found.size !== embedding)
    throw new ConfigError(
      `${path}: its vectors have ${found.size} numbers, --embedding is ${embedding}; leave --embedding out`,
    )
  const { table, coverage } = vectorTable(vocabulary, found, { seed })
  return { pretrained: { table: tensor(table, { shape: [vocabulary.size, found.size] }), use }, coverage }
}

function hash(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
