import { beforeAll, describe, expect, it } from 'vitest'
import { type Backend, interpret, ops } from '../src/index.ts'
import { conformanceCases, referenceBackend } from '../src/testing/index.ts'

describe('the conformance suite', () => {
  const cases = conformanceCases()
  const seen = new Set<string>()
  const failures: string[] = []

  beforeAll(async () => {
    const backend = referenceBackend()
    for (const { run } of cases)
      await interpret(
        next => ({
          run(op, ...rest) {
            seen.add(op.name)
            return next.run(op, ...rest)
          },
        }),
        () => run(backend, backend).catch((error: Error) => failures.push(error.message)),
      )
  }, 180_000)

  it('finds that the reference agrees with itself', () => expect(failures).toEqual([]))

  it('reaches every primitive and every operation that backends fuse', () => {
    const computed = Object.values(ops).filter(op => !('view' in op))
    const all = [...Object.keys(referenceBackend().kernels), ...computed.map(op => op.name)]
    // Gradients of what is fused are operations of their own only where a backend has a kernel for them.
    expect(all.filter(name => !seen.has(name) && !name.endsWith('Grad'))).toEqual([])
  })

  it('names each case once', () => {
    const names = cases.map(({ name }) => name)
    expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([])
  })

  it('says which element differs, and by how much', async () => {
    const wrong = referenceBackend()
    const broken: Backend = {
      ...wrong,
      kernels: { ...wrong.kernels, exp: wrong.kernels.expm1 },
    }
    const exp = cases.find(({ name }) => name === 'exp float32 [3]')
    await expect(exp?.run(broken, referenceBackend())).rejects.toThrow(
      /^exp float32 \[3\]: result 0, element 0 of 3: got .*, want .* ± /,
    )
  })
})
