import { eye, noGrad, normal, Rng, scope, type Tensor, tensor } from '@heed/core-tensor'
import {
  binaryCrossEntropy,
  Embedding,
  LayerNorm,
  LearnedPositions,
  Linear,
  Module,
  MultiHeadAttention,
  sinusoidalPositions,
  TransformerEncoderLayer,
} from '@heed/layers'
import { Adam, Trainer } from '@heed/training'
import { every, type Live } from './task.ts'

/** The three states and the query of the second lesson. */
const STATES = [
  [1, 0],
  [0.5, 0.5],
  [0, 1],
]
const QUERY = [0.7, 0.3]

export interface SameNumbers {
  /** As in the second lesson: dot scores, softmax, weighted sum, in plain arithmetic. */
  readonly byHand: { readonly weights: readonly number[]; readonly context: readonly number[] }
  /** The self-attention of a Transformer layer, identity matrices, its division by √2 undone in the query. */
  readonly layer: { readonly weights: readonly number[]; readonly context: readonly number[] }
  /** The same with the division left in. */
  readonly scaled: { readonly weights: readonly number[]; readonly context: readonly number[] }
}

/** The worked example once more, inside a Transformer layer of one head. */
export async function sameNumbers(): Promise<SameNumbers> {
  const scores = STATES.map(state => state.reduce((sum, x, d) => sum + x * (QUERY[d] as number), 0))
  const e = scores.map(Math.exp)
  const sum = e.reduce((a, b) => a + b, 0)
  const weights = e.map(x => x / sum)
  const context = QUERY.map((_, d) =>
    weights.reduce((total, weight, i) => total + weight * (STATES[i]?.[d] as number), 0),
  )
  return { byHand: { weights, context }, layer: await byLayer(Math.SQRT2), scaled: await byLayer(1) }
}

async function byLayer(queryScale: number): Promise<{ weights: number[]; context: number[] }> {
  return noGrad(() =>
    scope(async () => {
      const { selfAttention } = new TransformerEncoderLayer(2, 1, { dropout: 0, bias: false })
      const identity = eye(2)
      selfAttention.wQuery.assign(identity.mul(queryScale))
      for (const matrix of [selfAttention.wKey, selfAttention.wValue, selfAttention.wOut.weight])
        matrix.assign(identity)
      const states = tensor([STATES])
      const { weights, context } = selfAttention.forward(tensor([[QUERY]]), states, states)
      return { weights: await numbers(weights), context: await numbers(context) }
    }),
  )
}

export interface ShuffleResult {
  readonly words: readonly string[]
  readonly shuffled: readonly string[]
  /** `[query, key]` of both orders */
  readonly weights: readonly (readonly number[])[]
  readonly shuffledWeights: readonly (readonly number[])[]
  /** For each word, how far its output moved because the words stand in another order. */
  readonly moved: readonly number[]
}

/** Self-attention on words, and on the same words in another order. */
export async function shuffle({
  words,
  positions,
  seed,
}: {
  readonly words: readonly string[]
  readonly positions: boolean
  readonly seed: number
}): Promise<ShuffleResult> {
  return noGrad(() =>
    scope(async () => {
      const size = 16
      const rng = new Rng(seed)
      const attention = new MultiHeadAttention(size, 1, { rng: rng.split('attention') })
      const order = Array.from(rng.split('order').permutation(words.length))
      if (order.every((from, to) => from === to)) order.reverse()
      const shuffled = order.map(i => words[i] as string)
      const vector = (word: string): Tensor => normal([1, size], { rng: rng.split(word) })
      const run = async (list: readonly string[]): Promise<{ context: number[]; weights: number[] }> => {
        const rows = await Promise.all(list.map(async word => numbers(vector(word))))
        const x = tensor([rows])
        const placed = positions ? x.add(sinusoidalPositions(list.length, size)) : x
        const { context, weights } = attention.forward(placed)
        return { context: await numbers(context), weights: await numbers(weights) }
      }
      const [one, other] = [await run(words), await run(shuffled)]
      const n = words.length
      const rows = (flat: readonly number[]): number[][] =>
        Array.from({ length: n }, (_, i) => flat.slice(i * n, (i + 1) * n))
      return {
        words,
        shuffled,
        weights: rows(one.weights),
        shuffledWeights: rows(other.weights),
        moved: words.map((_, i) => {
          const at = order.indexOf(i)
          const distance = Array.from(
            { length: size },
            (_, d) => (one.context[i * size + d] as number) - (other.context[at * size + d] as number),
          )
          return Math.hypot(...distance)
        }),
      }
    }),
  )
}

