import { inspect } from 'node:util'
import { beforeAll, describe, expect, it } from 'vitest'
import * as heed from '../src/index.ts'
import { type Op, setBackend, type Tensor, tensor } from '../src/index.ts'
import { referenceBackend } from '../src/testing/index.ts'

beforeAll(() => setBackend(referenceBackend()))

const values = (x: Tensor): number[] => [...x.dataSync()]

describe('tensor', () => {
  it('is made of nested numbers, or of a flat array and a shape', async () => {
    const x = tensor([[1, 2, 3], [4, 5, 6]]) // biome-ignore format: a matrix
    expect([x.shape, x.dtype, x.size]).toEqual([[2, 3], 'float32', 6])
    expect(await tensor(Int32Array.of(1, 2, 3, 4), { shape: [2, 2] }).toArray()).toEqual([[1, 2], [3, 4]]) // biome-ignore format: a matrix
    expect(await tensor([true, false]).toArray()).toEqual([true, false])
    expect(await tensor(7).item()).toBe(7)
  })

  it('has the type of a typed array, and takes bytes for truth values only where they are', () => {
    expect(tensor(Int32Array.of(1, 2)).dtype).toBe('int32')
    expect(tensor(Float64Array.of(1)).dtype).toBe('float64')
    expect(tensor(Uint8Array.of(0, 1)).dtype).toBe('bool')
    const pixels = Uint8Array.of(0, 128, 255)
    expect(() => tensor(pixels)).toThrow(
      "tensor: a Uint8Array holds truth values unless said otherwise, and 128 is neither 0 nor 1; pass { dtype: 'float32' }",
    )
    expect([...tensor(pixels, { dtype: 'float32' }).dataSync()]).toEqual([0, 128, 255])
    expect([...tensor(pixels, { dtype: 'bool' }).dataSync()]).toEqual([0, 1, 1])
    expect(() => tensor(BigInt64Array.of(1n) as never)).toThrow(
      "tensor: no type is the same as a BigInt64Array's",
    )
  })

  it.each([
    [[1, 2], 'an array'],
    ['1', 'string'],
    [undefined, 'undefined'],
    [null, 'object'],
  ])('says that %j is neither a tensor nor a number', (other, what) => {
    const message = `add: a tensor or a number is needed, got ${what}; wrap it in tensor()`
    expect(() => tensor([1, 2]).add(other as never)).toThrow(message)
  })

  it('prints so that a person can read it', () => {
    expect(inspect(tensor([[1, 2.5], [0.1, 1e-9]]))).toBe('Tensor [2, 2] float32\n[[1, 2.5],\n [0.1, 1.0000e-9]]') // biome-ignore format: a matrix
    expect(String(heed.arange(0, 100))).toBe('Tensor [100] int32\n[0, 1, 2, …, 97, 98, 99]')
    expect(String(tensor(true))).toBe('Tensor [] bool true')
  })

  it('reads parts of itself as Python does', () => {
    const x = heed.arange(0, 6)
    expect(values(x.slice([{ start: -2 }]))).toEqual([4, 5])
    expect(values(x.slice([{ step: -2 }]))).toEqual([5, 3, 1])
    expect(values(x.slice([{ start: 4, stop: 2 }]))).toEqual([])
    expect(values(x.slice([{ start: 1, stop: 99, step: 3 }]))).toEqual([1, 4])
    expect(values(x.slice([{ start: 4, stop: -7, step: -2 }]))).toEqual([4, 2, 0])
    expect(values(x.reshape([2, 3]).flip(-1))).toEqual([2, 1, 0, 5, 4, 3])
  })

  it('shares memory between views, and copies where another order is needed', () => {
    const backend = referenceBackend()
    const x = tensor([[1, 2], [3, 4]], { backend }) // biome-ignore format: a matrix
    x.transpose()
      .slice([{ start: 1 }])
      .expand([3, 2])
    expect(backend.memory().count).toBe(1)
    expect(values(x.transpose().reshape([4]))).toEqual([1, 3, 2, 4])
  })

  it.each<[string, () => unknown, RegExp]>([
    [
      'shapes that do not stretch',
      () => tensor([1, 2]).add(tensor([1, 2, 3])),
      /add: shapes \[2\] and \[3\] do not fit, axis −1 has 2 against 3/,
    ],
    [
      'inner sizes',
      () => heed.zeros([2, 5, 3]).matmul(heed.zeros([2, 7, 6])),
      /matmul: inner sizes differ, \[2, 5, 3\] × \[2, 7, 6\]: 3 against 7/,
    ],
    ['an axis that is not there', () => tensor([1, 2]).sum(1), /sum: axis 1 is outside \[2\]; use -1 to 0/],
    ['an axis named twice', () => heed.zeros([2, 2]).sum([0, -2]), /sum: axes \[0, 0\] name one axis twice/],
    [
      'sizes that do not fit',
      () => heed.zeros([2, 3]).reshape([4, -1]),
      /reshape: \[2, 3\] does not fit \[4, -1\]/,
    ],
    [
      'rows of different length',
      () => tensor([[1, 2], [3]]),
      /tensor: rows differ on axis 1, one has 1 elements, the first 2/,
    ],
    [
      'types that do not mix',
      () => tensor([1]).add(heed.arange(0, 1)),
      /add: float32 and int32 do not mix; cast one/,
    ],
    ['half a whole number', () => heed.arange(0, 2).mul(0.5), /mul: int32 with 0.5; use x.cast\('float32'\)/],
    ['a condition that is none', () => tensor([1]).where(tensor([1]), 0), /where: the condition is float32/],
    [
      'an index outside',
      () => heed.embedding(heed.zeros([3, 2]), tensor([3], { dtype: 'int32' })),
      /take: index 3 is outside 0 to 2/,
    ],
    [
      'the largest of nothing',
      () => heed.zeros([2, 0]).max(1),
      /max: nothing to choose from along an axis of length 0 of \[2, 0\]/,
    ],
    [
      'two backends',
      () => tensor([1]).add(tensor([1], { backend: referenceBackend() })),
      /add: inputs on reference and on reference; bring them together, use x.to/,
    ],
    [
      'a gradient of many numbers',
      () => grown([1, 2]).backward(),
      /backward: \[2\] is not one number; pass \{ gradient \}/,
    ],
    [
      'a gradient of nothing',
      () => tensor([1]).backward(),
      /does not depend on anything that requires a gradient/,
    ],
  ])('explains %s', (_, body, message) => {
    expect(body).toThrow(message)
  })

  it('has a defined answer for axes of length 0', () => {
    expect(values(heed.zeros([2, 0]).sum(1))).toEqual([0, 0])
    expect(values(heed.zeros([0]).prod())).toEqual([1])
    expect(values(heed.zeros([0, 3]).mean())).toEqual([Number.NaN])
    expect(heed.zeros([0, 3]).max(1).shape).toEqual([0])
    expect(values(heed.zeros([2, 0]).matmul(heed.zeros([0, 2])))).toEqual([0, 0, 0, 0])
    expect(heed.softmax(heed.zeros([2, 0])).shape).toEqual([2, 0])
  })
})

