import type { Backend } from '@heed/core-tensor'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cpu } from '../src/index.ts'
import { workOn } from './bits.ts'
import { builds } from './builds.ts'
import { shared } from './work.ts'

describe.each(await builds())(
  'the bits do not depend on the number of threads, build %s',
  (_name, options) => {
    let backends: Backend[]
    beforeAll(async () => {
      backends = await Promise.all([1, 2, 3].map(threads => cpu({ threads, ...options })))
    })
    afterAll(() => {
      for (const backend of backends) backend.dispose()
    })

    it.each(Object.entries(shared))('of %s', (_, work) => {
      const [one, ...more] = backends.map(backend => workOn(backend, work))
      expect(more).toEqual([one, one])
    })
  },
)
