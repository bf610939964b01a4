import type { Range, Tensor } from '@heed/core-tensor'
import * as heed from '@heed/core-tensor'
import type { Case } from '../cases.ts'
import type { Adapter } from '../compare.ts'
import { attributes, given } from './settings.ts'

const out =
  (make: (c: Case) => Tensor): Adapter =>
  c => ({ outputs: { out: make(c) } })
const unary = (f: (x: Tensor, c: Case) => Tensor): Adapter => out(c => f(given(c, 'x'), c))
const binary = (name: 'add' | 'sub' | 'mul' | 'div' | 'maximum' | 'minimum'): Adapter =>
  out(c => given(c, 'a')[name](given(c, 'b')))

const elementwise: Record<string, Adapter> = {
  log: unary(x => x.log()),
  sqrt: unary(x => x.sqrt()),
  rsqrt: unary(heed.rsqrt),
  log1p: unary(heed.log1p),
  reciprocal: unary(heed.reciprocal),
  exp: unary(x => x.exp()),
  tanh: unary(x => x.tanh()),
  sigmoid: unary(x => x.sigmoid()),
  relu: unary(heed.relu),
  neg: unary(x => x.neg()),
  abs: unary(x => x.abs()),
  square: unary(heed.square),
  sin: unary(x => x.sin()),
  cos: unary(x => x.cos()),
  erf: unary(heed.erf),
  expm1: unary(heed.expm1),
  gelu: unary((x, c) => heed.gelu(x, { approximate: attributes(c).word('approximate', 'none') })),
  silu: unary(heed.silu),
  softplus: unary((x, c) =>
    heed.softplus(x, {
      beta: attributes(c).number('beta', 1),
      threshold: attributes(c).number('threshold', 20),
    }),
  ),
  elu: unary((x, c) => heed.elu(x, attributes(c).number('alpha', 1))),
  leaky_relu: unary((x, c) => heed.leakyRelu(x, attributes(c).number('negative_slope', 0.01))),
  log_sigmoid: unary(heed.logSigmoid),
  softsign: unary(heed.softsign),
  hardtanh: unary((x, c) =>
    heed.clamp(x, attributes(c).number('min_val', -1), attributes(c).number('max_val', 1)),
  ),
  relu6: unary(heed.relu6),
  selu: unary(heed.selu),
  mish: unary(heed.mish),
  hardswish: unary(heed.hardSwish),
  hardsigmoid: unary(heed.hardSigmoid),
  clamp: unary((x, c) =>
    heed.clamp(
      x,
      attributes(c).number('min', Number.NEGATIVE_INFINITY),
      attributes(c).number('max', Number.POSITIVE_INFINITY),
    ),
  ),
  glu: unary((x, c) => heed.glu(x, attributes(c).number('dim', -1))),
  add: binary('add'),
  sub: binary('sub'),
  mul: binary('mul'),
  div: binary('div'),
  maximum: binary('maximum'),
  minimum: binary('minimum'),
  pow: out(c => {
    const a = c.inputs.a ?? given(c, 'x')
    return a.pow(c.inputs.b ?? attributes(c).number('exponent'))
  }),
}

const keep = (c: Case): { keepDims: boolean } => ({ keepDims: attributes(c).flag('keepdim') })
const axes = (c: Case): number | number[] | undefined => attributes(c).axes()
const axis = (c: Case): number | undefined => axes(c) as number | undefined

const reductions: Record<string, Adapter> = {
  sum: unary((x, c) => x.sum(axes(c), keep(c))),
  mean: unary((x, c) => x.mean(axes(c), keep(c))),
  var: unary((x, c) =>
    heed.variance(x, axes(c), { ...keep(c), correction: attributes(c).number('correction', 1) }),
  ),
  std: unary((x, c) =>
    heed.std(x, axes(c), { ...keep(c), correction: attributes(c).number('correction', 1) }),
  ),
  logsumexp: unary((x, c) => heed.logSumExp(x, axes(c), keep(c))),
  max: unary((x, c) => x.max(axes(c), keep(c))),
  min: unary((x, c) => x.min(axes(c), keep(c))),
  argmax: unary((x, c) => x.argmax(axis(c), keep(c))),
  argmin: unary((x, c) => x.argmin(axis(c), keep(c))),
  prod: unary((x, c) => x.prod(axes(c), keep(c))),
  norm: unary((x, c) => heed.norm(x, axes(c), { ...keep(c), p: attributes(c).number('p', 2) })),
  cumsum: unary((x, c) => x.cumsum(attributes(c).number('dim'))),
  cumprod: unary((x, c) => x.cumprod(attributes(c).number('dim'))),
  sort: c => ({
    outputs: {
      ...heed.sort(given(c, 'x'), attributes(c).number('dim', -1), {
        descending: attributes(c).flag('descending'),
      }),
    },
  }),
  topk: c => ({
    outputs: {
      ...heed.topK(given(c, 'x'), attributes(c).number('k'), attributes(c).number('dim', -1), {
        largest: attributes(c).flag('largest', true),
      }),
    },
  }),
}

