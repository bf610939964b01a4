import { cpu } from '@heed/backend-cpu'
import { type Backend, memory, noGrad, type Parameter, Rng, scope, setBackend, type Tensor, tensor, zeros } from '@heed/core-tensor' // biome-ignore format: one line
import { attend, crossEntropy, Embedding, GRUCell, Linear, Module } from '@heed/layers'
import { beforeEach, describe, expect, it } from 'vitest'

/** A decoder of one cell that looks back at its source. */
class Decoder extends Module {
  readonly embedding = new Embedding(5, 4, { rng: new Rng(1) })
  readonly cell = new GRUCell(4, 4, { rng: new Rng(2) })
  readonly output = new Linear(8, 5, { rng: new Rng(3) })
  forward(ids: Tensor, hidden: Tensor, source: Tensor): { logits: Tensor; hidden: Tensor } {
    const next = this.cell.forward(this.embedding.forward(ids), hidden)
    const { context } = attend(next.unsqueeze(1), source)
    return { logits: this.output.forward(next.concat([context.squeeze(1)], 1)), hidden: next }
  }
}

const STEPS = 10_000
let backend: Backend
let model: Decoder
let source: Tensor
beforeEach(async () => {
  backend = await cpu({ threads: 1, maxBytes: 2 ** 24 })
  setBackend(backend)
  model = new Decoder()
  source = tensor(new Float32Array(12).map((_, i) => Math.sin(i)), { shape: [1, 3, 4] }) // biome-ignore format: one line
})

/** One step of learning, as people write it by hand. */
function learn(): Tensor {
  const target = tensor([3], { dtype: 'int32' })
  const { logits } = model.forward(tensor([1], { dtype: 'int32' }), zeros([1, 4]), source)
  const loss = crossEntropy(logits, target)
  loss.backward()
  noGrad(() => {
    for (const p of model.parameters() as Parameter[]) p.assign(p.sub((p.grad as Tensor).mul(1e-4)))
  })
  model.zeroGrad()
  return loss
}

/** One word after the other, as a generator does: what a step leaves is its word and its state. */
interface Said {
  readonly word: Tensor
  readonly hidden: Tensor
}
const first = (): Said => ({ word: tensor([1], { dtype: 'int32' }), hidden: zeros([1, 4]) })
const say = ({ word, hidden }: Said): Said =>
  noGrad(() => {
    const next = model.forward(word, hidden, source)
    return { word: next.logits.argmax(-1), hidden: next.hidden }
  })

describe('10,000 steps', () => {
  it('of learning in a scope stay flat, with and without await', async () => {
    scope(learn)
    const flat = memory(backend)
    for (let i = 0; i < STEPS / 2; i++) scope(() => void learn())
    expect(memory(backend)).toEqual(flat)
    for (let i = 0; i < STEPS / 2; i++)
      await scope(async () => {
        learn()
        await null
      })
    expect(memory(backend)).toEqual(flat)
    backend.dispose()
  })

  it('of generation stay flat, with and without await, and say the same', async () => {
    const run = async (steps: number, wait: boolean): Promise<number[]> => {
      const words: number[] = []
      await scope(async () => {
        let said = first()
        for (let i = 0; i < steps; i++) {
          const before = said
          said = scope(() => say(before))
          if (wait) await null
          if (i % 1000 === 0) words.push(await said.word.item())
        }
      })
      return words
    }
    await run(10, true)
    const flat = memory(backend).count
    const most = memory(backend).reserved
    // The states before stay until the outer scope ends: a state is 16 bytes, a word 4.
    expect(await run(STEPS / 2, true)).toEqual(await run(STEPS / 2, false))
    expect(memory(backend).count).toBeLessThanOrEqual(flat)
    expect(memory(backend).reserved).toBeLessThan(most + 2 ** 21)
    backend.dispose()
  })

  it('outside any scope stay flat, or end in an error that names scope, never in a crash', async () => {
    const flat = memory(backend).bytes
    let ended = ''
    const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))
    try {
      for (let i = 0; i < STEPS; i++) {
        learn()
        // Something large, so that what is not freed would fill 16 MB.
        zeros([1024]).add(1)
        if (i % 100 === 0) await turn()
      }
    } catch (error) {
      ended = (error as Error).message
    }
    if (ended) expect(ended).toMatch(/out of memory, .* run each step in scope\(\)/)
    else expect(memory(backend).bytes).toBeLessThan(flat + 2 ** 24)
    backend.dispose()
  })

  it('back through a chain of 20,000 on the fast backend', () => {
    const x = tensor(1)
    x.requiresGrad = true
    const y = Array.from({ length: 20_000 }).reduce((y: Tensor) => y.mul(1), x)
    y.backward()
    expect(x.grad?.dataSync()[0]).toBe(1)
    backend.dispose()
  })
})
