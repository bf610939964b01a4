import { ShapeError, type Tensor } from '@heed/core-tensor'
import { AttentionPool, attend, type LayerOptions, lengthMask, Module, NEVER, type Score } from '@heed/layers'

/** How the states of a sequence become one vector, in the order of the story. */
export type ReadoutKind = 'last' | 'concat' | 'mean' | 'max' | 'attention'

/** What a recurrence leaves of a batch of sequences. */
export interface States {
  /** `[batch, time, size]`, 0 behind each row's end */
  readonly states: Tensor
  /** The state after each row's last step, of both directions side by side, `[batch, size]`. */
  readonly last: Tensor
  /** `[batch]`, int32 */
  readonly lengths: Tensor
}

/** One vector for a sequence. */
export interface Read {
  /** `[batch, size]` of most read-outs, `[batch, time·size]` of concat */
  readonly context: Tensor
  /** How much each state counts, `[batch, time]`, 0 behind the end; null where that cannot be said. */
  readonly weights: Tensor | null
}

/** Makes one vector of a sequence's states. */
export abstract class Readout extends Module {
  /** The size of the vector. */
  abstract readonly size: number
  abstract override forward(sequence: States): Read
}

/** The state after the last step (of the backward direction: after the first word). Nothing else survives. */
export class LastReadout extends Readout {
  readonly size: number

  constructor(size: number) {
    super()
    this.size = size
  }

  forward({ last }: States): Read {
    return { context: last, weights: null }
  }
}

/** All states behind each other: nothing is lost, but only one length fits, and the head grows with it. */
export class ConcatReadout extends Readout {
  readonly size: number
  readonly time: number

  /** @param time the one length that sequences are padded to */
  constructor(stateSize: number, time: number) {
    super()
    this.size = time * stateSize
    this.time = time
  }

  /** @throws ShapeError for sequences padded to another length */
  forward({ states }: States): Read {
    const [batch, time] = states.shape as [number, number]
    if (time !== this.time)
      throw new ShapeError(
        `concat: the head was made for ${this.time} steps, the sequences have ${time}; pad them to ${this.time}, or use mean, max or attention, which take any length`,
      )
    return { context: states.reshape([batch, this.size]), weights: null }
  }

  /** The share of the head's input that is padding, for rows of the given lengths: `(T − length) / T`, the mean of them. */
  wasted(lengths: readonly number[]): number {
    return lengths.reduce((sum, length) => sum + (this.time - length) / this.time, 0) / lengths.length
  }
}

/** Numbers of a head `y = W c + b` on all states behind each other: `time·size·classes + classes`. */
export function concatHeadParameters(time: number, stateSize: number, classes: number): number {
  return time * stateSize * classes + classes
}

const alike: Score = { prepare: keys => keys, score: (query, keys) => query.matmul(keys.transpose()).mul(0) }

/** The mean of all states: attention whose scores are all alike, `1/T` each. */
export class MeanReadout extends Readout {
  readonly size: number

  constructor(size: number) {
    super()
    this.size = size
  }

  forward({ states, lengths }: States): Read {
    const mask = lengthMask(lengths, states.shape[1] as number).unsqueeze(1)
    const query = states.slice([{}, { stop: 1 }])
    const { context, weights } = attend(query, states, states, { score: alike, mask, owner: this, finite: true }) // biome-ignore format: one line
    return { context: context.squeeze(1), weights: weights.squeeze(1) }
  }
}

/** The largest value of each number over time. */
export class MaxReadout extends Readout {
  readonly size: number

  constructor(size: number) {
    super()
    this.size = size
  }

  forward({ states, lengths }: States): Read {
    const inside = lengthMask(lengths, states.shape[1] as number).unsqueeze(-1)
    return { context: states.where(inside, NEVER).max(1), weights: null }
  }
}

/** A learned query decides what counts: {@link AttentionPool}. Parameters do not depend on time. */
export class AttentionReadout extends Readout {
  readonly size: number
  readonly pool: AttentionPool

  /** @param width of the small network that scores; 0 for a linear score */
  constructor(size: number, width: number, options: LayerOptions = {}) {
    super()
    this.size = size
    this.pool = new AttentionPool(size, { size: width, ...options })
  }

  forward({ states, lengths }: States): Read {
    const { context, weights } = this.pool.forward(states, {
      mask: lengthMask(lengths, states.shape[1] as number),
    })
    return { context, weights }
  }
}
