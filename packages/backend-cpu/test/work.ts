import {
  additiveScore,
  applyAll,
  arange,
  embedding,
  erf,
  gelu,
  gruSequence,
  layerNorm,
  linear,
  logSoftmax,
  lstmSequence,
  noGrad,
  ops,
  Parameter,
  rnnSequence,
  scaledDotAttention,
  scope,
  softmax,
  type Tensor,
} from '@heed/core-tensor'
import type { Draw, Work } from './bits.ts'

/** Results and gradients: every element counts, each with another weight. */
function trained(leaves: readonly Tensor[], outputs: readonly Tensor[]): Tensor[] {
  const held = outputs.map(y => y.detach())
  const loss = outputs
    .map(y => y.mul(arange(0, y.size, 1, { dtype: 'float32', backend: y.backend }).mul(0.37).sin().reshape(y.shape)).sum()) // biome-ignore format: one line reads best
    .reduce((a, b) => a.add(b))
  loss.backward()
  return [...held, ...leaves.map(x => x.grad as Tensor)]
}

type Sizes = readonly [batch: number, time: number, hidden: number]

/** What a recurrence is given, with rows of different lengths. */
function recurrence(draw: Draw, gates: number, [batch, time, hidden]: Sizes) {
  const x = draw.leaf(batch, time, gates * hidden)
  const state = draw.leaf(batch, hidden)
  const weight = draw.leaf(gates * hidden, hidden)
  const bias = draw.leaf(gates * hidden)
  const lengths = draw.ids(time + 1, batch)
  return { x, run: { state, weight, bias, lengths }, leaves: [x, state, weight, bias] }
}

/** Work of a size that is worth sharing among threads, at sizes that no tile, vector or chunk divides. */
export const shared: Readonly<Record<string, Work>> = {
  matmul: d => [d.normal(301, 277).matmul(d.normal(277, 259))],
  'matmul of one block of rows': d => [d.normal(37, 530).matmul(d.normal(530, 1030))],
  'matmul, left transposed': d => [d.normal(277, 301).transpose().matmul(d.normal(277, 259))],
  'matmul, right transposed': d => [d.normal(301, 277).matmul(d.normal(259, 277).transpose())],
  'matmul, deep': d => [d.normal(33, 2100).matmul(d.normal(2100, 67))],
  'matmul, batched': d => [d.normal(13, 67, 71).matmul(d.normal(13, 71, 65))],
  'matmul, batched and stretched': d => [d.normal(5, 1, 67, 71).matmul(d.normal(1, 3, 65, 71).transpose())],
  'matrix by vector': d => {
    const matrix = d.uniform(1103, 907)
    return [matrix.matmul(d.normal(907)), d.normal(1103).matmul(matrix)]
  },
  'outer product': d => [d.normal(1103, 1).matmul(d.normal(1, 907))],
  linear: d => {
    const leaves = [d.leaf(203, 301), d.leaf(257, 301), d.leaf(257)] as const
    return trained(leaves, [linear(...leaves)])
  },
  sums: d => {
    const x = d.normal(67, 61, 203)
    return [x.sum(), x.sum(-1), x.sum(0), x.sum(1), x.sum([0, 2]), x.transpose().sum(-1), x.mean([0, 1])]
  },
  'the sum of very many': d => [d.uniform(2_000_003).sum(), d.normal(150_001, 7).sum(0)],
  extremes: d => {
    const x = d.normal(67, 61, 203)
    return [x.max(-1), x.min(0), x.max([0, 2]), x.argmax(-1), x.argmin(0)]
  },
  softmax: d => {
    const x = d.normal(601, 1031)
    return [softmax(x), logSoftmax(x), softmax(x, 0)]
  },
  elementwise: d => {
    const x = d.normal(499, 1009)
    return [x.exp(), x.tanh(), x.sigmoid(), erf(x), x.sin(), x.mul(x.transpose().reshape(x.shape)), x.add(d.normal(1009))] // biome-ignore format: a list
  },
  gru: d => {
    const { x, run, leaves } = recurrence(d, 3, [37, 19, 67])
    return trained(leaves, Object.values(gruSequence(x, run)))
  },
  'gru, backwards': d => {
    const { x, run, leaves } = recurrence(d, 3, [37, 19, 67])
    return trained(leaves, Object.values(gruSequence(x, { ...run, reverse: true })))
  },
  lstm: d => {
    const { x, run, leaves } = recurrence(d, 4, [37, 19, 67])
    const cell = d.leaf(37, 67)
    return trained([...leaves, cell], Object.values(lstmSequence(x, { ...run, cell })))
  },
  rnn: d => {
    const { x, run, leaves } = recurrence(d, 1, [67, 19, 131])
    return trained(leaves, Object.values(rnnSequence(x, run)))
  },
  'additive score': d => {
    const leaves = [d.leaf(11, 29, 67), d.leaf(11, 31, 67), d.leaf(67)] as const
    return trained(leaves, [additiveScore(...leaves)])
  },
  attention: d => {
    const leaves = [d.leaf(2, 3, 131, 37), d.leaf(2, 3, 301, 37), d.leaf(2, 3, 301, 21)] as const
    const some = d.ids(3, 2, 1, 131, 301).greater(0)
    return [
      ...trained(leaves, [scaledDotAttention(...leaves, { mask: some })]),
      scaledDotAttention(...leaves, { offset: 170 }),
      scaledDotAttention(...leaves, { mask: some.slice([{}, {}, { stop: 1 }]) }),
    ]
  },
  'causal attention': d => {
    const leaves = [d.leaf(2, 5, 203, 24), d.leaf(2, 5, 203, 24), d.leaf(2, 5, 203, 33)] as const
    return trained(leaves, [scaledDotAttention(...leaves, { offset: 0 })])
  },
  'layer norm': d => {
    const leaves = [d.leaf(301, 203), d.leaf(203), d.leaf(203)] as const
    const [x, weight, bias] = leaves
    return [...trained(leaves, [layerNorm(x, { weight, bias })]), layerNorm(d.normal(7, 2051))]
  },
  gelu: d => {
    const x = d.leaf(307, 203)
    return trained([x], [gelu(x), gelu(x, { approximate: 'tanh' })])
  },
  embedding: d => {
    const table = d.leaf(503, 201)
    return trained([table], [embedding(table, d.ids(503, 67, 61))])
  },
  adam: d => adamSteps(d, 100_003, 3),
  'random numbers': d => [d.uniform(300_001), d.normal(200_003)],
  training: d => train(d, 12),
}

