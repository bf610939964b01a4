import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cpu } from '@heed/backend-cpu'
import { setBackend } from '@heed/core-tensor'
import { examples, stored, type TextPair, translation } from '@heed/datasets'
import { onTestFinished } from 'vitest'
import type { Sitting } from '../src/sitting.ts'
import type { Corpus } from '../src/translation/corpus.ts'

/** The project's backend, on one core. */
export async function useCpu(): Promise<void> {
  setBackend(await cpu({ threads: 1 }))
}

/** A folder that is gone after the test. */
export function temporary(): string {
  const path = mkdtempSync(join(tmpdir(), 'heed-results-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/** A sitting that says nothing. */
export function sitting(folder: string, more: Partial<Sitting> = {}): Sitting {
  return {
    folder,
    resume: false,
    signal: new AbortController().signal,
    say: () => {},
    progress: { begin: () => {}, update: () => {} },
    ...more,
  }
}

/** A corpus of generated sentences. */
export function toyCorpus(size = 96): Corpus {
  const part = (split: 'train' | 'validation' | 'test', count: number) =>
    stored<TextPair>(
      { name: `toy ${split}`, task: 'translate', source: 'generated', licence: 'MIT' },
      examples(translation({ seed: 1, split, size: count, maxClauses: 1 })),
    )
  return {
    train: part('train', size),
    validation: part('validation', 8),
    test: part('test', 12),
    long: part('test', 6),
  }
}
