import { describe, expect, it } from 'vitest'
import * as heed from '../src/index.ts'
import { type Backend, type DType, Rng, setBackend, Tensor, tensor } from '../src/index.ts'
import { referenceBackend } from '../src/testing/index.ts'

const backend = referenceBackend()
setBackend(backend) // before the tables are made
const elsewhere: Backend = { ...referenceBackend(), name: 'other' }

// ── whatever comes in, a tensor comes out, or an error that says what is wrong and what to do ──

const made = (shape: readonly number[], dtype: DType, on: Backend = backend): Tensor =>
  tensor(heed.typedArray(dtype, heed.sizeOf(shape)).map((_, i) => i + 1) as never, { shape, dtype, backend: on }) // biome-ignore format: one line reads best
const tensors = [[], [0], [1], [3], [2, 3], [3, 2], [0, 3], [2, 0], [1, 1], [2, 3, 4], [2, 1, 3]].flatMap(shape =>
  (['float32', 'float64', 'int32', 'bool'] as const).map(dtype => made(shape, dtype)),
) // biome-ignore format: a table
tensors.push(made([2, 3], 'float32', elsewhere), tensor([[Number.NaN, 1, 2], [3, Number.POSITIVE_INFINITY, -0]])) // biome-ignore format: one line
const numbers = [-9, -1, 0, 1, 2, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 9]

const rng = new Rng(3)
const pick = <T>(choices: readonly T[]): T => rng.pick(choices)
const some = <T>(one: () => T): T[] => Array.from({ length: rng.int(3) }, one)
const x = (): Tensor => pick(tensors)
const n = (): number => pick(numbers)
const xOrN = (): Tensor | number => pick([x, n])()
const axes = (): unknown => pick<unknown>([undefined, n(), [n()], [n(), n()], [0, 1], [0, 0]])
const shape = (): unknown => pick<unknown>([[], [-1], [2, 3], [6], [n()], [n(), n()], [3, -1], [-1, -1], [0, -1], [1.5]]) // biome-ignore format: one line
const range = (): unknown => pick<unknown>([{}, { start: n() }, { stop: n() }, { step: n() }, { start: n(), stop: n(), step: n() }]) // biome-ignore format: one line
const part = (): unknown => pick<() => unknown>([n, range, x, () => null])()
const recurrence = (): unknown => ({ state: x(), weight: x(), bias: x(), cell: x(), lengths: pick([undefined, x()]), reverse: pick([true, false]) }) // biome-ignore format: one line

type Draw = () => unknown[]
const same = (names: string, draw: Draw): [string, Draw][] => names.split(' ').map(name => [name, draw])

