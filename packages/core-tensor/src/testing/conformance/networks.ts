import { applyAll } from '../../dispatch.ts'
import { gelu, relu } from '../../functional/activations.ts'
import * as network from '../../functional/network.ts'
import { adam } from '../../ops/optimize.ts'
import { type DType, type Shape, show } from '../../shape.ts'
import type { Tensor } from '../../tensor.ts'
import type { Sketch, Tolerance } from '../conformance.ts'
import type { Inputs } from './inputs.ts'

/** Probabilities: each at most 1, their sum of rounded exponentials. */
const PROBABILITY: Tolerance = { relative: 16, absolute: 4 }
/** log Σ eˣ of numbers of size 1 to 100. */
const LOGARITHM: Tolerance = { relative: 16, absolute: 64 }
/** Sums of up to 128 terms v tanh(…), tanh within 6 ulp. */
const SCORE: Tolerance = { relative: 16, absolute: 200 }
/** Means of up to 70 values by weights that are off by a few ulp themselves, and sums of as many products for gradients. */
const MEAN: Tolerance = { relative: 200, absolute: 400 }
/** Up to 8 steps that each pass their rounding on, shrunk by gates; gradients sum over all steps and rows. */
const RECURRENT: Tolerance = { relative: 64, absolute: 600 }
/** A handful of roundings; the reference's composition rounds after each operation as well. */
const STEP: Tolerance = { relative: 16, absolute: 4 }

/** What backends fuse, against its composition on the reference; forward, and the gradient of every input. */
export function networks(): Sketch[] {
  return [
    ...probabilities(),
    ...norms(),
    ...units(),
    ...scores(),
    ...attention(),
    ...recurrences(),
    ...steps(),
  ]
}

/** Results, and after them the gradients of the leaves, for random gradients of the results. */
function withGradients(inputs: Inputs, leaves: readonly Tensor[], results: readonly Tensor[]): Tensor[] {
  const [first, ...rest] = results.map(y => y.mul(inputs.random(y.shape, y.dtype)).sum())
  let loss = first as Tensor
  for (const part of rest) loss = loss.add(part)
  const values = results.map(y => y.detach())
  loss.backward()
  return [...values, ...leaves.map(x => x.grad as Tensor)]
}

function probabilities(): Sketch[] {
  const sketches: Sketch[] = []
  const shapes: readonly Shape[] = [[1], [3], [4], [5], [2, 7], [3, 8], [2, 15], [1, 16], [2, 17], [5, 33], [0, 4], [4, 0], [2, 3, 5], [700, 130]] // biome-ignore format: a list
  for (const [name, f, tolerance] of [
    ['softmax', network.softmax, PROBABILITY],
    ['logSoftmax', network.logSoftmax, LOGARITHM],
  ] as const) {
    for (const shape of shapes)
      sketches.push({
        name: `${name} ${show(shape)} and its gradient`,
        tolerance: shape[0] === 700 ? { ...tolerance, absolute: 256 } : tolerance,
        results: inputs => {
          const x = inputs.leaf(shape, 5)
          return shape.includes(0) ? [f(x)] : withGradients(inputs, [x], [f(x)])
        },
      })
    sketches.push(
      {
        name: `${name} of numbers beyond the range of exp`,
        tolerance,
        results: inputs => [
          f(
            inputs.of(
              [1000, 999, -1000, 1e30, -1e30, 1e30, -1e30, -1e30, -1e30, -3e38, 0, 3e38],
              'float32',
              [4, 3],
            ),
          ),
          f(inputs.of([Number.NEGATIVE_INFINITY, 0, 1, Number.NaN, 0, 1], 'float32', [2, 3])),
        ],
      },
      {
        name: `${name} float64, of the first axis, transposed`,
        tolerance,
        results: inputs => [f(inputs.random([3, 5], 'float64')), f(inputs.random([3, 5]), 0)],
      },
    )
  }
  return sketches
}

/** Means and variances of up to 1300 numbers; weights' gradients sum up to 700 rows. */
const NORM: Tolerance = { relative: 64, absolute: 400 }

function norms(): Sketch[] {
  const shapes: readonly Shape[] = [[1], [3], [4], [2, 5], [3, 8], [2, 17], [5, 33], [0, 4], [3, 0], [2, 3, 6], [700, 36], [2, 1300]] // biome-ignore format: a list
  return shapes.flatMap(shape =>
    ([['plain', 'float32'], ['scaled', 'float32'], ['scaled', 'float64']] as const).map(
      ([kind, dtype]): Sketch => ({
        name: `layerNorm ${dtype} ${show(shape)}, ${kind}, and its gradient`,
        tolerance: NORM,
        results: inputs => {
          const x = inputs.leaf(shape, 3, dtype)
          const size = [shape.at(-1) as number]
          const leaves = kind === 'plain' ? [x] : [x, inputs.leaf(size, 2, dtype), inputs.leaf(size, 2, dtype)]
          const [, weight, bias] = leaves
          const y = network.layerNorm(x, { weight, bias, epsilon: 1e-3 })
          return shape.includes(0) ? [y] : withGradients(inputs, leaves, [y])
        },
      }),
    ),
  ) // biome-ignore format: a table
}

