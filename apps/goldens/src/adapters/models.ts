import { concat, type Tensor } from '@heed/core-tensor'
import { crossEntropy, type Module } from '@heed/layers'
import { BERT, type BERTInput, GPT, Seq2Seq, seq2seqConfig } from '@heed/models'
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

/** Steps of Adam on the case's one batch, whose losses must be the case's. */
async function train(c: Case, module: Module, lossOf: () => Tensor): Promise<void> {
  const { lr, betas, eps, steps, losses, tolerance } = c.raw.training as Training
  const optimizer = new Adam(module.namedParameters(), { learningRate: lr, betas, epsilon: eps })
  const found: number[] = []
  for (let step = 0; step <= steps; step++) {
    const loss = lossOf()
    found.push(await loss.item())
    optimizer.zeroGrad()
    loss.backward()
    optimizer.step()
  }
  const problem = differ('training losses', found, losses, tolerance)
  if (problem) throw new Error(problem)
}

function gpt(c: Case): GPT {
  const s = constructed(c)
  const [vocab, maxLength, embedding, heads, layers, hidden] = [
    'vocab',
    'max_len',
    'embed',
    'heads',
    'layers',
    'mlp',
  ].map(name => s.number(name)) as [number, number, number, number, number, number]
  const model = new GPT({
    vocab,
    maxLength,
    embedding,
    heads,
    layers,
    hidden,
    epsilon: s.number('ln_eps', 1e-5),
  })
  model.loadStateDict(Object.fromEntries(Object.entries(c.params).map(([name, x]) => [name, x.detach()])))
  return model
}

/** The case's names of BERT's parameters, as ours. */
function renameBert(name: string): string {
  return name
    .replace(/^embeddings\.token/, 'words')
    .replace(/^embeddings\.position/, 'places')
    .replace(/^embeddings\.segment/, 'sentences')
    .replace(/^embeddings\.norm/, 'norm')
    .replace('.attn_out.', '.attention.out_proj.')
    .replace(/^mlm\.dense/, 'dense')
    .replace(/^mlm\.norm/, 'denseNorm')
    .replace(/^mlm\.bias$/, 'wordBias')
    .replace(/^nsp/, 'nextHead')
}

function bert(c: Case): BERT {
  const s = constructed(c)
  const [vocab, embedding, heads, layers, hidden] = ['vocab', 'embed', 'heads', 'layers', 'mlp'].map(name =>
    s.number(name),
  ) as [number, number, number, number, number]
  const maxLength = given(c, 'embeddings.position.weight').shape[0] as number
  const segments = given(c, 'embeddings.segment.weight').shape[0] as number
  const model = new BERT({
    vocab,
    maxLength,
    embedding,
    heads,
    layers,
    hidden,
    segments,
    epsilon: s.number('ln_eps', 1e-12),
  })
  const state = new Map(Object.entries(c.params).map(([name, x]) => [renameBert(name), x.detach()]))
  // Three projections that PyTorch's attention packs into one.
  for (let i = 0; i < layers; i++)
    for (const kind of ['weight', 'bias']) {
      const parts = ['query', 'key', 'value'].map(part => {
        const name = `layers.${i}.${part}.${kind}`
        const found = state.get(name) as Tensor
        state.delete(name)
        return found
      })
      state.set(`layers.${i}.attention.in_proj_${kind}`, concat(parts))
    }
  model.loadStateDict(Object.fromEntries(state))
  return model
}

/** Gradients of BERT by the case's names: the packed projections taken apart again. */
function unpackedGradients(model: BERT): Record<string, Tensor> {
  const packed = model.gradients()
  return Object.fromEntries(
    Object.entries(packed).flatMap(([name, x]): [string, Tensor][] => {
      const [, at, kind] = /^(layers\.\d+)\.attention\.in_proj_(weight|bias)$/.exec(name) ?? []
      if (!at) return [[name, x]]
      const rows = (x.shape[0] as number) / 3
      return ['query', 'key', 'value'].map((part, i) => [
        `${at}.${part}.${kind}`,
        x.slice([{ start: i * rows, stop: (i + 1) * rows }]),
      ])
    }),
  )
}

const bertInput = (c: Case): BERTInput => ({
  ids: given(c, 'ids'),
  segments: given(c, 'segments'),
  valid: given(c, 'valid'),
})

export const models: Record<string, Adapter> = {
  seq2seq_gru_bahdanau: async c => {
    const learner = seq2seq(c)
    await train(c, learner, () => lossOf(learner, c).loss)
    const module = seq2seq(c)
    return { outputs: lossOf(module, c), module, rename }
  },
  gpt: async c => {
    const learner = gpt(c)
    const batch = { input: given(c, 'input'), target: given(c, 'target') }
    await train(c, learner, () => learner.loss(batch))
    const module = gpt(c)
    const { logits } = module.forward(batch.input)
    return { outputs: { logits, loss: crossEntropy(logits, batch.target) }, module }
  },
  bert: async c => {
    const labels = { masked: given(c, 'mlm_labels'), next: given(c, 'nsp_labels') }
    const learner = bert(c)
    await train(c, learner, () => learner.loss({ ...bertInput(c), ...labels }))
    const module = bert(c)
    const { hidden, words, next } = module.heads(bertInput(c))
    const loss = crossEntropy(words, labels.masked).add(crossEntropy(next, labels.next))
    const outputs = { hidden, mlm_logits: words, nsp_logits: next, loss }
    return { outputs, module: { gradients: () => unpackedGradients(module) }, rename: renameBert }
  },
}
