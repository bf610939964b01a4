// Hardware runs kernels whose threads wait for each other; adapters in software run others unless they are told to. These are the
// former, at shapes around the edges of tiles and parts, against the reference in float64.
import {
  apply,
  type Backend,
  gruSequence,
  layerNorm,
  linear,
  ops,
  Rng,
  type Shape,
  scaledDotAttention,
  scope,
  softmax,
  type Tensor,
  tensor,
} from '@heed/core-tensor'
import { referenceBackend } from '@heed/core-tensor/testing'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { findDevice } from '../src/adapter/find.ts'
import type { GpuBackend } from '../src/index.ts'
import { Machine } from '../src/webgpu/machine.ts'
import { wgsl } from '../src/webgpu/program.ts'
import { Recorder } from '../src/webgpu/recorder.ts'
import { open } from './open.ts'

/** The names of programs that were compiled, and whether their threads wait for each other. */
const compiled = new Map<string, boolean>()
const { compile } = Recorder.prototype
vi.spyOn(Recorder.prototype, 'compile').mockImplementation(function (this: Recorder, program) {
  compiled.set(program.name, /(workgroup|storage)Barrier\(\)/.test(wgsl(program)))
  return compile.call(this, program)
})

let backend: GpuBackend
const reference = referenceBackend()
beforeAll(async () => {
  backend = await open({ barriers: true })
})
afterAll(() => backend.dispose())

const size = (shape: Shape): number => shape.reduce((a, b) => a * b, 1)

/** Results and gradients of all inputs, on one backend; the same numbers on each. */
function outcome(
  on: Backend,
  shapes: readonly Shape[],
  run: (...x: Tensor[]) => Tensor,
): Promise<ArrayLike<number>[]> {
  const dtype = on === reference ? 'float64' : 'float32'
  return scope(async () => {
    const rng = new Rng(11)
    const draw = (shape: Shape): Tensor => {
      const values = Float32Array.from({ length: size(shape) }, () => rng.normal())
      return tensor(dtype === 'float64' ? Float64Array.from(values) : values, { shape, backend: on })
    }
    const inputs = shapes.map(draw)
    for (const x of inputs) x.requiresGrad = true
    const y = run(...inputs)
    const value = y.detach()
    y.mul(draw(y.shape)).sum().backward()
    const read: ArrayLike<number>[] = []
    for (const x of [value, ...inputs.map(x => x.grad as Tensor)]) read.push(await x.data())
    for (const x of inputs) x.grad?.release('by the test')
    return read
  })
}

/**
 * How far the results of float32 are from those of float64, as a share of what rounding allows: each of the sums of so many terms, of
 * size 1, rounds to half a unit of a partial sum, which is of size √terms or somewhat more; together, 2 · terms · 2⁻²³ with room.
 */
async function error(
  shapes: readonly Shape[],
  terms: number,
  run: (...x: Tensor[]) => Tensor,
): Promise<number> {
  const wants = await outcome(reference, shapes, run)
  const gots = await outcome(backend, shapes, run)
  let worst = 0
  for (const [i, want] of wants.entries()) {
    const got = gots[i] as ArrayLike<number>
    if (got.length !== want.length) return Number.POSITIVE_INFINITY
    for (let k = 0; k < want.length; k++) {
      const w = want[k] as number
      const off = Math.abs((got[k] as number) - w) / ((2 * terms + Math.abs(w)) * 2 ** -23)
      worst = Math.max(worst, Number.isNaN(off) ? Number.POSITIVE_INFINITY : off)
    }
  }
  return worst
}

const EDGES = [1, 15, 16, 17, 31, 32, 33, 63, 64, 65]
const DEPTHS = [7, 8, 9, 15, 16, 17, 31, 33, 64, 65]

