import { cpu } from '@heed/backend-cpu'
import { type Backend, interpret, ops } from '@heed/core-tensor'
import { gradientCases, referenceBackend } from '@heed/core-tensor/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openGpu } from '../src/openGpu.ts'
import { operationTable, tableText } from '../src/table.ts'

let backends: Backend[]
beforeAll(async () => {
  const native = await openGpu()
  const translated = await openGpu({ kernels: 'gpu.js' })
  backends = [
    referenceBackend(),
    await cpu({ threads: 1 }),
    { ...native, name: 'gpu' },
    { ...translated, name: 'gpu, gpu.js' },
  ]
})
afterAll(() => {
  for (const backend of backends) backend.dispose()
})

const empty = (rows: ReturnType<typeof operationTable>): string[] =>
  rows.flatMap(({ name, backends }) =>
    Object.entries(backends).flatMap(([backend, { forward, gradient }]) => [
      ...(forward ? [] : [`${name} on ${backend}`]),
      ...(gradient ? [] : [`the gradient of ${name} on ${backend}`]),
    ]),
  )

describe('the table of operations', () => {
  it('has no empty cell', () => expect(empty(operationTable(backends))).toEqual([]))

  it('is the one in OPERATIONS.md', async () => {
    await expect(tableText(operationTable(backends))).toMatchFileSnapshot('../OPERATIONS.md')
  })

  it('names every operation, those that are gradients in the rows of theirs', () => {
    const named = operationTable(backends).map(row => row.name)
    const missing = Object.values(ops).filter(op => !named.includes(op.name))
    const gradients = Object.values(ops).flatMap(op => ('gradOp' in op ? [op.gradOp] : []))
    expect(missing.map(op => op.name).sort()).toEqual(gradients.sort())
    expect(gradients).toContain('gruGrad')
    expect(new Set(named).size).toBe(named.length)
  })

  it('shows a cell that empties', () => {
    const [reference] = backends as [Backend]
    const { exp: _, ...rest } = reference.kernels
    const without = { ...reference, kernels: rest as Backend['kernels'] }
    expect(empty(operationTable([without]))).toEqual(['exp on reference'])
  })

  it('says kernel and composed where kernels run and compositions do', () => {
    // The cases are float64, which GPUs lack: their conformance tests run what they have.
    for (const backend of backends.slice(0, 2)) {
      const ran = new Set<string>()
      const watched = (name: string, kernel: Backend['kernels'][string]): Backend['kernels'][string] => (...given) => {
        ran.add(name)
        return (kernel as NonNullable<typeof kernel>)(...given)
      } // biome-ignore format: one line reads best
      const kernels = Object.fromEntries(Object.entries(backend.kernels).map(([name, kernel]) => [name, watched(name, kernel)])) // biome-ignore format: one line
      const met = new Set<string>()
      interpret(
        next => ({
          run(op, ...rest) {
            met.add(op.name)
            return next.run(op, ...rest)
          },
        }),
        () => {
          for (const { f, inputs } of gradientCases()) {
            const x = inputs({ ...backend, kernels: kernels as Backend['kernels'] })
            for (const leaf of x) leaf.requiresGrad = leaf.dtype === 'float64'
            f(...x).sum().backward() // biome-ignore format: one line
          }
        },
      )
      const rows = operationTable([backend]).filter(({ name, kind }) => met.has(name) && kind !== 'view')
      expect(rows.length).toBeGreaterThan(40)
      for (const { name, backends } of rows) {
        const { forward, gradient } = backends[backend.name] as { forward: string; gradient: string }
        expect([name, ran.has(name)]).toEqual([name, forward === 'kernel'])
        if (gradient === 'kernel') expect([name, ran.has(`${name}Grad`)]).toEqual([name, true])
      }
    }
  })
})
