import { concat, noGrad, Rng, scope, type Tensor, tensor } from '@heed/core-tensor'
import { crossEntropy, Embedding, LearnedPositions, Linear, Module, MultiHeadAttention } from '@heed/layers'
import { Adam, Trainer, warmupCosine } from '@heed/training'
import { every, type Live } from './task.ts'

export interface HeadsOptions {
  readonly heads: 1 | 2 | 4 | 8
  /** Steps of 32 strings. */
  readonly steps: number
  readonly seed: number
}

export interface HeadsProgress {
  readonly step: number
  readonly loss: number
  /** Share of neighbours named rightly: to the left, to the right. */
  readonly left: number
  readonly right: number
  readonly letters: readonly string[]
  /** `[head, query, key]` */
  readonly weights: readonly (readonly (readonly number[])[])[]
}

const LETTERS = [...'abcdefghij']
const TIME = 10
const BATCH = 32
const SIZE = 32

interface Strings {
  /** `[batch, time]`, int32 */
  readonly ids: Tensor
}

/** One layer of self-attention that names, for each letter, the one before it and the one behind it. */
class Neighbours extends Module {
  readonly embedding: Embedding
  readonly places: LearnedPositions
  readonly attention: MultiHeadAttention
  readonly before: Linear
  readonly behind: Linear

  constructor(heads: number, rng: Rng) {
    super()
    this.embedding = new Embedding(LETTERS.length, SIZE, { rng })
    this.places = new LearnedPositions(TIME, SIZE, { rng })
    this.attention = new MultiHeadAttention(SIZE, heads, { rng })
    this.before = new Linear(SIZE, LETTERS.length, { rng })
    this.behind = new Linear(SIZE, LETTERS.length, { rng })
  }

  /** → logits `[batch, time, letters]` for both sides, weights `[batch, heads, query, key]` */
  forward(ids: Tensor): { before: Tensor; behind: Tensor; weights: Tensor } {
    const x = this.places.forward(this.embedding.forward(ids))
    const { context, weights } = this.attention.forward(x)
    return { before: this.before.forward(context), behind: this.behind.forward(context), weights }
  }

  loss({ ids }: Strings): Tensor {
    const { before, behind } = this.forward(ids)
    const [left, right] = [ids.slice([{}, { stop: TIME - 1 }]), ids.slice([{}, { start: 1 }])]
    return crossEntropy(before.slice([{}, { start: 1 }]), left).add(
      crossEntropy(behind.slice([{}, { stop: TIME - 1 }]), right),
    )
  }
}

/** Trains the layer with so many heads, all of them together as large as one. */
export async function heads(
  options: HeadsOptions,
  live: Live<HeadsProgress>,
): Promise<{ parameters: number; finished: boolean }> {
  const { steps, seed } = options
  const rng = new Rng(seed)
  const model = new Neighbours(options.heads, rng.split('weights'))
  const strings = (stream: Rng, count: number): Tensor =>
    tensor(
      Int32Array.from({ length: count * TIME }, () => stream.int(LETTERS.length)),
      { shape: [count, TIME] },
    )
  const test = strings(rng.split('test'), 50)
  const trainer = new Trainer(model, {
    optimizer: new Adam(model.namedParameters()),
    schedule: warmupCosine(0.01, { warmup: Math.ceil(steps / 10), total: steps }),
    clipNorm: 1,
    seed,
  })
  const finished = await trainer.fit(
    { steps: () => steps, batch: (_, step) => ({ ids: strings(rng.split('train').split(step), BATCH) }) },
    {
      epochs: 1,
      signal: live.signal,
      onStep: async ({ total, loss }) => {
        if (every(total, steps, 20)) await live.report({ step: total, loss, ...(await look(model, test)) })
      },
    },
  )
  return { parameters: [...model.parameters()].reduce((sum, p) => sum + p.size, 0), finished }
}

async function look(model: Neighbours, test: Tensor): Promise<Omit<HeadsProgress, 'step' | 'loss'>> {
  return noGrad(() =>
    scope(async () => {
      const { before, behind, weights } = model.forward(test)
      const said = (await concat([before.argmax(-1), behind.argmax(-1)], 0).data()) as Int32Array
      const ids = (await test.data()) as Int32Array
      const rows = ids.length / TIME
      const count = { left: 0, right: 0 }
      for (let row = 0; row < rows; row++)
        for (let t = 1; t < TIME; t++) {
          const at = row * TIME + t
          count.left += Number(said[at] === ids[at - 1])
          count.right += Number(said[ids.length + at - 1] === ids[at])
        }
      const pairs = rows * (TIME - 1)
      const first = weights.slice([{ stop: 1 }]).squeeze(0)
      const numbers = (await first.data()) as Float32Array
      const cut = (from: number, size: number, count: number): number[][] =>
        Array.from({ length: count }, (_, i) =>
          Array.from(numbers.slice(from + i * size, from + (i + 1) * size)),
        )
      return {
        left: count.left / pairs,
        right: count.right / pairs,
        letters: Array.from(ids.slice(0, TIME), id => LETTERS[id] as string),
        weights: Array.from({ length: first.shape[0] as number }, (_, h) => cut(h * TIME * TIME, TIME, TIME)),
      }
    }),
  )
}
