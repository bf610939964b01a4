import { full, Parameter, Rng, setBackend, type Tensor, tensor } from '@heed/core-tensor'
import { referenceBackend } from '@heed/core-tensor/testing'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  checkNumerics,
  Dropout,
  Embedding,
  GRU,
  Linear,
  LSTM,
  MaxPool1d,
  Module,
  NumericsError,
} from '../src/index.ts'

beforeAll(() => setBackend(referenceBackend()))

class Block extends Module {
  readonly layers = [
    new Linear(3, 3, { rng: new Rng(1) }),
    new Linear(3, 2, { bias: false, rng: new Rng(2) }),
  ]
  readonly tied = this.layers[0] as Linear
  readonly average = new Parameter(tensor([0, 0]), { requiresGrad: false })
  forward(x: Tensor): Tensor {
    return this.layers.reduce((y, layer) => layer.forward(y), x)
  }
}

/** Two projections that PyTorch packs into one tensor. */
class Packed extends Module {
  readonly a = new Parameter(tensor([[1, 2]]))
  readonly b = new Parameter(tensor([[3, 4], [5, 6]])) // biome-ignore format: a matrix
  protected override state(): Record<string, Parameter | Parameter[]> {
    return { both: [this.a, this.b] }
  }
  forward(): void {}
}

describe('a module', () => {
  it('finds parameters in its fields, lists and inner modules, each once', () => {
    expect([...new Block().namedParameters()].map(([name]) => name)).toEqual([
      'layers.0.weight',
      'layers.0.bias',
      'layers.1.weight',
    ])
  })

  it('saves what is not learned too, and both names of what is shared', () => {
    expect(Object.keys(new Block().stateDict())).toEqual([
      'average',
      'layers.0.weight',
      'layers.0.bias',
      'layers.1.weight',
      'tied.weight',
      'tied.bias',
    ])
  })

  it('gives its weights to another of its kind', () => {
    const [from, to] = [new Block(), new Block()]
    from.average.assign(tensor([7, 8]))
    to.loadStateDict(from.stateDict())
    expect([...to.average.dataSync()]).toEqual([7, 8])
  })

  it('packs and unpacks as PyTorch does', () => {
    const module = new Packed()
    expect([...(module.stateDict().both as Tensor).dataSync()]).toEqual([1, 2, 3, 4, 5, 6])
    module.loadStateDict({ both: tensor([[9, 8], [7, 6], [5, 4]]) }) // biome-ignore format: a matrix
    expect([...module.a.dataSync(), ...module.b.dataSync()]).toEqual([9, 8, 7, 6, 5, 4])
  })

  it('lists everything that does not fit, and changes nothing then', () => {
    const linear = new Linear(2, 1, { rng: new Rng(1) })
    const before = [...linear.weight.dataSync()]
    const state = { weight: tensor([[1, 2, 3]]), scale: tensor([1]) }
    expect(() => linear.loadStateDict(state)).toThrow(
      'loadStateDict: weight is [1, 2], the file has [1, 3]; missing bias; unexpected scale; use the weights of a model of the same configuration',
    )
    expect([...linear.weight.dataSync()]).toEqual(before)
  })

  it('prints as a tree with shapes and counts', () => {
    expect(String(new Block())).toBe(
      'Block (average [2]) 18\n  layers.0: Linear (weight [3, 3], bias [3]) 12\n  layers.1: Linear (weight [2, 3]) 6\n  tied: Linear (weight [3, 3], bias [3]) 12',
    )
  })

  it('moves to another backend', () => {
    const other = referenceBackend()
    const linear = new Linear(2, 1).to(other)
    expect(linear.forward(tensor([[1, 2]], { backend: other })).backend).toBe(other)
  })

  it("speaks PyTorch's names where PyTorch has the layer", () => {
    expect(Object.keys(new GRU(2, 3, { bidirectional: true }).stateDict())).toEqual([
      'weight_ih_l0', 'weight_hh_l0', 'bias_ih_l0', 'bias_hh_l0',
      'weight_ih_l0_reverse', 'weight_hh_l0_reverse', 'bias_ih_l0_reverse', 'bias_hh_l0_reverse',
    ]) // biome-ignore format: a list
    expect(Object.keys(new LSTM(2, 3, { numLayers: 2, bias: false }).stateDict())).toEqual([
      'weight_ih_l0',
      'weight_hh_l0',
      'weight_ih_l1',
      'weight_hh_l1',
    ])
  })
})