const EXACT: Tolerance = { relative: 0, absolute: 0 }
/** 1 − tanh² of a tanh near 1 keeps what rounding left of it, times up to 4 x. */
const UNIT: Tolerance = { relative: 64, absolute: 256 }

function units(): Sketch[] {
  const shapes: readonly Shape[] = [[1], [4], [2, 7], [0, 3], [300, 70]]
  const relus = (['float32', 'float64'] as const).flatMap(dtype =>
    shapes.map(
      (shape): Sketch => ({
        name: `relu ${dtype} ${show(shape)}, and its gradient`,
        tolerance: EXACT,
        results: inputs => {
          const x = inputs.leaf(shape, 4, dtype)
          const y = relu(x)
          return shape.includes(0) ? [y] : withGradients(inputs, [x], [y])
        },
      }),
    ),
  )
  const corners: Sketch = {
    name: 'relu of zeros, infinities, NaN and whole numbers',
    tolerance: EXACT,
    results: inputs => [
      relu(inputs.of([0, -0, Infinity, -Infinity, Number.NaN, 1e-30, -1e-30], 'float32', [7])),
      relu(inputs.of([3, 0, -3, 65535, -65536], 'int32', [5])),
    ],
  }
  const gelus = (['none', 'tanh'] as const).flatMap(approximate =>
    (['float32', 'float64'] as const).flatMap(dtype =>
      shapes.map(
        (shape): Sketch => ({
          name: `gelu ${dtype} ${show(shape)}, ${approximate === 'tanh' ? 'through tanh' : 'exactly'}, and its gradient`,
          tolerance: UNIT,
          results: inputs => {
            const x = inputs.leaf(shape, 4, dtype)
            const y = gelu(x, { approximate })
            return shape.includes(0) ? [y] : withGradients(inputs, [x], [y])
          },
        }),
      ),
    ),
  )
  return [...relus, corners, ...gelus]
}

function scores(): Sketch[] {
  const sizes = [[1, 1, 1, 1], [2, 1, 3, 5], [2, 3, 4, 8], [3, 2, 5, 17], [0, 1, 2, 3], [2, 0, 3, 4], [2, 1, 0, 4], [16, 1, 40, 128], [5, 7, 9, 33]] as const // biome-ignore format: a table
  const sketch = ([batch, queries, keys, size]: (typeof sizes)[number], dtype: DType): Sketch => ({
    name: `additiveScore ${dtype} of ${batch} × ${queries} × ${keys}, size ${size}, and its gradient`,
    tolerance: SCORE,
    results: inputs => {
      const leaves = [[batch, queries, size], [batch, keys, size], [size]].map(shape =>
        inputs.leaf(shape, 1, dtype),
      )
      const [query, key, v] = leaves as [Tensor, Tensor, Tensor]
      const y = network.additiveScore(query, key, v)
      return batch * queries * keys === 0 ? [y] : withGradients(inputs, leaves, [y])
    },
  })
  return [
    ...sizes.map(size => sketch(size, 'float32')),
    ...sizes.slice(0, 7).map(size => sketch(size, 'float64')),
  ]
}

function attention(): Sketch[] {
  const sizes = [[1, 1, 1, 1, 1, 1], [2, 3, 1, 70, 33, 20], [1, 2, 4, 20, 5, 8], [2, 3, 5, 7, 4, 6], [1, 2, 49, 70, 16, 8], [1, 1, 60, 300, 13, 5], [0, 1, 2, 3, 2, 2], [2, 0, 3, 4, 2, 2], [1, 2, 0, 4, 3, 3]] as const // biome-ignore format: a table
  const sketch = (
    [batch, heads, queries, keys, size, valueSize]: (typeof sizes)[number],
    offset: number | undefined,
    dtype: DType,
  ): Sketch => ({
    name: `scaledDotAttention ${dtype} of ${batch} × ${heads} × ${queries} × ${keys}, sizes ${size} and ${valueSize}${offset === undefined ? '' : `, up to ${offset} ahead`}, and its gradient`,
    tolerance: MEAN,
    results: inputs => {
      // As heads lie between the places of a projection.
      const leaves = [
        [queries, size],
        [keys, size],
        [keys, valueSize],
      ].map(([time, wide]) => inputs.leaf([batch, time as number, heads, wide as number], 1, dtype))
      const [q, k, v] = leaves.map(x => x.transpose(1, 2)) as [Tensor, Tensor, Tensor]
      const masks = [undefined, inputs.random([batch, 1, 1, keys]).greater(-0.5), inputs.random([queries, keys]).greater(0), inputs.random([queries, 1]).greater(0)] // biome-ignore format: one line
      const results = masks.map(mask => network.scaledDotAttention(q, k, v, { mask, offset }))
      return batch * heads * queries === 0 ? results : withGradients(inputs, leaves, results)
    },
  })
  return (['float32', 'float64'] as const).flatMap(dtype =>
    sizes.flatMap(size => [undefined, 0, 3, -2].map(offset => sketch(size, offset, dtype))),
  )
}