/** What each function is given; methods begin with a dot and are called on the first. */
const table = new Map<string, Draw>([
  ...same('.neg .abs .sign .exp .log .sqrt .sin .cos .tanh .sigmoid .logicalNot .detach', () => [x()]),
  ...same('.add .sub .mul .div .pow .maximum .minimum .equal .less .lessEqual .greater .greaterEqual', () => [x(), xOrN()]), // biome-ignore format: one line
  ...same('.logicalAnd .logicalOr .matmul', () => [x(), x()]),
  ['.where', () => [x(), x(), xOrN()]],
  ['.cast', () => [x(), pick(['float32', 'float64', 'int32', 'bool', 'float16'])]],
  ...same('.sum .mean .prod .max .min', () => [x(), axes(), { keepDims: pick([true, false]) }]),
  ...same('.argmax .argmin', () => [x(), pick([undefined, n()])]),
  ...same('.cumsum .cumprod .unsqueeze .squeeze', () => [x(), n()]),
  ...same('.reshape .expand .permute', () => [x(), shape()]),
  ['.transpose', () => [x(), n(), n()]],
  ['.slice', () => [x(), some(range)]],
  ['.flip', () => [x(), axes()]],
  ['.pad', () => [x(), some(() => [n(), n()]), n()]],
  ['.concat', () => [x(), some(x), n()]],
  ['.gather', () => [x(), n(), x()]],
  ['.scatterAdd', () => [x(), n(), x(), x()]],
  ...same('expm1 log1p erf floor ceil round reciprocal rsqrt square relu relu6 leakyRelu elu selu gelu silu softplus logSigmoid softsign mish hardSigmoid hardSwish isNan isInf zerosLike', () => [x()]), // biome-ignore format: one line
  ['clamp', () => [x(), n(), n()]],
  ...same('glu softmax logSoftmax unstack sort', () => [x(), n()]),
  ['roll', () => [x(), n(), n()]],
  ...same('concat stack', () => [some(x), n()]),
  ['split', () => [x(), [n(), n()], n()]],
  ...same('unfold fold', () => [x(), n(), n(), { stride: n(), dilation: n() }]),
  ['where', () => [x(), x(), xOrN()]],
  ['maskedFill', () => [x(), x(), n()]],
  ...same('tril triu', () => [x(), n()]),
  ['tile', () => [x(), some(n)]],
  ['einsum', () => [pick(['ij,jk->ik', 'i->', '->', 'ii->i', 'ij', '...i->i', 'i,i', '...,...', 'bij,bjk', '', 'i$']), ...some(x)]], // biome-ignore format: one line
  ['indexSelect', () => [x(), n(), x()]],
  ['embedding', () => [x(), x(), pick([{}, { paddingIndex: n() }])]],
  ['oneHot', () => [x(), n()]],
  ['index', () => [x(), some(part)]],
  ...same('nonzero unique', () => [x()]),
  ['maskedSelect', () => [x(), x()]],
  ['linear', () => [x(), x(), pick([undefined, x()])]],
  ['additiveScore', () => [x(), x(), x()]],
  ['layerNorm', () => [x(), pick([{}, { weight: x() }, { weight: x(), bias: x() }, { epsilon: n() }])]],
  ['scaledDotAttention', () => [x(), x(), x(), { mask: pick([undefined, x()]) }]],
  ...same('gruSequence lstmSequence rnnSequence', () => [x(), recurrence()]),
  ...same('variance std logSumExp any all', () => [x(), axes()]),
  ['norm', () => [x(), axes(), { p: n() }]],
  ['topK', () => [x(), n(), n()]],
  ...same('notEqual logicalXor isClose', () => [x(), x()]),
  ...same('bernoulli categorical', () => [x(), { rng }]),
  ['multinomial', () => [x(), n(), { rng, replacement: pick([true, false]) }]],
  ...same('zeros ones', () => [shape()]),
  ['full', () => [shape(), n(), { dtype: pick(['float32', 'int32', 'bool']) }]],
  ...same('arange linspace', () => [n(), n(), n()]),
  ['eye', () => [n()]],
  ...same('uniform normal gumbel', () => [shape(), { rng }]),
  ['exponential', () => [shape(), { rng, rate: n() }]],
  ['integers', () => [n(), n(), shape(), { rng }]],
  ['permutation', () => [n(), { rng }]],
  ['tensor', () => [pick<unknown>([[[1, 2], [3]], [[1], 2], [], [[]], 'a', null, undefined, {}, [1, 'x'], [null], new Float32Array(3), [[true], [2]]]), pick<unknown>([{}, { shape: shape() }, { dtype: 'int32' }, { dtype: 'float16' }])]], // biome-ignore format: one line
])

/** Public names that take no tensors or numbers, or have their bad input in tests of their own. */
const others = new Set(
  'getBackend setBackend apply applyAll interpret differentiating grad gradients checkpoint gradEnabled noGrad keep memory scope defaultRng manualSeed withRng threefry readSafetensors writeSafetensors outside axesOf axisOf broadcast isDense isFloat rowMajor rowsOf sizeOf stretch typedArray'.split(' '), // biome-ignore format: one line
)
const otherMethods = new Set(
  'constructor release abandon adopt alias saved data dataSync item toArray toString backward to'.split(' '), // biome-ignore format: one line
)

async function call(name: string, given: unknown[]): Promise<unknown> {
  const [self, ...rest] = given
  return name.startsWith('.')
    ? (self as never as Record<string, (...all: unknown[]) => unknown>)[name.slice(1)]?.apply(self, rest)
    : (heed as never as Record<string, (...all: unknown[]) => unknown>)[name]?.(...given)
}

/** Reads all tensors of a result. */
function read(value: unknown): void {
  if (value instanceof Tensor) {
    if (!value.shape.every(length => Number.isSafeInteger(length) && length >= 0))
      throw new TypeError(`a shape [${value.shape.join(', ')}]`)
    const data = value.dataSync()
    if (value.dtype === 'bool' && !data.every((v: number) => v === 0 || v === 1))
      throw new TypeError(`a truth value of ${data}`)
  } else if (Array.isArray(value)) value.forEach(read)
  else if (typeof value === 'object' && value !== null) Object.values(value).forEach(read)
}

const told = (given: unknown[]): string =>
  JSON.stringify(
    given,
    (_, v) =>
    v instanceof Tensor ? `${v.dtype} [${v.shape.join(', ')}] on ${v.backend.name}` : typeof v === 'number' && !Number.isFinite(v) ? String(v) : v instanceof Rng ? 'rng' : v, // biome-ignore format: one line reads best
  )

