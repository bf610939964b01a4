import { arange } from '../creation.ts'
import { apply } from '../dispatch.ts'
import { take } from '../ops/indexing.ts'
import { axisOf } from '../shape.ts'
import type { Tensor } from '../tensor.ts'

/** Slices picked along an axis by number, `index` of shape `[n]` (int32). */
export function indexSelect(x: Tensor, axis: number, index: Tensor): Tensor {
  const at = axisOf('indexSelect', axis, x.shape)
  if (at === 0) return apply(take, [x, index], {})
  const order = [at, ...x.shape.map((_, a) => a).filter(a => a !== at)]
  const picked = apply(take, [x.permute(order), index], {})
  return picked.permute(x.shape.map((_, a) => order.indexOf(a)))
}

/**
 * Rows of a table by number, `[rows, ...features]` and `[...]` (int32) → `[..., ...features]`.
 *
 * @param options.paddingIndex a row that is read but gets no gradient
 */
export function embedding(
  table: Tensor,
  ids: Tensor,
  { paddingIndex }: { readonly paddingIndex?: number | undefined } = {},
): Tensor {
  const found = apply(take, [table, ids], {})
  if (paddingIndex === undefined) return found
  const real = ids.equal(paddingIndex).logicalNot()
  return found.where(real.reshape([...ids.shape, ...table.shape.slice(1).map(() => 1)]), found.detach())
}

/** 1 at the place that each number names, 0 elsewhere: `[...]` (int32) → `[..., classes]`, int32. */
export function oneHot(ids: Tensor, classes: number): Tensor {
  return ids
    .unsqueeze(-1)
    .equal(arange(0, classes, 1, { backend: ids.backend }))
    .cast('int32')
}
