// The hand-written kernels of the hot operations against gpu.js's, on the same adapter: forward, and the gradient of every input.
import {
  apply,
  gruSequence,
  layerNorm,
  lstmSequence,
  ops,
  Rng,
  rnnSequence,
  type Shape,
  scaledDotAttention,
  scope,
  type Tensor,
  tensor,
} from '@heed/core-tensor'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { GpuBackend } from '../../src/index.ts'
import { native, webgl2, webgpu } from './modes.ts'

/** Random inputs of one case: the same numbers on every backend, and gradients wanted of all floats. */
type Draw = (shape: Shape, scale?: number) => Tensor

interface Case {
  readonly name: string
  /** How far apart results may be, for numbers of size 1: the root of how many are added, times 2⁻²³, with room for both sides. */
  readonly tolerance: number
  readonly run: (draw: Draw, ids: (below: number, shape: Shape) => Tensor) => readonly Tensor[]
}

const recurrent = (draw: Draw, gates: number, batch: number, time: number, hidden: number) =>
  [
    draw([batch, time, gates * hidden]),
    {
      state: draw([batch, hidden]),
      weight: draw([gates * hidden, hidden], 1 / Math.sqrt(hidden)),
      bias: draw([gates * hidden], 0.1),
    },
  ] as const

const cases: readonly Case[] = [
  { name: 'matmul', tolerance: 2e-5, run: draw => [draw([33, 70]).matmul(draw([70, 40]))] },
  {
    name: 'matmul of a batch, turned',
    tolerance: 2e-5,
    run: draw => [draw([3, 17, 20]).matmul(draw([3, 9, 20]).transpose())],
  },
  {
    name: 'linear',
    tolerance: 2e-5,
    run: draw => [apply(ops.linear, [draw([20, 33]), draw([12, 33]), draw([12])], {})],
  },
  {
    name: 'attention',
    tolerance: 2e-5,
    run: draw => [scaledDotAttention(draw([2, 3, 20, 8]), draw([2, 3, 37, 8]), draw([2, 3, 37, 5]))],
  },
  {
    name: 'causal attention with a mask',
    tolerance: 2e-5,
    run: (draw, ids) => [
      scaledDotAttention(draw([2, 2, 19, 8]), draw([2, 2, 19, 8]), draw([2, 2, 19, 8]), {
        mask: ids(3, [2, 1, 1, 19]).greater(0),
        offset: 0,
      }),
    ],
  },
  {
    name: 'layerNorm',
    tolerance: 2e-5,
    run: draw => [layerNorm(draw([12, 33]), { weight: draw([33]), bias: draw([33]) })],
  },
  {
    name: 'gru',
    tolerance: 2e-5,
    run: draw => {
      const [x, how] = recurrent(draw, 3, 5, 6, 17)
      const { states, last } = gruSequence(x, how)
      return [states, last]
    },
  },
  {
    name: 'lstm, backwards, rows of different length',
    tolerance: 2e-5,
    run: (draw, ids) => {
      const [x, how] = recurrent(draw, 4, 5, 6, 9)
      const { states, last, cell } = lstmSequence(x, {
        ...how,
        cell: draw([5, 9]),
        lengths: ids(7, [5]),
        reverse: true,
      })
      return [states, last, cell]
    },
  },
  {
    name: 'rnn',
    tolerance: 2e-5,
    run: draw => {
      const [x, how] = recurrent(draw, 1, 4, 5, 9)
      const { states, last } = rnnSequence(x, how)
      return [states, last]
    },
  },
  {
    name: 'scatterAdd',
    tolerance: 1e-5,
    run: (draw, ids) => [draw([30, 7]).scatterAdd(0, ids(30, [90, 7]), draw([90, 7]))],
  },
  {
    name: 'take, whose gradient adds rows up',
    tolerance: 1e-5,
    run: (draw, ids) => [apply(ops.take, [draw([20, 11]), ids(20, [100])], {})],
  },
]

/** Results and gradients of a case on one backend. */
function outcome(backend: GpuBackend, { name, run }: Case): Promise<Float32Array[]> {
  return scope(async () => {
    const rng = new Rng(5).split(name)
    const leaves: Tensor[] = []
    const draw: Draw = (shape, scale = 1) => {
      const size = shape.reduce((a, b) => a * b, 1)
      const leaf = tensor(
        Float32Array.from({ length: size }, () => scale * rng.normal()),
        { shape, backend },
      )
      leaf.requiresGrad = true
      leaves.push(leaf)
      return leaf
    }
    const ids = (below: number, shape: Shape): Tensor => {
      const size = shape.reduce((a, b) => a * b, 1)
      return tensor(
        Int32Array.from({ length: size }, () => rng.int(below)),
        { shape, backend },
      )
    }
    const results = run(draw, ids)
    const weigh = (y: Tensor): Tensor => {
      const size = y.shape.reduce((a, b) => a * b, 1)
      const weights = tensor(
        Float32Array.from({ length: size }, () => rng.normal()),
        { shape: y.shape, backend },
      )
      return y.mul(weights).sum()
    }
    const values = results.map(y => y.detach())
    const [first, ...rest] = results.map(weigh)
    rest.reduce((a, b) => a.add(b), first as Tensor).backward()
    const read: Float32Array[] = []
    for (const x of [...values, ...leaves.map(leaf => leaf.grad as Tensor)])
      read.push((await x.data()) as Float32Array)
    for (const leaf of leaves) leaf.grad?.release('by the test')
    return read
  })
}

describe('hand-written kernels and those of gpu.js', () => {
  let backends: { native: GpuBackend; webgpu: GpuBackend; webgl2: GpuBackend }
  beforeAll(async () => {
    backends = { native: await native(), webgpu: await webgpu(), webgl2: await webgl2() }
  })
  afterAll(() => {
    for (const backend of Object.values(backends)) backend.dispose()
  })

  it.each(cases)('agree in $name', async one => {
    const wants = await outcome(backends.webgpu, one)
    for (const backend of [backends.native, backends.webgl2]) {
      const gots = await outcome(backend, one)
      expect(gots.length).toBe(wants.length)
      for (const [i, want] of wants.entries()) {
        const size = Math.max(1, ...want.map(Math.abs))
        const got = gots[i] as Float32Array
        expect(got.length).toBe(want.length)
        const off = Math.max(0, ...want.map((x, k) => Math.abs(x - (got[k] as number)))) / size
        expect(off, `${backend.build}, result ${i}`).toBeLessThan(one.tolerance)
      }
    }
  })

  it('draw the same bits as every other backend', async () => {
    const draw = (backend: GpuBackend): Tensor =>
      apply(
        ops.random,
        [],
        { shape: [1001], dtype: 'float32', key: [7, -3 >>> 0], counter: 2 ** 32 - 100 },
        backend,
      )
    const rng = new Rng({ key: [7, -3 >>> 0], counter: 2 * (2 ** 32 - 100) })
    const want = Float32Array.from({ length: 1001 }, () => rng.uniform())
    for (const backend of Object.values(backends)) expect(await draw(backend).data()).toEqual(want)
  })
})
