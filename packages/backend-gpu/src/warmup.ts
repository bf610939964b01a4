import { noGrad, scope, type Tensor } from '@heed/core-tensor'

/** What can be compiled ahead: a module, or a model that a trainer takes. */
export interface Warmable<Example> {
  loss?(example: Example): Tensor
  forward?(example: Example): unknown
  /** What is learned; its gradients stay as they are. */
  parameters?(): readonly Tensor[]
  /** What is saved; it is put back afterwards, since running averages move on in a forward pass. */
  stateDict?(): Record<string, Tensor>
  loadStateDict?(state: Record<string, Tensor>): void
}

/** How far compiling is. */
export interface WarmupProgress {
  /** Kernels compiled, of those that the model needs and were not compiled before. */
  readonly done: number
  readonly total: number
}

export interface WarmupOptions {
  readonly onProgress?: (progress: WarmupProgress) => void
}

/** Runs a model once on an example, with gradients if it has a loss, within `around`; leaves its parameters and gradients as they were. */
export function rehearse<Example>(
  model: Warmable<Example>,
  example: Example,
  around: (body: () => void) => void,
): void {
  scope(() => {
    const parameters = model.parameters?.() ?? []
    const gradients = parameters.map(parameter => parameter.grad)
    const state = model.stateDict?.()
    for (const parameter of parameters) parameter.grad = null
    try {
      around(() => {
        if (model.loss) model.loss(example).backward()
        else noGrad(() => model.forward?.(example))
      })
    } finally {
      for (const [i, parameter] of parameters.entries()) {
        parameter.grad?.release('by warmup()')
        parameter.grad = gradients[i] as Tensor | null
      }
      if (state) model.loadStateDict?.(state)
    }
  })
}
