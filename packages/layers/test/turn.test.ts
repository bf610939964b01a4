import { Rng, setBackend, type Tensor, tensor } from '@heed/core-tensor'
import { referenceBackend } from '@heed/core-tensor/testing'
import { beforeAll, describe, expect, it } from 'vitest'
import { captureAttention, GroupedQueryAttention, MultiHeadAttention, rotary, TransformerDecoderLayer, TransformerEncoderLayer } from '../src/index.ts' // biome-ignore format: one line

beforeAll(() => setBackend(referenceBackend()))

const rng = new Rng(7)
const random = (...shape: number[]): Tensor =>
  tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => rng.normal()),
    { shape },
  )
const apart = (a: Tensor, b: Tensor): number => {
  const [x, y] = [a.dataSync(), b.dataSync()]
  return Math.max(...Array.from(x, (v, i) => Math.abs(v - (y[i] as number))))
}

describe('turning queries and keys', () => {
  it('by rotary positions depends on distances alone', () => {
    const x = random(2, 5, 8)
    for (const attention of [
      new MultiHeadAttention(8, 2),
      new GroupedQueryAttention(8, 4, { numKvHeads: 2 }),
    ]) {
      // biome-ignore format: one line
      const at = (offset: number): Tensor => attention.forward(x, x, x, { turn: y => rotary(y, { offset }) }).context // biome-ignore format: one line
      expect(apart(at(0), at(17))).toBeLessThan(1e-4)
      expect(apart(at(0), attention.forward(x).context)).toBeGreaterThan(1e-3)
    }
  })

  it('reaches the layers of a Transformer, and the maps that are captured', () => {
    const x = random(1, 4, 8)
    const memory = random(1, 3, 8)
    const encoder = new TransformerEncoderLayer(8, 2, { feedforwardSize: 8, dropout: 0 })
    const decoder = new TransformerDecoderLayer(8, 2, { feedforwardSize: 8, dropout: 0 })
    expect(apart(encoder.forward(x, { turn: rotary }), encoder.forward(x))).toBeGreaterThan(1e-4)
    expect(apart(decoder.forward(x, memory, { turn: rotary }), decoder.forward(x, memory))).toBeGreaterThan(1e-4) // biome-ignore format: one line
    const { maps } = captureAttention(encoder, () => encoder.forward(x, { turn: rotary }))
    const own = encoder.selfAttention.forward(x, x, x, { turn: rotary }).weights
    expect(apart(maps[0]?.weights() as Tensor, own)).toBeLessThan(1e-6)
  })
})
