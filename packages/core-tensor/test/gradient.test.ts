import { beforeAll, describe, expect, it } from 'vitest'
import * as heed from '../src/index.ts'
import { type Backend, type Op, setBackend, type Tensor, tensor } from '../src/index.ts'
import { checkGradient, checkSecondGradient, gradientCases, referenceBackend } from '../src/testing/index.ts'

let backend: Backend
beforeAll(() => {
  backend = referenceBackend()
  setBackend(backend)
})

const cases = gradientCases()

describe('gradients', () => {
  it.each(cases)('of $name agree with finite differences', ({ f, inputs }) => {
    expect(checkGradient(f, inputs(backend))).toBeLessThan(1e-6)
  })

  it.each(cases)("of $name's gradient agree with finite differences", ({ f, inputs }) => {
    expect(checkSecondGradient(f, inputs(backend))).toBeLessThan(1e-6)
  })
})

describe('the table of gradients', () => {
  it('reaches every operation that has one', () => {
    const reached = new Set<string>()
    heed.interpret(
      next => ({
        run(op, ...rest) {
          reached.add(op.name)
          return next.run(op, ...rest)
        },
      }),
      () => {
        for (const { f, inputs } of cases) f(...inputs(backend))
      },
    )
    const without = Object.values(heed.ops)
      .filter((op: Op<never>) => op.grad !== undefined && !reached.has(op.name))
      .map(op => op.name)
    // Their gradient is null, or they are met as other operations' gradients.
    const elsewhere = ['cast', 'ceil', 'floor', 'reluGrad', 'round', 'scatterRows', 'sign']
    expect(without.filter(name => !elsewhere.includes(name))).toEqual([])
  })

  it('names each case once', () => {
    const names = cases.map(({ name }) => name)
    expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([])
  })
})

describe('checkGradient', () => {
  it('finds a gradient that is wrong, and one that was cut off', () => {
    const wrong: Op = {
      name: 'wrong',
      infer: ([x]) => [x],
      grad: ({ grads: [dy] }) => [dy],
      compose: ([x]) => [x.mul(2)],
    }
    const x = tensor(Float64Array.of(1, 2))
    const fused: Backend = { ...backend, kernels: { ...backend.kernels, wrong: ([x], y) => backend.kernels.add([x as never, x as never], y, {}) } } // biome-ignore format: one line
    const on = tensor(Float64Array.of(1, 2), { backend: fused })
    expect(() => checkGradient(x => heed.apply(wrong, [x as Tensor], {}), [on])).toThrow(
      'checkGradient: input 0 [2], element 0: gradient',
    )
    expect(() => checkGradient(x => (x as Tensor).detach().mul(2), [x])).toThrow(/gradient 0, differences/)
    expect(checkGradient(x => (x as Tensor).detach().mul(0), [x])).toBe(0)
  })
})

describe('an operation whose gradient is an operation without one', () => {
  /** sin(x)², fused: its gradient is a kernel alone. */
  const bump: Op = {
    name: 'bump',
    gradOp: 'bumpGrad',
    saves: 'inputs',
    infer: ([x]) => [x],
    grad: ({ grads: [dy], inputs: [x] }) => [heed.apply(bumpGrad, [dy, x], {})],
    compose: ([x]) => [x.sin().mul(x.sin())],
  }
  const bumpGrad: Op = { name: 'bumpGrad', infer: ([dy]) => [dy] }
  const ran: string[] = []
  const fused = (names: readonly string[]): Backend => {
    const at = (x: heed.Operand<unknown>): Float64Array => backend.readSync?.(x) as Float64Array
    const table: heed.Backend['kernels'] = {
      ...backend.kernels,
      bump: ([x], [y]) => {
        ran.push('bump')
        return [
          backend.write(
            at(x as never).map(v => Math.sin(v) ** 2),
            y as never,
          ),
        ]
      },
      bumpGrad: ([dy, x], [y]) => {
        ran.push('bumpGrad')
        const d = at(dy as never)
        return [
          backend.write(
            at(x as never).map((v, i) => (d[i] as number) * Math.sin(2 * v)),
            y as never,
          ),
        ]
      },
    }
    const kernels = Object.fromEntries(Object.entries(table).filter(([name]) => !name.startsWith('bump') || names.includes(name))) // biome-ignore format: one line
    return { ...backend, kernels: kernels as heed.Backend['kernels'] }
  }
  const f = (x?: Tensor): Tensor => heed.apply(bump, [x as Tensor], {})
  const on = (where: Backend): Tensor => tensor(Float64Array.of(0.3, -1.2), { backend: where })

  it('uses it for a gradient, and its composition for gradients of gradients', () => {
    const both = fused(['bump', 'bumpGrad'])
    ran.length = 0
    checkGradient(f, [on(both)])
    expect(ran).toContain('bumpGrad')
    expect(checkSecondGradient(f, [on(both)])).toBeLessThan(1e-6)
    const third = heed.grad((x: Tensor) => (heed.grad((x: Tensor) => (heed.grad((x: Tensor) => f(x).sum())(x)[0] as Tensor).sum())(x)[0] as Tensor).sum()) // biome-ignore format: one line
    for (const [i, v] of [...(third(on(both))[0] as Tensor).dataSync()].entries())
      expect(v).toBeCloseTo(-4 * Math.sin(2 * ([0.3, -1.2][i] as number)), 9)
  })

  it('uses its composition where the backend lacks the gradient', () => {
    ran.length = 0
    expect(checkGradient(f, [on(fused(['bump']))])).toBeLessThan(1e-6)
    expect(new Set(ran)).toEqual(new Set(['bump']))
  })

  it('says that an operation has no gradient, in place of leaving zeros', () => {
    const { compose: _, ...alone } = bump
    const where = fused(['bump', 'bumpGrad'])
    expect(() => heed.grad((x: Tensor) => heed.apply(bumpGrad, [x, x], {}).sum())(on(where))).toThrow(
      'backward: bumpGrad has no gradient; give the operation a grad or a compose, or cut it off with detach()',
    )
    const twice = heed.grad((x: Tensor) => (heed.grad((x: Tensor) => heed.apply(alone, [x], {}).sum())(x)[0] as Tensor).sum()) // biome-ignore format: one line
    expect(() => twice(on(where))).toThrow('bumpGrad has no gradient')
  })
})
