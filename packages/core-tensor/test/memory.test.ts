import { beforeEach, describe, expect, it, vi } from 'vitest'
import {
  type Backend,
  checkpoint,
  type Kernel,
  keep,
  MemoryError,
  memory,
  noGrad,
  Parameter,
  scope,
  setBackend,
  type Tensor,
  tensor,
} from '../src/index.ts'
import { collected } from '../src/memory.ts'
import { referenceBackend } from '../src/testing/index.ts'

let backend: Backend
beforeEach(() => {
  backend = referenceBackend()
  setBackend(backend)
})

const alive = (): number => memory(backend).count

describe('scope', () => {
  it('frees what was made inside and not returned', () => {
    const x = tensor([1, 2])
    const before = alive()
    const [y] = scope(() => [x.exp().exp()]) as [Tensor]
    expect(alive()).toBe(before + 1)
    expect([...y.dataSync()]).toHaveLength(2)
  })

  it('finds tensors in maps and nested objects', () => {
    const out = scope(() => ({
      a: { b: [tensor([1])] },
      c: new Map([['d', tensor([2])]]),
      e: tensor([3]).item,
    }))
    expect(alive()).toBe(2)
    expect([...(out.a.b[0] as Tensor).dataSync(), ...(out.c.get('d') as Tensor).dataSync()]).toEqual([1, 2])
  })

  it('says which tensor was freed, and how to keep it', () => {
    let lost: Tensor | undefined
    scope(() => {
      lost = tensor([1, 2]).exp()
    })
    expect(() => lost?.dataSync()).toThrow(
      /^exp \[2\]: this tensor was freed at the end of its scope; return it from the scope, or pass it to keep\(\)/,
    )
  })

  it('spares parameters, gradients and what was kept', () => {
    const weight = new Parameter(tensor([1, 2]))
    const kept = scope(() => {
      weight.mul(weight).sum().backward()
      keep(tensor([5]))
      return null
    })
    expect(kept).toBeNull()
    expect([...(weight.grad as Tensor).dataSync()]).toEqual([2, 4])
    weight.zeroGrad()
    expect(weight.grad).toBeNull()
  })

  it('keeps the graph of a loss that leaves it, and nothing else', () => {
    const weight = new Parameter(tensor([1, 2]))
    const loss = scope(() => weight.exp().add(1).neg().sum()) // only exp is saved
    expect(alive()).toBe(4) // tensor, parameter's view of it, exp, loss: three memories and a constant 1
    loss.backward()
    expect((weight.grad as Tensor).dataSync()[0]).toBeCloseTo(-Math.E)
  })

  it('works across await, nested', async () => {
    const result = await scope(async () => {
      const x = tensor([1])
      await null
      const y = await scope(async () => {
        await null
        tensor([9])
        return x.add(1)
      })
      return y.add(1)
    })
    expect(result.dataSync()[0]).toBe(3)
    expect(alive()).toBe(2) // the result and the constant 1
  })

  it('refuses async scopes that overlap without nesting', async () => {
    let open = (): void => {}
    const first = scope(
      () =>
        new Promise<void>(resolve => {
          open = resolve
        }),
    )
    const second = scope(async () => {
      await new Promise(resolve => setTimeout(resolve, 5))
    })
    open()
    await expect(first).rejects.toThrow(/two async scopes overlap/)
    await second
    tensor([1]) // no scope is left open
    scope(() => tensor([1]).exp().sum())
  })

  it('frees and rethrows where the body fails', () => {
    expect(() =>
      scope(() => {
        tensor([1])
        throw new Error('mine')
      }),
    ).toThrow('mine')
    expect(alive()).toBe(0)
  })
})

