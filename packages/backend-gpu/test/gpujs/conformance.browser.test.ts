import type { Backend, Kernels } from '@heed/core-tensor'
import { type ConformanceCase, conformanceCases, referenceBackend } from '@heed/core-tensor/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { flushed } from '../flushed.ts'
import { webgl2, webgpu } from './modes.ts'

const reference = flushed(referenceBackend())

/** The cases of each operation, which is the first word of their names. */
const byOperation = new Map<string, ConformanceCase[]>()
for (const one of conformanceCases()) {
  const operation = one.name.split(/[ ,]/)[0] as string
  byOperation.set(operation, [...(byOperation.get(operation) ?? []), one])
}

/** What float32 alone does not have: float64, and products of whole numbers beyond 2²⁴. Each is refused with the way out. */
const LEFT_OUT = [
  [/float64/, /float64 does not exist on Web(GL2|GPU); use x\.cast\('float32'\)/],
  [/^prod int32/, /a whole number is beyond ±16777215.*; cast to float32/],
] as const

describe.each([
  ['WebGL2', webgl2],
  ['WebGPU', webgpu],
] as const)("gpu.js's kernels on %s", (_, open) => {
  let backend: Backend
  const ran = new Set<string>()
  beforeAll(async () => {
    const opened = await open()
    const kernels = Object.fromEntries(
      Object.entries(opened.kernels).map(([name, kernel]) => [
        name,
        (...given: Parameters<NonNullable<typeof kernel>>) => {
          ran.add(name)
          return (kernel as NonNullable<typeof kernel>)(...given)
        },
      ]),
    )
    backend = { ...opened, kernels: kernels as unknown as Kernels<object> }
  })
  afterAll(() => backend.dispose())

  it.each([...byOperation])('%s agrees with the reference', async (_, cases) => {
    const shown = flushed(backend)
    const failures: string[] = []
    for (const { name, run } of cases)
      await run(shown, reference).catch(({ message }: Error) => {
        if (!LEFT_OUT.some(([named, refusal]) => named.test(name) && refusal.test(message)))
          failures.push(message)
      })
    expect(failures).toEqual([])
  })

  it('ran every kernel that it has', () => {
    expect([...ran].sort()).toEqual(Object.keys(backend.kernels).sort())
  })
})
