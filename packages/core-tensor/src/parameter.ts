import { ShapeError } from './errors.ts'
import { sameShape, show } from './shape.ts'
import { Tensor } from './tensor.ts'

/** What kind of state a {@link Parameter} is. */
export interface ParameterOptions {
  /** Whether it is learned; running averages and other state that is saved but not learned say false. */
  readonly requiresGrad?: boolean
}

/** A tensor that a model keeps: it outlives every step and is the only kind that can be assigned. */
export class Parameter extends Tensor {
  constructor(value: Tensor, { requiresGrad = true }: ParameterOptions = {}) {
    super(value, value, value.block, value.backend, 'parameter')
    this.persistent = true
    this.requiresGrad = requiresGrad
    this.abandon()
  }

  /** Takes other values of the same shape and type. @throws ShapeError if they differ */
  assign(value: Tensor): void {
    if (!sameShape(value.shape, this.shape) || value.dtype !== this.dtype)
      throw new ShapeError(
        `assign: the parameter is ${show(this.shape)} ${this.dtype}, the value ${show(value.shape)} ${value.dtype}; make them equal`,
      )
    this.adopt(value)
    this.version++
  }

  /** Takes another gradient in place of its own, as clipping does. @throws ShapeError if its shape differs */
  giveGrad(gradient: Tensor): void {
    if (!sameShape(gradient.shape, this.shape))
      throw new ShapeError(
        `giveGrad: the parameter is ${show(this.shape)}, the gradient ${show(gradient.shape)}; make them equal`,
      )
    const held = gradient.alias()
    held.persistent = true
    held.abandon()
    this.zeroGrad()
    this.grad = held
  }

  /** Forgets the gradient. */
  zeroGrad(): void {
    if (!this.grad?.node) this.grad?.release('by zeroGrad()')
    this.grad = null
  }
}