describe('products in tiles', () => {
  it.each(EDGES)('of %d rows, with all numbers of columns, and their gradients', async m => {
    for (const [i, n] of EDGES.entries()) {
      const k = DEPTHS[(i + m) % DEPTHS.length] as number
      const off = await error([[m, k], [k, n]], Math.max(m, n, k), (a, b) => a.matmul(b)) // biome-ignore format: one line
      expect([m, k, n, off < 1 ? 'near' : off]).toEqual([m, k, n, 'near'])
    }
  })

  it.each<[string, Shape, Shape, (a: Tensor, b: Tensor) => Tensor]>([
    ['turned on the left', [40, 33], [40, 50], (a, b) => a.transpose().matmul(b)],
    ['turned on the right', [33, 40], [50, 40], (a, b) => a.matmul(b.transpose())],
    ['turned on both sides', [40, 33], [50, 40], (a, b) => a.transpose().matmul(b.transpose())],
    ['of batches', [5, 17, 33], [5, 33, 18], (a, b) => a.matmul(b)],
    ['of a batch and one matrix', [3, 2, 17, 16], [16, 33], (a, b) => a.matmul(b)],
    ['stretched on either side', [3, 1, 17, 16], [1, 2, 16, 33], (a, b) => a.matmul(b)],
    ['of three axes of batches that lie apart', [2, 17, 3, 2, 20], [20, 18], (a, b) => a.permute([3, 0, 2, 1, 4]).matmul(b)],
    ['of slices', [40, 40], [40, 40], (a, b) => a.slice([{ start: 3, stop: 36 }, { start: 5, stop: 38 }]).matmul(b.slice([{ start: 7 }, { start: 1, step: 2 }]))],
    ['of no rows', [0, 16], [16, 16], (a, b) => a.matmul(b)],
    ['of no columns', [16, 16], [16, 0], (a, b) => a.matmul(b)],
    ['over nothing', [16, 0], [0, 16], (a, b) => a.matmul(b)],
    ['of no batches', [0, 16, 16], [0, 16, 16], (a, b) => a.matmul(b)],
  ])('%s', async (_, a, b, run) => {
    expect(await error([a, b], 110, run)).toBeLessThan(1)
  }) // biome-ignore format: a table

  it.each([[16, 8, 16], [33, 65, 17], [1, 40, 100], [64, 16, 32]])('of linear, %d × %d to %d, with a bias and without', async (m, k, n) => {
    expect(await error([[m, k], [n, k], [n]], 100, (x, w, b) => linear(x, w, b))).toBeLessThan(1)
    expect(await error([[m, k], [n, k]], 100, (x, w) => linear(x, w, null))).toBeLessThan(1)
    expect(await error([[2, m, k], [n, k], [n]], 200, (x, w, b) => linear(x, w, b))).toBeLessThan(1)
  }) // biome-ignore format: one line reads best
})

describe('folds that a group of threads shares', () => {
  it.each([255, 256, 257, 4095, 4096, 4097, 8193])('of %d numbers', async n => {
    expect(await error([[3, n]], n, x => x.sum(1))).toBeLessThan(1)
    expect(await error([[n, 3]], n, x => x.sum(0))).toBeLessThan(1)
    expect(await error([[2, n, 2]], 4 * n, x => x.sum())).toBeLessThan(1)
    expect(await error([[3, n]], n, x => x.mean(1))).toBeLessThan(1)
    expect(await error([[300, 257]], n, x => x.sum(1))).toBeLessThan(1)
    expect(await error([[3, n]], 1, x => x.max(1))).toBeLessThan(1)
    expect(await error([[n, 3]], 1, x => x.min(0))).toBeLessThan(1)
    for (const fold of [ops.argmax, ops.argmin]) {
      const x = Float32Array.from({ length: 2 * n }, (_, i) => ((i * 7919) % n) / n)
      const at = (on: Backend): Promise<ArrayLike<number>> =>
        apply(fold, [tensor(x, { shape: [2, n], backend: on })], { axes: [1], keepDims: false }).data()
      expect(await at(backend)).toEqual(await at(reference))
    }
  })

  it('of whole numbers, exactly', async () => {
    const x = Int32Array.from({ length: 3 * 9000 }, (_, i) => (i * 7919) % 200_003)
    const fold = (on: Backend): Promise<ArrayLike<number>> => tensor(x, { shape: [3, 9000], backend: on }).sum(1).data() // biome-ignore format: one line
    expect(await fold(backend)).toEqual(await fold(reference))
  })
})

