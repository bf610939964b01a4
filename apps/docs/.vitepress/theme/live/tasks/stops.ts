import { concat, noGrad, Rng, scope, type Tensor, tensor, zeros } from '@heed/core-tensor'
import {
  captureAttention,
  crossEntropy,
  Embedding,
  LearnedPositions,
  Linear,
  Module,
  MultiHeadAttention,
  Transformer,
} from '@heed/layers'
import { GPT, Seq2Seq, seq2seqConfig } from '@heed/models'
import { Adam, Trainer, warmupCosine } from '@heed/training'
import { every, type Live } from './task.ts'

export type Stop = 'seq2seq' | 'bahdanau' | 'luong' | 'self-attention' | 'multi-head' | 'transformer' | 'gpt'

export interface StopOptions {
  readonly stop: Stop
  /** Steps of 32 strings. */
  readonly steps: number
  readonly seed: number
}

export interface StopProgress {
  readonly step: number
  readonly loss: number
  /** Share of letters foretold rightly, with the right ones before them given. */
  readonly accuracy: number
}

export interface StopResult {
  readonly parameters: number
  readonly finished: boolean
  readonly seconds: number
  /** The string shown, and the same backwards. */
  readonly source: readonly string[]
  readonly target: readonly string[]
  /** `[target, source]`, the head that looks most sharply; empty for a model without attention. */
  readonly weights: readonly (readonly number[])[]
}

const LETTERS = 8
const LENGTH = 6
const BATCH = 32
const BEGIN = LETTERS
const VOCAB = LETTERS + 1
const SIZE = 32

interface Pairs {
  /** `[batch, length]`, int32 */
  readonly source: Tensor
  /** `[batch, length]`, int32: the source backwards */
  readonly target: Tensor
}

/** A model of any of these decades: what it makes of a string, and where it looks. */
interface Learner extends Module {
  /** → logits `[batch, length, vocab]` */
  forward(pairs: Pairs): Tensor
  /** `[target, source]` of the first row; null without attention */
  map(pairs: Pairs): Tensor | null
}

/** Encoder and decoder of the years 2014 and 2015. */
class Recurrent extends Module implements Learner {
  readonly model: Seq2Seq

  constructor(attention: 'none' | 'bahdanau' | 'general', rng: Rng) {
    super()
    const sizes = {
      sourceVocab: VOCAB,
      targetVocab: VOCAB,
      embedding: SIZE,
      hidden: SIZE,
      encoderHidden: SIZE,
    }
    this.model = new Seq2Seq(seq2seqConfig({ ...sizes, attention, padding: VOCAB - 1 }), { rng })
  }

  #run({ source, target }: Pairs): { logits: Tensor; weights: Tensor | null } {
    const batch = source.shape[0] as number
    const lengths = tensor(new Int32Array(batch).fill(LENGTH))
    return this.model.forward(source, lengths, shifted(target))
  }

  forward(pairs: Pairs): Tensor {
    return this.#run(pairs).logits
  }

  map(pairs: Pairs): Tensor | null {
    return (
      this.#run(pairs)
        .weights?.slice([{ stop: 1 }])
        .squeeze(0) ?? null
    )
  }
}

/** One layer of self-attention, no recurrence: each place finds its letter at the other end. */
class SelfAttention extends Module implements Learner {
  readonly words: Embedding
  readonly places: LearnedPositions
  readonly attention: MultiHeadAttention
  readonly head: Linear

  constructor(heads: number, rng: Rng) {
    super()
    this.words = new Embedding(VOCAB, SIZE, { rng })
    this.places = new LearnedPositions(LENGTH, SIZE, { rng })
    this.attention = new MultiHeadAttention(SIZE, heads, { rng })
    this.head = new Linear(SIZE, VOCAB, { rng })
  }

