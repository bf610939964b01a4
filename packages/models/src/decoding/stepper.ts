import type { Tensor } from '@heed/core-tensor'

/** A model that says, word by word, how likely each next word is. */
export interface Stepper<State> {
  readonly start: State
  /** The last words, `[batch]` (int32) → scores of the next, `[batch, vocab]`, and where it looked, `[batch, key]`. */
  step(
    ids: Tensor,
    state: State,
  ): { readonly logits: Tensor; readonly state: State; readonly weights: Tensor | null }
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
  readonly begin: number
  readonly end: number
  /** Words at most, the one that ends included. */
  readonly maxLength: number
}