export interface BlockParts {
  readonly attention: boolean
  readonly feedforward: boolean
  readonly residual: boolean
}

export interface AblateOptions extends BlockParts {
  readonly steps: number
  readonly seed: number
}

export interface AblateProgress {
  readonly step: number
  readonly loss: number
  /** Share of letters rightly judged; half are repeats, so guessing gives a half. */
  readonly accuracy: number
}

const LETTERS = 6
const TIME = 10
const SIZE = 32
const BATCH = 32

interface Letters {
  /** `[batch, time]`, int32 */
  readonly ids: Tensor
  /** `[batch, time]`, 1 where a letter is the same as the one before */
  readonly repeats: Tensor
}

/** A Transformer block whose parts can be left out, and a head that says of each letter whether it repeats the one before. */
class Block extends Module {
  readonly parts: BlockParts
  readonly embedding: Embedding
  readonly places: LearnedPositions
  readonly attention: MultiHeadAttention
  readonly linear1: Linear
  readonly linear2: Linear
  readonly norm1: LayerNorm
  readonly norm2: LayerNorm
  readonly head: Linear

  constructor(parts: BlockParts, rng: Rng) {
    super()
    this.parts = parts
    this.embedding = new Embedding(LETTERS, SIZE, { rng })
    this.places = new LearnedPositions(TIME, SIZE, { rng })
    this.attention = new MultiHeadAttention(SIZE, 1, { rng })
    this.linear1 = new Linear(SIZE, 4 * SIZE, { rng })
    this.linear2 = new Linear(4 * SIZE, SIZE, { rng })
    this.norm1 = new LayerNorm(SIZE)
    this.norm2 = new LayerNorm(SIZE)
    this.head = new Linear(SIZE, 1, { rng })
  }

  /** `[batch, time]` → logits `[batch, time]` */
  forward(ids: Tensor): Tensor {
    const { attention, feedforward, residual } = this.parts
    const join = (x: Tensor, y: Tensor): Tensor => (residual ? x.add(y) : y)
    const x = this.places.forward(this.embedding.forward(ids)) // [batch, time, size]
    const seen = attention ? join(x, this.attention.read(this.norm1.forward(x))) : x
    const made = feedforward
      ? join(seen, this.linear2.forward(this.linear1.forward(this.norm2.forward(seen)).maximum(0)))
      : seen
    return this.head.forward(made).squeeze(-1)
  }

  loss({ ids, repeats }: Letters): Tensor {
    return binaryCrossEntropy(
      this.forward(ids).slice([{}, { start: 1 }]),
      repeats.slice([{}, { start: 1 }]).cast('float32'),
    )
  }
}

/** Trains a block with some of its parts. */
export async function ablate(
  { steps, seed, ...parts }: AblateOptions,
  live: Live<AblateProgress>,
): Promise<{ finished: boolean }> {
  const rng = new Rng(seed)
  const model = new Block(parts, rng.split('weights'))
  const test = letters(rng.split('test'), 100)
  const trainer = new Trainer(model, {
    optimizer: new Adam(model.namedParameters(), { learningRate: 0.003 }),
    clipNorm: 1,
    seed,
  })
  const finished = await trainer.fit(
    { steps: () => steps, batch: (_, step) => letters(rng.split('train').split(step), BATCH) },
    {
      epochs: 1,
      signal: live.signal,
      onStep: async ({ total, loss }) => {
        if (!every(total, steps, 10)) return
        const accuracy = await noGrad(() =>
          scope(async () => {
            const said = await model.forward(test.ids).data()
            const truth = await test.repeats.data()
            let right = 0
            for (const [i, repeat] of truth.entries())
              right += Number(i % TIME > 0 && Number((said[i] as number) > 0) === repeat)
            return right / (truth.length - truth.length / TIME)
          }),
        )
        await live.report({ step: total, loss, accuracy })
      },
    },
  )
  return { finished }
}

function letters(rng: Rng, count: number): Letters {
  const ids = new Int32Array(count * TIME)
  const repeats = new Int32Array(count * TIME)
  for (let i = 0; i < ids.length; i++) {
    const before = ids[i - 1] as number
    const repeat = i % TIME > 0 && rng.int(2) === 1
    ids[i] = repeat ? before : i % TIME > 0 ? (before + 1 + rng.int(LETTERS - 1)) % LETTERS : rng.int(LETTERS)
    repeats[i] = Number(repeat)
  }
  return { ids: tensor(ids, { shape: [count, TIME] }), repeats: tensor(repeats, { shape: [count, TIME] }) }
}

async function numbers(x: Tensor): Promise<number[]> {
  return Array.from((await x.data()) as Float32Array)
}
