import {
  type DType,
  Rng,
  setBackend,
  sizeOf,
  type Tensor as T,
  Tensor,
  tensor,
  typedArray,
} from '@heed/core-tensor'
import { referenceBackend } from '@heed/core-tensor/testing'
import { describe, expect, it } from 'vitest'
import * as layers from '../src/index.ts'

const backend = referenceBackend()
setBackend(backend) // before the tables are made
const elsewhere = { ...referenceBackend(), name: 'other' }

const made = (shape: readonly number[], dtype: DType, on: typeof backend = backend): T =>
  tensor(typedArray(dtype, sizeOf(shape)).map((_, i) => (dtype === 'bool' ? i % 2 : dtype === 'int32' ? i % 3 : Math.sin(i))) as never, { shape, dtype, backend: on }) // biome-ignore format: one line reads best
const tensors = [[], [0], [4], [3, 4], [0, 4], [2, 3, 4], [2, 0, 4], [0, 3, 4], [1, 1, 1], [2, 3, 3], [2, 2, 3, 4], [2, 4, 5, 5]].flatMap(shape =>
  (['float32', 'float32', 'int32', 'bool'] as const).map(dtype => made(shape, dtype)),
) // biome-ignore format: a table
tensors.push(made([2, 3, 4], 'float32', elsewhere))
const numbers = [-1, 0, 1, 2, 4, 1.5, Number.NaN, Number.POSITIVE_INFINITY]

const rng = new Rng(8)
const pick = <A>(choices: readonly A[]): A => rng.pick(choices)
const x = (): T => pick(tensors)
const xs = (count: number): T[] => Array.from({ length: count }, x)
const maybe = <A>(one: () => A): A | undefined => (rng.int(2) ? one() : undefined)
const n = (): number => pick(numbers)
const mask = (): unknown => pick<unknown>([undefined, x(), layers.causal, layers.padding(tensor([1, 2], { dtype: 'int32' })), layers.window(1)]) // biome-ignore format: one line

/** What a constructor is given, and what forward. */
type Row = [name: string, construct: () => unknown[], call: () => unknown[], ...methods: string[]]
type Called = [name: string, call: () => unknown[]]
type Maker = new (...given: unknown[]) => Record<string, (...given: unknown[]) => unknown>

