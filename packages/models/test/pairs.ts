import { Rng, scope, type Tensor, tensor } from '@heed/core-tensor'
import type { Module } from '@heed/layers'
import { Seq2Seq, type Seq2SeqBatch, type Seq2SeqConfig, seq2seqConfig } from '../src/index.ts'

export const [PAD, UNKNOWN, BEGIN, END] = [0, 1, 2, 3] as const

/** Pairs of random tokens from 4 on, padded: sources of the given lengths, targets of their own. */
export function pairs(
  sourceLengths: readonly number[],
  targetLengths: readonly number[],
  { vocab = 11, seed = 5 }: { readonly vocab?: number; readonly seed?: number } = {},
): Seq2SeqBatch & { readonly rows: readonly { source: number[]; target: number[] }[] } {
  const rng = new Rng(seed)
  const tokens = (length: number): number[] => Array.from({ length }, () => 4 + rng.int(vocab - 4))
  const rows = sourceLengths.map((length, i) => ({
    source: tokens(length),
    target: [BEGIN, ...tokens(targetLengths[i] as number), END],
  }))
  return { ...batchOf(rows), rows }
}

/** Rows padded to the longest of each side. */
export function batchOf(
  rows: readonly { source: readonly number[]; target: readonly number[] }[],
): Seq2SeqBatch {
  return {
    source: ids(rows.map(row => row.source)),
    sourceLengths: tensor(Int32Array.from(rows, row => row.source.length)),
    target: ids(rows.map(row => row.target)),
  }
}

/** `[rows, longest]`, int32 */
export function ids(rows: readonly (readonly number[])[]): Tensor {
  const time = Math.max(...rows.map(row => row.length))
  const data = rows.flatMap(row => [...row, ...new Array<number>(time - row.length).fill(PAD)])
  return tensor(Int32Array.from(data), { shape: [rows.length, time] })
}

/** A small model whose weights come from a seed. */
export function small(config: Partial<Seq2SeqConfig> = {}, seed = 1): Seq2Seq {
  return new Seq2Seq(
    seq2seqConfig({ sourceVocab: 11, targetVocab: 11, hidden: 8, embedding: 6, attentionSize: 5, ...config }),
    { rng: new Rng(seed) },
  )
}

export const values = (x: Tensor): number[] => [...(x.dataSync() as Float32Array)]

/** The largest difference of two lists. */
export function apart(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY
  let most = 0
  for (let i = 0; i < a.length; i++) most = Math.max(most, Math.abs((a[i] as number) - (b[i] as number)))
  return most
}

/** Every kind of decoder, by name. */
export const KINDS: Readonly<Record<string, Partial<Seq2SeqConfig>>> = {
  'a fixed vector': { attention: 'none' },
  'a fixed vector, reversed source, one direction': { attention: 'none', reverseSource: true, bidirectional: false },
  Bahdanau: { attention: 'bahdanau' },
  'Bahdanau, current state': { attention: 'bahdanau', queryState: 'current' },
  'Bahdanau, context added': { attention: 'bahdanau', feedBy: 'add' },
  'Bahdanau, nothing fed': { attention: 'bahdanau', inputFeeding: false },
  'Luong dot': { attention: 'dot' },
  'Luong scaled dot': { attention: 'scaled-dot' },
  'Luong general, LSTM': { attention: 'general', cell: 'lstm' },
  'Luong general, LSTM, nothing fed': { attention: 'general', cell: 'lstm', inputFeeding: false },
  'Luong general, previous state, nothing fed': { attention: 'general', queryState: 'previous', inputFeeding: false },
  'Luong concat, RNN': { attention: 'concat', cell: 'rnn' },
  'Luong location': { attention: 'location' },
  'local-m': { attention: 'general', locality: 'monotonic', window: 1 },
  'local-p': { attention: 'general', locality: 'predictive', window: 2 },
  'local-p, nothing fed': { attention: 'dot', locality: 'predictive', window: 2, inputFeeding: false },
  coverage: { attention: 'bahdanau', coverage: true },
  'pointer-generator with coverage': { attention: 'bahdanau', queryState: 'current', copy: true, coverage: true, cell: 'lstm' },
} // biome-ignore format: a table

/** Steps of Adam (Kingma and Ba 2015), since the package with the optimisers lies beside this one. */
export function learn(model: Module, loss: (step: number) => Tensor, steps: number, rate: number): void {
  const slots = new Map(model.parameters().map(p => [p, [new Float32Array(p.size), new Float32Array(p.size)] as const])) // biome-ignore format: one line
  for (let step = 1; step <= steps; step++)
    scope(() => {
      model.zeroGrad()
      loss(step).backward()
      for (const [p, [m, v]] of slots) {
        if (!p.grad) continue
        const [x, g] = [p.dataSync() as Float32Array, p.grad.dataSync() as Float32Array]
        for (let i = 0; i < x.length; i++) {
          m[i] = 0.9 * (m[i] as number) + 0.1 * (g[i] as number)
          v[i] = 0.99 * (v[i] as number) + 0.01 * (g[i] as number) ** 2
          const [mean, spread] = [(m[i] as number) / (1 - 0.9 ** step), (v[i] as number) / (1 - 0.99 ** step)]
          x[i] = (x[i] as number) - (rate * mean) / (Math.sqrt(spread) + 1e-8)
        }
        p.assign(tensor(x, { shape: p.shape }))
      }
    })
}
