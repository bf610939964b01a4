import { applyAll } from '../dispatch.ts'
import { ShapeError } from '../errors.ts'
import type { Op } from '../op.ts'
import { show } from '../shape.ts'

/**
 * Additive score, `out[b][i][j] = Σₐ vₐ tanh(queryᵢₐ + keyⱼₐ)`, without ever holding the sum of all pairs.
 *
 * Bahdanau et al. 2015, §A.1.2, arXiv:1409.0473. Inputs: query `[batch, query, size]` and key `[batch, key, size]`, both
 * already mapped, v `[size]` → `[batch, query, key]`.
 */
export const additiveScore: Op = {
  name: 'additiveScore',
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
