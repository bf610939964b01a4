import type { Tensor } from '@heed/core-tensor'

/** A model that says, word by word, how likely each next word is. */
export interface Stepper<State> {
  /** Plain objects, lists and tensors, the rows of each tensor along its first axis: decoders pick rows of it. */
  readonly start: State
  /** The last words, `[batch]` (int32) → scores of the next, `[batch, vocab]`, and where it looked, `[batch, key]`. */
  step(
    ids: Tensor,
    state: State,
  ): { readonly logits: Tensor; readonly state: State; readonly weights: Tensor | null }
  /** How many keys each row has, `[batch]` (int32); those behind are padding. */
  readonly lengths?: Tensor
  /** The same with each row `times` times side by side: for beams, or for several samples of one source. */
  repeat?(times: number): Stepper<State>
}

/** One decoded row. */
export interface Decoded {
  /** The words, without those that begin and end. */
  readonly ids: readonly number[]
  /** How much each word looked at each source place, the word that ends included: rows of `[key]`; empty without attention. */
  readonly weights: readonly Float32Array[]
  /** Whether it ended by itself, before the longest length. */
  readonly ended: boolean
}

export interface DecodeOptions {
  /** The word before the first, or one for each row: the last of its prompt. */
  readonly begin: number | ArrayLike<number>
  readonly end: number
  /** Words at most, the one that ends included. */
  readonly maxLength: number
}
