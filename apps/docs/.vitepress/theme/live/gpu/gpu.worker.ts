// A worker in which a translator of dates lives: it trains and answers there, and the page is free.
import { gpu, serve } from '@heed/backend-gpu'
import { type Backend, Rng, scope, setBackend, tensor } from '@heed/core-tensor'
import { greedy, Seq2Seq, type Seq2SeqBatch, seq2seqConfig } from '@heed/models'
import { Adam, clipGradNorm } from '@heed/training'
import { BEGIN, type DatePair, datePair, END, idsOf, textOf, VOCABULARY } from './dates.ts'

/** Where the reader wants it to compute; `software` is a GPU that the processor plays. */
export type Place = 'gpu' | 'software' | 'cpu'

/** A step of training. */
export interface Step {
  readonly step: number
  readonly loss: number
  /** Kernels launched for it; on the GPU only. */
  readonly launches: number | undefined
}

const BATCH = 32
let backend: Backend | undefined
let counts: (() => { readonly launched: number }) | undefined
let model: Seq2Seq | undefined
let optimizer: Adam | undefined
const rng = new Rng(1)
let step = 0

// Steps and answers take turns: what one has open, scopes above all, is not the other's.
let before: Promise<unknown> = Promise.resolve()
function inTurn<T>(work: () => Promise<T>): Promise<T> {
  const mine = before.then(work)
  before = mine.catch(() => {})
  return mine
}

const calls = {
  /** Opens a backend and makes a model on it. @returns what computes. @throws GpuUnavailableError where there is no GPU */
  async open(place: Place): Promise<string> {
    if (place === 'cpu') {
      const { cpu } = await import('@heed/backend-cpu')
      backend = await cpu({ threads: 1 })
    } else {
      const opened = await gpu({ software: place === 'software' })
      counts = () => opened.counts()
      backend = opened
    }
    setBackend(backend)
    const config = seq2seqConfig({
      sourceVocab: VOCABULARY,
      targetVocab: VOCABULARY,
      attention: 'scaled-dot',
      inputFeeding: false, // whole targets are read in one scan
      embedding: 16,
      hidden: 32,
    })
    model = new Seq2Seq(config, { rng: new Rng(3) })
    optimizer = new Adam(model.namedParameters(), { learningRate: 0.01 })
    return place === 'cpu' ? `the CPU (${backend.build})` : `${backend.build}`
  },

  /** Trains for so many steps, each when the page asks for it. */
  async *train(steps: number): AsyncGenerator<Step, void, void> {
    for (let i = 0; i < steps; i++) yield await inTurn(learn)
  },

  /** What the model makes of a date so far. */
  translate: (text: string): Promise<string> =>
    inTurn(async () => {
      const { net, on } = ready()
      const ids = idsOf(text)
      if (!ids.length) throw new Error('translate: there is nothing to translate; write a date')
      net.eval()
      const [made] = await greedy(
        () =>
          net.stepper(
            tensor(ids, { shape: [1, ids.length], dtype: 'int32' }),
            tensor(Int32Array.of(ids.length)),
          ),
        1,
        on,
        { begin: BEGIN, end: END, maxLength: 12 },
      )
      return textOf(made?.ids ?? [])
    }),
}

export type GpuCalls = typeof calls
serve(calls)

function ready(): { net: Seq2Seq; adam: Adam; on: Backend } {
  if (!model || !optimizer || !backend) throw new Error('there is no model yet; press Train first')
  return { net: model, adam: optimizer, on: backend }
}

async function learn(): Promise<Step> {
  const { net, adam } = ready()
  const launched = counts?.().launched
  net.train()
  const loss = await scope(async () => {
    adam.zeroGrad()
    const whole = net.loss(batchOf(Array.from({ length: BATCH }, () => datePair(rng))))
    whole.backward()
    clipGradNorm(adam.parameters.values(), 1)
    adam.step()
    adam.zeroGrad()
    return whole.item()
  })
  const after = counts?.().launched
  return { step: ++step, loss, launches: after === undefined ? undefined : after - (launched ?? 0) }
}

function batchOf(pairs: readonly DatePair[]): Seq2SeqBatch {
  const rows = (all: readonly (readonly number[])[]) => {
    const width = Math.max(...all.map(row => row.length))
    const data = new Int32Array(all.length * width)
    for (const [i, row] of all.entries()) data.set(row, i * width)
    return tensor(data, { shape: [all.length, width] })
  }
  const sources = pairs.map(({ source }) => idsOf(source))
  return {
    source: rows(sources),
    sourceLengths: tensor(Int32Array.from(sources, row => row.length)),
    target: rows(pairs.map(({ target }) => [BEGIN, ...idsOf(target), END])),
  }
}
