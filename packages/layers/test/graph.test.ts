import { Rng, setBackend, type Tensor, tensor } from '@heed/core-tensor'
import { referenceBackend } from '@heed/core-tensor/testing'
import { describe, expect, it } from 'vitest'
import {
  captureAttention,
  type Edge,
  Graph,
  GraphAttention,
  type GraphAttentionOptions,
  GraphAttentionV2,
} from '../src/index.ts'

setBackend(referenceBackend())

const random = (seed: number, ...shape: number[]): Tensor => {
  const rng = new Rng(seed)
  return tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => rng.normal()),
    { shape },
  )
}
const values = (x: Tensor): number[] => [...x.dataSync()]
const close = (got: Tensor, want: Tensor): void => {
  expect(got.shape).toEqual(want.shape)
  const wanted = want.dataSync()
  for (const [i, v] of got.dataSync().entries()) expect(v).toBeCloseTo(wanted[i] as number, 5)
}

/** Node 3 is looked at by nobody and looks at nobody. */
const edges: readonly Edge[] = [
  { from: 1, to: 0, name: 'cites' },
  { from: 2, to: 0 },
  { from: 0, to: 2, name: 'answers' },
  { from: 4, to: 0 },
  { from: 2, to: 4 },
]

describe.each([
  [
    'GraphAttention',
    (options: GraphAttentionOptions) => new GraphAttention(3, 2, { rng: new Rng(1), ...options }),
  ],
  [
    'GraphAttentionV2',
    (options: GraphAttentionOptions) => new GraphAttentionV2(3, 2, { rng: new Rng(1), ...options }),
  ],
] as const)('%s', (_, make) => {
  it.each([true, false])('along edges does what it does with a mask, loops %s', selfLoops => {
    for (const concat of [true, false]) {
      const layer = make({ heads: 2, concat })
      const graph = new Graph(5, edges, { selfLoops })
      const [x, y] = [random(7, 5, 3), random(7, 5, 3)]
      x.requiresGrad = true
      y.requiresGrad = true
      const dense = layer.forward(x, graph)
      const sparse = layer.along(y, graph)
      close(sparse.context, dense.context)
      for (const [i, { from, to }] of edges.entries())
        for (let head = 0; head < 2; head++)
          expect(values(sparse.weights)[head * edges.length + i]).toBeCloseTo(
            values(dense.weights)[(head * 5 + to) * 5 + from] as number,
            6,
          )
      dense.context.mul(dense.context).sum().backward()
      sparse.context.mul(sparse.context).sum().backward()
      close(y.grad as Tensor, x.grad as Tensor)
    }
  })

  it('yields weights that sum to 1 over the edges to a node and its loop', () => {
    const { weights, selfWeights } = make({}).along(random(8, 5, 3), new Graph(5, edges))
    const [w, own] = [values(weights), values(selfWeights as Tensor)]
    for (let node = 0; node < 5; node++) {
      const sum = edges.reduce((total, { to }, i) => (to === node ? total + (w[i] as number) : total), own[node] as number) // biome-ignore format: one line
      expect(sum).toBeCloseTo(1, 6)
    }
  })

  it('gives the bias alone to a node that may look nowhere', () => {
    const layer = make({})
    const { context, selfWeights } = layer.along(random(9, 5, 3), new Graph(5, edges, { selfLoops: false }))
    expect(values(context.slice([{ start: 3, stop: 4 }]))).toEqual(values(layer.bias as Tensor))
    expect(selfWeights).toBeNull()
  })

  it('takes a graph without edges, and one node', () => {
    const alone = make({ heads: 2 }).along(random(10, 1, 3), new Graph(1, []))
    expect([alone.context.shape, alone.weights.shape]).toEqual([[1, 4], [2, 0]]) // biome-ignore format: shapes
    expect(values(alone.selfWeights as Tensor)).toEqual([1, 1])
  })

  it('keeps what stands in nodes that nobody looks at out of the others', () => {
    const x = random(11, 5, 3)
    const rest = tensor(Float32Array.from({ length: 15 }, (_, i) => (i >= 9 && i < 12 ? Number.NaN : 0)), { shape: [5, 3] }) // biome-ignore format: one line
    const layer = make({})
    const [clean, spoilt] = [x, x.add(rest)].map(all => values(layer.along(all, new Graph(5, edges)).context))
    expect(spoilt?.filter((_, i) => i < 6 || i >= 8)).toEqual(clean?.filter((_, i) => i < 6 || i >= 8))
  })

  it('shows the weights of one head and node to whoever captures', () => {
    const layer = make({ heads: 2 })
    const { output, maps } = captureAttention(layer, () =>
      layer.forward(random(12, 5, 3), new Graph(5, edges)),
    )
    const row = maps[0]?.row({ head: 1, query: 2 }) as Tensor
    expect(values(row)).toEqual(values(output.weights.slice([{ start: 1 }, { start: 2, stop: 3 }])))
  })

  it('drops weights while learning, not in use', () => {
    const layer = make({ dropout: 0.5 })
    const [x, graph] = [random(13, 5, 3), new Graph(5, edges)]
    const used = (): number[] => values(layer.along(x, graph).context)
    expect(used()).not.toEqual(used())
    layer.eval()
    expect(used()).toEqual(used())
  })

  it('says what is wrong', () => {
    expect(() => make({}).forward(random(1, 5, 4), new Graph(5, edges))).toThrow(
      'GraphAttention: the input is [5, 4]; use [node, 3]',
    )
    expect(() => make({}).forward(random(1, 4, 3), new Graph(5, edges))).toThrow(
      'GraphAttention: 4 nodes and a mask [5, 5]; use [4, 4]',
    )
    expect(() => make({}).along(random(1, 4, 3), new Graph(5, edges))).toThrow(
      'GraphAttention: 4 rows for a graph of 5 nodes; make them equal',
    )
    expect(() => make({ heads: 0 })).toThrow('GraphAttention: 0 heads; use a whole number of 1 or more')
  })
})

describe('GraphAttentionV2', () => {
  it('ranks neighbours differently for different nodes, which GraphAttention cannot', () => {
    const everybody = tensor(new Uint8Array(144).fill(1), { shape: [12, 12] })
    const favourites = (layer: GraphAttention | GraphAttentionV2): Set<number> =>
      new Set(values(layer.forward(random(3, 12, 4).mul(3), everybody).weights.argmax(-1)))
    expect(favourites(new GraphAttention(4, 8, { rng: new Rng(4) })).size).toBe(1)
    expect(favourites(new GraphAttentionV2(4, 8, { rng: new Rng(4) })).size).toBeGreaterThan(1)
  })
})

describe('Graph', () => {
  it('says which edge makes no sense', () => {
    expect(() => new Graph(2, [{ from: 0, to: 2 }])).toThrow(
      'Graph: edge 0 leads from 0 to 2; nodes are 0 to 1',
    )
    expect(() => new Graph(2, [{ from: 0, to: 1 }, { from: 1, to: 1 }])).toThrow('Graph: edge 1 leads from 1 to itself, where self-loops are kept apart; leave it out, or say selfLoops: false') // biome-ignore format: one line
  })

  it('is a mask with loops on its diagonal', () => {
    const like = random(1, 1)
    expect(values(new Graph(2, [{ from: 1, to: 0 }]).mask(like))).toEqual([1, 1, 0, 1])
    expect(values(new Graph(2, [{ from: 1, to: 0 }], { selfLoops: false }).mask(like))).toEqual([0, 1, 0, 0])
  })
})
