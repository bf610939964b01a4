import { readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import * as datasets from '../src/index.ts'

it('the example of the README runs and gives what it says', async () => {
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8')
  const [, example] = /```ts\n([\s\S]*?)```/.exec(readme) ?? []
  const body = example?.replace(/^import (\{[^}]*\}) from '@heed\/datasets'/, 'const $1 = datasets')
  const { batches, pairs, vocabulary } = new Function(
    'datasets',
    `${body}; return { batches, pairs, vocabulary }`,
  )(datasets)
  expect(pairs).toHaveLength(1000)
  expect(vocabulary.size).toBeGreaterThan(100)
  expect(batches.epoch(0).at(0).sourceShape[0]).toBe(64)
})
