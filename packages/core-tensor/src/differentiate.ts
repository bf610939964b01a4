import { backward, note } from './backward.ts'
import { apply } from './dispatch.ts'
import { ShapeError } from './errors.ts'
import { gradEnabled, noGrad, withGrad } from './gradMode.ts'
import { scope } from './memory.ts'
import type { Attrs, Op } from './op.ts'
import { full } from './ops/creation.ts'
import { defaultRng, Rng, withRng } from './rng.ts'
import { show } from './shape.ts'
import type { Tensor } from './tensor.ts'

/** How {@link gradients} walks back. */
export interface GradientsOptions {
  /** Where to start from, in place of 1: of the result's shape. */
  readonly gradient?: Tensor
  /** Makes the gradients differentiable themselves. */
  readonly createGraph?: boolean
  /** Keeps the values in between, so that another walk can follow. */
  readonly retainGraph?: boolean
}

/** The derivatives of `y` by tensors that it was computed from, in order; zeros where it does not depend on one. No `grad` changes. */
export function gradients(y: Tensor, inputs: readonly Tensor[], options: GradientsOptions = {}): Tensor[] {
  const asked = new Map<Tensor, Tensor | null>(inputs.map(x => [x, null]))
  if (y.requiresGrad) backward(y, options, asked)
  return inputs.map(
    x => asked.get(x) ?? apply(full, [], { shape: x.shape, dtype: x.dtype, value: 0 }, x.backend),
  )
}

/**
 * The gradient of a function that yields one number, as a function: `grad(f)(x, y)` gives ∂f/∂x and ∂f/∂y.
 *
 * It can be applied to itself.
 *
 * @example
 * const [dx] = grad(x => x.pow(3).sum())(tensor([2])) // 12
 * @throws ShapeError if the function yields more than one number
 */
export function grad<Inputs extends readonly Tensor[]>(
  f: (...inputs: Inputs) => Tensor,
): (...inputs: Inputs) => Tensor[] {
  return (...inputs) => {
    const nested = gradEnabled() && inputs.some(x => x.requiresGrad)
    return withGrad(true, () => {
      const leaves = inputs.map(x => {
        if (nested && x.requiresGrad) return x
        const leaf = x.detach()
        leaf.requiresGrad = true
        return leaf
      })
      const y = f(...(leaves as readonly Tensor[] as Inputs))
      if (y.size !== 1)
        throw new ShapeError(
          `grad: the function yields ${show(y.shape)}; it must yield one number, sum it for example`,
        )
      return gradients(y, leaves, { createGraph: nested })
    })
  }
}

/**
 * Runs a part of a model and forgets everything in between: the way back runs it once more. Less memory, more time.
 *
 * Chen et al. 2016, arXiv:1604.06174. What the body draws from the default generator it draws again.
 *
 * @param body from the inputs to one tensor; parameters it uses get their gradients as always
 */
export function checkpoint<Inputs extends readonly Tensor[]>(
  body: (...inputs: Inputs) => Tensor,
  ...inputs: Inputs
): Tensor {
  if (!gradEnabled()) return body(...inputs)
  const state = defaultRng().state()
  const y = scope(() => noGrad(() => body(...inputs))).alias()
  const op: Op<Attrs> = {
    name: 'checkpoint',
    saves: 'inputs',
    recompute: true,
    infer: () => [y],
    compose: given => [
      withRng(new Rng(state), () => body(...(given.slice(0, inputs.length) as readonly Tensor[] as Inputs))),
    ],
  }
  note(op, inputs, [y], {})
  return y
}
