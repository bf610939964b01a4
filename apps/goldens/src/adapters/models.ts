import type { Tensor } from '@heed/core-tensor'
import { crossEntropy } from '@heed/layers'
import { Seq2Seq, seq2seqConfig } from '@heed/models'
import { Adam } from '@heed/training'
import type { Case, Tolerance } from '../cases.ts'
import { type Adapter, differ } from '../compare.ts'
import { constructed, given } from './settings.ts'

interface Training {
  readonly lr: number
  readonly betas: [number, number]
  readonly eps: number
  readonly steps: number
  readonly losses: number[]
  readonly tolerance: Tolerance
}

/** The formula's names of the parameters, as ours. */
function rename(name: string): string {
  return name
    .replace(/^src_embedding/, 'sourceEmbedding')
    .replace(/^tgt_embedding/, 'targetEmbedding')
    .replace(/^attention\.W1$/, 'score.wQuery')
    .replace(/^attention\.W2$/, 'score.wKey')
    .replace(/^attention\./, 'score.')
    .replace(/^decoder\./, 'cell.')
}

/** The model as the case describes it, with its weights; without a padding row, since the formula has none. */
function seq2seq(c: Case): Seq2Seq {
  const settings = constructed(c)
  const vocab = settings.number('vocab')
  const hidden = settings.number('hidden')
  const model = new Seq2Seq(
    seq2seqConfig({
      sourceVocab: vocab,
      targetVocab: vocab,
      embedding: settings.number('embed'),
      hidden,
      encoderHidden: hidden,
      attentionSize: settings.number('attn'),
    }),
  )
  model.loadStateDict(
    Object.fromEntries(Object.entries(c.params).map(([name, x]) => [rename(name), x.detach()])),
  )
  return model
}

function lossOf(model: Seq2Seq, c: Case): { logits: Tensor; attention: Tensor; loss: Tensor } {
  const { logits, weights } = model.forward(
    given(c, 'src'),
    given(c, 'src_valid').cast('int32').sum(1),
    given(c, 'tgt_in'),
  )
  const loss = crossEntropy(logits, given(c, 'tgt_out'), { ignoreIndex: constructed(c).number('pad_id') })
  return { logits, attention: weights as Tensor, loss }
}

export const models: Record<string, Adapter> = {
  seq2seq_gru_bahdanau: c => {
    const { lr, betas, eps, steps, losses, tolerance } = c.raw.training as Training
    const learner = seq2seq(c)
    const optimizer = new Adam(learner.namedParameters(), { learningRate: lr, betas, epsilon: eps })
    const found: number[] = []
    for (let step = 0; step <= steps; step++) {
      const { loss } = lossOf(learner, c)
      found.push(loss.dataSync()[0] as number)
      optimizer.zeroGrad()
      loss.backward()
      optimizer.step()
    }
    const problem = differ('training losses', found, losses, tolerance)
    if (problem) throw new Error(problem)
    const module = seq2seq(c)
    return { outputs: lossOf(module, c), module, rename }
  },
}
