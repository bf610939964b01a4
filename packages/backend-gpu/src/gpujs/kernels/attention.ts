import { type ops, sizeOf, stretch } from '@heed/core-tensor'
import { joined } from '../../webgpu/walk.ts'
import type { Cell, Family, Input, Runner } from '../runner.ts'
import { held } from '../text.ts'
import { placeOf, steps } from '../walks.ts'
import { dense, product, turned } from './matmul.ts'
import { rowLargest } from './normalize.ts'

/** What attention works on: heads of all rows counted together. */
interface Sizes {
  readonly planes: readonly [batch: number, heads: number]
  readonly queries: number
  readonly keys: number
  readonly valueSize: number
}

/**
 * Scaled dot-product attention, through a matrix of scores: threads of a fragment shader share nothing, so tiles would save no reading.
 * A score of −1e30 is one that may not be looked at; a row without any other has a logarithm of 1e30, so that its weights are 0.
 */
export function attention(runner: Runner): Family<'scaledDotAttention' | 'scaledDotAttentionGrad'> {
  return {
    scaledDotAttention: (inputs, outputs, attrs: ops.ScaledDot) => {
      const [q, k, v, mask] = inputs as readonly [Input, Input, Input, Input | undefined]
      const sizes = sizesOf(q, v)
      const scores = scoresOf(runner, sizes, q, k, mask, attrs)
      const logSums = logSumsOf(runner, scores, sizes)
      const weights = weightsOf(runner, scores, logSums, sizes)
      const [context] = outputs
      const y = product(runner, weights, v, (context as { readonly shape: readonly number[] }).shape)
      runner.free(scores, weights.storage)
      return [y, logSums]
    },
    scaledDotAttentionGrad: (inputs, _, attrs: ops.ScaledDot) => {
      const [dy, y, logSums, q, k, v, mask] = inputs as readonly [Input, Input, Input, Input, Input, Input, Input | undefined] // biome-ignore format: one line reads best
      const sizes = sizesOf(q, v)
      const { planes, queries, keys } = sizes
      const scores = scoresOf(runner, sizes, q, k, mask, attrs)
      const weights = weightsOf(runner, scores, logSums.storage, sizes, logSums.offset)
      const dv = product(runner, turned(weights), dy, v.shape)
      const through = product(runner, dy, turned(v), [...planes, queries, keys])
      const inner = inners(runner, dy, y, sizes)
      const dScores = runner.run(
        'slopes of scores',
        () => ({
          tensors: ['weights', 'through', 'inner'],
          ints: ['keys'],
          floats: ['scale'],
          body: 'return weights[this.thread.x] * (through[this.thread.x] - inner[quotient(this.thread.x, keys)]) * scale;',
        }),
        sizeOf([...planes, queries, keys]),
        [weights.storage, through, inner],
        [keys, attrs.scale],
      )
      const slopes = dense(dScores, [...planes, queries, keys])
      const dq = product(runner, slopes, k, q.shape)
      const dk = product(runner, turned(slopes), q, k.shape)
      runner.free(scores, weights.storage, through, inner, dScores)
      return [dq, dk, dv]
    },
  }
}

function sizesOf(q: Input, v: Input): Sizes {
  const [batch, heads, queries] = q.shape as [number, number, number, number]
  return { planes: [batch, heads], queries, keys: v.shape[2] as number, valueSize: v.shape[3] as number }
}

/** Products of queries and keys, −1e30 where a query may not look: `[batch, heads, query, key]`. */
function scoresOf(
  runner: Runner,
  { planes, queries, keys }: Sizes,
  q: Input,
  k: Input,
  mask: Input | undefined,
  { scale, offset }: ops.ScaledDot,
): Cell {
  const shape = [...planes, queries, keys]
  const all = product(runner, q, turned(k), shape, undefined, scale)
  if (!mask && offset === null) return all
  const walk = joined(shape, mask ? stretch(mask, shape) : shape.map(() => 0))
  const rank = walk.shape.length
  const { ints, values } = steps(walk, ['mask'], [mask?.offset ?? 0])
  const open = runner.run(
    `open scores ${rank}${mask ? ' masked' : ''}`,
    () => ({
      tensors: ['scores', ...(mask ? ['maskData'] : [])],
      ints: [...ints, 'queries', 'keys', 'causal', 'ahead'],
      body: `if (causal === 1) {
  if (remainder(this.thread.x, keys) > remainder(quotient(this.thread.x, keys), queries) + ahead) { return -1e30; }
}
${mask ? `return pickOf(maskData[${placeOf(rank, 'mask')}], scores[this.thread.x], -1e30);` : 'return scores[this.thread.x];'}`,
    }),
    sizeOf(shape),
    [all, ...(mask ? [mask.storage] : [])],
    [...values, queries, keys, offset === null ? 0 : 1, offset ?? 0],
  )
  runner.free(all)
  return open
}

/** The logarithm of each row's sum of powers. */
function logSumsOf(runner: Runner, scores: Cell, { planes, queries, keys }: Sizes): Cell {
  const rows = sizeOf([...planes, queries])
  if (keys === 0)
    return runner.run('full', () => ({ floats: ['value'], body: 'return value;' }), rows, [], [1e30])
  const largest = rowLargest(runner, scores, 0, rows, keys)
  const sums = runner.run(
    'logarithms of rows',
    () => ({
      tensors: ['x', 'largest'],
      ints: ['width'],
      body: `let sum = 0;
let most = largest[this.thread.x];
if (most <= -1e30) { return 1e30; }
for (let k = 0; k < width; k++) {
  sum += expOf(x[this.thread.x * width + k] - most);
}
return most + logOf(sum);`,
    }),
    rows,
    [scores, largest],
    [keys],
  )
  runner.free(largest)
  return sums
}

function weightsOf(
  runner: Runner,
  scores: Cell,
  logSums: Cell,
  { planes, queries, keys }: Sizes,
  at = 0,
): Input {
  const shape = [...planes, queries, keys]
  const weights = runner.run(
    'weights',
    () => ({
      tensors: ['x', 'logSums'],
      ints: ['width', 'at'],
      body: 'return expOf(x[this.thread.x] - logSums[at + quotient(this.thread.x, width)]);',
    }),
    sizeOf(shape),
    [scores, logSums],
    [keys, at],
  )
  return dense(weights, shape)
}

/** Of each query, Σ dy y. */
function inners(runner: Runner, dy: Input, y: Input, { planes, queries, valueSize }: Sizes): Cell {
  const shape = [...planes, queries]
  const walk = joined(shape, dy.strides.slice(0, 3), y.strides.slice(0, 3))
  const rank = walk.shape.length
  const { ints, values } = steps(walk, ['dy', 'y'], [dy.offset, y.offset])
  return runner.run(
    `inner ${rank}`,
    () => ({
      tensors: ['dyData', 'yData'],
      ints: [...ints, 'size', 'dyStep', 'yStep'],
      body: `let sum = 0;
${held(
  { at: placeOf(rank, 'dy'), from: placeOf(rank, 'y') },
  'for (let k = 0; k < size; k++) { sum += dyData[at + k * dyStep] * yData[from + k * yStep]; }',
)}
return sum;`,
    }),
    sizeOf(shape),
    [dy.storage, y.storage],
    [...values, valueSize, dy.strides[3] as number, y.strides[3] as number],
  )
}
