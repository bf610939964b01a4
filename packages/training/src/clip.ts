import { ConfigError, noGrad, type Parameter, stack, type Tensor } from '@heed/core-tensor'

/**
 * Scales gradients down together so that their norm is at most `maxNorm`: by `min(1, maxNorm / (norm + 10⁻⁶))`.
 *
 * Pascanu et al. 2013, algorithm 1, arXiv:1211.5063; the small number as in PyTorch.
 *
 * @param normType 2, or Infinity for the largest element
 * @returns the norm before, one number
 * @throws ConfigError unless `maxNorm` is above 0
 */
export function clipGradNorm(parameters: Iterable<Parameter>, maxNorm: number, normType: number = 2): Tensor {
  if (!(maxNorm > 0)) throw new ConfigError(`clipGradNorm: maxNorm is ${maxNorm}; use a number above 0`)
  const learned = [...parameters].filter(p => p.grad)
  if (!learned.length)
    throw new ConfigError('clipGradNorm: no parameter has a gradient; call backward() first')
  return noGrad(() => {
    const parts = learned.map(({ grad }) => {
      const g = grad as Tensor
      return normType === Number.POSITIVE_INFINITY
        ? g.abs().max()
        : normType === 2
          ? g.mul(g).sum()
          : g.abs().pow(normType).sum()
    })
    const all = stack(parts)
    const norm =
      normType === Number.POSITIVE_INFINITY
        ? all.max()
        : normType === 2
          ? all.sum().sqrt()
          : all.sum().pow(1 / normType)
    const scale = norm.add(1e-6).pow(-1).mul(maxNorm).minimum(1)
    for (const p of learned) p.giveGrad((p.grad as Tensor).mul(scale))
    return norm
  })
}
