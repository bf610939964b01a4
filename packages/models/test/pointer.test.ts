import { getBackend, noGrad, Rng, setBackend, tensor } from '@heed/core-tensor'
import { referenceBackend } from '@heed/core-tensor/testing'
import { beforeAll, describe, expect, it } from 'vitest'
import { greedy, type Seq2SeqBatch } from '../src/index.ts'
import { BEGIN, END, ids, learn, small, UNKNOWN, values } from './pairs.ts'

beforeAll(() => setBackend(referenceBackend()))

const config = {
  attention: 'bahdanau',
  queryState: 'current',
  copy: true,
  sourceVocab: 7,
  targetVocab: 7,
  hidden: 12,
  embedding: 6,
} as const

/** Sources of words that no vocabulary has (7, 8, … in each row anew) and of words that it has; the answer is the source. */
function copies(count: number, seed: number): Seq2SeqBatch & { readonly targets: readonly number[][] } {
  const rng = new Rng(seed)
  const extended = Array.from({ length: count }, () => {
    const length = 1 + rng.int(3)
    let unseen = 7
    return Array.from({ length }, () => (rng.uniform() < 0.5 ? unseen++ : 4 + rng.int(3)))
  })
  const known = extended.map(row => row.map(id => (id < 7 ? id : UNKNOWN)))
  const targets = extended.map(row => [BEGIN, ...row, END])
  return {
    source: ids(known),
    sourceLengths: tensor(Int32Array.from(known, row => row.length)),
    target: ids(targets),
    copy: { ids: ids(extended), extra: 3 },
    targets,
  }
}

describe('a pointer-generator', () => {
  it('gives probabilities of words written and copied that sum to 1', () => {
    const batch = copies(4, 1)
    const { logits } = noGrad(() => small(config).forward(batch.source, batch.sourceLengths, batch.target, { copy: batch.copy })) // biome-ignore format: one line
    expect(logits.shape[2]).toBe(10)
    for (const sum of values(logits.exp().sum(-1))) expect(sum).toBeCloseTo(1, 5)
  })

  it('learns to write words that its vocabulary lacks', async () => {
    const model = small(config, 3)
    learn(model, step => model.loss(copies(8, 100 + step)), 70, 0.03)
    const test = copies(40, 1)
    const rows = await greedy(() => model.eval().stepper(test.source, test.sourceLengths, test.copy), 40, getBackend(), { begin: BEGIN, end: END, maxLength: 5 }) // biome-ignore format: one line
    const unseen = test.targets.flatMap((target, i) =>
      target.slice(1, -1).flatMap((id, t) => (id >= 7 ? [rows[i]?.ids[t] === id] : [])),
    )
    expect(unseen.length).toBeGreaterThan(20)
    expect(unseen.filter(Boolean).length / unseen.length).toBeGreaterThan(0.8)
  })
})
