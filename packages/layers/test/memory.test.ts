import { Rng, setBackend, type Tensor, tensor } from '@heed/core-tensor'
import { checkGradient, referenceBackend } from '@heed/core-tensor/testing'
import { describe, expect, it } from 'vitest'
import {
  AdjacentMemoryNetwork,
  addressMemory,
  captureAttention,
  firstSlot,
  LayerwiseMemoryNetwork,
  moveWeights,
  ReadHead,
  WriteHead,
  wordPositions,
  writeMemory,
} from '../src/index.ts'

setBackend(referenceBackend())

const rng = new Rng(35)
const random = (...shape: number[]): Tensor =>
  tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => rng.normal()),
    { shape },
  )
const words = (...shape: number[]): Tensor =>
  tensor(
    Int32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => 1 + rng.int(8)),
    { shape },
  )
const values = (x: Tensor): number[] => [...x.dataSync()]
const close = (got: Tensor, want: readonly number[]): void => {
  expect(got.size).toBe(want.length)
  for (const [i, v] of got.dataSync().entries()) expect(v).toBeCloseTo(want[i] as number, 5)
}

describe.each([
  ['AdjacentMemoryNetwork', AdjacentMemoryNetwork],
  ['LayerwiseMemoryNetwork', LayerwiseMemoryNetwork],
] as const)('%s', (_, Network) => {
  const make = (): AdjacentMemoryNetwork | LayerwiseMemoryNetwork =>
    new Network(9, 4, 5, { hops: 2, paddingIndex: 0, rng })

  it('yields weights that sum to 1 at every hop, and a map for each', () => {
    const network = make()
    const [story, question] = [words(2, 5, 3), words(2, 3)]
    const { output, maps } = captureAttention(network, () => network.forward(story, question))
    expect([output.logits.shape, output.weights.shape]).toEqual([[2, 9], [2, 2, 5]]) // biome-ignore format: shapes
    close(output.weights.sum(-1), [1, 1, 1, 1])
    expect(maps.map(map => map.shape)).toEqual([[2, 1, 5], [2, 1, 5]]) // biome-ignore format: shapes
  })

  it('gives slots that the mask leaves out exactly no weight', () => {
    const mask = tensor([[true, true, false, false, false], [true, true, true, true, true]]) // biome-ignore format: rows
    const { weights } = make().forward(words(2, 5, 3), words(2, 3), { mask })
    expect(values(weights.slice([{ stop: 1 }, {}, { start: 2 }]))).toEqual(new Array(6).fill(0))
  })

  it('takes padding words for nothing', () => {
    const network = new Network(9, 4, 5, { hops: 2, positionEncoding: false, paddingIndex: 0, rng })
    const [story, question] = [words(1, 2, 3), words(1, 3)]
    const longer = story.pad([[0, 0], [0, 0], [0, 2]], 0) // biome-ignore format: one line
    expect(values(network.forward(longer, question).logits)).toEqual(
      values(network.forward(story, question).logits),
    )
  })

  it('looks linearly where told to, as it does when it starts learning', () => {
    const { weights, scores } = make().forward(words(1, 5, 3), words(1, 3), { normalize: s => s })
    expect(values(weights)).toEqual(values(scores))
  })

  it('says what is wrong', () => {
    expect(() => make().forward(words(2, 6, 3), words(2, 3))).toThrow(
      'MemoryNetwork: a story of 6 sentences, the memory has 5 slots; keep the last 5, or use a larger memory',
    )
    expect(() => make().forward(words(2, 5, 3), words(1, 3))).toThrow(
      'MemoryNetwork: story [2, 5, 3] and question [1, 3] do not fit; use [batch, slot, word] and [batch, word]',
    )
    expect(() => new Network(9, 4, 5, { hops: 0 })).toThrow(
      'MemoryNetwork: 0 hops; use a whole number of 1 or more',
    )
  })
})

describe('wordPositions', () => {
  it('weighs words as the formula of Sukhbaatar et al. says', () => {
    // J = 2, d = 2: l₁₁ = ½ − ½·0, l₁₂ = ½ − 1·0, l₂₁ = 0 + ½, l₂₂ = 0 + 1
    close(wordPositions(2, 2, random(1)), [0.5, 0.5, 0.5, 1])
  })
})

/** An address that neither gates, shifts nor sharpens. */
const still = (slots: number, heads = 1) => ({
  gate: tensor(new Float32Array(heads).fill(1), { shape: [1, heads] }),
  previous: firstSlot(1, heads, slots, random(1)),
  shift: tensor(Float32Array.from({ length: 3 * heads }, (_, i) => Number(i % 3 === 1)), { shape: [1, heads, 3] }), // biome-ignore format: one line
  sharpening: tensor(new Float32Array(heads).fill(1), { shape: [1, heads] }),
})

