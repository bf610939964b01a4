import * as fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import * as heed from '../src/index.ts'
import { Rng, type Shape, setBackend, type Tensor, tensor } from '../src/index.ts'
import { referenceBackend } from '../src/testing/index.ts'

beforeAll(() => setBackend(referenceBackend()))

const shapes = fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 4 })
const seeds = fc.nat(1000)

function random(shape: Shape, seed: number): Tensor {
  const rng = new Rng(seed)
  return tensor(
    Float64Array.from({ length: heed.sizeOf(shape) }, () => rng.normal()),
    { shape },
  )
}
const values = (x: Tensor): number[] => [...x.dataSync()]
const dot = (a: Tensor, b: Tensor): number => a.mul(b).sum().dataSync()[0] as number
const close = (a: number, b: number): boolean => Math.abs(a - b) <= 1e-9 * Math.max(1, Math.abs(a))
const check = <T>(arbitrary: fc.Arbitrary<T>, law: (value: T) => boolean): void =>
  fc.assert(fc.property(arbitrary, law), { numRuns: 150 })

/** Two shapes that stretch to one: of each axis one side may be 1 or missing. */
const pairs = fc
  .tuple(
    shapes,
    fc.array(fc.constantFrom('both', 'left', 'right'), { minLength: 4, maxLength: 4 }),
    fc.nat(3),
  )
  .map(([shape, how, cut]) => ({
    shape,
    a: shape.map((n, i) => (how[i] === 'right' ? 1 : n)),
    b: shape.map((n, i) => (how[i] === 'left' ? 1 : n)).slice(Math.min(cut, shape.length - 1)),
  }))

describe('laws', () => {
  it('adding stretched tensors equals stretching and then adding', () => {
    check(fc.tuple(pairs, seeds), ([{ a, b }, seed]) => {
      const [x, y] = [random(a, seed), random(b, seed + 1)]
      const shape = heed.broadcast('law', a, b)
      const direct = x.add(y)
      return (
        direct.shape.join() === shape.join() &&
        values(direct).join() === values(x.expand(shape).add(y.expand(shape))).join()
      )
    })
  })

  it('the gradient of stretching sums back: ⟨stretch x, y⟩ = ⟨x, unstretch y⟩', () => {
    check(fc.tuple(pairs, seeds), ([{ a, b }, seed]) => {
      const shape = heed.broadcast('law', a, b)
      const x = random(a, seed)
      const y = random(shape, seed + 1)
      const [dx] = heed.grad((x: Tensor) => x.expand(shape).mul(y).sum())(x) as [Tensor]
      return dx.shape.join() === a.join() && close(dot(x.expand(shape), y), dot(x, dx))
    })
  })

  it('reshaping, permuting, flipping there and back change nothing', () => {
    check(fc.tuple(shapes, seeds), ([shape, seed]) => {
      const x = random(shape, seed)
      const order = [...new Rng(seed).permutation(shape.length)]
      const back = order.map((_, axis) => order.indexOf(axis))
      const same = [
        x.reshape([x.size]).reshape(shape),
        x.permute(order).permute(back),
        x.flip(0).flip(0),
        heed.concat(
          heed
            .unstack(x, 0)
            .map(part => part.unsqueeze(0))
            .concat(shape[0] ? [] : [x]),
          0,
        ),
      ]
      return same.every(y => values(y).join() === values(x).join())
    })
  })

  it('a slice and its placing are adjoint: ⟨slice x, y⟩ = ⟨x, place y⟩', () => {
    check(
      fc.tuple(fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 3 }), seeds),
      ([shape, seed]) => {
        const rng = new Rng(seed)
        const ranges = shape.map(n => ({ start: rng.int(n), step: rng.pick([1, 2, -1, -2]) }))
        const x = random(shape, seed)
        const cut = x.slice(ranges)
        const y = random(cut.shape, seed + 1)
        const [placed] = heed.grad((x: Tensor) => x.slice(ranges).mul(y).sum())(x) as [Tensor]
        return close(dot(cut, y), dot(x, placed))
      },
    )
  })

  it('gather and scatterAdd are adjoint, and so are embedding and its gradient', () => {
    check(
      fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 6 }), seeds),
      ([rows, count, seed]) => {
        const rng = new Rng(seed)
        const index = tensor(
          Int32Array.from({ length: count * 2 }, () => rng.int(rows)),
          { shape: [count, 2] },
        )
        const [x, y] = [random([rows, 2], seed), random([count, 2], seed + 1)]
        const scattered = heed.zeros([rows, 2], { dtype: 'float64' }).scatterAdd(0, index, y)
        const ids = tensor(Int32Array.from({ length: count }, () => rng.int(rows)))
        const [table] = heed.grad((t: Tensor) => heed.embedding(t, ids).mul(y).sum())(x) as [Tensor]
        return (
          close(dot(x.gather(0, index), y), dot(x, scattered)) &&
          close(dot(heed.embedding(x, ids), y), dot(x, table))
        )
      },
    )
  })

  it('softmax is positive, sums to 1, and does not see a constant', () => {
    check(
      fc.tuple(fc.integer({ min: 1, max: 9 }), seeds, fc.double({ min: -1e4, max: 1e4, noNaN: true })),
      ([n, seed, shift]) => {
        const x = random([2, n], seed)
        const y = heed.softmax(x)
        const moved = values(heed.softmax(x.add(shift)))
        return (
          values(y).every((v, i) => v > 0 && Math.abs(v - (moved[i] as number)) < 1e-9) &&
          values(y.sum(-1)).every(s => close(s, 1))
        )
      },
    )
  })

  it('products are linear, and a transposed product is the product of the transposed', () => {
    check(
      fc.tuple(
        fc.integer({ min: 0, max: 4 }),
        fc.integer({ min: 0, max: 4 }),
        fc.integer({ min: 0, max: 4 }),
        seeds,
      ),
      ([m, k, n, seed]) => {
        const [a, b, c] = [random([m, k], seed), random([k, n], seed + 1), random([k, n], seed + 2)]
        const apart = values(a.matmul(b).add(a.matmul(c)))
        const turned = values(b.transpose().matmul(a.transpose()).transpose())
        return (
          values(a.matmul(b.add(c))).every((v, i) => close(v, apart[i] as number)) &&
          values(a.matmul(b)).every((v, i) => close(v, turned[i] as number))
        )
      },
    )
  })

  it('einsum names axes as matmul, sum and transpose do', () => {
    check(fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 }), seeds), ([m, n, seed]) => {
      const [a, b] = [random([2, m, 3], seed), random([2, 3, n], seed + 1)]
      const same = (x: Tensor, y: Tensor): boolean =>
        x.shape.join() === y.shape.join() && values(x).every((v, i) => close(v, values(y)[i] as number))
      return (
        same(heed.einsum('bij,bjk->bik', a, b), a.matmul(b)) &&
        same(heed.einsum('bij->ji', a), a.sum(0).transpose()) &&
        same(heed.einsum('bij,bjk', a, b), a.matmul(b).sum(0)) &&
        same(heed.einsum('...ij->...ji', a), a.transpose())
      )
    })
    for (const [
      equation,
      message,
    ] of [['ij,jk->ik', /names 2 tensors, 1 are given/], ['ij->ijk', /names an axis twice, or one that no tensor has/], ['i->i', /tensor 0 has 2 axes, the equation i/], ['i j ? -> i', /cannot read/]] as const) // biome-ignore format: a table
      expect(() => heed.einsum(equation, random([2, 3], 1))).toThrow(message)
  })
})
