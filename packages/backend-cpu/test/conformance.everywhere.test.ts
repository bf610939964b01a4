import type { Backend } from '@heed/core-tensor'
import { type ConformanceCase, conformanceCases, referenceBackend } from '@heed/core-tensor/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cpu } from '../src/index.ts'
import { builds } from './builds.ts'

const reference = referenceBackend()

/** The cases of each operation, which is the first word of their names. */
const byOperation = new Map<string, ConformanceCase[]>()
for (const one of conformanceCases()) {
  const operation = one.name.split(/[ ,]/)[0] as string
  byOperation.set(operation, [...(byOperation.get(operation) ?? []), one])
}

for (const deterministic of await builds())
  for (const threads of [1, 2])
    describe(`the ${deterministic ? 'exact' : 'fma'} build on ${threads} ${threads > 1 ? 'threads' : 'thread'}`, () => {
      let backend: Backend
      beforeAll(async () => {
        backend = await cpu({ threads, deterministic })
      })
      afterAll(() => backend.dispose())

      it('is the one that was asked for', () => {
        expect(backend.build).toMatch(new RegExp(`^${deterministic ? 'exact' : 'fma'} .*, ${threads} thread`))
      })

      it.each([...byOperation])('%s agrees with the reference', async (_, cases) => {
        const failures: string[] = []
        for (const { run } of cases)
          await run(backend, reference).catch((error: Error) => failures.push(error.message))
        expect(failures).toEqual([])
      })
    })
