import { noGrad, scope } from '@heed/core-tensor'
import type { BatchSource, Trainable } from './trainer.ts'

export interface EvaluateOptions<Batch> {
  /** How much a batch counts, such as its number of words; all the same unless given. */
  readonly weight?: (batch: Batch) => number | Promise<number>
  readonly signal?: AbortSignal
}

/** The mean loss over all batches of an epoch, with the model in use (dropout off) and no gradients; NaN if there are none. */
export async function meanLoss<Batch>(
  model: Trainable<Batch>,
  source: BatchSource<Batch>,
  { weight, signal }: EvaluateOptions<Batch> = {},
): Promise<number> {
  const learning = model.training
  model.eval()
  let sum = 0
  let all = 0
  try {
    for (let step = 0; step < source.steps(0); step++) {
      signal?.throwIfAborted()
      await scope(async () => {
        const batch = source.batch(0, step)
        const share = (await weight?.(batch)) ?? 1
        sum += share * (await noGrad(() => model.loss(batch)).item())
        all += share
      })
    }
  } finally {
    if (learning) model.train()
  }
  return sum / all
}
