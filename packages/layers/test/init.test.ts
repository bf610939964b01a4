import { Rng, relu, setBackend, type Tensor, tensor } from '@heed/core-tensor'
import { referenceBackend } from '@heed/core-tensor/testing'
import { beforeAll, describe, expect, it } from 'vitest'
import * as layers from '../src/index.ts'
import { Embedding, Linear, Sequential } from '../src/index.ts'

beforeAll(() => setBackend(referenceBackend()))

const values = (x: Tensor): number[] => [...x.dataSync()]
const draw = (init: layers.Initializer, ...shape: number[]): number[] =>
  values(init(shape, { rng: new Rng(4) }))
const deviation = (v: readonly number[]): number => Math.sqrt(v.reduce((sum, x) => sum + x * x, 0) / v.length)

describe('initialisers', () => {
  // Bounds and deviations as PyTorch's documentation has them, for [60, 20]: fan in 20, fan out 60.
  it.each<[string, layers.Initializer, { bound?: number; deviation?: number }]>([
    ['xavierUniform', layers.xavierUniform(), { bound: Math.sqrt(6 / 80) }],
    ['xavierUniform with a gain', layers.xavierUniform(5 / 3), { bound: (5 / 3) * Math.sqrt(6 / 80) }],
    ['xavierNormal', layers.xavierNormal(), { deviation: Math.sqrt(2 / 80) }],
    ['kaimingUniform', layers.kaimingUniform(), { bound: Math.sqrt(6 / 20) }],
    ['kaimingUniform as Linear starts', layers.kaimingUniform({ slope: Math.sqrt(5) }), { bound: 1 / Math.sqrt(20) }],
    ['kaimingNormal for gradients after relu', layers.kaimingNormal({ mode: 'out', nonlinearity: 'relu' }), { deviation: Math.sqrt(2 / 60) }],
    ['kaimingNormal after tanh', layers.kaimingNormal({ nonlinearity: 'tanh' }), { deviation: 5 / 3 / Math.sqrt(20) }],
    ['truncatedNormal', layers.truncatedNormal(0.02, 0.04), { bound: 0.04, deviation: 0.02 * 0.8796 }],
    ['uniform', layers.uniformInit(0.3), { bound: 0.3 }],
  ])('%s', (_, init, want) => {
    const v = draw(init, 60, 20)
    const largest = Math.max(...v.map(Math.abs))
    if (want.bound) expect([largest <= want.bound, largest > 0.98 * want.bound]).toEqual([true, true])
    const expected = want.deviation ?? (want.bound as number) / Math.sqrt(3)
    expect(Math.abs(deviation(v) / expected - 1)).toBeLessThan(0.06) // 1200 numbers
  }) // biome-ignore format: a table

  it.each([[3, 5], [5, 3], [4, 4], [3, 2, 4]])('orthogonal: rows or columns at right angles, of %d × %d', (...shape) => {
    const w = layers.orthogonal(2)(shape, { rng: new Rng(1) }).reshape([shape[0] as number, -1])
    const [rows, columns] = w.shape as readonly [number, number]
    const product = rows < columns ? w.matmul(w.transpose()) : w.transpose().matmul(w)
    const n = Math.min(rows, columns)
    for (const [i, v] of values(product).entries()) expect(v).toBeCloseTo(i % (n + 1) === 0 ? 4 : 0, 5)
  }) // biome-ignore format: a list

  it('ones, zeros and constants', () => {
    expect([draw(layers.onesInit, 2), draw(layers.zerosInit, 2), draw(layers.constantInit(3), 1)]).toEqual([[1, 1], [0, 0], [3]]) // biome-ignore format: one line
    expect(layers.gainOf('leakyRelu', 0.2)).toBeCloseTo(Math.sqrt(2 / 1.04), 12)
    expect(() => layers.truncatedNormal(1, 0)).toThrow(
      'truncatedNormal: deviation 1 up to 0; use numbers above 0',
    )
  })

  it('heads start with no bias in their output, as in PyTorch', () => {
    expect(values(new layers.MultiHeadAttention(4, 2).wOut.bias as Tensor)).toEqual([0, 0, 0, 0])
  })
})

describe('a sequence of layers', () => {
  it('runs one after the other, and has the names that PyTorch saves', () => {
    const [first, last] = [new Linear(2, 3, { rng: new Rng(1) }), new Linear(3, 1, { rng: new Rng(2) })]
    const both = new Sequential(first, relu, last)
    const x = tensor([[1, -2]])
    expect(values(both.forward(x))).toEqual(values(last.forward(relu(first.forward(x)))))
    expect(Object.keys(both.stateDict())).toEqual(['0.weight', '0.bias', '2.weight', '2.bias'])
    expect([...both.namedParameters()].map(([name]) => name)[2]).toBe('layers.2.weight')
    both.eval()
    expect(first.training).toBe(false)
  })

  it('says which step does not fit', () => {
    const model = new Sequential(new Sequential(new Linear(2, 3)), relu, new Linear(4, 1))
    expect(() => model.forward(tensor([[1, 2]]))).toThrow(
      /^layers\.2: linear: input \[1, 3\] against weight \[1, 4\]/,
    )
    expect(() => model.forward(tensor([[1]]))).toThrow(/^layers\.0: layers\.0: linear: input \[1, 1\]/)
    const stack = new layers.TransformerEncoder(4, 2, { numLayers: 2, feedforwardSize: 4 })
    expect(() => stack.forward(tensor([[[1, 2]]]))).toThrow(/^layers\.0: linear: input \[1, 1, 2\]/)
  })
})

describe('pretrained vectors', () => {
  const vectors = (): Tensor => tensor([[1, 2], [3, 4], [5, 6]]) // biome-ignore format: a matrix
  const ids = (): Tensor => tensor([1, 2, 1], { dtype: 'int32' })

  it('are fine-tuned, or frozen and still saved', () => {
    const tuned = new Embedding(3, 2, { pretrained: vectors() })
    expect(values(tuned.forward(ids()))).toEqual([3, 4, 5, 6, 3, 4])
    tuned.forward(ids()).sum().backward() // biome-ignore format: one line
    expect(values(tuned.weight.grad as Tensor)).toEqual([0, 0, 2, 2, 1, 1])
    const frozen = new Embedding(3, 2, { pretrained: vectors(), frozen: true })
    expect([frozen.forward(ids()).requiresGrad, frozen.parameters(), Object.keys(frozen.stateDict())]).toEqual([false, [], ['weight']]) // biome-ignore format: one line
  })

  it('keep their padding row, which gets no gradient', () => {
    const padded = new Embedding(3, 2, { pretrained: vectors(), paddingIndex: 1 })
    expect(values(padded.forward(ids()))).toEqual([3, 4, 5, 6, 3, 4])
    padded.forward(ids()).sum().backward() // biome-ignore format: one line
    expect(values(padded.weight.grad as Tensor)).toEqual([0, 0, 0, 0, 1, 1])
    expect(() => new Embedding(2, 2, { pretrained: vectors() })).toThrow('Embedding: pretrained vectors are [3, 2]; use [2, 2]') // biome-ignore format: one line
  })
})