describe('bad input', () => {
  it.each([...table])(
    'of %s yields a tensor, or says what is wrong, with the values, and what to do',
    async (name, draw) => {
      let refused = 0
      for (let i = 0; i < 150; i++) {
        const given = draw()
        try {
          read(await call(name, given))
        } catch (thrown) {
          refused++
          const error = thrown as Error
          const said = `${error.name}: ${error.message} for ${told(given)}`
          expect(said).toMatch(
            /^(ShapeError|DTypeError|BackendError|ConfigError|IndexError): [\w.]+: .+; .+/s,
          )
          expect(error.message.replace('of type undefined', '')).not.toMatch(/undefined|\[object/)
        }
      }
      if (!/^(\.detach|\.(max|min)|isNan|isInf|any|all|nonzero|unique|zerosLike|\.flip)$/.test(name)) expect(refused).toBeGreaterThan(0) // biome-ignore format: one line
    },
  )

  it('is tried on every public function, and on every method', () => {
    const functions = Object.entries(heed).filter(([name, v]) => typeof v === 'function' && /^[a-z]/.test(name)) // biome-ignore format: one line
    expect(functions.map(([name]) => name).filter(name => !table.has(name) && !others.has(name))).toEqual([])
    const methods = Object.getOwnPropertyNames(Tensor.prototype).filter(name => typeof Object.getOwnPropertyDescriptor(Tensor.prototype, name)?.value === 'function') // biome-ignore format: one line
    expect(methods.filter(name => !table.has(`.${name}`) && !otherMethods.has(name))).toEqual([])
    expect([...table.keys()].filter(name => name.startsWith('.') ? !(name.slice(1) in Tensor.prototype) : !(name in heed))).toEqual([]) // biome-ignore format: one line
  })
})

// ── the edges where a result is defined: PyTorch's ──

const zero = (...shape: number[]): Tensor => heed.zeros(shape)
const NAN = Number.NaN
const INF = Number.POSITIVE_INFINITY

describe('edges', () => {
  it.each<[string, () => Tensor | Promise<Tensor>, unknown]>([
    ['the sum of nothing', () => zero(0).sum(), 0],
    ['the product of nothing', () => zero(2, 0).prod(1), [1, 1]],
    ['the mean of nothing', () => zero(0).mean(), NAN],
    ['the variance of one', () => heed.variance(tensor([5])), NAN],
    ['the variance of one, of the population', () => heed.variance(tensor([5]), 0, { correction: 0 }), 0],
    ['the largest along an axis beside an empty one', () => zero(0, 3).max(1), []],
    ['log Σ eˣ of −∞', () => heed.logSumExp(tensor([-INF, -INF])), -INF],
    ['log Σ eˣ of ∞', () => heed.logSumExp(tensor([INF, 1])), INF],
    ['a product of matrices with nothing between', () => zero(2, 0).matmul(zero(0, 2)), [[0, 0], [0, 0]]],
    ['a product of no matrices', () => zero(0, 2, 3).matmul(zero(3, 1)), []],
    ['softmax of nothing', () => heed.softmax(zero(2, 0)), [[], []]],
    ['softmax of one', () => heed.softmax(tensor([[7], [NAN]])), [[1], [NAN]]],
    ['softmax of a number', () => heed.softmax(tensor(3)), 1],
    ['softmax with NaN', () => heed.softmax(tensor([1, NAN])), [NAN, NAN]],
    ['joining with nothing', () => heed.concat([zero(0, 2), heed.ones([1, 2])]), [[1, 1]]],
    ['largest and NaN', () => tensor([1, NAN, 2]).max(), NAN],
    ['smallest of two and NaN', () => tensor([1, NAN]).minimum(tensor([NAN, 2])), [NAN, NAN]],
    ['the place of the largest, NaN', () => tensor([1, NAN, 2]).argmax(), 1],
    ['the place of the first of equals', () => tensor([2, 3, 3]).argmax(), 1],
    ['sorting NaN', () => heed.sort(tensor([NAN, 2, 1])).values, [1, 2, NAN]],
    ['NaN is not NaN', () => tensor([NAN]).equal(tensor([NAN])), [false]],
    ['NaN as a truth value', () => tensor([NAN, 0, -1]).cast('bool'), [true, false, true]],
    ['a mask from NaN lets nothing through', () => heed.where(tensor([NAN, 1]).greater(0), tensor([1, 2]), 0), [0, 2]],
    ['clamping NaN', () => heed.clamp(tensor([NAN, 5]), 0, 1), [NAN, 1]],
    ['relu of NaN and −0', () => heed.relu(tensor([NAN, -0])), [NAN, 0]],
    ['0 to the 0', () => tensor([0, NAN]).pow(0), [1, 1]],
    ['a root of a negative', () => tensor([-1, -0]).sqrt(), [NAN, -0]],
    ['dividing by 0', () => tensor([1, -1, 0]).div(0), [INF, -INF, NAN]],
    ['rounding halves', () => heed.round(tensor([0.5, 1.5, -2.5])), [0, 2, -2]],
    ['a slice beyond the end', () => tensor([1, 2]).slice([{ start: 1, stop: 99 }]), [2]],
    ['a slice of nothing', () => tensor([1, 2]).slice([{ start: 2, stop: 1 }]), []],
    ['turning nothing over', () => zero(2, 0).flip(1), [[], []]],
    ['repeating a length of 1', () => tensor([[1], [2]]).expand([2, -1, 2]), [[[1, 1], [2, 2]], [[1, 1], [2, 2]]]],
    ['reshaping nothing', () => zero(0, 3).reshape([3, 0]), [[], [], []]],
    ['a running sum of nothing', () => zero(0).cumsum(0), []],
    ['the k largest, k = 0', () => heed.topK(tensor([1, 2]), 0).values, []],
    ['looking up nothing', () => heed.embedding(zero(3, 2), tensor(new Int32Array(0))), []],
    ['adding up nothing', () => zero(2).scatterAdd(0, tensor(new Int32Array(0)), zero(0)), [0, 0]],
    ['a hot one outside', () => heed.oneHot(tensor([0, 5], { dtype: 'int32' }), 2), [[1, 0], [0, 0]]],
    ['whole numbers divided', () => tensor([7, -7], { dtype: 'int32' }).div(2), [3, -3]],
    ['the norm of nothing', () => heed.norm(zero(0)), 0],
    ['no steps of a recurrence', () => heed.gruSequence(zero(2, 0, 6), { state: heed.ones([2, 2]), weight: zero(6, 2), bias: zero(6) }).last, [[1, 1], [1, 1]]],
    ['a recurrence over no rows', () => heed.rnnSequence(zero(0, 3, 2), { state: zero(0, 2), weight: zero(2, 2), bias: zero(2) }).last, []],
    ['einsum over nothing', () => heed.einsum('ij,jk->ik', zero(1, 0), zero(0, 2)), [[0, 0]]],
  ])('%s', async (_, body, want) => {
    expect(await (await body()).toArray()).toEqual(want)
  }) // biome-ignore format: a table

  it.each<[string, () => unknown, string]>([
    ['the largest of nothing', () => zero(0).max(), 'max: nothing to choose from along an axis of length 0 of [0]; check the input'],
    ['two types', () => zero(1).add(tensor([1], { dtype: 'int32' })), "add: float32 and int32 do not mix; cast one, for example b.cast('float32')"],
    ['shapes that do not stretch', () => zero(2, 3).add(zero(2, 4)), 'add: shapes [2, 3] and [2, 4] do not fit, axis −1 has 3 against 4; make them equal, or one of them 1'],
    ['inner sizes', () => zero(2, 5, 3).matmul(zero(2, 7, 6)), 'matmul: inner sizes differ, [2, 5, 3] × [2, 7, 6]: 3 against 7; transpose one, or check the sizes'],
    ['an axis outside', () => zero(2).sum(1), 'sum: axis 1 is outside [2]; use -1 to 0'],
    ['an axis of a number', () => tensor(1).sum(0), 'sum: axis 0 of a tensor of shape [], which has no axes; use reshape([1]) first'],
    ['an axis twice', () => zero(2, 2).sum([0, -2]), 'sum: axes [0, 0] name one axis twice; name each once'],
    ['two backends', () => zero(1).add(made([1], 'float32', elsewhere)), 'add: inputs on reference and on other; bring them together, use x.to(backend)'],
    ['a truth value that is none', () => tensor([true]).equal(2), "equal: bool with 2; use 0 or 1, or x.cast('float32') first"],
    ['a whole number that is none', () => tensor([1], { dtype: 'int32' }).mul(2 ** 31), "mul: int32 with 2147483648; use x.cast('float32') first"],
    ['a type that is none', () => tensor([1], { dtype: 'float16' as never }), 'tensor: "float16" is no type; use float32, float64, int32, bool'],
    ['a mask of numbers', () => heed.where(zero(1), zero(1), zero(1)), 'where: the condition is float32; make it bool, for example x.greater(0)'],
    ['places of floats', () => zero(2).gather(0, zero(1)), "gather: the index is float32; make it int32, for example index.cast('int32')"],
    ['a place outside', () => heed.embedding(zero(3, 2), tensor([3], { dtype: 'int32' })).dataSync(), 'take: index 3 is outside 0 to 2; check the indices'],
    ['a mean of whole numbers', () => tensor([1], { dtype: 'int32' }).mean(), "mean: int32 input; use x.cast('float32') first"],
  ])('%s: an error with the values', (_, body, message) => {
    expect(body).toThrow(message)
  }) // biome-ignore format: a table
})
