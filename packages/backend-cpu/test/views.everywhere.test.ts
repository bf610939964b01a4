import {
  type Backend,
  concat,
  type DType,
  isFloat,
  logSoftmax,
  Rng,
  scope,
  sizeOf,
  softmax,
  type Tensor,
  tensor,
  typedArray,
  where,
} from '@heed/core-tensor'
import { referenceBackend } from '@heed/core-tensor/testing'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { cpu } from '../src/index.ts'

const dtypes = ['float32', 'float32', 'float64', 'int32', 'bool'] as const

/** Draws a computation: the same one for the same number, on whatever backend. */
class Fuzz {
  readonly backend: Backend
  readonly rng: Rng
  /** What is done, for the message of a failure. */
  readonly story: string[] = []

  constructor(backend: Backend, number: number) {
    this.backend = backend
    this.rng = new Rng(number).split('views')
  }

  /** Up to six axes; one in twelve is empty, and many have one place. */
  shape(most = 6): number[] {
    const lengths = [0, 1, 1, 1, 2, 2, 3, 3, 4, 5, 7, 9]
    const shape = Array.from({ length: this.rng.int(most + 1) }, () => this.rng.pick(lengths))
    while (sizeOf(shape) > 3000) shape.pop()
    return shape
  }

  tensor(shape: readonly number[], dtype: DType): Tensor {
    const data = typedArray(dtype, sizeOf(shape))
    for (let i = 0; i < data.length; i++)
      data[i] = isFloat(dtype) ? this.rng.normal() : dtype === 'bool' ? this.rng.int(2) : this.rng.int(19) - 9
    return tensor(data, { shape, dtype, backend: this.backend })
  }

  ids(below: number, shape: readonly number[]): Tensor {
    const data = Int32Array.from({ length: sizeOf(shape) }, () => this.rng.int(below))
    return tensor(data, { shape, backend: this.backend })
  }

  /** The same tensor looked at in other ways, one after the other. */
  view(x: Tensor): Tensor {
    let y = x
    for (let i = this.rng.int(4); i > 0; i--) y = this.rng.pick([this.turned, this.cut, this.flipped, this.stretched]).call(this, y) // biome-ignore format: one line reads best
    this.story.push(`${y.dtype} [${y.shape}] strides [${y.strides}] offset ${y.offset}`)
    return y
  }

  turned(x: Tensor): Tensor {
    return x.permute([...this.rng.permutation(x.shape.length)])
  }

  cut(x: Tensor): Tensor {
    return x.slice(
      x.shape.map(n => {
        const start = this.rng.int(n + 1)
        return { start, stop: start + this.rng.int(n - start + 1), step: 1 + this.rng.int(3) }
      }),
    )
  }

  flipped(x: Tensor): Tensor {
    return x.flip(x.shape.map((_, axis) => axis).filter(() => this.rng.int(2) === 1))
  }

  stretched(x: Tensor): Tensor {
    const wide = x.unsqueeze(this.rng.int(x.shape.length + 1))
    return wide.expand(wide.shape.map(n => (n === 1 && sizeOf(wide.shape) < 1000 ? 1 + this.rng.int(3) : n)))
  }

  /** A tensor of that type that stretches to a shape, or with it to another. */
  partner(shape: readonly number[], dtype: DType): Tensor {
    const own = shape.map(n => (this.rng.int(3) === 0 ? 1 : n)).slice(this.rng.int(shape.length + 1))
    const turned = this.rng.permutation(own.length)
    const made = this.tensor([...turned].map(axis => own[axis] as number), dtype) // biome-ignore format: one line reads best
    const back = own.map((_, axis) => [...turned].indexOf(axis))
    return made.permute(back)
  }

  axes(x: Tensor): number[] {
    return x.shape.map((_, axis) => axis).filter(() => this.rng.int(2) === 1)
  }
}

type Step = (x: Tensor, fuzz: Fuzz) => Tensor

const numeric: Readonly<Record<string, Step>> = {
  neg: x => x.neg(),
  abs: x => x.abs(),
  add: (x, f) => x.add(f.partner(x.shape, x.dtype)),
  sub: (x, f) => f.partner(x.shape, x.dtype).sub(x),
  mul: (x, f) => x.mul(f.partner(x.shape, x.dtype)),
  maximum: (x, f) => x.maximum(f.partner(x.shape, x.dtype)),
  minimum: (x, f) => f.partner(x.shape, x.dtype).minimum(x),
  less: (x, f) => x.less(f.partner(x.shape, x.dtype)),
  sum: (x, f) => x.sum(f.axes(x), { keepDims: f.rng.int(2) === 1 }),
  prod: (x, f) => x.sign().prod(f.axes(x)),
  max: (x, f) => x.max(f.axes(x)),
  min: (x, f) => x.min(f.axes(x), { keepDims: true }),
  argmax: (x, f) => x.argmax(x.shape.length ? f.rng.int(x.shape.length) : undefined),
  argmin: (x, f) => x.argmin(x.shape.length ? f.rng.int(x.shape.length) : undefined),
  cumsum: (x, f) => (x.shape.length ? x.cumsum(f.rng.int(x.shape.length)) : x.neg()),
}

