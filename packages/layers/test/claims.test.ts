import { Rng, setBackend, type Tensor, tensor } from '@heed/core-tensor'
import { referenceBackend } from '@heed/core-tensor/testing'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  Additive,
  AttentionPool,
  attend,
  dot,
  General,
  groupedQueryAttention,
  Linear,
  LowRank,
  Module,
  MultiHeadAttention,
  scaledDot,
  scaledDotProductAttention,
} from '../src/index.ts'

beforeAll(() => setBackend(referenceBackend()))

const random = (seed: number, ...shape: number[]): Tensor => {
  const rng = new Rng(seed)
  return tensor(Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => rng.normal()), { shape }) // biome-ignore format: one line
}
const identity = (size: number, factor = 1): Tensor =>
  tensor(Float32Array.from({ length: size * size }, (_, i) => (i % (size + 1) === 0 ? factor : 0)), { shape: [size, size] }) // biome-ignore format: one line
const equal = (got: Tensor, want: Tensor, digits = 6): void => {
  expect(got.shape).toEqual(want.shape)
  const data = want.dataSync()
  for (const [i, v] of [...got.dataSync()].entries()) expect(v).toBeCloseTo(data[i] as number, digits)
}

describe('each form of attention is a strict extension of the one before (A24)', () => {
  const [query, keys, values] = [() => random(1, 2, 3, 4), () => random(2, 2, 5, 4), () => random(3, 2, 5, 4)]

  it('a query that is always the same gives the query-free pool', () => {
    const pool = new AttentionPool(4, { size: 0, rng: new Rng(1) })
    const constant = pool.query.reshape([1, 1, 4])
    const { context, weights } = attend(constant, keys(), keys(), { score: dot })
    const pooled = pool.forward(keys())
    equal(context.squeeze(1), pooled.context)
    equal(weights.squeeze(1), pooled.weights)
  })

  it('and with a hidden layer: additive scores of a constant query', () => {
    const [pool, score] = [new AttentionPool(4, { size: 3, rng: new Rng(1) }), new Additive(2, 4, 3)]
    score.wKey.assign(pool.weight as Tensor)
    score.v.assign(pool.query)
    const q = tensor([[[1, 0]]])
    score.wQuery.assign((pool.bias as Tensor).unsqueeze(1).mul(tensor([1, 0]))) // W_q q = b
    // The pool's score is uᵀ tanh(…), that is v.
    equal(attend(q, keys(), keys(), { score }).context.squeeze(1), pool.forward(keys()).context)
  })

  it('general with the identity is dot, and low-rank with two identities', () => {
    const [general, low] = [new General(4, 4), new LowRank(4, 4, 4)]
    general.weight.assign(identity(4))
    low.wQuery.assign(identity(4))
    low.wKey.assign(identity(4))
    const want = attend(query(), keys(), values())
    equal(attend(query(), keys(), values(), { score: general }).context, want.context)
    equal(attend(query(), keys(), values(), { score: low }).context, want.context)
  })

  it('values that are the keys give attention without values of their own', () => {
    equal(attend(query(), keys(), keys()).context, attend(query(), keys()).context)
  })

  it('scaled dot is dot with a longer query', () => {
    equal(attend(query().mul(2), keys(), values(), { score: scaledDot }).context, attend(query(), keys(), values()).context) // biome-ignore format: one line
    equal(scaledDotProductAttention(query(), keys(), values(), { scale: 1 }).context, attend(query(), keys(), values()).context) // biome-ignore format: one line
  })

  it('one head with identity projections, unscaled, is dot attention', () => {
    const heads = new MultiHeadAttention(4, 1)
    heads.wQuery.assign(identity(4, 2)) // takes the scale 1/√4 back
    for (const weight of [heads.wKey, heads.wValue, heads.wOut.weight]) weight.assign(identity(4))
    const [got, want] = [heads.forward(query(), keys(), values()), attend(query(), keys(), values())]
    equal(got.context, want.context)
    equal(got.weights.squeeze(1), want.weights)
  })

  it("each head's scores are low-rank scores of rank headSize (A7)", () => {
    const heads = new MultiHeadAttention(4, 2, { rng: new Rng(3) })
    const { scores } = heads.forward(query(), keys(), values())
    for (const head of [0, 1]) {
      const low = new LowRank(4, 4, 2)
      const rows = { start: 2 * head, stop: 2 * head + 2 }
      low.wQuery.assign(heads.wQuery.slice([rows]).mul(1 / Math.SQRT2))
      low.wKey.assign(heads.wKey.slice([rows]))
      equal(scores.slice([{}, { start: head, stop: head + 1 }]).squeeze(1), low.forward(query(), keys()))
    }
  })

  it('grouped queries with as many heads of keys are heads', () => {
    const split = (x: Tensor): Tensor => x.reshape([2, -1, 2, 2]).transpose(1, 2)
    const [q, k, v] = [query(), keys(), values()].map(split) as [Tensor, Tensor, Tensor]
    equal(groupedQueryAttention(q, k, v).context, scaledDotProductAttention(q, k, v).context)
  })
})

