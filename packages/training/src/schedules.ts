import { ConfigError } from '@heed/core-tensor'

/** The learning rate of a step, counted from 0. */
export type Schedule = (step: number) => number

/** The same rate always. */
export function constant(rate: number): Schedule {
  return () => rate
}

/**
 * Rises evenly to `rate` in `warmup` steps, then falls along half a cosine to `final` at step `total`.
 * Loshchilov and Hutter 2017, eq. 5, arXiv:1608.03983, without restarts.
 *
 * @throws ConfigError unless 0 ≤ warmup < total
 */
export function warmupCosine(
  rate: number,
  { warmup, total, final = 0 }: { readonly warmup: number; readonly total: number; readonly final?: number },
): Schedule {
  if (!(warmup >= 0 && warmup < total))
    throw new ConfigError(`warmupCosine: warmup ${warmup} and total ${total}; use 0 ≤ warmup < total`)
  return step => {
    if (step < warmup) return (rate * (step + 1)) / warmup
    const share = Math.min(1, (step - warmup) / (total - warmup))
    return final + ((rate - final) * (1 + Math.cos(Math.PI * share))) / 2
  }
}
