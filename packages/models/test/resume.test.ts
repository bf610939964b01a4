import {
  Rng,
  readSafetensors,
  setBackend,
  type Tensor,
  tensor,
  withRng,
  writeSafetensors,
} from '@heed/core-tensor'
import { referenceBackend } from '@heed/core-tensor/testing'
import type { Module } from '@heed/layers'
import { beforeAll, describe, expect, it } from 'vitest'
import { BERT, classifierConfig, GPT, type Seq2SeqConfig, SequenceClassifier } from '../src/index.ts'
import { ids, KINDS, pairs, small, values } from './pairs.ts'

beforeAll(() => setBackend(referenceBackend()))

/** A model with fresh weights, and its loss. */
type Made = readonly [model: Module, loss: () => Tensor]

const batch = () => {
  const given = pairs([4, 3], [3, 2])
  return { ...given, copy: { ids: given.source, extra: 1 } }
}

const seq2seq = (config: Partial<Seq2SeqConfig>) => (): Made => {
  const model = small({ ...config, dropout: 0.2 })
  return [model, () => model.loss(batch(), { teacherForcing: 0.7 })]
}

const MODELS: Readonly<Record<string, () => Made>> = {
  ...Object.fromEntries(Object.entries(KINDS).map(([name, config]) => [`Seq2Seq: ${name}`, seq2seq(config)])),
  ...Object.fromEntries(
    (['last', 'concat', 'mean', 'max', 'attention'] as const).map(readout => [
      `SequenceClassifier: ${readout}`,
      (): Made => {
        const config = classifierConfig({ vocab: 11, embedding: 5, hidden: 4, layers: 2, bidirectional: true, readout, time: 4, dropout: 0.3 }) // biome-ignore format: one line
        const model = new SequenceClassifier(config, { rng: new Rng(1) })
        const { source, sourceLengths } = pairs([4, 3], [1, 1])
        return [model, () => model.loss({ ids: source, lengths: sourceLengths, labels: tensor(Int32Array.of(1, 0)) })] // biome-ignore format: one line
      },
    ]),
  ),
  GPT: () => {
    const model = new GPT({ vocab: 11, maxLength: 6, embedding: 8, heads: 2, layers: 2, dropout: 0.2 }, { rng: new Rng(1) }) // biome-ignore format: one line
    const text = ids([[4, 5, 6, 7, 8]])
    return [model, () => model.loss({ input: text.slice([{}, { stop: 4 }]), target: text.slice([{}, { start: 1 }]) })] // biome-ignore format: one line
  },
  BERT: () => {
    const model = new BERT({ vocab: 11, maxLength: 6, embedding: 8, heads: 2, layers: 2, hidden: 16, dropout: 0.2 }, { rng: new Rng(1) }) // biome-ignore format: one line
    const next = tensor(Int32Array.of(1))
    return [model, () => model.loss({ ids: ids([[4, 1, 6, 7]]), masked: ids([[-100, 5, -100, -100]]), next })] // biome-ignore format: one line
  },
}

/** Steps of gradient descent, numbered; each draws from its own stream, as the trainer's do. */
function train([model, loss]: Made, from: number, to: number): void {
  for (let step = from; step < to; step++) {
    model.zeroGrad()
    withRng(new Rng(9).split(step), loss).backward()
    for (const p of model.parameters()) if (p.grad) p.assign(p.sub(p.grad.mul(0.1)).detach())
  }
}

describe('saved, loaded and trained further equals never stopped, bit for bit:', () => {
  it.each(Object.entries(MODELS))('%s', async (_, make) => {
    const whole = make()
    train(whole, 0, 4)
    const first = make()
    train(first, 0, 2)
    const file = await writeSafetensors(first[0].stateDict())
    const second = make()
    second[0].loadStateDict(readSafetensors(file).tensors)
    train(second, 2, 4)
    const bits = ([model]: Made): Record<string, number[]> => Object.fromEntries(Object.entries(model.stateDict()).map(([name, x]) => [name, values(x)])) // biome-ignore format: one line
    expect(bits(second)).toEqual(bits(whole))
    expect(bits(first)).not.toEqual(bits(whole))
  })
})
