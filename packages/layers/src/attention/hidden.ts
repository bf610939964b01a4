import type { Tensor } from '@heed/core-tensor'

/**
 * The same with zeros at the keys that no query may look at: whatever stands there, even NaN, reaches neither the result nor
 * a gradient (0 · NaN would).
 *
 * `attend` does this by itself. Layers that compute with keys before they attend, and loops that prepare keys once for many
 * calls, do it first.
 *
 * @param x `[..., key, size]`
 * @param mask true = may look, stretches to `[..., query, key]`
 */
export function withoutHiddenKeys(x: Tensor, mask: Tensor): Tensor {
  const open = matrix(mask)
  if (open.shape.at(-2) === 0) return x
  return x.where(within(open.max(-2, { keepDims: true }).transpose(), x), 0)
}

/** The same with zeros at the queries that may look nowhere. @param x `[..., query, size]` */
export function withoutIdleQueries(x: Tensor, mask: Tensor): Tensor {
  const open = matrix(mask)
  if (open.shape.at(-1) === 0) return x
  return x.where(within(open.max(-1, { keepDims: true }), x), 0)
}

/** With a query axis and a key axis. */
function matrix(mask: Tensor): Tensor {
  return mask.shape.length < 2 ? mask.reshape([1, mask.size]) : mask
}

/** Whether any is true, along axes that the other tensor does not have, so that it is not stretched. */
function within(open: Tensor, { shape }: Tensor): Tensor {
  const ahead = Math.max(0, open.shape.length - shape.length)
  const over = open.shape.flatMap((n, axis) => (n > 1 && (shape[axis - ahead] ?? 1) === 1 ? [axis] : []))
  const any = over.length ? open.max(over, { keepDims: true }) : open
  return ahead ? any.reshape(any.shape.slice(ahead)) : any
}