describe('checkNumerics', () => {
  it('names the first operation and module that yield NaN or infinity, forward and backward', () => {
    const block = new Block()
    const x = tensor([[1, 2, 3]])
    expect(checkNumerics(block, () => [...block.forward(x).dataSync()])).toHaveLength(2)
    const broken = new Block()
    broken.layers[1]?.weight.assign(tensor([[3e38, 3e38, 3e38], [1, 1, 1]])) // biome-ignore format: a matrix
    const large = tensor([[1e9, 1e9, 1e9]])
    expect(() => checkNumerics(broken, () => broken.forward(large))).toThrow(
      /checkNumerics: matmul of \[1, 3\], \[3, 2\] yields -?Infinity in layers\.1/,
    )
    expect(Object.hasOwn(block, 'forward')).toBe(false)
  })

  it('names the operation and module whose gradient is infinite, though the way back leaves the module', () => {
    class Root extends Module {
      forward(x: Tensor): Tensor {
        return x.mul(0).sqrt() // 0 has no slope
      }
    }
    class Model extends Module {
      readonly parts = [
        new Linear(3, 3, { rng: new Rng(1) }),
        new Root(),
        new Linear(3, 2, { rng: new Rng(2) }),
      ]
      forward(x: Tensor): Tensor {
        return this.parts.reduce((y, part) => part.forward(y), x).sum()
      }
    }
    const model = new Model()
    let error: unknown
    try {
      checkNumerics(model, () => model.forward(tensor([[1, 2, 3]])).backward())
    } catch (thrown) {
      error = thrown
    }
    expect(error).toBeInstanceOf(NumericsError)
    expect(error).toMatchObject({ op: 'sqrt', path: 'parts.1', backward: true })
    expect(String(error)).toMatch(
      /checkNumerics: the gradient of sqrt of \[1, 3\] \(div of \[1, 3\], \[1, 3\]\) yields -?Infinity in parts\.1; look/,
    )
    // Of NaN alone: 0 · ∞ on the way further back, in the same module.
    expect(() => checkNumerics(model, () => model.forward(tensor([[1, 2, 3]])).backward(), { infinity: false })).toThrow(/the gradient of mul .* yields NaN in parts\.1/) // biome-ignore format: one line
  })

  it('watches a body that awaits, and leaves nothing behind when it fails', async () => {
    const block = new Block()
    const late = checkNumerics(block, async () => {
      await null
      return block
        .forward(tensor([[1, 2, 3]]))
        .mul(0)
        .log()
    })
    await expect(late).rejects.toThrow('checkNumerics: log of [1, 2] yields -Infinity in the model')
    expect(Object.hasOwn(block, 'forward')).toBe(false)
    expect(tensor([0]).log().dataSync()[0]).toBe(Number.NEGATIVE_INFINITY)
  })

  it('minds views of NaN, and no infinity that was asked for', () => {
    const block = new Block()
    const view = (): Tensor => tensor([[Number.NaN, 1]]).transpose().expand([2, 3]).add(1).reshape([6]) // biome-ignore format: one line
    expect(() => checkNumerics(block, view)).not.toThrow()
    expect(() => checkNumerics(block, () => new MaxPool1d(2, { padding: 1 }).forward(tensor([[[1, 2, 3]]])))).not.toThrow() // biome-ignore format: one line
    expect(() => checkNumerics(block, () => tensor([1e38]).mul(10).add(full([2], Number.NaN)))).toThrow('mul of [1], [] yields Infinity in the model') // biome-ignore format: one line
  })

  it('does not blame what passes NaN on', () => {
    const block = new Block()
    expect(() => checkNumerics(block, () => block.forward(tensor([[Number.NaN, 0, 0]])))).not.toThrow()
  })
})

describe('layers', () => {
  it('start the same from the same seed, and differ without one', () => {
    const weights = (rng?: Rng): number[] => [...new Linear(4, 4, { rng }).weight.dataSync()]
    expect(weights(new Rng(5))).toEqual(weights(new Rng(5)))
    expect(weights()).not.toEqual(weights())
  })

  it('drop while learning, and change nothing in use', () => {
    const dropout = new Dropout(0.5, { rng: new Rng(3) })
    const x = tensor(new Float32Array(1000).fill(1))
    const dropped = [...dropout.forward(x).dataSync()]
    expect(new Set(dropped)).toEqual(new Set([0, 2]))
    expect(dropped.reduce((a, b) => a + b, 0) / 1000).toBeCloseTo(1, 1)
    expect(dropout.eval().forward(x)).toBe(x)
    expect(() => new Dropout(1)).toThrow(/p is 1; use a probability from 0 to below 1/)
  })

  it('give a padding row no start and no gradient', () => {
    const embedding = new Embedding(3, 2, { paddingIndex: 1 })
    expect([...embedding.weight.dataSync()].slice(2, 4)).toEqual([0, 0])
    embedding
      .forward(tensor([0, 1, 1], { dtype: 'int32' }))
      .sum()
      .backward()
    expect([...(embedding.weight.grad as Tensor).dataSync()]).toEqual([1, 1, 0, 0, 0, 0])
  })

  it('treat a padded batch as its rows alone', async () => {
    const gru = new GRU(2, 3, { numLayers: 2, bidirectional: true, rng: new Rng(4) })
    const rng = new Rng(9)
    const x = tensor(
      Float32Array.from({ length: 2 * 4 * 2 }, () => rng.normal()),
      { shape: [2, 4, 2] },
    )
    const { outputs, state } = gru.forward(x, { lengths: tensor([2, 4], { dtype: 'int32' }) })
    const alone = gru.forward(x.slice([{ stop: 1 }, { stop: 2 }]))
    const first = outputs.slice([{ stop: 1 }, { stop: 2 }]).dataSync()
    for (const [i, want] of alone.outputs.dataSync().entries()) expect(first[i]).toBeCloseTo(want, 6)
    const last = state.hidden.slice([{}, { stop: 1 }]).dataSync()
    for (const [i, want] of alone.state.hidden.dataSync().entries()) expect(last[i]).toBeCloseTo(want, 6)
    expect([...outputs.slice([{ stop: 1 }, { start: 2 }]).dataSync()].every(v => v === 0)).toBe(true)
  })
})
