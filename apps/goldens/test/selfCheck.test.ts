import { cpu } from '@heed/backend-cpu'
import { type Backend, setBackend } from '@heed/core-tensor'
import { referenceBackend } from '@heed/core-tensor/testing'
import { selfCheck, selfCheckNames } from '@heed/layers'
import { describe, expect, it } from 'vitest'
import { selfCheckFile } from '../src/selfCheckFile.ts'

const folder = new URL('../data', import.meta.url).pathname
const file = '../../../packages/layers/src/selfCheckData.ts'

describe('selfCheck', () => {
  it('carries the numbers of the golden cases', async () => {
    await expect(await selfCheckFile(folder, selfCheckNames(), referenceBackend())).toMatchFileSnapshot(file)
  })

  it('finds nothing on a backend that is right, whichever is set', async () => {
    setBackend(referenceBackend())
    for (const backend of [referenceBackend(), await cpu({ threads: 1 })]) {
      const { passed, differences, backend: name } = await selfCheck(backend)
      expect(differences).toEqual([])
      expect(passed).toBe(selfCheckNames().length)
      expect(name).toContain(backend.name)
      backend.dispose()
    }
  })

  it('says which number differs where one does', async () => {
    const backend = referenceBackend()
    const { exp, sigmoid } = backend.kernels
    const wrong = (kernels: Partial<Backend['kernels']>): Backend => ({ ...backend, kernels: { ...backend.kernels, ...kernels } as Backend['kernels'] }) // biome-ignore format: one line
    const off = await selfCheck(wrong({ sigmoid: exp }))
    expect(off.differences.length).toBeGreaterThan(2)
    expect(off.differences.join()).toMatch(/gru_i3_n2_t4_h5_l1_bf: output, element 0: got .*, should be /)
    const lost = await selfCheck(wrong({ exp: sigmoid, erf: () => { throw new Error('no erf here') } })) // biome-ignore format: one line
    expect(lost.differences.join('\n')).toContain('erf_extreme: Error: no erf here')
  })
})
