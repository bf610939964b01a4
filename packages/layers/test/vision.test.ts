import { Rng, setBackend, type Tensor, tensor } from '@heed/core-tensor'
import { referenceBackend } from '@heed/core-tensor/testing'
import { describe, expect, it } from 'vitest'
import {
  CaptionAttention,
  ChannelAttention,
  captureAttention,
  doublyStochasticPenalty,
  SpatialAttention,
  SqueezeExcitation,
} from '../src/index.ts'

setBackend(referenceBackend())

const rng = new Rng(34)
const random = (...shape: number[]): Tensor =>
  tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => rng.normal()),
    { shape },
  )
const values = (x: Tensor): number[] => [...x.dataSync()]
const close = (got: Tensor, want: Tensor): void => {
  expect(got.shape).toEqual(want.shape)
  const wanted = want.dataSync()
  for (const [i, v] of got.dataSync().entries()) expect(v).toBeCloseTo(wanted[i] as number, 5)
}

describe.each([
  ['SqueezeExcitation', () => new SqueezeExcitation(8, { reduction: 2, rng }), [2, 8]],
  ['ChannelAttention', () => new ChannelAttention(8, { reduction: 2, rng }), [2, 8]],
  ['SpatialAttention', () => new SpatialAttention(3, { rng }), [2, 1, 4, 5]],
] as const)('%s', (name, make, shape) => {
  it('scales its input by weights between 0 and 1', () => {
    const x = random(2, 8, 4, 5)
    const { context, weights, scores } = make().forward(x)
    expect([weights.shape, scores.shape]).toEqual([shape, shape])
    expect(values(weights).every(w => w > 0 && w < 1)).toBe(true)
    const spread = weights.shape.length === 2 ? weights.unsqueeze(-1).unsqueeze(-1) : weights
    close(context, x.mul(spread))
    close(weights, scores.sigmoid())
  })

  it('shows the weights it used to whoever captures', () => {
    const module = make()
    const x = random(2, 8, 4, 5)
    const { output, maps } = captureAttention(module, () => module.forward(x))
    expect(maps).toHaveLength(1)
    expect(values(maps[0]?.weights() as Tensor)).toEqual(values(output.weights))
    const seen = maps[0]?.row({ batch: 1, head: 3, query: 0 }) as Tensor
    expect(values(seen)).toEqual([values(output.weights)[output.weights.size / 2 + 3]])
  })

  it('takes an empty batch, and one place', () => {
    expect(make().forward(random(0, 8, 4, 5)).context.shape).toEqual([0, 8, 4, 5])
    expect(make().forward(random(1, 8, 1, 1)).context.shape).toEqual([1, 8, 1, 1])
  })

  it('says what it needs where the input is no image', () => {
    expect(() => make().forward(random(2, 8))).toThrow(
      `${name}: the input is [2, 8]; use [batch, ${name === 'SpatialAttention' ? 'channels' : 8}, height, width]`,
    )
  })
})

describe('gates', () => {
  it('add 2 channels² / reduction weights', () => {
    const { fc1, fc2 } = new SqueezeExcitation(32, { reduction: 8 })
    expect(fc1.weight.size + fc2.weight.size).toBe((2 * 32 * 32) / 8)
  })

  it('say where a setting makes no sense', () => {
    expect(() => new SqueezeExcitation(8)).toThrow(
      'SqueezeExcitation: 8 channels with reduction 16 leave 0; use a reduction of 8 at most',
    )
    expect(() => new SpatialAttention(4)).toThrow(
      'SpatialAttention: a kernel of 4 has no middle; use an odd whole number',
    )
  })
})

describe('CaptionAttention', () => {
  it('yields weights that sum to 1, and a context that the gate scales', () => {
    const attention = new CaptionAttention(4, 5, 3, { rng })
    const features = random(2, 6, 4)
    const { context, weights, gate } = attention.forward(random(2, 3, 5), features)
    close(weights.sum(-1), weights.sum(-1).mul(0).add(1))
    expect([gate.shape, context.shape]).toEqual([[2, 3], [2, 3, 4]]) // biome-ignore format: shapes
    close(context, weights.matmul(features).mul(gate.unsqueeze(-1)))
  })
})

describe('doublyStochasticPenalty', () => {
  it('is 0 where every place is looked at once in all', () => {
    expect(values(doublyStochasticPenalty(tensor([[[1, 0], [0, 1]]])))).toEqual([0]) // biome-ignore format: weights
    expect(values(doublyStochasticPenalty(tensor([[[1, 0], [1, 0]]])))).toEqual([2]) // biome-ignore format: weights
  })

  it('says what it needs', () => {
    expect(() => doublyStochasticPenalty(random(2, 3))).toThrow(
      'doublyStochasticPenalty: weights are [2, 3]; use [batch, time, place]',
    )
  })
})
