import { cpu } from '@heed/backend-cpu'
import { type Backend, softmax, type Tensor, tensor } from '@heed/core-tensor'
import { referenceBackend } from '@heed/core-tensor/testing'
import { attend } from '@heed/layers'
import { describe, expect, it } from 'vitest'

// The worked example of a text on attention: states [1, 0], [½, ½], [0, 1], query [0.7, 0.3], dot scores (MISSION.md, A3).
// It prints the context of weights that were rounded to 4 decimals before the sum (trap T1).
describe.each<[string, () => Backend | Promise<Backend>]>([
  ['reference', referenceBackend],
  ['cpu', () => cpu({ threads: 1 })],
])('the worked example on the %s backend', (_, make) => {
  const near = (x: Tensor, want: readonly number[], error: number): void => {
    const got = x.dataSync()
    expect(got).toHaveLength(want.length)
    for (const [i, w] of want.entries()) expect(Math.abs((got[i] as number) - w)).toBeLessThanOrEqual(error)
  }

  it.each([
    ['float64', 1e-12],
    ['float32', 1e-6],
  ] as const)('has these scores, weights and context in %s, within %d', async (dtype, error) => {
    const backend = await make()
    const states = tensor([[[1, 0], [0.5, 0.5], [0, 1]]], { dtype, backend }) // biome-ignore format: a matrix
    const query = tensor([[[0.7, 0.3]]], { dtype, backend })
    const { scores, weights, context } = attend(query, states)
    near(scores, [0.7, 0.5, 0.3], error)
    // e^0.7, e^0.5, e^0.3 over their sum, by Python.
    near(weights, [0.4017595785333554, 0.3289329222889067, 0.2693074991777379], error)
    near(context, [0.5662260396778087, 0.4337739603221912], error)
    near(
      attend(tensor([[[0.3, 0.7]]], { dtype, backend }), states).weights.flip(2),
      [...weights.dataSync()],
      error,
    ) // A13 // biome-ignore format: one line
    backend.dispose()
  })

  it('prints the text’s numbers where the weights are rounded first, and others at full precision', async () => {
    const backend = await make()
    const states = tensor([[[1, 0], [0.5, 0.5], [0, 1]]], { dtype: 'float64', backend }) // biome-ignore format: a matrix
    const query = tensor([[[0.7, 0.3]]], { dtype: 'float64', backend })
    // In float64, as the text computes: 0.43375 lies just between two prints.
    const printed = (x: Tensor): number[] => [...x.dataSync()].map(v => Number(v.toFixed(4)))
    const rounded = (scores: Tensor): Tensor =>
      tensor([[printed(softmax(scores))]], { dtype: 'float64', backend })
    expect(printed(attend(query, states).weights)).toEqual([0.4018, 0.3289, 0.2693])
    expect(printed(attend(query, states).context)).toEqual([0.5662, 0.4338])
    expect(printed(attend(query, states, states, { normalize: rounded }).context)).toEqual([0.5663, 0.4337])
    backend.dispose()
  })
})
