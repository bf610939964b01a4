import { type ConformanceCase, conformanceCases, referenceBackend } from '@heed/core-tensor/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type GpuBackend, type GpuOptions, gpu } from '../src/index.ts'
import { flushed } from './flushed.ts'

const reference = flushed(referenceBackend())

/** The cases of each operation, which is the first word of their names. */
function byOperation(): Map<string, ConformanceCase[]> {
  const cases = new Map<string, ConformanceCase[]>()
  for (const one of conformanceCases()) {
    const operation = one.name.split(/[ ,]/)[0] as string
    cases.set(operation, [...(cases.get(operation) ?? []), one])
  }
  return cases
}

/**
 * The cases of the conformance suite, or one in `every` of each operation: what is float64 must be refused with the way out, and
 * everything else agree.
 */
export function conforms(name: string, options: GpuOptions, every = 1): void {
  describe(name, () => {
    let backend: GpuBackend
    beforeAll(async () => {
      backend = await gpu({ software: true, ...options })
    })
    afterAll(() => backend.dispose())

    it.each([...byOperation()])(
      '%s agrees with the reference',
      async (_, cases) => {
        const shown = flushed(backend)
        const failures: string[] = []
        for (const { name, run } of cases.filter((_, i) => i % every === 0)) {
          const float64 = /\bfloat64\b/.test(name)
          const outcome = await run(shown, reference).then(
            () => '',
            (error: Error) => error.message,
          )
          const refused = /float64 does not exist on WebGPU; use x\.cast\('float32'\)/.test(outcome)
          if (float64 ? outcome && !refused : outcome) failures.push(outcome)
        }
        expect(failures).toEqual([])
      },
      180_000,
    )
  })
}
