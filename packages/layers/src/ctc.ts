import {
  arange,
  DTypeError,
  full,
  isFloat,
  logSumExp,
  ShapeError,
  stack,
  type Tensor,
  unfold,
  unstack,
} from '@heed/core-tensor'
import { NEVER } from './attention/attend.ts'
import type { LossOptions } from './losses.ts'
import { lengthMask } from './masks.ts'

/** Where {@link ctcLoss} finds lengths, and how losses become one. */
export interface CtcOptions extends LossOptions {
  /** Steps of each row, `[batch]` (int32); all unless given. */
  readonly inputLengths?: Tensor | undefined
  /** Labels of each row, `[batch]` (int32); all unless given. What stands behind them does not matter. */
  readonly targetLengths?: Tensor | undefined
  /** The class that stands for no label. */
  readonly blank?: number
  /** Whether rows that no path can spell cost 0, without gradient, in place of infinity. */
  readonly zeroInfinity?: boolean
}

/**
 * Connectionist temporal classification: minus the log probability of all paths that spell the labels, blanks and
 * repetitions left out.
 *
 * `α_t(s) = y_t(l'_s) (α_{t−1}(s) + α_{t−1}(s−1) + [l'_s is a label other than l'_{s−2}] α_{t−1}(s−2))`, with `l'` the labels
 * with blanks around each. Graves et al. 2006, §4.1, eq. 6-8 (ICML), in logarithms. The mean divides each row by its number
 * of labels (1 at least) first, as in PyTorch.
 *
 * @param logProbs log probabilities, `[time, batch, classes]`, or `[time, classes]` for one row
 * @param targets `[batch, labels]`, or `[labels]`, int32
 * @returns one number, or `[batch]` without reduction; infinity where no path spells the labels (without gradient)
 * @throws ShapeError, DTypeError where sizes or types do not fit
 */
export function ctcLoss(logProbs: Tensor, targets: Tensor, options: CtcOptions = {}): Tensor {
  if (logProbs.shape.length === 2 && targets.shape.length === 1) {
    const row = (lengths: Tensor | undefined): Tensor | undefined => lengths?.reshape([1])
    const { inputLengths, targetLengths, ...rest } = options
    const one = { ...rest, inputLengths: row(inputLengths), targetLengths: row(targetLengths) }
    return ctcLoss(logProbs.unsqueeze(1), targets.unsqueeze(0), one).reshape([])
  }
  check(logProbs, targets, options)
  const [time, batch] = logProbs.shape as [number, number]
  const labels = targets.shape[1] as number
  const { reduction = 'mean', blank = 0, zeroInfinity = false } = options
  const all = (n: number): Tensor => full([batch], n, { dtype: 'int32', backend: logProbs.backend })
  const { inputLengths = all(time), targetLengths = all(labels) } = options

  const spelled = withBlanks(targets.where(lengthMask(targetLengths, labels), blank), blank) // [batch, 2·labels + 1]
  const states = 2 * labels + 1
  const emitted = logProbs.gather(2, spelled.unsqueeze(0).expand([time, batch, states])).maximum(NEVER)
  const allowed = steps(spelled, blank, logProbs) // [batch, states, 3]
  // Before the first step: nothing spelled, with certainty.
  let alpha = arange(0, states, 1, { backend: logProbs.backend })
    .equal(0)
    .cast(logProbs.dtype)
    .mul(-NEVER)
    .add(NEVER)
    .expand([batch, states])
  for (const [t, emission] of unstack(emitted).entries()) {
    const from = unfold(
      alpha.pad(
        [
          [0, 0],
          [2, 0],
        ],
        NEVER,
      ),
      1,
      3,
    ) // s − 2, s − 1, s // biome-ignore format: one line
    const next = logSumExp(from.add(allowed), -1).add(emission)
    alpha = next.where(inputLengths.greater(t).unsqueeze(1), alpha)
  }
  // Paths end on the last label or on the blank behind it.
  const last = targetLengths.mul(2)
  const ends = alpha.gather(1, stack([last, last.sub(1).maximum(0)], 1))
  const isLabel = stack([last.equal(last), targetLengths.greater(0)], 1)
  const losses = logSumExp(ends.where(isLabel, NEVER), -1).neg()
  const possible = losses.less(-NEVER / 2)
  const settled = losses.where(possible, zeroInfinity ? 0 : Number.POSITIVE_INFINITY)
  if (reduction === 'none') return settled
  if (reduction === 'sum') return settled.sum()
  return settled.div(targetLengths.maximum(1).cast(settled.dtype)).mean()
}

/** `a b` → `_ a _ b _`: `[batch, labels]` → `[batch, 2·labels + 1]`. */
function withBlanks(labels: Tensor, blank: number): Tensor {
  const [batch, length] = labels.shape as [number, number]
  const blanks = full([batch, length + 1], blank, { dtype: 'int32', backend: labels.backend })
  const pairs = stack([blanks.slice([{}, { stop: length }]), labels], 2).reshape([batch, 2 * length])
  return pairs.concat([blanks.slice([{}, { start: length }])], 1)
}

/** What it costs to come from two states before, from the one before, and to stay: 0, or {@link NEVER}. `[batch, states, 3]` */
function steps(spelled: Tensor, blank: number, like: Tensor): Tensor {
  const states = spelled.shape[1] as number
  const before = spelled.pad([[0, 0], [2, 0]], blank).slice([{}, { stop: states }]) // biome-ignore format: one line
  const leap = spelled.equal(blank).logicalOr(spelled.equal(before)).logicalNot()
  const always = spelled.equal(spelled)
  return stack([leap, always, always], 2).cast(like.dtype).sub(1).mul(-NEVER)
}

function check(
  logProbs: Tensor,
  targets: Tensor,
  { inputLengths, targetLengths, blank = 0 }: CtcOptions,
): void {
  const [, batch, classes] = logProbs.shape as [number, number, number]
  const lengths = [inputLengths, targetLengths].filter(x => x !== undefined)
  if (
    logProbs.shape.length !== 3 ||
    targets.shape.length !== 2 ||
    targets.shape[0] !== batch ||
    lengths.some(x => x.shape.join() !== `${batch}`)
  )
    throw new ShapeError(
      `ctcLoss: log probabilities [${logProbs.shape.join(', ')}], targets [${targets.shape.join(', ')}] and lengths ${lengths.map(x => `[${x.shape.join(', ')}]`).join(', ') || 'not given'} do not fit; use [time, batch, classes], [batch, labels], [batch]`,
    )
  if (!Number.isInteger(blank) || blank < 0 || blank >= classes)
    throw new ShapeError(`ctcLoss: blank is ${blank} of ${classes} classes; use 0 to ${classes - 1}`)
  if (!isFloat(logProbs.dtype) || [targets, ...lengths].some(x => x.dtype !== 'int32'))
    throw new DTypeError(
      `ctcLoss: ${logProbs.dtype} log probabilities with ${targets.dtype} targets; use a float type, and int32 for targets and lengths`,
    )
}
