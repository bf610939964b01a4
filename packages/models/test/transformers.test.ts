import { noGrad, Rng, setBackend, tensor } from '@heed/core-tensor'
import { referenceBackend } from '@heed/core-tensor/testing'
import { captureAttention } from '@heed/layers'
import { beforeAll, describe, expect, it } from 'vitest'
import { BERT, GPT } from '../src/index.ts'
import { apart, ids, values } from './pairs.ts'

beforeAll(() => setBackend(referenceBackend()))

const rows = [[4, 5, 6, 7], [8, 4]] // biome-ignore format: a matrix
const valid = tensor.bind(null, [[true, true, true, true], [true, true, false, false]]) // biome-ignore format: a matrix
const gpt = (): GPT => new GPT({ vocab: 9, maxLength: 6, embedding: 8, heads: 2, layers: 2 }, { rng: new Rng(1) }).eval() // biome-ignore format: one line
const bert = (): BERT =>
  new BERT({ vocab: 9, maxLength: 6, embedding: 8, heads: 2, layers: 2, hidden: 16 }, { rng: new Rng(1) }).eval() // biome-ignore format: one line

describe('padded rows', () => {
  it('get what they get alone: GPT', () => {
    const together = values(noGrad(() => gpt().forward(ids(rows)).logits))
    const alone = values(noGrad(() => gpt().forward(ids([[8, 4]])).logits))
    expect(apart(together.slice(36, 36 + 18), alone)).toBeLessThan(1e-6)
  })

  it('get what they get alone: BERT', () => {
    const together = values(noGrad(() => bert().forward({ ids: ids(rows), valid: valid() }).hidden))
    const alone = values(noGrad(() => bert().forward({ ids: ids([[8, 4]]) }).hidden))
    expect(apart(together.slice(32, 32 + 16), alone)).toBeLessThan(1e-5)
  })
})

describe('looking', () => {
  it('changes nothing, and finds a map for each layer', () => {
    const g = gpt()
    const plain = values(noGrad(() => g.forward(ids(rows)).logits))
    const { output, maps } = captureAttention(g, () => noGrad(() => g.forward(ids(rows)).logits))
    expect(values(output)).toEqual(plain)
    expect(maps.map(map => map.path)).toEqual(['blocks.0.attention', 'blocks.1.attention'])
    const b = bert()
    const hidden = values(noGrad(() => b.forward({ ids: ids(rows), valid: valid() }).hidden))
    const seen = captureAttention(b, () => noGrad(() => b.forward({ ids: ids(rows), valid: valid() }).hidden))
    expect(values(seen.output)).toEqual(hidden)
    expect(seen.maps).toHaveLength(2)
  })
})
