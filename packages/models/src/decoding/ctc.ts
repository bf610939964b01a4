import { noGrad, ShapeError, type Tensor } from '@heed/core-tensor'
import type { Decoded } from './stepper.ts'

export interface CtcBestPathOptions {
  /** Steps of each row, `[batch]` (int32); all unless given. */
  readonly inputLengths?: Tensor | undefined
  /** The class that stands for no label. */
  readonly blank?: number
}

/** The likeliest path of one row, and what it spells. `weights` has a row for each label: equal shares of the steps it was read from. */
export interface CtcPath extends Decoded {
  /** The likeliest class of each step. */
  readonly path: readonly number[]
  /** The first and the last step of each label. */
  readonly steps: readonly (readonly [first: number, last: number])[]
  /** Of this path alone, not of all that spell the same. */
  readonly logProb: number
}

/**
 * Best path decoding: the likeliest class at each step, then repetitions made one and blanks left out.
 *
 * Graves et al. 2006, §3.2 (ICML). The path says which steps each label was read from: the alignment that a model with
 * `ctcLoss` of `@heed/layers` has in place of attention weights. It need not spell the likeliest labels, since many
 * paths can spell the same.
 *
 * @param logProbs log probabilities, `[time, batch, classes]`, as for the loss
 * @throws ShapeError if sizes do not fit, or the blank is no class
 */
export async function ctcBestPath(
  logProbs: Tensor,
  { inputLengths, blank = 0 }: CtcBestPathOptions = {},
): Promise<CtcPath[]> {
  const [time, batch, classes] = logProbs.shape as [number, number, number]
  if (logProbs.shape.length !== 3 || (inputLengths && inputLengths.shape.join() !== `${batch}`))
    throw new ShapeError(
      `ctcBestPath: log probabilities [${logProbs.shape.join(', ')}]${inputLengths ? ` with lengths [${inputLengths.shape.join(', ')}]` : ''} do not fit; use [time, batch, classes] and [batch]`,
    )
  if (!Number.isInteger(blank) || blank < 0 || blank >= classes)
    throw new ShapeError(`ctcBestPath: blank is ${blank} of ${classes} classes; use 0 to ${classes - 1}`)
  const [best, most] = noGrad(() => [logProbs.argmax(-1), logProbs.max(-1)]) as [Tensor, Tensor] // [time, batch]
  const [classOf, logProbOf, lengths] = await Promise.all([best.data(), most.data(), inputLengths?.data()])
  return Array.from({ length: batch }, (_, row) => {
    const length = Math.min(time, lengths?.[row] ?? time)
    const path = Array.from({ length }, (_, t) => classOf[t * batch + row] as number)
    const logProb = path.reduce((sum, _, t) => sum + (logProbOf[t * batch + row] as number), 0)
    return { ...spelled(path, blank), path, logProb, ended: true }
  })
}

/** Runs of one class make one label. */
function spelled(path: readonly number[], blank: number): Pick<CtcPath, 'ids' | 'steps' | 'weights'> {
  const ids: number[] = []
  const steps: [number, number][] = []
  for (const [t, id] of path.entries()) {
    const last = steps.at(-1)
    if (id === blank) continue
    if (last && path[t - 1] === id) last[1] = t
    else {
      ids.push(id)
      steps.push([t, t])
    }
  }
  const weights = steps.map(([first, last]) =>
    new Float32Array(path.length).fill(1 / (last - first + 1), first, last + 1),
  )
  return { ids, steps, weights }
}
