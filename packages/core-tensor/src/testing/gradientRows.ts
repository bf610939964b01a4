import {
  clamp,
  elu,
  erf,
  expm1,
  gelu,
  glu,
  hardSigmoid,
  hardSwish,
  leakyRelu,
  log1p,
  logSigmoid,
  mish,
  reciprocal,
  relu,
  relu6,
  rsqrt,
  selu,
  silu,
  softplus,
  softsign,
  square,
} from '../functional/activations.ts'
import * as arrange from '../functional/arrange.ts'
import { einsum } from '../functional/einsum.ts'
import * as lookup from '../functional/lookup.ts'
import * as networks from '../functional/network.ts'
import * as statistics from '../functional/statistics.ts'
import type { Tensor } from '../tensor.ts'
import type { Draw, GradientRow } from './gradientCases.ts'

const small = (draw: Draw): Tensor[] => [draw.random(2, 3)]
const above = (draw: Draw): Tensor[] => [draw.positive(2, 3)]

/** Functions of one number. */
export function unary(): GradientRow[] {
  return [
    ...(['neg', 'abs', 'exp', 'sin', 'cos', 'tanh', 'sigmoid'] as const).map(
      (name): GradientRow => [name, x => x[name](), small],
    ),
    ...(['log', 'sqrt'] as const).map((name): GradientRow => [name, x => x[name](), above]),
    ...Object.entries({
      expm1,
      erf,
      relu,
      relu6,
      leakyRelu,
      elu,
      selu,
      gelu,
      silu,
      softplus,
      logSigmoid,
      softsign,
      mish,
      hardSigmoid,
      hardSwish,
      square,
    }).map(
      // biome-ignore format: a list
      ([name, f]): GradientRow => [name, x => f(x), small],
    ),
    ...Object.entries({ log1p, reciprocal, rsqrt }).map(([name, f]): GradientRow => [name, x => f(x), above]),
    ['gelu, tanh form', x => gelu(x, { approximate: 'tanh' }), small],
    ['clamp', x => clamp(x, -0.5, 0.8), draw => [draw.random(3, 4)]],
    ['glu', x => glu(x), draw => [draw.random(3, 4)]],
  ]
}

/** Functions of two tensors, stretched. */
export function arithmetic(): GradientRow[] {
  return [
    ['add', (a, b) => a.add(b), draw => [draw.random(2, 3), draw.random(3)]],
    ['sub', (a, b) => a.sub(b), draw => [draw.random(2, 1), draw.random(2, 3)]],
    ['mul', (a, b) => a.mul(b), draw => [draw.random(2, 1, 3), draw.random(4, 1)]],
    ['mul by itself', a => a.mul(a), small],
    ['div', (a, b) => a.div(b), draw => [draw.random(2, 3), draw.positive(2, 3)]],
    ['pow', (a, b) => a.pow(b), draw => [draw.positive(2, 3), draw.random(2, 3)]],
    ['pow by a number', a => a.pow(3), small],
    ['maximum', (a, b) => a.maximum(b), draw => [draw.random(2, 3), draw.random(2, 3)]],
    ['minimum', (a, b) => a.minimum(b), draw => [draw.random(2, 3), draw.random(3)]],
    ['where', (a, b) => a.where(a.detach().greater(0), b), draw => [draw.random(2, 3), draw.random(3)]],
  ]
}