describe('backward', () => {
  it('frees every intermediate; the loss and what was kept survive', () => {
    const weight = new Parameter(tensor([1, 2]))
    const middle = weight.exp()
    const kept = keep(middle.mul(3))
    const loss = kept.sum()
    loss.backward()
    expect(() => middle.dataSync()).toThrow(
      /exp \[2\]: this tensor was freed by backward\(\); pass it to keep\(\) before/,
    )
    expect([...kept.dataSync(), ...loss.dataSync()]).toHaveLength(3)
    expect(() => loss.backward()).toThrow(
      /the graph of sum was freed by an earlier backward\(\); pass \{ retainGraph: true \}/,
    )
  })

  it('can run twice where asked', () => {
    const weight = new Parameter(tensor([3]))
    const loss = weight.mul(weight).sum()
    loss.backward({ retainGraph: true })
    loss.backward()
    expect(weight.grad?.dataSync()[0]).toBe(12)
  })

  it.each<[what: string, loss: (h: Tensor) => Tensor]>([
    ['through a chain', h => h.tanh().sum()],
    ['through two ways', h => h.mul(h.tanh()).sum()],
    ['through a part that is computed again', h => checkpoint(x => x.mul(x.tanh()).mul(h), h).sum()],
  ])('that fails %s, wherever, leaves nothing behind that the next one would add to', (_, loss) => {
    let products = 0
    let room = Number.POSITIVE_INFINITY
    const mul: Kernel<unknown> = (inputs, outputs, attrs) => {
      if (++products > room) throw new MemoryError('out of memory')
      return backend.kernels.mul(inputs as never, outputs as never, attrs as never)
    }
    const narrow = { ...backend, kernels: { ...backend.kernels, mul } } as Backend
    /** The gradient of a loss, after one of as many products as there is room for has failed. */
    const gradient = (failAfter?: number): number[] => {
      const weight = new Parameter(tensor([0.3, -0.2], { backend: narrow }))
      const h = weight.exp() // what both losses stand on
      if (failAfter !== undefined) {
        const failing = loss(h)
        products = 0
        room = failAfter
        expect(() => failing.backward({ retainGraph: true })).toThrow('out of memory')
        room = Number.POSITIVE_INFINITY
        weight.zeroGrad()
      }
      const next = loss(h)
      products = 0
      next.backward()
      return [...(weight.grad as Tensor).dataSync()]
    }
    const expected = gradient()
    const all = products
    for (let i = 0; i < all; i++) expect(gradient(i)).toEqual(expected)
    expect(all).toBeGreaterThan(1)
  })

  it('tells the collector of nothing twice: what was released, or assigned, leaves no note behind', () => {
    const weight = new Parameter(tensor([1, 2]))
    const [told, taken] = [vi.spyOn(collected, 'register'), vi.spyOn(collected, 'unregister')]
    for (let i = 0; i < 5; i++)
      scope(() => {
        weight.mul(weight).sum().backward()
        weight.assign(weight.sub(weight.grad as Tensor))
        weight.zeroGrad()
      })
    expect(told.mock.calls.length).toBeGreaterThan(0)
    expect(taken.mock.calls.length).toBe(told.mock.calls.length)
    vi.restoreAllMocks()
  })

  it("leaves a user's gradient alone", () => {
    const weight = new Parameter(tensor([3, 4]))
    const gradient = tensor([1, 2])
    weight.mul(2).backward({ gradient })
    expect([...gradient.dataSync()]).toEqual([1, 2])
  })
})

describe('a loop of 10,000 steps', () => {
  const step = (weight: Parameter): void => {
    const loss = weight
      .mul(tensor([1, 2, 3]))
      .tanh()
      .sum()
    loss.backward()
    noGrad(() => weight.assign(weight.sub((weight.grad as Tensor).mul(0.01))))
    weight.zeroGrad()
  }

  it('stays flat in a scope, with and without await', async () => {
    const weight = new Parameter(tensor([0.1, 0.2, 0.3]))
    scope(() => step(weight))
    const flat = alive()
    for (let i = 0; i < 10_000; i++) scope(() => step(weight))
    expect(alive()).toBe(flat)
    for (let i = 0; i < 10_000; i++)
      await scope(async () => {
        step(weight)
        await null
      })
    expect(alive()).toBe(flat)
  })
})
