import type { Backend, Kernels } from '@heed/core-tensor'
import { type ConformanceCase, conformanceCases, referenceBackend } from '@heed/core-tensor/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type GpuOptions, gpu } from '../src/index.ts'
import { flushed } from './flushed.ts'

const reference = flushed(referenceBackend())

/** The cases of each operation, which is the first word of their names; each keeps what the reference makes of it for the next backend. */
const byOperation = new Map<string, ConformanceCase[]>()
for (const one of conformanceCases()) {
  const operation = one.name.split(/[ ,]/)[0] as string
  byOperation.set(operation, [...(byOperation.get(operation) ?? []), one])
}

type Refusals = readonly (readonly [name: RegExp, refusal: RegExp])[]

/** float64 exists nowhere; gpu.js's kernels hold whole numbers in float32. Each must be refused with the way out. */
const NATIVE: Refusals = [[/\bfloat64\b/, /float64 does not exist on WebGPU; use x\.cast\('float32'\)/]]
const GPUJS: Refusals = [
  [/\bfloat64\b/, /float64 does not exist on Web(GL2|GPU); use x\.cast\('float32'\)/],
  [/^prod int32/, /a whole number is beyond ±16777215.*; cast to float32/],
]

/** Which cases are run: all, unless told otherwise. */
export interface Choice {
  /** One in so many of each operation. */
  readonly every?: number
  /** Some operations only. */
  readonly operations?: readonly string[]
}

/**
 * The cases of the conformance suite: what float32 does not have must be refused with the way out, and everything else agree. Where all
 * are run, every kernel of the backend must have been.
 */
export function conforms(name: string, options: GpuOptions, { every = 1, operations }: Choice = {}): void {
  describe(name, () => {
    const refusals = options.mode === 'webgl2' || options.kernels === 'gpu.js' ? GPUJS : NATIVE
    let backend: Backend
    const ran = new Set<string>()
    beforeAll(async () => {
      const opened = await gpu({ software: true, ...options })
      const kernels = Object.entries(opened.kernels).map(([name, kernel]) => [
        name,
        (...given: Parameters<NonNullable<typeof kernel>>) => {
          ran.add(name)
          return (kernel as NonNullable<typeof kernel>)(...given)
        },
      ])
      backend = { ...opened, kernels: Object.fromEntries(kernels) as unknown as Kernels<object> }
    })
    afterAll(() => backend.dispose())

    const all = [...byOperation]
    const chosen = operations ? all.filter(([operation]) => operations.includes(operation)) : all
    it.each(chosen)(
      '%s agrees with the reference',
      async (_, cases) => {
        const shown = flushed(backend)
        const failures: string[] = []
        for (const { name, run } of cases.filter((_, i) => i % every === 0))
          await run(shown, reference).catch(({ message }: Error) => {
            if (!refusals.some(([named, refusal]) => named.test(name) && refusal.test(message)))
              failures.push(message)
          })
        expect(failures).toEqual([])
      },
      180_000,
    )

    if (every === 1 && !operations)
      it('ran every kernel that it has', () => {
        expect([...ran].sort()).toEqual(Object.keys(backend.kernels).sort())
      })
  })
}