/** Along axes. */
export function reductions(): GradientRow[] {
  return [
    ['sum', x => x.sum(), small],
    ['sum of an axis', x => x.sum(1), draw => [draw.random(2, 3, 2)]],
    ['sum of two axes, kept', x => x.sum([0, -1], { keepDims: true }), draw => [draw.random(2, 3, 2)]],
    ['mean', x => x.mean(0), small],
    ['prod', x => x.prod(), small],
    [
      'prod with zeros',
      (x, zeros) => x.mul(zeros.detach()).prod([0, 2]),
      draw => [draw.random(2, 2, 3), draw.of([0, 1, 1])],
    ],
    ['max', x => x.max(1), draw => [draw.apart(2, 3)]],
    ['min', x => x.min([0, 2]), draw => [draw.apart(2, 3, 2)]],
    ['cumsum', x => x.cumsum(1), draw => [draw.random(2, 3, 2)]],
    ['cumprod', x => x.cumprod(0), draw => [draw.random(3, 2)]],
    [
      'cumprod with zeros',
      (x, zeros) => x.mul(zeros).cumprod(1),
      draw => [draw.random(2, 4), draw.of([1, 0, 1, 0])],
    ],
    ['sort', x => statistics.sort(x, 0).values, draw => [draw.apart(4, 2)]],
    ['topK', x => statistics.topK(x, 2).values, draw => [draw.apart(2, 5)]],
    ['variance', x => statistics.variance(x, 1), draw => [draw.random(2, 4)]],
    ['std', x => statistics.std(x, 0, { correction: 0 }), draw => [draw.random(4, 2)]],
    ['logSumExp', x => statistics.logSumExp(x, 1), draw => [draw.random(2, 4)]],
    ...[1, 2, 3, Number.POSITIVE_INFINITY].map(
      (p): GradientRow => [`norm ${p}`, x => statistics.norm(x, 1, { p }), draw => [draw.apart(2, 4)]],
    ),
  ]
}

/** The same elements elsewhere. */
export function arrangement(): GradientRow[] {
  return [
    ['reshape', x => x.reshape([3, -1]), small],
    ['reshape of a view', x => x.transpose().reshape([6]), small],
    ['permute', x => x.permute([2, 0, 1]), draw => [draw.random(2, 3, 2)]],
    ['expand', x => x.expand([4, 2, 3]), draw => [draw.random(2, 1)]],
    ['slice', x => x.slice([{ start: 1 }, { start: -1, stop: -4, step: -2 }]), draw => [draw.random(3, 4)]],
    ['flip', x => x.flip([0, 1]), small],
    ['pad', x => x.pad([[1, 0], [0, 2]], 7), small], // biome-ignore format: one line
    ['concat', (a, b) => arrange.concat([a, b, a], 1), draw => [draw.random(2, 1), draw.random(2, 3)]],
    ['stack', (a, b) => arrange.stack([a, b], 1), draw => [draw.random(2, 3), draw.random(2, 3)]],
    ['split', x => arrange.split(x, [1, 2], 1)[1] as Tensor, small],
    ['unstack', x => arrange.unstack(x, 1)[2] as Tensor, small],
    ['unfold', x => arrange.unfold(x, 0, 2), draw => [draw.random(4, 2)]],
    [
      'unfold, strided and dilated',
      x => arrange.unfold(x, 1, 3, { stride: 2, dilation: 2 }),
      draw => [draw.random(2, 8)],
    ],
    ['unfold of two axes', x => arrange.unfold(arrange.unfold(x, 0, 2), 1, 3), draw => [draw.random(3, 4)]],
    ['fold', x => arrange.fold(x, 0, 4), draw => [draw.random(3, 2, 2)]],
    [
      'fold, strided and dilated',
      x => arrange.fold(x, 1, 8, { stride: 2, dilation: 2 }),
      draw => [draw.random(2, 2, 3)],
    ],
    ['tril', x => arrange.tril(x, -1), draw => [draw.random(3, 3)]],
    ['triu', x => arrange.triu(x), draw => [draw.random(2, 3, 3)]],
    [
      'index',
      (x, i, j) => lookup.index(x, [i as Tensor, null, j as Tensor]),
      draw => [draw.random(2, 2, 3), draw.ids([1, 0, -1]), draw.ids([2, 2, 0])],
    ],
    ['tile', x => arrange.tile(x, [2, 2]), small],
    ['roll', x => arrange.roll(x, 2), small],
    ['gather', (x, i) => x.gather(1, i), draw => [draw.random(2, 3), draw.ids([0, 0, 2, 1], [2, 2])]],
    [
      'scatterAdd',
      (x, i, s) => x.scatterAdd(0, i, s),
      draw => [draw.random(3, 2), draw.ids([0, 1, 0, 2], [2, 2]), draw.random(3, 2)],
    ],
    ['indexSelect', (x, i) => lookup.indexSelect(x, 1, i), draw => [draw.random(2, 3), draw.ids([2, 0, 2])]],
    [
      'embedding',
      (x, i) => lookup.embedding(x, i),
      draw => [draw.random(4, 3), draw.ids([1, 1, 3, 0], [2, 2])],
    ],
  ]
}

