import { cpu } from '@heed/backend-cpu'
import { expect, it } from 'vitest'
import { emptiness } from '../src/agreement.ts'
import { prepareHeed } from '../src/peers/heed.ts'
import { drawFrom } from '../src/values.ts'
import { findVariant, workloads } from '../src/workloads/index.ts'

it('no two variants of a workload have the same name', () => {
  for (const { variants } of workloads)
    expect(new Set(variants.map(one => one.name)).size).toBe(variants.length)
})

it.each([
  ['gemm', '64x512x1024'],
  ['attention', 'length-128'],
  ['encoder', 'width-64'],
  ['add', '16'],
  ['decode', 'greedy-128'],
  ['lstm', 'forward-batch-8'],
  ['seq2seq', 'training-step-batch-8'],
  ['main-job', 'training-step'],
])('Heed does %s/%s, and something comes out', async (workload, name) => {
  const variant = findVariant(workload, name)
  const backend = await cpu({ threads: 1 })
  const runner = prepareHeed(variant, variant.inputs(drawFrom(1)), backend)
  const first = await runner.result()
  expect(Object.keys(first)).not.toEqual([])
  expect(emptiness(first)).toBe('')
  backend.dispose()
})

it('training steps change their parameters: the loss falls', async () => {
  const variant = findVariant('main-job', 'training-step')
  const backend = await cpu({ threads: 1 })
  const runner = prepareHeed(variant, variant.inputs(drawFrom(1)), backend)
  const [first, second] = [await runner.result(), await runner.result()]
  expect(second.loss?.data[0]).toBeLessThan(first.loss?.data[0] ?? 0)
  backend.dispose()
})