/** A summary of states, `[batch, time, 4]` → `[batch, size]`, made for sequences of one length. */
type Summary = (seed: number, time: number) => Module & { forward(states: Tensor): Tensor }

class Fixed extends Module {
  readonly summarise: (states: Tensor) => Tensor
  constructor(summarise: (states: Tensor) => Tensor) {
    super()
    this.summarise = summarise
  }
  forward(states: Tensor): Tensor {
    return this.summarise(states)
  }
}
class Concatenated extends Module {
  readonly head: Linear
  constructor(seed: number, time: number) {
    super()
    this.head = new Linear(time * 4, 4, { rng: new Rng(seed) })
  }
  forward(states: Tensor): Tensor {
    return this.head.forward(states.reshape([states.shape[0] as number, -1]))
  }
}
class Attending extends Module {
  readonly pool: AttentionPool
  constructor(seed: number) {
    super()
    this.pool = new AttentionPool(4, { size: 3, rng: new Rng(seed) })
    this.pool.query.assign(this.pool.query.mul(4)) // as after learning: far from uniform
  }
  forward(states: Tensor): Tensor {
    return this.pool.forward(states).context
  }
}

describe('an acceptable summary meets four constraints (A25)', () => {
  const summaries: Record<string, Summary> = {
    last: () => new Fixed(states => states.slice([{}, { start: -1 }]).squeeze(1)),
    concat: (seed, time) => new Concatenated(seed, time),
    mean: () => new Fixed(states => states.mean(1)),
    max: () => new Fixed(states => states.max(1)),
    attention: seed => new Attending(seed),
  }

  /** How much each position counts, as a share: the size of the summary's derivative by each state. */
  const influence = (module: ReturnType<Summary>, states: Tensor): number[] => {
    const x = states.detach()
    x.requiresGrad = true
    const y = module.forward(x)
    y.mul(random(77, ...y.shape)).sum().backward() // biome-ignore format: one line
    const sizes = [...(x.grad as Tensor).abs().sum(-1).reshape([-1]).dataSync()]
    const total = sizes.reduce((a, b) => a + b, 0)
    return sizes.map(v => v / total)
  }
  const apart = (a: readonly number[], b: readonly number[]): boolean =>
    a.some((v, i) => Math.abs(v - (b[i] as number)) > 1e-3)

  /** Measured, not declared. */
  const measured = (make: Summary): boolean[] => {
    const [short, long] = [random(1, 1, 3, 4), random(2, 1, 7, 4)]
    const fitsBoth = (): boolean => {
      const module = make(1, 3)
      try {
        return module.forward(short).shape.join() === module.forward(long).shape.join()
      } catch {
        return false
      }
    }
    const uniform = new Array<number>(7).fill(1 / 7)
    const [here, elsewhere] = [influence(make(1, 7), long), influence(make(1, 7), random(3, 1, 7, 4))]
    const count = (time: number): number => make(1, time).parameters().reduce((n, p) => n + p.size, 0) // biome-ignore format: one line
    return [
      fitsBoth(),
      apart(here, uniform) && apart(here, elsewhere),
      apart(here, influence(make(2, 7), long)),
      count(3) === count(200),
    ]
  }

  it.each([
    ['last', [true, false, false, true]],
    ['concat', [false, false, true, false]],
    ['mean', [true, false, false, true]],
    ['max', [true, true, false, true]],
    ['attention', [true, true, true, true]],
  ])(
    '%s: one shape, weights by content, learned weights, parameters independent of time: %j',
    (name, want) => {
      expect(measured(summaries[name] as Summary)).toEqual(want)
    },
  )

  it('all of them at once only by attention', () => {
    const passed = Object.entries(summaries).flatMap(([name, make]) => (measured(make).every(Boolean) ? [name] : [])) // biome-ignore format: one line
    expect(passed).toEqual(['attention'])
  })
})