const floating: Readonly<Record<string, Step>> = {
  exp: x => x.exp(),
  tanh: x => x.tanh(),
  'log of the size': x => x.abs().add(0.1).log(),
  div: (x, f) => x.div(f.partner(x.shape, x.dtype).abs().add(0.5)),
  mean: (x, f) => x.mean(f.axes(x)),
  softmax: (x, f) => softmax(x, x.shape.length ? f.rng.int(x.shape.length) : -1),
  logSoftmax: x => logSoftmax(x),
  matmul: (x, f) => {
    if (x.shape.length < 2) return x.neg()
    const [m, k] = x.shape.slice(-2) as [number, number]
    const lead = f.partner(x.shape.slice(0, -2), 'bool').shape
    const right = f.tensor([...lead, m === 3 ? 1 : 1 + f.rng.int(9), k], x.dtype).transpose()
    return x.matmul(right)
  },
}

const any: Readonly<Record<string, Step>> = {
  'as it is': x => x,
  reshape: x => x.reshape([sizeOf(x.shape)]),
  equal: (x, f) => x.equal(f.partner(x.shape, x.dtype)),
  cast: (x, f) => x.cast(f.rng.pick(dtypes)),
  pad: (x, f) => x.pad(x.shape.map(() => [f.rng.int(3), f.rng.int(3)]), 1), // biome-ignore format: one line reads best
  where: (x, f) => where(f.partner(x.shape, 'bool'), x, f.partner(x.shape, x.dtype)),
  concat: (x, f) => (x.shape.length ? concat([x, f.turned(f.turned(x)).reshape(x.shape), x.flip([0])], f.rng.int(x.shape.length)) : x), // biome-ignore format: one line reads best
  gather: (x, f) => {
    if (!x.shape.length) return x
    const axis = f.rng.int(x.shape.length)
    const length = x.shape[axis] as number
    const shape = x.shape.map((n, a) =>
      a === axis ? (length ? f.rng.int(6) : 0) : Math.min(n, 1 + f.rng.int(9)),
    )
    return x.gather(axis, f.ids(Math.max(length, 1), shape))
  },
}

const steps: Readonly<Record<DType, Readonly<Record<string, Step>>>> = {
  float32: { ...any, ...numeric, ...floating },
  float64: { ...any, ...numeric, ...floating },
  int32: { ...any, ...numeric },
  bool: any,
}

/** The values of computation number `number`, or the words of its error. */
function outcome(backend: Backend, number: number): { story: string; result: unknown } {
  const fuzz = new Fuzz(backend, number)
  return scope(() => {
    try {
      const x = fuzz.view(fuzz.tensor(fuzz.shape(), fuzz.rng.pick(dtypes)))
      const [name, step] = fuzz.rng.pick(Object.entries(steps[x.dtype]))
      fuzz.story.unshift(name)
      const y = fuzz.view(step(x, fuzz))
      const data = [...y.dataSync()]
      return { story: fuzz.story.join(', '), result: { dtype: y.dtype, shape: y.shape, data } }
    } catch (error) {
      return { story: fuzz.story.join(', '), result: String(error) }
    }
  })
}

let backend: Backend
const reference = referenceBackend()
beforeAll(async () => {
  backend = await cpu({ threads: 2 })
})
afterAll(() => backend.dispose())

interface Values {
  readonly dtype: DType
  readonly shape: readonly number[]
  readonly data: readonly number[]
}

/** Whether two outcomes are the same, but for rounding. */
function agree(got: unknown, want: unknown): boolean {
  if (typeof got === 'string' || typeof want === 'string') return got === want
  const [a, b] = [got as Values, want as Values]
  if (a.dtype !== b.dtype || a.shape.join() !== b.shape.join()) return false
  const allowed = a.dtype === 'float32' ? 2e-5 : a.dtype === 'float64' ? 1e-12 : 0
  return b.data.every((w, i) => {
    const g = a.data[i] as number
    return Object.is(g, w) || Math.abs(g - w) <= allowed * (1 + Math.abs(w))
  })
}

it.each(Array.from({ length: 10 }, (_, i) => 200 * i))(
  '200 computations on views from number %i on agree with the reference',
  first => {
    let errors = 0
    for (let number = first; number < first + 200; number++) {
      const [got, want] = [outcome(backend, number), outcome(reference, number)]
      if (typeof want.result === 'string') errors++
      if (!agree(got.result, want.result))
        expect(got.result, `number ${number}: ${want.story}`).toEqual(want.result)
    }
    expect(errors).toBeLessThan(40) // most of them compute something
  },
)
