import { beforeAll, describe, expect, it } from 'vitest'
import * as heed from '../src/index.ts'
import { type Op, Rng, setBackend, type Tensor, tensor } from '../src/index.ts'
import { checkGradient, referenceBackend } from '../src/testing/index.ts'

const rng = new Rng(20)
/** Random normal numbers in float64. */
function random(...shape: number[]): Tensor {
  return tensor(
    Float64Array.from({ length: heed.sizeOf(shape) }, () => rng.normal()),
    { shape },
  )
}
/** Random numbers away from 0 and above it. */
const positive = (...shape: number[]): Tensor =>
  random(...shape)
    .abs()
    .add(0.3)
/** All elements different, at least 0.1 apart: for maxima and sorting. */
function apart(...shape: number[]): Tensor {
  const order = rng.permutation(heed.sizeOf(shape))
  return tensor(
    Float64Array.from(order, v => (v - order.length / 2) / 10 + 0.05),
    { shape },
  )
}
const ids = (...values: number[]): Tensor => tensor(Int32Array.from(values))

beforeAll(() => setBackend(referenceBackend()))

type Row = readonly [name: string, f: (...x: Tensor[]) => Tensor, inputs: () => Tensor[]]

const unary: Row[] = [
  ...(['neg', 'abs', 'exp', 'sin', 'cos', 'tanh', 'sigmoid'] as const).map(
    (name): Row => [name, x => x[name](), () => [random(2, 3)]],
  ),
  ...(['log', 'sqrt'] as const).map((name): Row => [name, x => x[name](), () => [positive(2, 3)]]),
  ...(
    [
      'expm1',
      'erf',
      'relu',
      'relu6',
      'leakyRelu',
      'elu',
      'selu',
      'gelu',
      'silu',
      'softplus',
      'logSigmoid',
      'softsign',
      'mish',
      'hardSigmoid',
      'hardSwish',
      'square',
    ] as const
  ).map((name): Row => [name, x => heed[name](x), () => [random(2, 3)]]),
  ...(['log1p', 'reciprocal', 'rsqrt'] as const).map(
    (name): Row => [name, x => heed[name](x), () => [positive(2, 3)]],
  ),
  ['gelu, tanh form', x => heed.gelu(x, { approximate: 'tanh' }), () => [random(2, 3)]],
  ['clamp', x => heed.clamp(x, -0.5, 0.8), () => [random(3, 4)]],
  ['glu', x => heed.glu(x), () => [random(3, 4)]],
]

const arithmetic: Row[] = [
  ['add', (a, b) => a.add(b), () => [random(2, 3), random(3)]],
  ['sub', (a, b) => a.sub(b), () => [random(2, 1), random(2, 3)]],
  ['mul', (a, b) => a.mul(b), () => [random(2, 1, 3), random(4, 1)]],
  ['mul by itself', a => a.mul(a), () => [random(2, 3)]],
  ['div', (a, b) => a.div(b), () => [random(2, 3), positive(2, 3)]],
  ['pow', (a, b) => a.pow(b), () => [positive(2, 3), random(2, 3)]],
  ['pow by a number', a => a.pow(3), () => [random(2, 3)]],
  ['maximum', (a, b) => a.maximum(b), () => [random(2, 3), random(2, 3)]],
  ['minimum', (a, b) => a.minimum(b), () => [random(2, 3), random(3)]],
  ['where', (a, b) => a.where(a.detach().greater(0), b), () => [random(2, 3), random(3)]],
]

