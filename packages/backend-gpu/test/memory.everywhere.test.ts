import { full, linear, memory, noGrad, Parameter, scope, type Tensor, tensor } from '@heed/core-tensor'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findDevice } from '../src/adapter/find.ts'
import type { GpuBackend, WarmupProgress } from '../src/index.ts'
import { Machine } from '../src/webgpu/machine.ts'
import { open } from './open.ts'

let backend: GpuBackend
beforeAll(async () => {
  backend = await open()
})
afterAll(() => backend.dispose())

const waves = (n: number, shape: number[], on = backend): Tensor =>
  tensor(
    Float32Array.from({ length: n }, (_, i) => Math.sin(i)),
    { shape, backend: on },
  )

/** A small network with a batch of any size. */
class Net {
  readonly w1: Parameter
  readonly w2: Parameter
  constructor(on = backend) {
    this.w1 = new Parameter(waves(16 * 32, [32, 16], on))
    this.w2 = new Parameter(waves(32, [1, 32], on))
  }
  parameters(): Parameter[] {
    return [this.w1, this.w2]
  }
  loss(x: Tensor): Tensor {
    return linear(linear(x, this.w1).tanh(), this.w2).mul(0.1).pow(2).mean()
  }
  /** One step of descent, on batches of lengths that change as sentences' do. */
  step(i: number): Tensor {
    const rows = 4 + (i % 7)
    return scope(() => {
      const loss = this.loss(waves(rows * 16, [rows, 16]))
      loss.backward()
      noGrad(() => {
        for (const w of this.parameters()) {
          w.assign(w.sub((w.grad as Tensor).mul(0.01)))
          w.zeroGrad()
        }
      })
      return loss.detach()
    })
  }
}

describe('the memory of 600 steps', () => {
  // 10,000 take a minute or more, and are measured by hand.
  it.each([
    ['without a pause', 0],
    ['that are awaited', 1],
  ])('%s stays flat', async (_, every) => {
    const net = new Net()
    const seen: { bytes: number; count: number; reserved: number }[] = []
    for (let i = 0; i < 600; i++) {
      const loss = net.step(i)
      if (every && i % 10 === 0) await loss.item()
      loss.release('by the loop')
      if (i % 150 === 149) seen.push(memory(backend))
    }
    await backend.sync()
    const [first, ...later] = seen as [(typeof seen)[number], ...typeof seen]
    for (const now of later) {
      expect(now.reserved).toBe(first.reserved)
      expect(now.count).toBeLessThanOrEqual(first.count) // the collector has its turn, or not
    }
    for (const w of net.parameters()) w.release('by the test')
  })

  it('whose lengths all differ is given back to the device when much of it lies idle', async () => {
    const { device } = await findDevice(true)
    const machine = new Machine(device, { barriers: false, maxBytes: Number.POSITIVE_INFINITY })
    const most = 30 * 2 ** 18
    for (let n = most; n > most / 8; n = Math.floor(0.93 * n)) {
      const rooms = machine.outputs([1, 2].map(() => ({ shape: [n], dtype: 'float32' as const })))
      for (const room of rooms) machine.free(room)
      expect(machine.memory().reserved).toBeLessThan(2 * 1.25 * (2 * 4 * most) + 64 * 2 ** 20)
    }
    expect(machine.memory()).toMatchObject({ bytes: 0, count: 0 })
    machine.close()
  })
})

describe('flow', () => {
  it('operations return before the device has heard of them; reading waits', async () => {
    const x = full([256, 256], 1 / 256, { backend })
    await backend.sync()
    const before = backend.counts()
    let y = x
    for (let i = 0; i < 8; i++) y = y.matmul(x)
    const asked = backend.counts()
    expect([asked.launched - before.launched, asked.submitted]).toEqual([8, before.submitted])
    expect((await y.data())[0]).toBeCloseTo(1 / 256, 6)
    const after = backend.counts()
    expect(after.submitted).toBe((before.submitted as number) + 1)
    expect(after.downloaded).toBe((before.downloaded as number) + 4 * 256 * 256)
  })

  it('many readings at once all come back', async () => {
    const all = Array.from({ length: 20 }, (_, i) => full([100], i, { backend }).add(1).data())
    expect((await Promise.all(all)).map(x => x[99])).toEqual(Array.from({ length: 20 }, (_, i) => i + 1))
  })

  it('launches go to the device together: few submissions, and the counts of a step say so', async () => {
    const net = new Net()
    net.step(0).release('by the test')
    await backend.sync()
    const before = backend.counts()
    net.step(0).release('by the test')
    await backend.sync()
    const after = backend.counts()
    expect(after.compiled).toBe(before.compiled)
    expect(after.launched - before.launched).toBeGreaterThan(10)
    expect((after.submitted as number) - (before.submitted as number)).toBeLessThan(4)
    expect((after.uploaded as number) - (before.uploaded as number)).toBeLessThan(4 * (4 * 16 + 64))
    expect(after.downloaded).toBe(before.downloaded)
    for (const w of net.parameters()) w.release('by the test')
  })
})

describe('warmup', () => {
  it('compiles what a step needs, says how far it is, and changes nothing', async () => {
    const own = await open()
    const net = new Net(own)
    const example = waves(64, [16, 4], own).transpose() // core writes it anew in row-major order
    const kept = [...(await net.w1.data())]
    const held = memory(own).bytes
    const progress: WarmupProgress[] = []
    const { launched } = own.counts()
    await own.warmup(net, example, { onProgress: now => progress.push(now) })
    expect(own.counts().launched).toBeLessThan(launched + 2) // that one copy
    const [first, last] = [progress[0], progress.at(-1)] as [WarmupProgress, WarmupProgress]
    expect(first.done).toBe(0)
    expect(last.total).toBeGreaterThan(8)
    expect(progress.map(({ done }) => done)).toEqual(Array.from({ length: last.total + 1 }, (_, i) => i))
    expect(memory(own).bytes).toBeLessThanOrEqual(held + 8 * 256) // single numbers, which core keeps
    expect([net.w1.grad, net.w2.grad]).toEqual([null, null])
    expect([...(await net.w1.data())]).toEqual(kept)
    // The step itself compiles nothing more.
    const { compiled } = own.counts()
    scope(() => {
      net.loss(example).backward()
      return undefined
    })
    await own.sync()
    expect(own.counts().compiled).toBe(compiled)
    expect(net.w1.grad).not.toBeNull()
    own.dispose()
  })

  it('of a model that reads values says so', async () => {
    const reads = { forward: (x: Tensor) => void (x.add(1).data().catch((error: Error) => (seen = error.message))) } // biome-ignore format: one line
    let seen = ''
    await backend.warmup(reads, full([4], 1, { backend }))
    await new Promise(resolve => setTimeout(resolve, 0))
    expect(seen).toMatch(/warmup: the model reads values/)
  })
})
