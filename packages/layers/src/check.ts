import { ConfigError, DTypeError, ShapeError, type Tensor } from '@heed/core-tensor'

/** @throws ConfigError naming every setting that is not a whole number of `least` or more */
export function checkWhole(where: string, settings: Readonly<Record<string, number>>, least = 0): void {
  const wrong = Object.entries(settings).filter(([, n]) => !Number.isSafeInteger(n) || n < least)
  if (wrong.length)
    throw new ConfigError(
      `${where}: ${wrong.map(([name, n]) => `${name} is ${n}`).join(', ')}; use whole numbers of ${least} or more`,
    )
}

/** @throws ShapeError naming all tensors unless each has a number of axes that is allowed */
export function checkAxes(
  where: string,
  tensors: Readonly<Record<string, Tensor>>,
  allowed: (axes: number) => boolean,
  use: string,
): void {
  if (Object.values(tensors).every(x => allowed(x.shape.length))) return
  const given = Object.entries(tensors).map(([name, x]) => `${name} [${x.shape.join(', ')}]`)
  throw new ShapeError(`${where}: ${given.join(', ')}; use ${use}`)
}

/** Two axes or more. */
export const matrices = (axes: number): boolean => axes >= 2

/**
 * @param scores what the mask shall stretch to, `[batch, query, key]` or `[batch, heads, query, key]`
 * @throws DTypeError unless the mask is bool, ShapeError unless it fits the scores
 */
export function checkMask(where: string, mask: Tensor, scores: readonly number[]): void {
  const { dtype, shape } = mask
  if (dtype !== 'bool')
    throw new DTypeError(
      `${where}: the mask is ${dtype}; make it bool, true where a query may look, for example mask.equal(0) of one that is 0 there and −∞ elsewhere`,
    )
  const fits = shape.every((n, i) => {
    const m = scores[scores.length - shape.length + i] ?? 1
    return n === m || n === 1 || m === 1
  })
  if (fits) return
  const axes = scores.length > 3 ? '[batch, heads, query, key]' : '[batch, query, key]'
  throw new ShapeError(
    `${where}: the mask is [${shape.join(', ')}], the scores are [${scores.join(', ')}], ${axes}; make it stretch to them, for padded keys with padding(lengths)`,
  )
}