const reductions: Row[] = [
  ['sum', x => x.sum(), () => [random(2, 3)]],
  ['sum of an axis', x => x.sum(1), () => [random(2, 3, 2)]],
  ['sum of two axes, kept', x => x.sum([0, -1], { keepDims: true }), () => [random(2, 3, 2)]],
  ['mean', x => x.mean(0), () => [random(2, 3)]],
  ['prod', x => x.prod(), () => [random(2, 3)]],
  ['prod with zeros', x => x.mul(tensor(Float64Array.of(0, 1, 1))).prod([0, 2]), () => [random(2, 2, 3)]],
  ['max', x => x.max(1), () => [apart(2, 3)]],
  ['min', x => x.min([0, 2]), () => [apart(2, 3, 2)]],
  ['cumsum', x => x.cumsum(1), () => [random(2, 3, 2)]],
  ['cumprod', x => x.cumprod(0), () => [random(3, 2)]],
  ['cumprod with zeros', x => x.mul(tensor(Float64Array.of(1, 0, 1, 0))).cumprod(1), () => [random(2, 4)]],
  ['sort', x => heed.sort(x, 0).values, () => [apart(4, 2)]],
  ['topK', x => heed.topK(x, 2).values, () => [apart(2, 5)]],
  ['variance', x => heed.variance(x, 1), () => [random(2, 4)]],
  ['std', x => heed.std(x, 0, { correction: 0 }), () => [random(4, 2)]],
  ['logSumExp', x => heed.logSumExp(x, 1), () => [random(2, 4)]],
  ...[1, 2, 3, Number.POSITIVE_INFINITY].map(
    (p): Row => [`norm ${p}`, x => heed.norm(x, 1, { p }), () => [apart(2, 4)]],
  ),
]

const arrangement: Row[] = [
  ['reshape', x => x.reshape([3, -1]), () => [random(2, 3)]],
  ['reshape of a view', x => x.transpose().reshape([6]), () => [random(2, 3)]],
  ['permute', x => x.permute([2, 0, 1]), () => [random(2, 3, 2)]],
  ['expand', x => x.expand([4, 2, 3]), () => [random(2, 1)]],
  ['slice', x => x.slice([{ start: 1 }, { start: -1, stop: -4, step: -2 }]), () => [random(3, 4)]],
  ['flip', x => x.flip([0, 1]), () => [random(2, 3)]],
  ['pad', x => x.pad([[1, 0], [0, 2]], 7), () => [random(2, 3)]], // biome-ignore format: one line
  ['concat', (a, b) => heed.concat([a, b, a], 1), () => [random(2, 1), random(2, 3)]],
  ['stack', (a, b) => heed.stack([a, b], 1), () => [random(2, 3), random(2, 3)]],
  ['split', x => heed.split(x, [1, 2], 1)[1] as Tensor, () => [random(2, 3)]],
  ['unstack', x => heed.unstack(x, 1)[2] as Tensor, () => [random(2, 3)]],
  ['unfold', x => heed.unfold(x, 0, 2), () => [random(4, 2)]],
  [
    'unfold, strided and dilated',
    x => heed.unfold(x, 1, 3, { stride: 2, dilation: 2 }),
    () => [random(2, 8)],
  ],
  ['unfold of two axes', x => heed.unfold(heed.unfold(x, 0, 2), 1, 3), () => [random(3, 4)]],
  ['fold', x => heed.fold(x, 0, 4), () => [random(3, 2, 2)]],
  ['fold, strided and dilated', x => heed.fold(x, 1, 8, { stride: 2, dilation: 2 }), () => [random(2, 2, 3)]],
  ['tril', x => heed.tril(x, -1), () => [random(3, 3)]],
  ['triu', x => heed.triu(x), () => [random(2, 3, 3)]],
  [
    'gather',
    (x, i) => x.gather(1, i),
    () => [random(2, 3), tensor(Int32Array.of(0, 0, 2, 1), { shape: [2, 2] })],
  ],
  [
    'scatterAdd',
    (x, i, s) => x.scatterAdd(0, i, s),
    () => [random(3, 2), tensor(Int32Array.of(0, 1, 0, 2), { shape: [2, 2] }), random(3, 2)],
  ],
  ['indexSelect', (x, i) => heed.indexSelect(x, 1, i), () => [random(2, 3), ids(2, 0, 2)]],
  [
    'embedding',
    (x, i) => heed.embedding(x, i),
    () => [random(4, 3), tensor(Int32Array.of(1, 1, 3, 0), { shape: [2, 2] })],
  ],
]

