import { ConfigError } from '@heed/core-tensor'

/** The share of steps that are given the right word before, by the number of the training step. */
export type Forcing = (step: number) => number

/** From 1 down to `last` in equal steps. Bengio et al. 2015, §2.4, "linear decay", arXiv:1506.03099. */
export function linearForcing(steps: number, last = 0): Forcing {
  check('linearForcing', 'steps', steps, 0)
  return step => Math.max(last, 1 - ((1 - last) * step) / steps)
}

/** `k^step`, k below 1. Bengio et al. 2015, §2.4, "exponential decay". */
export function exponentialForcing(k: number): Forcing {
  check('exponentialForcing', 'k', k, 0, 1)
  return step => k ** step
}

/** `k / (k + e^(step / k))`: near 1 at first, half after about `k log k` steps. Bengio et al. 2015, §2.4, "inverse sigmoid decay". */
export function sigmoidForcing(k: number): Forcing {
  check('sigmoidForcing', 'k', k, 1)
  return step => k / (k + Math.exp(step / k))
}

function check(
  where: string,
  name: string,
  x: number,
  above: number,
  below = Number.POSITIVE_INFINITY,
): void {
  if (!(x > above && x < below))
    throw new ConfigError(`${where}: ${name} is ${x}; use a number above ${above}${below < 2 ? ` and below ${below}` : ''}`) // biome-ignore format: one line
}