type Kind = 'gru' | 'lstm' | 'rnn'

interface Recurrence {
  readonly kind: Kind
  readonly sizes: readonly [batch: number, time: number, hidden: number]
  readonly dtype: DType
  readonly ragged: boolean
  readonly reverse: boolean
}

function recurrences(): Sketch[] {
  const sketches: Sketch[] = []
  const add = (how: Recurrence): void => {
    const { kind, dtype, ragged, reverse } = how
    const name = `${kind} ${dtype} ${show(how.sizes)}${ragged ? ', rows of different length' : ''}${reverse ? ', backwards' : ''}`
    sketches.push(
      { name, tolerance: RECURRENT, results: inputs => recurrence(inputs, how, false) },
      {
        name: `${name}, and its gradient`,
        tolerance: RECURRENT,
        results: inputs => recurrence(inputs, how, true),
      },
    )
  }
  const sizes = [[1, 1, 1], [2, 3, 4], [3, 2, 5], [5, 4, 8], [7, 5, 3], [6, 1, 16], [13, 4, 33], [2, 0, 3], [0, 2, 3], [16, 8, 64]] as const // biome-ignore format: a table
  for (const kind of ['gru', 'lstm', 'rnn'] as const)
    for (const ragged of [false, true])
      for (const reverse of [false, true]) {
        for (const size of sizes) add({ kind, sizes: size, dtype: 'float32', ragged, reverse })
        add({ kind, sizes: [3, 4, 5], dtype: 'float64', ragged, reverse })
      }
  add({ kind: 'gru', sizes: [2, 1, 520], dtype: 'float32', ragged: false, reverse: false })
  return sketches
}

function recurrence(
  inputs: Inputs,
  { kind, sizes: [batch, time, hidden], dtype, ragged, reverse }: Recurrence,
  gradients: boolean,
): Tensor[] {
  const wide = { gru: 3, lstm: 4, rnn: 1 }[kind] * hidden
  const scale = 1 / Math.sqrt(hidden)
  const make = (shape: Shape, size = 1): Tensor => {
    const made = inputs.leaf(shape, size, dtype)
    made.requiresGrad = gradients
    return made
  }
  const x = make([batch, time, wide])
  const [state, weight, bias] = [make([batch, hidden]), make([wide, hidden], scale), make([wide], scale)]
  const cell = make([batch, hidden])
  const lengths = ragged ? inputs.ids(time + 1, [batch]) : undefined
  const how = { state, weight, bias, lengths, reverse }
  const { states, last, ...more } =
    kind === 'gru'
      ? network.gruSequence(x, how)
      : kind === 'rnn'
        ? network.rnnSequence(x, how)
        : network.lstmSequence(x, { ...how, cell })
  const results = [states, last, ...('cell' in more ? [more.cell as Tensor] : [])]
  const leaves = [x, state, weight, bias, ...(kind === 'lstm' ? [cell] : [])]
  return gradients && batch * time > 0 ? withGradients(inputs, leaves, results) : results
}

function steps(): Sketch[] {
  const attrs = {
    learningRate: 0.01,
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-8,
    step: 3,
    weightDecay: 0,
    decoupled: false,
  }
  const variants = { plain: attrs, decayed: { ...attrs, weightDecay: 0.1 }, decoupled: { ...attrs, weightDecay: 0.1, decoupled: true } } // biome-ignore format: a table
  return Object.entries(variants).flatMap(([how, settings]) =>
    [[0], [1], [7], [3, 17], [70_001]].map(
      (shape): Sketch => ({
        name: `adam ${show(shape)}, ${how}`,
        tolerance: STEP,
        results: inputs => {
          const v = inputs.between(0, 2, shape)
          return applyAll(adam, [inputs.random(shape), inputs.random(shape), inputs.random(shape), v], settings)
        },
      }),
    ),
  ) // biome-ignore format: as it is
}