/** A slice as the files write it: null where Python leaves a place out. */
function ranges(c: Case): Range[] {
  return (attributes(c).raw('slices') as Record<string, number | null>[]).map(range =>
    Object.fromEntries(Object.entries(range).filter(([, value]) => value !== null)),
  )
}

/** x0, x1 … in order. */
function list(c: Case): Tensor[] {
  return Object.keys(c.inputs)
    .sort((a, b) => Number(a.slice(1)) - Number(b.slice(1)))
    .map(name => given(c, name))
}

const shapes: Record<string, Adapter> = {
  permute: unary((x, c) => x.permute(attributes(c).numbers('dims'))),
  transpose: unary((x, c) => x.transpose(attributes(c).number('dim0'), attributes(c).number('dim1'))),
  reshape: unary((x, c) => x.reshape(attributes(c).numbers('shape'))),
  slice: unary((x, c) => x.slice(ranges(c))),
  index_select: unary((x, c) => heed.indexSelect(x, attributes(c).number('dim'), given(c, 'index'))),
  gather: unary((x, c) => x.gather(attributes(c).number('dim'), given(c, 'index'))),
  scatter_add: unary((x, c) => x.scatterAdd(attributes(c).number('dim'), given(c, 'index'), given(c, 'src'))),
  concat: out(c => heed.concat(list(c), attributes(c).number('dim', 0))),
  stack: out(c => heed.stack(list(c), attributes(c).number('dim', 0))),
  split: c => ({
    outputs: Object.fromEntries(
      heed
        .split(given(c, 'x'), attributes(c).numbers('sizes'), attributes(c).number('dim', 0))
        .map((part, i) => [`out${i}`, part]),
    ),
  }),
  pad: unary((x, c) =>
    x.pad(attributes(c).raw('padding') as [number, number][], attributes(c).number('value', 0)),
  ),
  where: out(c => heed.where(given(c, 'cond'), given(c, 'a'), given(c, 'b'))),
  masked_fill: unary((x, c) => heed.maskedFill(x, given(c, 'mask'), attributes(c).number('value'))),
  expand: unary((x, c) => x.expand(attributes(c).numbers('shape'))),
  flip: unary((x, c) => x.flip(attributes(c).numbers('dims'))),
  tril: unary((x, c) => heed.tril(x, attributes(c).number('diagonal', 0))),
  triu: unary((x, c) => heed.triu(x, attributes(c).number('diagonal', 0))),
  embedding: out(c =>
    heed.embedding(given(c, 'weight'), given(c, 'ids'), {
      paddingIndex: attributes(c).has('padding_idx') ? attributes(c).number('padding_idx') : undefined,
    }),
  ),
  one_hot: out(c => heed.oneHot(given(c, 'ids'), attributes(c).number('num_classes'))),
}

/** The softmax group's mask says what is removed. */
const open = (c: Case): Tensor =>
  c.inputs.mask ? heed.maskedFill(given(c, 'x'), given(c, 'mask'), Number.NEGATIVE_INFINITY) : given(c, 'x')

export const tensor: Record<string, Adapter> = {
  ...elementwise,
  ...reductions,
  ...shapes,
  matmul: out(c => given(c, 'a').matmul(given(c, 'b'))),
  einsum: out(c => heed.einsum(attributes(c).word('equation'), ...list(c))),
  normalize: unary((x, c) => {
    const s = attributes(c)
    const length = heed.norm(x, s.number('dim', 1), { p: s.number('p', 2), keepDims: true })
    return x.div(length.maximum(s.number('eps', 1e-12)))
  }),
  softmax: out(c => heed.softmax(open(c), attributes(c).number('dim', -1))),
  log_softmax: out(c => heed.logSoftmax(open(c), attributes(c).number('dim', -1))),
  softmax_temperature: unary((x, c) =>
    heed.softmax(x.mul(1 / attributes(c).number('temperature')), attributes(c).number('dim', -1)),
  ),
}