const network: Row[] = [
  ['matmul', (a, b) => a.matmul(b), () => [random(2, 3), random(3, 4)]],
  ['matmul, batched and stretched', (a, b) => a.matmul(b), () => [random(2, 1, 2, 3), random(4, 3, 2)]],
  ['matmul, batch by matrix', (a, b) => a.matmul(b), () => [random(2, 2, 3), random(3, 2)]],
  ['matmul, transposed', (a, b) => a.transpose().matmul(b.transpose()), () => [random(3, 2), random(4, 3)]],
  ['matmul, vectors', (a, b) => a.matmul(b), () => [random(3), random(3)]],
  ['matmul, vector by batch', (a, b) => a.matmul(b), () => [random(3), random(2, 3, 2)]],
  ['einsum', (a, b) => heed.einsum('bqhd,bkhd->bhqk', a, b), () => [random(2, 3, 2, 2), random(2, 2, 2, 2)]],
  ['einsum, trace and sums', (a, b) => heed.einsum('ii,ij->j', a, b), () => [random(3, 3), random(3, 2)]],
  ['linear', (x, w, b) => heed.linear(x, w, b), () => [random(2, 2, 3), random(4, 3), random(4)]],
  ['softmax', x => heed.softmax(x), () => [random(2, 4)]],
  ['softmax of the first axis', x => heed.softmax(x, 0), () => [random(3, 2)]],
  ['logSoftmax', x => heed.logSoftmax(x, 1), () => [random(2, 3, 2)]],
  [
    'additiveScore',
    (q, k, v) => heed.additiveScore(q, k, v),
    () => [random(2, 2, 3), random(2, 4, 3), random(3)],
  ],
]

/** Gates, state, weight, bias (and cell) of a recurrence over 2 rows of 3 steps, 2 hidden units. */
const recurrent = (gates: number, cell: boolean): Tensor[] => [
  random(2, 3, gates * 2), random(2, 2), random(gates * 2, 2), random(gates * 2), ...(cell ? [random(2, 2)] : []),
] // biome-ignore format: one list
const both = (run: { states: Tensor; last: Tensor; cell?: Tensor }): Tensor =>
  heed.concat([
    run.states.reshape([-1]),
    run.last.reshape([-1]),
    ...(run.cell ? [run.cell.reshape([-1])] : []),
  ])

for (const reverse of [false, true])
  for (const lengths of [undefined, [1, 3]]) {
    const how = `${reverse ? ', backwards' : ''}${lengths ? ', lengths 1 and 3' : ''}`
    const rest = (): { reverse: boolean; lengths?: Tensor } => ({
      reverse,
      ...(lengths ? { lengths: ids(...lengths) } : {}),
    })
    network.push(
      [
        `gru${how}`,
        (x, state, weight, bias) => both(heed.gruSequence(x, { state, weight, bias, ...rest() })),
        () => recurrent(3, false),
      ],
      [
        `lstm${how}`,
        (x, state, weight, bias, cell) =>
          both(heed.lstmSequence(x, { state, weight, bias, cell, ...rest() })),
        () => recurrent(4, true),
      ],
      [
        `rnn${how}`,
        (x, state, weight, bias) => both(heed.rnnSequence(x, { state, weight, bias, ...rest() })),
        () => recurrent(1, false),
      ],
    )
  }

describe.each([
  ['element by element', unary],
  ['arithmetic', arithmetic],
  ['along axes', reductions],
  ['arrangement', arrangement],
  ['networks', network],
])('gradients, %s', (_, rows) => {
  it.each(rows)('%s agrees with finite differences', (_, f, inputs) => {
    expect(checkGradient(f as (...x: Tensor[]) => Tensor, inputs())).toBeLessThan(1e-6)
  })
})

describe('the table of gradients', () => {
  it('reaches every operation that has one', () => {
    const reached = new Set<string>()
    heed.interpret(
      next => ({
        run(op, ...rest) {
          reached.add(op.name)
          return next.run(op, ...rest)
        },
      }),
      () => {
        for (const [, f, inputs] of [unary, arithmetic, reductions, arrangement, network].flat())
          f(...inputs())
      },
    )
    const without = Object.values(heed.ops)
      .filter((op: Op<never>) => op.grad !== undefined && !reached.has(op.name))
      .map(op => op.name)
    // Their gradient is null, or they are met as other operations' gradients.
    expect(without.sort()).toEqual(['cast', 'ceil', 'floor', 'round', 'scatterRows', 'sign'])
  })
})
