import { ConfigError } from '@heed/core-tensor'

/**
 * How many words a model hesitates between, on average: e to the mean of −log p, in natural logarithms.
 *
 * @param losses −log p of each word
 * @throws ConfigError if there are none
 */
export function perplexity(losses: ArrayLike<number>): number {
  if (losses.length === 0) throw new ConfigError('perplexity: no losses; give one for each word')
  let sum = 0
  for (let i = 0; i < losses.length; i++) sum += losses[i] as number
  return Math.exp(sum / losses.length)
}