describe('moving weights', () => {
  const content = tensor([[[0.5, 0.25, 0.125, 0.125]]])

  it('leaves weights alone that are told to stay', () => {
    close(moveWeights(content, still(4)).weights, values(content))
  })

  it('keeps the weights before where the gate is closed', () => {
    const closed = { ...still(4), gate: tensor([[0]]) }
    close(moveWeights(content, closed).weights, [1, 0, 0, 0])
  })

  it('shifts round the circle', () => {
    const on = { ...still(4), shift: tensor([[[0, 0, 1]]]) }
    close(moveWeights(content, on).weights, [0.125, 0.5, 0.25, 0.125])
    const back = { ...still(4), shift: tensor([[[1, 0, 0]]]) }
    close(moveWeights(content, back).weights, [0.25, 0.125, 0.125, 0.5])
    const far = { ...still(4), shift: tensor([[[1]]]), offsets: [-6] }
    close(moveWeights(content, far).weights, [0.125, 0.125, 0.5, 0.25])
  })

  it('sharpens to the largest', () => {
    const sharp = moveWeights(content, { ...still(4), sharpening: tensor([[60]]) })
    close(sharp.weights, [1, 0, 0, 0])
  })

  it('asks for a whole offset for each shift', () => {
    expect(() => moveWeights(content, { ...still(4), shift: tensor([[[0.5, 0.5]]]) })).toThrow(
      'moveWeights: 2 shifts with offsets [-0.5, 0.5]; give a whole number for each, or an odd number of shifts',
    )
  })
})

describe('a memory', () => {
  it('is found by content, and what is read there is the row', () => {
    const memory = tensor([[[1, 0, 0], [0, 2, 0], [0, 0, 3]]]) // biome-ignore format: a matrix
    const { context, weights } = addressMemory(memory, { key: tensor([[[0, 1, 0]]]), strength: tensor([[50]]), ...still(3) }) // biome-ignore format: one line
    close(weights, [0, 1, 0])
    close(context, [0, 2, 0])
  })

  it('holds after a write at one slot what was added there, and all else as before', () => {
    const memory = random(1, 3, 2)
    const weights = tensor([[[0, 1, 0]]])
    const after = writeMemory(memory, weights, tensor([[[1, 1]]]), tensor([[[5, 6]]]))
    const before = values(memory)
    close(after, [before[0], before[1], 5, 6, before[4], before[5]] as number[])
  })

  it('of zeros is read without NaN, forward and backward', () => {
    const memory = random(1, 3, 2).mul(0)
    memory.requiresGrad = true
    const { context } = addressMemory(memory, { key: random(1, 1, 2), strength: tensor([[2]]), ...still(3) })
    const read = values(context)
    context.sum().backward()
    expect([...read, ...values(memory.grad as Tensor)].every(Number.isFinite)).toBe(true)
  })

  it('has the gradient that differences give', () => {
    const d = (x: Tensor): Tensor => x.cast('float64')
    const f = (memory: Tensor, key: Tensor, strength: Tensor, gate: Tensor, sharpening: Tensor): Tensor => {
      const previous = d(random(1, 2, 4).mul(0).add(0.25))
      const shift = d(tensor([[[0.2, 0.5, 0.3], [0.1, 0.8, 0.1]]])) // biome-ignore format: two heads
      const { context, weights } = addressMemory(memory, { key, strength, gate, previous, shift, sharpening })
      return context.sum().add(writeMemory(memory, weights, key.sigmoid(), key).sum())
    }
    const head = (low: number): Tensor => d(random(1, 2).abs().add(low))
    expect(
      checkGradient(f as (...x: Tensor[]) => Tensor, [
        d(random(1, 4, 3)), d(random(1, 2, 3)), head(0.5), head(0.1).mul(0.2), head(1),
      ]), // biome-ignore format: a list
    ).toBeLessThan(1e-6)
  })
})

describe('heads', () => {
  it('read and write where a state says, with weights that sum to 1', () => {
    const [state, memory] = [random(2, 6), random(2, 5, 4)]
    const previous = firstSlot(2, 3, 5, memory)
    const read = new ReadHead(6, 4, { heads: 3, reach: 2, rng }).forward(state, memory, previous)
    expect([read.context.shape, read.weights.shape]).toEqual([[2, 3, 4], [2, 3, 5]]) // biome-ignore format: shapes
    close(read.weights.sum(-1), new Array(6).fill(1))
    const written = new WriteHead(6, 4, { heads: 3, rng }).forward(state, memory, previous)
    expect(written.memory.shape).toEqual([2, 5, 4])
    close(written.weights.sum(-1), new Array(6).fill(1))
  })

  it('show one head of one row to whoever captures as it stands in the whole', () => {
    const [state, memory] = [random(2, 6), random(2, 5, 4)]
    const head = new ReadHead(6, 4, { heads: 3, rng })
    const { output, maps } = captureAttention(head, () =>
      head.forward(state, memory, firstSlot(2, 3, 5, memory)),
    )
    const row = maps[0]?.row({ batch: 1, query: 2 }) as Tensor
    expect(values(row)).toEqual(values(output.weights.slice([{ start: 1 }, { start: 2 }])))
  })

  it('learn: every parameter gets a gradient', () => {
    const head = new WriteHead(6, 4, { rng })
    const { memory } = head.forward(random(2, 6), random(2, 5, 4), firstSlot(2, 1, 5, random(1)))
    memory.mul(memory).sum().backward()
    for (const parameter of head.parameters())
      expect(values((parameter.grad as Tensor).abs().sum())[0]).toBeGreaterThan(0)
  })

  it('say what is wrong', () => {
    expect(() => new ReadHead(6, 4, { heads: 0 })).toThrow(
      'MemoryHead: 0 heads that reach 1 slots; use whole numbers, of 1 and of 0 or more',
    )
  })
})