  #seen({ source }: Pairs): { context: Tensor; weights: Tensor } {
    return this.attention.forward(this.places.forward(this.words.forward(source)))
  }

  forward(pairs: Pairs): Tensor {
    return this.head.forward(this.#seen(pairs).context)
  }

  map(pairs: Pairs): Tensor {
    return sharpest(this.#seen(pairs).weights)
  }
}

/** The encoder-decoder of 2017. */
class Translator extends Module implements Learner {
  readonly words: Embedding
  readonly places: LearnedPositions
  readonly transformer: Transformer
  readonly head: Linear

  constructor(rng: Rng) {
    super()
    this.words = new Embedding(VOCAB, SIZE, { rng })
    this.places = new LearnedPositions(LENGTH, SIZE, { rng })
    this.transformer = new Transformer(SIZE, 4, {
      numEncoderLayers: 1,
      numDecoderLayers: 1,
      feedforwardSize: 2 * SIZE,
      dropout: 0,
      rng,
    })
    this.head = new Linear(SIZE, VOCAB, { rng })
  }

  forward({ source, target }: Pairs): Tensor {
    const placed = (ids: Tensor): Tensor => this.places.forward(this.words.forward(ids))
    return this.head.forward(
      this.transformer.forward(placed(source), placed(shifted(target)), { causal: true }),
    )
  }

  map(pairs: Pairs): Tensor {
    const { maps } = captureAttention(this, () => this.forward(pairs))
    const cross = maps.find(({ path }) => path.endsWith('crossAttention'))
    if (!cross) throw new Error(`map: no cross-attention among ${maps.map(({ path }) => path).join(', ')}`)
    return sharpest(cross.weights())
  }
}

/** Only a decoder, 2018: string and answer are one text. */
class Decoder extends Module implements Learner {
  readonly gpt: GPT

  constructor(rng: Rng) {
    super()
    this.gpt = new GPT(
      { vocab: VOCAB, maxLength: 2 * LENGTH, embedding: SIZE, heads: 4, layers: 2, dropout: 0 },
      { rng },
    )
  }

  forward({ source, target }: Pairs): Tensor {
    return this.gpt.forward(concat([source, shifted(target)], 1)).logits.slice([{}, { start: LENGTH }])
  }

  map(pairs: Pairs): Tensor {
    const { maps } = captureAttention(this, () => this.forward(pairs))
    // Rows: the places that write; columns: the string they were given.
    const parts = maps.map(map => map.weights().slice([{}, {}, { start: LENGTH }, { stop: LENGTH }]))
    return sharpest(concat(parts, 1))
  }
}

function shifted(target: Tensor): Tensor {
  const [batch] = target.shape as [number]
  const begin = zeros([batch, 1], { dtype: 'int32' }).add(BEGIN).cast('int32')
  return concat([begin, target.slice([{}, { stop: LENGTH - 1 }])], 1)
}

/** Of the first row's heads, `[batch, heads, query, key]`, the one whose weights are least spread out: `[query, key]`. */
function sharpest(weights: Tensor): Tensor {
  const first = weights.slice([{ stop: 1 }]).squeeze(0) // [heads, query, key]
  const sharpness = Array.from(first.mul(first).sum([1, 2]).dataSync() as Float32Array)
  const head = sharpness.indexOf(Math.max(...sharpness))
  return first.slice([{ start: head, stop: head + 1 }]).squeeze(0)
}

const LEARNERS: Readonly<Record<Stop, (rng: Rng) => Learner>> = {
  seq2seq: rng => new Recurrent('none', rng),
  bahdanau: rng => new Recurrent('bahdanau', rng),
  luong: rng => new Recurrent('general', rng),
  'self-attention': rng => new SelfAttention(1, rng),
  'multi-head': rng => new SelfAttention(4, rng),
  transformer: rng => new Translator(rng),
  gpt: rng => new Decoder(rng),
}

/** Trains the model of one stop of the timeline on the task of all stops: write six letters backwards. */
export async function stop(options: StopOptions, live: Live<StopProgress>): Promise<StopResult> {
  const began = performance.now()
  const { steps, seed } = options
  const rng = new Rng(seed)
  const model = LEARNERS[options.stop](rng.split('weights'))
  const loss = (batch: Pairs): Tensor => crossEntropy(model.forward(batch), batch.target)
  const test = pairs(rng.split('test'), 100)
  const trainer = new Trainer<Pairs>(Object.assign(model, { loss }), {
    optimizer: new Adam(model.namedParameters()),
    schedule: warmupCosine(0.01, { warmup: Math.ceil(steps / 10), total: steps }),
    clipNorm: 1,
    seed,
  })
  const finished = await trainer.fit(
    { steps: () => steps, batch: (_, step) => pairs(rng.split('train').split(step), BATCH) },
    {
      epochs: 1,
      signal: live.signal,
      onStep: async ({ total, loss: value }) => {
        if (!every(total, steps, 10)) return
        const accuracy = await noGrad(() =>
          scope(async () => {
            const [said, truth] = await Promise.all([
              model.forward(test).argmax(-1).data(),
              test.target.data(),
            ])
            return Array.from(truth).filter((id, i) => said[i] === id).length / truth.length
          }),
        )
        await live.report({ step: total, loss: value, accuracy })
      },
    },
  )
  return noGrad(() =>
    scope(async () => {
      const [source, target, map] = await Promise.all([
        test.source.data(),
        test.target.data(),
        model.map(test)?.data(),
      ])
      const names = (ids: ArrayLike<number>): string[] =>
        Array.from({ length: LENGTH }, (_, i) => String.fromCharCode(97 + (ids[i] as number)))
      return {
        parameters: [...model.parameters()].reduce((sum, p) => sum + p.size, 0),
        finished,
        seconds: (performance.now() - began) / 1000,
        source: names(source),
        target: names(target),
        weights: map
          ? Array.from({ length: LENGTH }, (_, t) =>
              Array.from((map as Float32Array).slice(t * LENGTH, (t + 1) * LENGTH)),
            )
          : [],
      }
    }),
  )
}

function pairs(rng: Rng, count: number): Pairs {
  const source = Int32Array.from({ length: count * LENGTH }, () => rng.int(LETTERS))
  const target = source.map((_, i) => source[i - (i % LENGTH) + LENGTH - 1 - (i % LENGTH)] as number)
  return {
    source: tensor(source, { shape: [count, LENGTH] }),
    target: tensor(target, { shape: [count, LENGTH] }),
  }
}