const right = (...sizes: unknown[]) => (): unknown[] => (rng.int(4) ? sizes : sizes.map(size => (typeof size === 'number' && rng.int(2) ? n() : size))) // biome-ignore format: one line
const classes: Row[] = [
  ['Linear', right(4, 3), () => xs(1)],
  ['Embedding', right(5, 4), () => xs(1)],
  ['Dropout', right(0.5), () => xs(1)],
  ['LayerNorm', right(4), () => xs(1)],
  ['RMSNorm', right(4), () => xs(1)],
  ['GroupNorm', right(2, 4), () => xs(1)],
  ['BatchNorm', right(4), () => xs(1)],
  ['Conv1d', right(3, 2, 2), () => xs(1)],
  ['Conv2d', right(2, 2, 2), () => xs(1)],
  ['MaxPool1d', right(2), () => xs(1)],
  ['MaxPool2d', right(2), () => xs(1)],
  ['AvgPool1d', right(2), () => xs(1)],
  ['AvgPool2d', right(2), () => xs(1)],
  ...['RNN', 'LSTM', 'GRU'].map((name): Row => [name, right(4, 3), () => [x(), { lengths: maybe(x), state: maybe(() => ({ hidden: x(), cell: x() })) }]]), // biome-ignore format: one line
  ...['RNNCell', 'GRUCell'].map((name): Row => [name, right(4, 3), () => [x(), maybe(x)]]),
  ['LSTMCell', right(4, 3), () => [x(), maybe(() => ({ hidden: x(), cell: x() }))]],
  ...['General', 'LowRank', 'Additive', 'Concat'].map((name): Row => [name, right(4, 4, 3), () => xs(2)]),
  ['Cosine', () => [], () => xs(2)],
  ['Location', right(4, 4), () => xs(2)],
  ['MultiHeadAttention', right(4, 2), () => [x(), maybe(x), maybe(x), { mask: mask(), causal: pick([true, false, 'end']), bias: maybe(x) }]], // biome-ignore format: one line
  ['GroupedQueryAttention', () => [pick([4, n()]), pick([2, n()]), { numKvHeads: pick([1, 2, n()]) }], () => [x(), maybe(x), maybe(x), { mask: mask() }]], // biome-ignore format: one line
  ['AttentionPool', right(4), () => [x(), { mask: maybe(x) }]],
  ['StructuredSelfAttention', right(4, 3, 2), () => [x(), { mask: maybe(x) }]],
  ['KeyValueAttention', right(2), () => xs(2)],
  ['CoverageAttention', right(4, 4, 3), () => [x(), x(), { coverage: maybe(x), mask: maybe(x) }]],
  ['PointerGate', right(4, 4, 4), () => xs(3)],
  ['LocalPredictive', () => [pick([4, n()]), { window: pick([2, n()]) }], () => [x(), x(), maybe(x), { lengths: maybe(x), mask: mask() }]], // biome-ignore format: one line
  ['Linformer', right(3, 2), () => xs(3)],
  ['RelativeAttention', right(4, 2), () => xs(3)],
  ['AdaptiveSpan', right(2, 4), () => []],
  [
    'GraphAttention',
    right(4, 2),
    () => [x(), pick<unknown>([x(), new layers.Graph(3, [{ from: 0, to: 1 }])])],
  ],
  ['GraphAttentionV2', right(4, 2), () => [x(), new layers.Graph(3, [{ from: 0, to: 1 }])], 'along'],
  ['SqueezeExcitation', () => [pick([4, n()]), { reduction: pick([2, n()]) }], () => xs(1)],
  ['ChannelAttention', () => [pick([4, n()]), { reduction: pick([2, n()]) }], () => xs(1)],
  ['SpatialAttention', right(3), () => xs(1)],
  ['CaptionAttention', right(4, 4, 3), () => [x(), x(), { mask: mask() }]],
  ['AdjacentMemoryNetwork', right(5, 4, 3), () => [x(), x(), { mask: maybe(x) }]],
  ['LayerwiseMemoryNetwork', right(5, 4, 3), () => [x(), x(), { mask: maybe(x) }]],
  ['ReadHead', right(4, 4), () => xs(3)],
  ['WriteHead', right(4, 4), () => xs(3)],
  ['RelativeBias', right(2), () => [n(), n()]],
  ['LearnedPositions', right(5, 4), () => [x(), { offset: n() }]],
  ['TransformerEncoderLayer', () => [pick([4, n()]), pick([2, n()]), { feedforwardSize: pick([4, n()]) }], () => [x(), { mask: mask(), causal: pick([true, false]), bias: maybe(x) }]], // biome-ignore format: one line
  ['TransformerDecoderLayer', () => [4, 2, { feedforwardSize: 4 }], () => [x(), x(), { mask: mask(), memoryMask: mask() }]], // biome-ignore format: one line
  ['TransformerEncoder', () => [4, 2, { numLayers: pick([1, n()]), feedforwardSize: 4 }], () => [x(), { mask: mask() }]], // biome-ignore format: one line
  ['TransformerDecoder', () => [4, 2, { numLayers: pick([1, n()]), feedforwardSize: 4 }], () => [x(), x()]],
  ['Transformer', () => [4, 2, { numEncoderLayers: 1, numDecoderLayers: 1, feedforwardSize: 4 }], () => [x(), x()]], // biome-ignore format: one line
  ['Graph', () => [pick([3, n()]), [{ from: pick([0, n()]), to: pick([1, n()]) }]], () => xs(1), 'mask'],
]
const functions: Called[] = [
  ['attend', () => [x(), x(), maybe(x), { mask: mask(), bias: maybe(x), score: pick([layers.dot, layers.scaledDot, layers.cosine, undefined]) }]], // biome-ignore format: one line
  ['scaledDotProductAttention', () => [...xs(3), { mask: mask(), causal: pick([true, false, 'end']) }]],
  ['groupedQueryAttention', () => xs(3)],
  ['attendLocally', () => [...xs(4), { window: n(), mask: mask(), cut: pick([true, false]) }]],
  ['localMonotonic', () => [...xs(3), { window: n(), mask: mask() }]],
  [
    'longformer',
    () => [
      { query: x(), key: x(), value: x() },
      { size: n(), globals: [0] },
    ],
  ],
  ['linearAttention', () => [...xs(3), layers.eluFeatures, { causal: pick([true, false]) }]],
  ['linearAttentionWeights', () => [...xs(2), layers.eluFeatures, pick([undefined, layers.causal])]],
  ['positiveFeatures', () => xs(1)],
  ['coverSequence', () => [new layers.CoverageAttention(4, 4, 3), ...xs(2)]],
  ['pointerMixture', () => [...xs(4), n()]],
  ['pointTo', () => [...xs(2), layers.dot, maybe(x)]],
  ['sampleKeys', () => xs(1)],
  ['hardChoice', () => [x(), maybe(x)]],
  ['readChosen', () => xs(2)],
  ['reinforce', () => xs(2)],
  ['gumbelSoftmax', () => [x(), { temperature: n() }]],
  ['sparsemax', () => [x(), n()]],
  ['entmax15', () => [x(), n()]],
  ['entmax', () => [x(), n(), n()]],
  ['topKSoftmax', () => [x(), n(), n()]],
  ['temperatureSoftmax', () => [x(), n(), n()]],
  ['redundancy', () => xs(1)],
  ['doublyStochasticPenalty', () => xs(1)],
  [
    'addressMemory',
    () => [x(), { key: x(), strength: x(), gate: x(), previous: x(), shift: x(), sharpening: x() }],
  ],
  ['moveWeights', () => [x(), { gate: x(), previous: x(), shift: x(), sharpening: x() }]],
  ['writeMemory', () => xs(4)],
  ['firstSlot', () => [n(), n(), n(), x()]],
  ['wordPositions', () => [n(), n(), x()]],
  ['withoutHiddenKeys', () => xs(2)],
  ['withoutIdleQueries', () => xs(2)],
  ['convolve', () => [...xs(2), maybe(x), { stride: n(), padding: pick<unknown>([n(), 'same', 'valid']), dilation: n(), groups: n() }]], // biome-ignore format: one line
  ['globalAveragePool', () => xs(1)],
  ['ctcLoss', () => [...xs(2), { inputLengths: maybe(x), targetLengths: maybe(x), blank: pick([0, n()]) }]],
  [
    'crossEntropy',
    () => [...xs(2), { weight: maybe(x), labelSmoothing: pick([0, n()]), classAxis: pick([-1, n()]) }],
  ],
  ['nllLoss', () => [...xs(2), { weight: maybe(x) }]],
  ['softCrossEntropy', () => xs(2)],
  ['binaryCrossEntropy', () => [...xs(2), { positiveWeight: maybe(x) }]],
  ['mseLoss', () => xs(2)],
  ['l1Loss', () => xs(2)],
  ['smoothL1Loss', () => [...xs(2), { beta: n() }]],
  ['huberLoss', () => [...xs(2), { delta: n() }]],
  ['klDivergence', () => xs(2)],
  ['cosineSimilarity', () => [...xs(2), { axis: pick([-1, n()]) }]],
  ['causalMask', () => [n(), x(), n()]],
  ['lengthMask', () => [x(), n()]],
  ['paddingMask', () => [x(), n()]],
  ['rotary', () => [x(), { rotarySize: maybe(n), offset: n(), style: pick(['half', 'interleaved']) }]],
  ['sinusoidalPositions', () => [n(), n()]],
  ['alibi', () => [n(), n(), n()]],
  ['alibiSlopes', () => [n()]],
]

