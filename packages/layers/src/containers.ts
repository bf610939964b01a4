import { DTypeError, ShapeError, type Tensor } from '@heed/core-tensor'
import { Module } from './module.ts'

/** One step of a {@link Sequential}: a layer of one input and one output, or a function. */
export type Step = (Module & { forward(x: Tensor): Tensor }) | ((x: Tensor) => Tensor)

/** @internal Runs the body; an error about shapes or types that passes is told where it comes from. */
export function within<T>(path: string, body: () => T): T {
  try {
    return body()
  } catch (error) {
    if (error instanceof ShapeError || error instanceof DTypeError)
      error.message = `${path}: ${error.message}`
    throw error
  }
}

/**
 * Layers and functions one after the other. Saved names are PyTorch's, `0.weight`, where functions count as well.
 *
 * @example
 * new Sequential(new Linear(4, 8), relu, new Linear(8, 2)).forward(x)
 * @throws ShapeError, DTypeError with the step that they come from: `layers.2: linear: …`
 */
export class Sequential extends Module {
  readonly layers: readonly Step[]

  constructor(...layers: readonly Step[]) {
    super()
    this.layers = layers
  }

  protected override stateName(field: string): string {
    return field.replace(/^layers\./, '')
  }

  /** What the first step takes → what the last yields. */
  forward(x: Tensor): Tensor {
    return this.layers.reduce(
      (y, step, i) => within(`layers.${i}`, () => (step instanceof Module ? step.forward(y) : step(y))),
      x,
    )
  }
}
