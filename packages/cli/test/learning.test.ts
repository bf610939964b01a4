import { cpu } from '@heed/backend-cpu'
import { getBackend, Rng, setBackend, tensor } from '@heed/core-tensor'
import { Batches, BEGIN, copy, countTokens, END, examples, PAD, pad, Vocabulary } from '@heed/datasets'
import { greedy, Seq2Seq, type Seq2SeqBatch, seq2seqConfig } from '@heed/models'
import { Adam, type BatchSource, Trainer, warmupCosine } from '@heed/training'
import { beforeAll, describe, expect, it } from 'vitest'

beforeAll(async () => setBackend(await cpu()))

/** The copy task: what is written is what was read. */
function task(seed: number) {
  const lines = examples(copy({ seed, split: 'train', size: 64 * 304 }))
  const cut = (text: string): string[] => [...text]
  const vocabulary = Vocabulary.fromCounts(countTokens(lines.map(line => cut(line.source))))
  const pairs = lines.map(line => ({
    source: vocabulary.encode(cut(line.source), { end: true }),
    target: vocabulary.encode(cut(line.target), { begin: true, end: true }),
  }))
  return { pairs, vocabulary }
}

describe('learning', () => {
  it('copies above 99 % within 300 steps', async () => {
    const { pairs, vocabulary } = task(1)
    const [train, test] = [pairs.slice(200), pairs.slice(0, 200)]
    const batches = new Batches(train, { size: 64, seed: 1 }).epoch(0)
    const source: BatchSource<Seq2SeqBatch> = {
      steps: () => Math.min(300, batches.length),
      batch(_, step) {
        const b = batches.at(step)
        return {
          source: tensor(b.source, { shape: b.sourceShape }),
          sourceLengths: tensor(b.sourceLengths),
          target: tensor(b.target, { shape: b.targetShape }),
        }
      },
    }
    const config = seq2seqConfig({
      sourceVocab: vocabulary.size,
      targetVocab: vocabulary.size,
      attention: 'bahdanau',
      hidden: 64,
      embedding: 32,
      padding: PAD,
    })
    const model = new Seq2Seq(config, { rng: new Rng(2) })
    await new Trainer(model, {
      optimizer: new Adam(model.namedParameters(), { learningRate: 0.01 }),
      clipNorm: 1,
      schedule: warmupCosine(0.01, { warmup: 20, total: 300 }),
    }).fit(source, { epochs: 1 })
    const { ids, shape, lengths } = pad(test.map(pair => pair.source))
    const decoded = await greedy(
      () => model.eval().stepper(tensor(ids, { shape }), tensor(lengths)),
      test.length,
      getBackend(),
      { begin: BEGIN, end: END, maxLength: 30 },
    )
    let right = 0
    let total = 0
    for (const [i, { target }] of test.entries()) {
      const wanted = [...target].slice(1, -1)
      total += wanted.length
      right += wanted.filter((id, k) => decoded[i]?.ids[k] === id).length
    }
    expect(right / total).toBeGreaterThan(0.99)
  })
})