/** Products, probabilities, scores. */
export function network(): GradientRow[] {
  return [
    ['matmul', (a, b) => a.matmul(b), draw => [draw.random(2, 3), draw.random(3, 4)]],
    [
      'matmul, batched and stretched',
      (a, b) => a.matmul(b),
      draw => [draw.random(2, 1, 2, 3), draw.random(4, 3, 2)],
    ],
    ['matmul, batch by matrix', (a, b) => a.matmul(b), draw => [draw.random(2, 2, 3), draw.random(3, 2)]],
    [
      'matmul, transposed',
      (a, b) => a.transpose().matmul(b.transpose()),
      draw => [draw.random(3, 2), draw.random(4, 3)],
    ],
    ['matmul, vectors', (a, b) => a.matmul(b), draw => [draw.random(3), draw.random(3)]],
    ['matmul, vector by batch', (a, b) => a.matmul(b), draw => [draw.random(3), draw.random(2, 3, 2)]],
    [
      'einsum',
      (a, b) => einsum('bqhd,bkhd->bhqk', a, b),
      draw => [draw.random(2, 3, 2, 2), draw.random(2, 2, 2, 2)],
    ],
    ['einsum, trace and sums', (a, b) => einsum('ii,ij->j', a, b), draw => [draw.random(3, 3), draw.random(3, 2)]], // biome-ignore format: one line
    ['linear', networks.linear, draw => [draw.random(2, 2, 3), draw.random(4, 3), draw.random(4)]],
    ['softmax', x => networks.softmax(x), draw => [draw.random(2, 4)]],
    ['softmax of the first axis', x => networks.softmax(x, 0), draw => [draw.random(3, 2)]],
    ['logSoftmax', x => networks.logSoftmax(x, 1), draw => [draw.random(2, 3, 2)]],
    ['layerNorm', x => networks.layerNorm(x), draw => [draw.random(2, 4)]],
    ['layerNorm with weight and bias', (x, weight, bias) => networks.layerNorm(x, { weight, bias }), draw => [draw.random(2, 3, 4), draw.random(4), draw.random(4)]], // biome-ignore format: one line
    [
      'additiveScore',
      networks.additiveScore,
      draw => [draw.random(2, 2, 3), draw.random(2, 4, 3), draw.random(3)],
    ],
    ['scaledDotAttention', (q, k, v) => networks.scaledDotAttention(q, k, v, { offset: 1 }), draw => [draw.random(2, 3, 2), draw.random(2, 4, 2), draw.random(2, 4, 3)]], // biome-ignore format: one line
    ...[false, true].flatMap(reverse => [false, true].flatMap(cut => recurrent(reverse, cut))),
  ]
}

/** Recurrences over 2 rows of 3 steps, 2 hidden units; cut: of lengths 1 and 3. */
function recurrent(reverse: boolean, cut: boolean): GradientRow[] {
  const how = `${reverse ? ', backwards' : ''}${cut ? ', lengths 1 and 3' : ''}`
  const inputs =
    (gates: number, cell: boolean) =>
    (draw: Draw): Tensor[] => [
      draw.random(2, 3, gates * 2),
      draw.random(2, 2),
      draw.random(gates * 2, 2),
      draw.random(gates * 2),
      draw.ids(cut ? [1, 3] : [3, 3]),
      ...(cell ? [draw.random(2, 2)] : []),
    ]
  type Run = { states: Tensor; last: Tensor; cell?: Tensor }
  const all = ({ states, last, cell }: Run): Tensor =>
    arrange.concat([states, last, ...(cell ? [cell] : [])].map(x => x.reshape([-1])))
  type Given = Parameters<GradientRow[1]>
  const run = ([, state, weight, bias, lengths]: Given): networks.Recurrence =>
    ({ state, weight, bias, lengths, reverse }) as networks.Recurrence
  return [
    [`gru${how}`, (...x) => all(networks.gruSequence(x[0] as Tensor, run(x))), inputs(3, false)],
    [
      `lstm${how}`,
      (...x) => all(networks.lstmSequence(x[0] as Tensor, { ...run(x), cell: x[5] as Tensor })),
      inputs(4, true),
    ],
    [`rnn${how}`, (...x) => all(networks.rnnSequence(x[0] as Tensor, run(x))), inputs(1, false)],
  ]
}