describe('shapes beyond what one launch may hold', () => {
  // Rehearsed: nothing is computed, and no memory is taken.
  const zeros = (...shape: number[]): Tensor => {
    const x = apply(ops.full, [], { shape, dtype: 'float32', value: 0 }, backend)
    x.requiresGrad = true
    return x
  }
  const much = 70_000
  it.each<[string, () => Tensor]>([
    ['products of many rows', () => zeros(40 * much, 16).matmul(zeros(16, 16))],
    ['products of many columns', () => zeros(16, 16).matmul(zeros(16, 40 * much))],
    ['products of many batches', () => zeros(much, 16, 16).matmul(zeros(16, 16))],
    ['products of small matrices', () => zeros(64 * much, 3, 3).matmul(zeros(3, 3))],
    ['sums of many rows', () => zeros(much, 300).sum(1)],
    ['a sum of many numbers', () => zeros(much, 5000).sum()],
    ['sums of a few long rows', () => zeros(300, 20 * much).sum(1)],
    ['the place of the largest of many', () => zeros(much, 1000).argmax(1)],
    ['layer norm of many rows', () => layerNorm(zeros(much, 64), { weight: zeros(64), bias: zeros(64) })],
    ['softmax of many rows', () => softmax(zeros(much, 300))],
    ['attention of many heads', () => scaledDotAttention(zeros(much, 1, 4, 4), zeros(much, 1, 4, 4), zeros(much, 1, 4, 4), { offset: 0 })],
    ['attention of many queries', () => scaledDotAttention(zeros(1, 1, 16 * much, 4), zeros(1, 1, 8, 4), zeros(1, 1, 8, 4))],
    ['attention to many keys', () => scaledDotAttention(zeros(1, 1, 8, 4), zeros(1, 1, 16 * much, 4), zeros(1, 1, 16 * much, 4))],
    ['many sequences', () => gruSequence(zeros(4 * much, 2, 6), { state: zeros(4 * much, 2), weight: zeros(6, 2), bias: zeros(6) }).last],
    ['elements by number', () => apply(ops.take, [zeros(much, 64), tensor(new Int32Array(much), { backend })], {})],
    ['elements of every kind', () => zeros(much, 300).exp().add(zeros(300)).transpose().tanh()],
  ])('%s: each launch stays within 65535 groups along every axis, and its gradient', async (_, run) => {
    const groups: (readonly number[])[] = []
    const launch = vi.spyOn(Recorder.prototype, 'launch').mockImplementation((_, __, ___, given) => void groups.push(given))
    try {
      await backend.warmup({ loss: () => { const y = run(); return y.requiresGrad ? y.sum() : zeros(1).sum() } }, undefined)
    } finally {
      launch.mockRestore()
    }
    expect(groups.length).toBeGreaterThan(0)
    expect(groups.filter(given => Math.max(...given) > 65535)).toEqual([])
  }) // biome-ignore format: a table
})

it.each([0, 1, 2])('groups beyond 65535 along axis %d are numbered on', async axis => {
  const machine = new Machine((await findDevice(true)).device, {
    barriers: true,
    maxBytes: Number.POSITIVE_INFINITY,
  })
  const n = 2 * 65535 + 3
  const y = machine.output({ shape: [n], dtype: 'float32' })
  const program = machine.program('numbers of groups', () => ({
    params: [['more', 'u32']],
    reads: {},
    writes: { y: 'f32' },
    grouped: true,
    group: 1,
    body: 'let i = group.x + group.y + group.z; y[i] = f32(i + p.more);',
  }))
  const groups = [0, 1, 2].map(a => (a === axis ? n : 1)) as [number, number, number]
  machine.grouped(program, groups, [7], [y])
  const read = await machine.read({ storage: y, shape: [n], strides: [1], offset: 0, dtype: 'float32' })
  expect(read).toEqual(Float32Array.from({ length: n }, (_, i) => i + 7))
  machine.close()
})

it('all of these ran kernels whose threads wait for each other', () => {
  const waiting = [...compiled].flatMap(([name, waits]) => (waits ? [name.replace(/ .*/, '')] : []))
  for (const name of ['matmul', 'sum', 'max', 'min', 'argmax', 'argmin']) expect(waiting).toContain(name)
})