/** A tensor that depends on one that requires a gradient. */
function grown(data: number[]): Tensor {
  const x = tensor(data)
  x.requiresGrad = true
  return x.mul(2)
}

describe('backward', () => {
  it('adds to the gradient that is there', () => {
    const x = tensor([1, 2])
    x.requiresGrad = true
    x.mul(3).sum().backward()
    x.mul(x).sum().backward()
    expect(values(x.grad as Tensor)).toEqual([5, 7])
  })

  it('gives the norm of a zero vector the gradient 0, as PyTorch does', () => {
    const x = tensor([0, 0])
    x.requiresGrad = true
    heed.norm(x).backward()
    expect(values(x.grad as Tensor)).toEqual([0, 0])
  })

  it('goes through a chain of 20,000 steps', () => {
    const x = tensor(1)
    x.requiresGrad = true
    let y: Tensor = x
    for (let i = 0; i < 20_000; i++) y = y.add(1)
    y.backward()
    expect(values(x.grad as Tensor)).toEqual([1])
  })

  it('goes through a chain of 5,000 steps where gradients shall have gradients', () => {
    const x = tensor(1)
    x.requiresGrad = true
    let y: Tensor = x
    for (let i = 0; i < 5000; i++) y = y.mul(y)
    const [dx] = heed.gradients(y, [x], { createGraph: true }) // y = x^(2^5000), at 1: overflows, but gets there
    expect(values(dx as Tensor)).toEqual([Number.POSITIVE_INFINITY])
    expect(() => (dx as Tensor).backward()).not.toThrow()
  })

  it('makes gradients of gradients through relu, which is 0 at 0', () => {
    const slope = heed.grad((x: Tensor) => heed.relu(x).pow(3).sum()) // 3 x²
    const bend = heed.grad((x: Tensor) => (slope(x)[0] as Tensor).sum()) // 6 x
    const x = tensor([2, 0, -1, 3])
    expect([slope, bend].map(f => values(f(x)[0] as Tensor))).toEqual([[12, 0, 0, 27], [12, 0, 0, 18]]) // biome-ignore format: rows
  })

  it('makes gradients of gradients where asked', () => {
    const x = tensor([2, 3])
    x.requiresGrad = true
    x.pow(3).sum().backward({ createGraph: true })
    const first = x.grad as Tensor
    x.grad = null
    first.sum().backward()
    expect(values(x.grad as unknown as Tensor)).toEqual([12, 18]) // 6x
  })

  it('refuses a parameter that was assigned in between', () => {
    const weight = new heed.Parameter(tensor([2]))
    const loss = weight.mul(weight).sum()
    weight.assign(tensor([3]))
    expect(() => loss.backward()).toThrow(/an input of mul was assigned between forward and backward/)
  })

  it('leaves no trace inside noGrad, also across await', async () => {
    const x = grown([1])
    expect(heed.noGrad(() => x.mul(2)).requiresGrad).toBe(false)
    const y = await heed.noGrad(async () => {
      await null
      return x.mul(2)
    })
    expect([y.requiresGrad, x.mul(2).requiresGrad]).toEqual([false, true])
  })
})

