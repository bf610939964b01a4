import { apply, applyAll } from '../dispatch.ts'
import { DTypeError, ShapeError } from '../errors.ts'
import type { Op } from '../op.ts'
import { broadcast, isFloat, sameShape, show } from '../shape.ts'
import type { Tensor } from '../tensor.ts'
import { arange } from './creation.ts'
import { softmax } from './normalize.ts'

/**
 * Additive score, `out[b][i][j] = Σₐ vₐ tanh(queryᵢₐ + keyⱼₐ)`, without ever holding the sum of all pairs.
 *
 * Bahdanau et al. 2015, §A.1.2, arXiv:1409.0473. Inputs: query `[batch, query, size]` and key `[batch, key, size]`, both
 * already mapped, v `[size]` → `[batch, query, key]`.
 */
export const additiveScore: Op = {
  name: 'additiveScore',
  gradOp: 'additiveScoreGrad',
  saves: 'inputs',
  infer: ([query, key, v]) => {
    const [batch, queries, size] = query.shape as [number, number, number]
    const [batches, keys, width] = key.shape as [number, number, number]
    if (
      query.shape.length !== 3 ||
      key.shape.length !== 3 ||
      batch !== batches ||
      size !== width ||
      v.shape.length !== 1 ||
      v.shape[0] !== size
    )
      throw new ShapeError(
        `additiveScore: query ${show(query.shape)}, key ${show(key.shape)} and v ${show(v.shape)} do not fit; use [batch, query, size], [batch, key, size], [size]`,
      )
    if (!isFloat(query.dtype) || key.dtype !== query.dtype || v.dtype !== query.dtype)
      throw new DTypeError(
        `additiveScore: ${query.dtype} query, ${key.dtype} key and ${v.dtype} v; use one float type`,
      )
    return [{ shape: [batch, queries, keys], dtype: query.dtype }]
  },
  grad: ({ grads: [dy], inputs: [query, key, v] }) => applyAll(additiveScoreGrad, [dy, query, key, v], {}),
  compose: ([query, key, v]) => [query.unsqueeze(2).add(key.unsqueeze(1)).tanh().matmul(v)],
}

/** Gradients of {@link additiveScore} by query, key and v. */
export const additiveScoreGrad: Op = {
  name: 'additiveScoreGrad',
  infer: ([, query, key, v]) => [query, key, v],
}

/** The settings of {@link scaledDotAttention}. */
export interface ScaledDot {
  /** What products of queries and keys are multiplied by. */
  readonly scale: number
  /** Query i sees keys up to i + offset; all keys unless given. */
  readonly offset: number | null
}

/**
 * `softmax(q kᵀ · scale) v`, without ever holding the matrix of weights where there is a kernel. A query that may look nowhere
 * gets zeros.
 *
 * Vaswani et al. 2017, eq. 1, arXiv:1706.03762; computed as in Dao et al. 2022, arXiv:2205.14135.
 *
 * Inputs: q `[batch, heads, query, size]`, k `[batch, heads, key, size]`, v `[batch, heads, key, valueSize]`, and perhaps a mask,
 * bool, true = may look, that stretches to `[batch, heads, query, key]`.
 * Outputs: contexts `[batch, heads, query, valueSize]`, and for the gradient the logarithms of the sums of exponentials
 * `[batch, heads, query]`.
 */
export const scaledDotAttention: Op<ScaledDot> = {
  name: 'scaledDotAttention',
  gradOp: 'scaledDotAttentionGrad',
  saves: 'both',
  infer: ([q, k, v, mask]) => {
    const [batch, heads, queries, size] = q.shape as [number, number, number, number]
    const keys = k.shape[2]
    const fits =
      [q, k, v].every(x => x.shape.length === 4 && x.shape[0] === batch && x.shape[1] === heads) &&
      k.shape[3] === size &&
      v.shape[2] === keys
    if (!fits)
      throw new ShapeError(
        `scaledDotAttention: q ${show(q.shape)}, k ${show(k.shape)} and v ${show(v.shape)} do not fit; use [batch, heads, query, size], [batch, heads, key, size], [batch, heads, key, valueSize]`,
      )
    if (!isFloat(q.dtype) || k.dtype !== q.dtype || v.dtype !== q.dtype)
      throw new DTypeError(
        `scaledDotAttention: ${q.dtype} q, ${k.dtype} k and ${v.dtype} v; use one float type`,
      )
    if (mask) {
      const scores = [batch, heads, queries, keys as number]
      if (mask.dtype !== 'bool')
        throw new DTypeError(`scaledDotAttention: a ${mask.dtype} mask; use bool, true = may look`)
      if (!sameShape(broadcast('scaledDotAttention', mask.shape, scores), scores))
        throw new ShapeError(
          `scaledDotAttention: mask ${show(mask.shape)} does not stretch to ${show(scores)}; mend its shape`,
        )
    }
    const { dtype } = q
    return [
      { shape: [batch, heads, queries, v.shape[3] as number], dtype },
      { shape: [batch, heads, queries], dtype },
    ]
  },
  grad: ({ grads: [dy], inputs: [q, k, v, mask], outputs: [y, logSums], attrs }) => [
    ...applyAll(scaledDotAttentionGrad, [dy, y, logSums, q, k, v, ...(mask ? [mask] : [])], attrs),
    null,
  ],
  compose: ([q, k, v, mask], { scale, offset }) => {
    const scores = q.mul(scale).matmul(k.transpose())
    const past = offset === null ? undefined : upTo(q, k, offset)
    const open = mask && past ? mask.logicalAnd(past) : (mask ?? past)
    if (!open) return [apply(softmax, [scores], {}).matmul(v)]
    return [
      apply(softmax, [scores.where(open, -1e30)], {})
        .where(open, 0)
        .matmul(v),
    ]
  },
}

/** Which keys each query sees: `[query, key]`. */
function upTo(q: Tensor, k: Tensor, offset: number): Tensor {
  const count = (x: Tensor, start: number): Tensor =>
    apply(arange, [], { start, step: 1, length: x.shape[2] as number, dtype: 'int32' }, x.backend)
  return count(k, 0).unsqueeze(0).lessEqual(count(q, offset).unsqueeze(1))
}

/** Gradients of {@link scaledDotAttention} by q, k and v. */
export const scaledDotAttentionGrad: Op<ScaledDot> = {
  name: 'scaledDotAttentionGrad',
  infer: ([, , , q, k, v]) => [q, k, v],
}