/** Steps of AdamW over one list of numbers: the last of p, m and v. */
function adamSteps(draw: Draw, n: number, steps: number): readonly Tensor[] {
  let [p, m, v] = [draw.normal(n), draw.normal(n).mul(0.01), draw.uniform(n).mul(0.01)] as Three
  for (let step = 1; step <= steps; step++)
    [p, m, v] = applyAll(ops.adam, [p, draw.normal(n), m, v], { ...settings, step }) as unknown as Three
  return [p, m, v]
}

type Three = readonly [Tensor, Tensor, Tensor]

const settings = {
  learningRate: 0.01,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  weightDecay: 0.01,
  decoupled: true,
}

/** A small network learns to name the largest of its inputs: the losses and the final weights. */
function train(draw: Draw, steps: number): readonly Tensor[] {
  const [batch, features, hidden, classes] = [257, 129, 203, 33]
  const weights = [
    draw.leaf(hidden, features),
    draw.leaf(hidden),
    draw.leaf(classes, hidden),
    draw.leaf(classes),
  ].map(x => new Parameter(x))
  const moments = weights.map(w => [new Parameter(w.mul(0)), new Parameter(w.mul(0))] as const)
  const losses: Tensor[] = []
  for (let step = 1; step <= steps; step++)
    losses.push(
      scope(() => {
        const [w1, b1, w2, b2] = weights as [Parameter, Parameter, Parameter, Parameter]
        const x = draw.normal(batch, features)
        const y = logSoftmax(linear(linear(x, w1, b1).tanh(), w2, b2))
        const answers = x.slice([{}, { stop: classes }]).argmax(-1, { keepDims: true })
        const loss = y.gather(1, answers).mean().neg()
        loss.backward()
        for (const [i, p] of weights.entries()) {
          const [m, v] = moments[i] as (typeof moments)[number]
          const made = noGrad(() => applyAll(ops.adam, [p, p.grad as Tensor, m, v], { ...settings, step }))
          for (const [k, kept] of [p, m, v].entries()) kept.assign(made[k] as Tensor)
          p.zeroGrad()
        }
        return loss
      }),
    )
  return [...losses, ...weights]
}