describe('grad', () => {
  it('gives derivatives as functions, also of themselves', () => {
    const cube = (x: Tensor): Tensor => x.pow(3).sum()
    const first = heed.grad(cube)
    const second = heed.grad((x: Tensor) => (first(x)[0] as Tensor).sum())
    const third = heed.grad((x: Tensor) => (second(x)[0] as Tensor).sum())
    const x = tensor([2, -1])
    expect([first, second, third].map(f => values(f(x)[0] as Tensor))).toEqual([[12, 3], [12, -6], [6, 6]]) // biome-ignore format: rows
    expect([x.grad, x.requiresGrad]).toEqual([null, false])
  })

  it('gives zeros where nothing depends, and refuses many numbers', () => {
    const [dx, dy] = heed.grad((x: Tensor, _: Tensor) => x.sum())(tensor([1, 2]), tensor([3]))
    expect([values(dx as Tensor), values(dy as Tensor)]).toEqual([[1, 1], [0]])
    expect(() => heed.grad((x: Tensor) => x)(tensor([1, 2]))).toThrow(
      /the function yields \[2\]; it must yield one number/,
    )
  })

  it('gives derivatives by tensors in the middle', () => {
    const x = grown([3])
    const y = x.mul(x)
    expect(values(heed.gradients(y.mul(2).sum(), [y, x])[1] as Tensor)).toEqual([24])
  })
})

describe('checkpoint', () => {
  it('yields the same gradients, of inputs and of parameters, and the same random numbers', () => {
    const run = (wrapped: boolean): number[] => {
      heed.manualSeed(4)
      const weight = new heed.Parameter(tensor([[1, 2], [3, 4]])) // biome-ignore format: a matrix
      const x = tensor([[0.5, -1]])
      x.requiresGrad = true
      const body = (x: Tensor): Tensor =>
        x
          .matmul(weight)
          .tanh()
          .mul(heed.uniform([1, 2], { rng: heed.defaultRng() }))
      const y = heed.keep(wrapped ? heed.checkpoint(body, x) : body(x))
      y.sum().backward()
      return [...values(y), ...values(x.grad as Tensor), ...values(weight.grad as Tensor)]
    }
    expect(run(true)).toEqual(run(false))
  })

  it('holds nothing in between while the loss waits', () => {
    const backend = heed.getBackend()
    const weight = new heed.Parameter(tensor([1, 2]))
    const alive = (wrapped: boolean): number =>
      heed.scope(() => {
        const body = (x: Tensor): Tensor => x.exp().sin().exp().mul(weight)
        const x = grown([3, 4])
        const before = heed.memory(backend).count
        const y = wrapped ? heed.checkpoint(body, x) : body(x)
        const held = heed.memory(backend).count - before
        y.sum().backward()
        return held
      })
    expect([alive(true), alive(false)]).toEqual([1, 4])
  })

  it('gives gradients to what is asked for, and to nothing else', () => {
    const [weight, x] = [new heed.Parameter(tensor([2, 3])), grown([0.5, 2])] // x = [1, 4]
    const y = heed.checkpoint(x => x.mul(weight), x).sum()
    const [dw, dx] = heed.gradients(y, [weight, x])
    expect([values(dw as Tensor), values(dx as Tensor)]).toEqual([[1, 4], [2, 3]]) // biome-ignore format: rows
    expect([weight.grad, x.grad]).toEqual([null, null])
  })

  it('lets gradients through what its body only borrows', () => {
    const [a, x] = [new heed.Parameter(tensor([2])), new heed.Parameter(tensor([3]))]
    const borrowed = a.mul(a)
    heed
      .checkpoint(x => x.mul(borrowed), x)
      .add(borrowed)
      .sum()
      .backward()
    expect(values(a.grad as Tensor)).toEqual([16]) // d/da (3a² + a²)
  })

  it('can be differentiated twice', () => {
    const cube = heed.grad((x: Tensor) => heed.checkpoint(x => x.pow(3).sum(), x))
    const second = heed.grad((x: Tensor) => (cube(x)[0] as Tensor).sum())
    expect(values(second(tensor([2, -1]))[0] as Tensor)).toEqual([12, -6])
  })
})