function read(value: unknown): void {
  if (value instanceof Tensor) {
    if (!value.shape.every(length => Number.isSafeInteger(length) && length >= 0)) throw new TypeError(`a shape [${value.shape.join(', ')}]`) // biome-ignore format: one line
    value.dataSync()
  } else if (Array.isArray(value)) value.forEach(read)
  else if (typeof value === 'object' && value !== null) Object.values(value).forEach(read)
}
const told = (given: unknown[]): string =>
  JSON.stringify(given, (_, v) => v instanceof Tensor ? `${v.dtype} [${v.shape.join(', ')}] on ${v.backend.name}` : v instanceof layers.Mask ? v.name : typeof v === 'number' && !Number.isFinite(v) ? String(v) : v) // biome-ignore format: one line

/** @throws unless an error says what is wrong, with the values, and what to do */
function judge(thrown: unknown, given: unknown[]): void {
  const error = thrown as Error
  const said = `${error.name}: ${error.message} for ${told(given)}`
  expect(said).toMatch(/^(ShapeError|DTypeError|BackendError|ConfigError|IndexError): [\w.]+: .+; .+/s)
  expect(error.message).not.toMatch(/undefined|\[object/)
}

describe('bad input', () => {
  it.each(classes)(
    'of %s yields tensors, or says what is wrong, with the values, and what to do',
    (name, construct, call, method = 'forward') => {
      const Layer = layers[name as keyof typeof layers] as never as Maker
      for (let i = 0; i < 60; i++) {
        const [settings, given] = [construct(), call()]
        try {
          read(new Layer(...settings)[method]?.(...given))
        } catch (thrown) {
          judge(thrown, [...settings, 'and then', ...given])
        }
      }
    },
  )

  it.each(functions)(
    'of %s yields tensors, or says what is wrong, with the values, and what to do',
    (name, call) => {
      const f = layers[name as keyof typeof layers] as never as (...given: unknown[]) => unknown
      for (let i = 0; i < 120; i++) {
        const given = call()
        try {
          read(f(...given))
        } catch (thrown) {
          judge(thrown, given)
        }
      }
    },
  )

  it('is tried on every public layer and function', () => {
    const tried = new Set([...classes, ...functions].map(([name]) => name))
    const isClass = (v: unknown): boolean => typeof v === 'function' && /^class/.test(String(v))
    // Abstract, errors, what makes other things, and what has its own tests.
    const others = 'Mask Module NumericsError blocks global window strided padding maskOf maskWhere captureAttention checkNumerics Sequential constantInit gainOf kaimingNormal kaimingUniform onesInit orthogonal truncatedNormal xavierNormal eluFeatures parameter normalInit uniformInit xavierUniform zerosInit selfCheck selfCheckNames'.split(' ') // biome-ignore format: one line
    const missing = Object.entries(layers).filter(([name, v]) => (isClass(v) || typeof v === 'function') && !tried.has(name) && !others.includes(name)) // biome-ignore format: one line
    expect(missing.map(([name]) => name)).toEqual([])
  })

  it.each<[string, () => unknown, string]>([
    ['heads that do not divide', () => new layers.MultiHeadAttention(6, 4), 'MultiHeadAttention: 4 heads do not divide size 6; use a divisor'],
    ['no heads', () => new layers.MultiHeadAttention(6, 0), 'MultiHeadAttention: numHeads is 0; use whole numbers of 1 or more'],
    ['groups that do not divide', () => new layers.GroupNorm(3, 4), 'GroupNorm: 4 channels do not make 3 equal groups; use a divisor'],
    ['a padding row outside', () => new layers.Embedding(3, 2, { paddingIndex: 3 }), 'Embedding: paddingIndex 3 of 3 rows; use 0 to 2'],
    ['an input of other features', () => new layers.GRU(4, 3).forward(made([2, 3, 5], 'float32')), 'GRU: the input is [2, 3, 5]; use [batch, time, 4]'],
    ['lengths of floats', () => new layers.LSTM(4, 3).forward(made([2, 3, 4], 'float32'), { lengths: made([2], 'float32') }), 'LSTM: lengths are [2] float32; use [2], int32'],
    ['two axes for heads', () => new layers.MultiHeadAttention(4, 2).forward(made([3, 4], 'float32')), 'MultiHeadAttention: query [3, 4], keys [3, 4], values [3, 4]; use [batch, time, size] each'],
    ['sizes that dot cannot compare', () => layers.attend(made([1, 2, 3], 'float32'), made([1, 2, 4], 'float32')), 'attend: dot needs equal sizes, query 3 and key 4; use new General(3, 4)'],
    ['a word outside', () => new layers.Embedding(3, 2).forward(tensor([5], { dtype: 'int32' })).dataSync(), 'take: index 5 is outside 0 to 2; check the indices'],
    ['a layer over no layers', () => new layers.RNN(4, 3, { numLayers: 0 }), 'RNN: numLayers is 0; use a whole number of 1 or more'],
    ['two backends', () => new layers.Linear(4, 3).forward(made([2, 4], 'float32', elsewhere)), 'linear: inputs on other and on reference; bring them together, use x.to(backend)'],
  ])('%s: an error with the values', (_, body, message) => {
    expect(body).toThrow(message)
  }) // biome-ignore format: a table

  it.each<[string, () => T, unknown]>([
    ['attending to no keys', () => layers.attend(made([1, 2, 3], 'float32'), made([1, 0, 3], 'float32')).context, [[[0, 0, 0], [0, 0, 0]]]],
    ['no queries', () => layers.attend(made([1, 0, 3], 'float32'), made([1, 2, 3], 'float32')).context, [[]]],
    ['no rows', () => layers.attend(made([0, 1, 3], 'float32'), made([0, 2, 3], 'float32'), undefined, { mask: made([0, 1, 2], 'bool') }).context, []],
    ['a mask that hides all', () => layers.attend(made([1, 1, 2], 'float32'), made([1, 2, 2], 'float32'), undefined, { mask: tensor([false, false]) }).context, [[[0, 0]]]],
    ['one key', () => layers.attend(made([1, 1, 2], 'float32'), tensor([[[5, 7]]])).context, [[[5, 7]]]],
    ['a layer over no time', () => new layers.GRU(2, 1).forward(made([1, 0, 2], 'float32')).outputs, [[]]],
    ['a row of length 0', () => new layers.GRU(2, 2).forward(made([1, 2, 2], 'float32'), { lengths: tensor([0], { dtype: 'int32' }) }).state.hidden, [[[0, 0]]]],
    ['the mean loss of no targets', () => layers.crossEntropy(made([1, 3], 'float32'), tensor([-100], { dtype: 'int32' })), Number.NaN],
    ['the summed loss of no targets', () => layers.crossEntropy(made([1, 3], 'float32'), tensor([-100], { dtype: 'int32' }), { reduction: 'sum' }), 0],
    ['the mean error of nothing', () => layers.mseLoss(made([0], 'float32'), made([0], 'float32')), Number.NaN],
    ['normalising one feature', () => new layers.LayerNorm(1).forward(tensor([[5]])), [[0]]],
  ])('%s: what PyTorch yields', async (_, body, want) => {
    expect(await body().toArray()).toEqual(want)
  }) // biome-ignore format: a table
})
