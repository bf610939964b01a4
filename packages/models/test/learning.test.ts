import { getBackend, Rng, setBackend, tensor } from '@heed/core-tensor'
import { referenceBackend } from '@heed/core-tensor/testing'
import { beforeAll, describe, expect, it } from 'vitest'
import { greedy, type Seq2SeqConfig } from '../src/index.ts'
import { BEGIN, batchOf, END, ids, learn, small } from './pairs.ts'

beforeAll(() => setBackend(referenceBackend()))

/** Two or three tokens, and the same backwards. */
function reversals(count: number, seed: number): { source: number[]; target: number[] }[] {
  const rng = new Rng(seed)
  return Array.from({ length: count }, () => {
    const source = Array.from({ length: 2 + rng.int(2) }, () => 4 + rng.int(4))
    return { source, target: [BEGIN, ...[...source].reverse(), END] }
  })
}

describe('on words to be said backwards', () => {
  it.each<[string, Partial<Seq2SeqConfig>]>([
    ['Bahdanau', { attention: 'bahdanau' }],
    ['Luong general, an LSTM, nothing fed', { attention: 'general', cell: 'lstm', inputFeeding: false }],
  ])('%s learns, and its alignment runs against the diagonal', async (_, config) => {
    const model = small({ sourceVocab: 8, targetVocab: 8, hidden: 12, attentionSize: 8, ...config }, 2)
    learn(model, step => model.loss(batchOf(reversals(8, 50 + step))), 100, 0.03)
    const test = reversals(40, 1)
    const source = ids(test.map(row => row.source))
    const lengths = tensor(Int32Array.from(test, row => row.source.length))
    const options = { begin: BEGIN, end: END, maxLength: 6 }
    const rows = await greedy(() => model.eval().stepper(source, lengths), 40, getBackend(), options)
    let [right, aligned, words] = [0, 0, 0]
    for (const [i, row] of test.entries())
      for (const [t, id] of row.target.slice(1, -1).entries()) {
        const weights = rows[i]?.weights[t]
        words++
        right += Number(rows[i]?.ids[t] === id)
        aligned += Number(weights?.indexOf(Math.max(...weights)) === row.source.length - 1 - t)
      }
    expect(right / words).toBeGreaterThan(0.85)
    expect(aligned / words).toBeGreaterThan(0.75)
  })
})