describe('the seam', () => {
  it('lets another interpreter see and replace every operation', () => {
    const names: string[] = []
    const x = tensor([1, 2])
    heed.interpret(
      next => ({
        run(op, inputs, attrs, backend) {
          names.push(op.name)
          return next.run(op, inputs, attrs, backend)
        },
      }),
      () => heed.softmax(x).sum(),
    )
    // The reference backend has no fused softmax: its composition passes through the seam as well.
    expect(names).toEqual(['softmax', 'max', 'sub', 'exp', 'sum', 'div', 'sum'])
  })

  it('can follow the shapes without computing anything', () => {
    const specs: string[] = []
    const traced = heed.interpret(
      () => ({
        run: (op, inputs, attrs, backend) =>
          op.infer(inputs as never, attrs).map(spec => {
            specs.push(`${op.name} [${spec.shape}]`)
            return new heed.Tensor(
              spec,
              { strides: heed.rowMajor(spec.shape), offset: 0 },
              null,
              inputs[0]?.backend ?? (backend as heed.Backend),
              op.name,
            )
          }),
      }),
      () => heed.softmax(heed.zeros([2, 3]).matmul(heed.zeros([3, 4]))).transpose(),
    )
    expect(specs).toEqual(['full [2,3]', 'full [3,4]', 'matmul [2,4]', 'softmax [2,4]', 'permute [4,2]'])
    expect(() => traced.dataSync()).toThrow(/a traced tensor has no values/)
  })

  it("takes a user's own operation as a plain object", () => {
    const cube: Op = {
      name: 'cube',
      saves: 'inputs',
      infer: ([x]) => [x],
      grad: ({ grads: [dy], inputs: [x] }) => [dy.mul(x).mul(x).mul(3)],
      compose: ([x]) => [x.mul(x).mul(x)],
    }
    const x = tensor([2])
    x.requiresGrad = true
    const y = heed.apply(cube, [x], {})
    y.backward()
    expect([values(y), values(x.grad as Tensor)]).toEqual([[8], [12]])
    const lost: Op = { name: 'lost', infer: ([x]) => [x] }
    expect(() => heed.apply(lost, [x], {})).toThrow(
      /lost: reference has no kernel for it, and it has no composition/,
    )
  })
})

describe('corners', () => {
  it('a product over no numbers is 0', async () => {
    const y = heed.ones([2, 3, 0]).matmul(heed.ones([0, 4]))
    expect(y.shape).toEqual([2, 3, 4])
    expect(Array.from(await y.data())).toEqual(new Array(24).fill(0))
  })

  it('numbers that change at every step are not held', () => {
    const x = heed.ones([1])
    const step = (i: number): void => heed.scope(() => void x.mul(1 + i / 1024))
    for (let i = 0; i < 2000; i++) step(i)
    const { count } = heed.memory(heed.getBackend())
    for (let i = 2000; i < 4000; i++) step(i)
    expect(heed.memory(heed.getBackend()).count).toBe(count)
  })
})
