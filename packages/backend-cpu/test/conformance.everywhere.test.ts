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

// On two threads: that their number changes no bit is shown by threads.everywhere.test.ts.
describe.each(await builds())('a backend of two threads, build %s', (name, options) => {
  let backend: Backend
  beforeAll(async () => {
    backend = await cpu({ threads: 2, ...options })
  })
  afterAll(() => backend.dispose())

  it('has the build that was asked for', () => {
    expect(backend.build).toMatch(new RegExp(`^${name} .*, 2 threads`))
  })

  it.each([...byOperation])('%s agrees with the reference', async (_, cases) => {
    const failures: string[] = []
    for (const { run } of cases)
      await run(backend, reference).catch((error: Error) => failures.push(error.message))
    expect(failures).toEqual([])
  })
})
