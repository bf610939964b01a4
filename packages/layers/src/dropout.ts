import { ConfigError, defaultRng, type Rng, type Tensor, uniform } from '@heed/core-tensor'
import { Module } from './module.ts'

/** What {@link Dropout} draws from. */
export interface DropoutOptions {
  readonly rng?: Rng | undefined
}

/** While learning, drops each number with probability p and enlarges the others by 1/(1 − p); in use, changes nothing. */
export class Dropout extends Module {
  readonly p: number
  readonly #rng: Rng | undefined

  constructor(p = 0.5, { rng }: DropoutOptions = {}) {
    super()
    if (!(p >= 0 && p < 1)) throw new ConfigError(`Dropout: p is ${p}; use a probability from 0 to below 1`)
    this.p = p
    this.#rng = rng
  }

  /** Whether it drops anything now. */
  get active(): boolean {
    return this.training && this.p > 0
  }

  /** Any shape → the same. */
  forward(x: Tensor): Tensor {
    if (!this.active) return x
    const draw = uniform(x.shape, { rng: this.#rng ?? defaultRng(), backend: x.backend })
    return x.mul(1 / (1 - this.p)).where(draw.less(this.p).logicalNot(), 0)
  }
}
