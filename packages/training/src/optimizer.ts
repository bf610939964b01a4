import { ConfigError, noGrad, Parameter, type Tensor, zerosLike } from '@heed/core-tensor'

/** Parameters with their names, as `module.namedParameters()` gives them. */
export type Learned = Iterable<readonly [name: string, parameter: Parameter]>

/** @throws ConfigError naming every setting that is not a number of 0 or more */
export function checkSettings(where: string, settings: Readonly<Record<string, number>>): void {
  const wrong = Object.entries(settings).filter(([, n]) => !(n >= 0 && n < Number.POSITIVE_INFINITY))
  if (wrong.length)
    throw new ConfigError(
      `${where}: ${wrong.map(([name, n]) => `${name} is ${n}`).join(', ')}; use numbers of 0 or more`,
    )
}

/** Changes parameters by their gradients. */
export abstract class Optimizer {
  readonly parameters: ReadonlyMap<string, Parameter>
  /** How far a step goes; schedules change it. */
  learningRate: number
  /** How many steps there have been. */
  steps = 0
  readonly #slots = new Map<string, Parameter>()

  /** @throws ConfigError if there are no parameters, or the rate is not above 0 */
  protected constructor(parameters: Learned, learningRate: number) {
    this.parameters = new Map(parameters)
    this.learningRate = learningRate
    if (this.parameters.size === 0)
      throw new ConfigError(`${this.constructor.name}: no parameters; pass model.namedParameters()`)
    if (!(learningRate >= 0))
      throw new ConfigError(
        `${this.constructor.name}: learningRate is ${learningRate}; use a number of 0 or more, such as 0.001`,
      )
  }

  /** Changes every parameter that has a gradient. */
  step(): void {
    this.steps++
    noGrad(() => {
      for (const [name, parameter] of this.parameters)
        if (parameter.grad) this.update(name, parameter, parameter.grad)
    })
  }

  /** Forgets all gradients. */
  zeroGrad(): void {
    for (const parameter of this.parameters.values()) parameter.zeroGrad()
  }

  protected abstract update(name: string, parameter: Parameter, gradient: Tensor): void

  /** What this optimiser remembers of a parameter under a name: zeros at first. */
  protected slot(kind: string, name: string, parameter: Parameter): Parameter {
    const key = `${name}.${kind}`
    let slot = this.#slots.get(key)
    if (!slot) {
      slot = new Parameter(zerosLike(parameter), { requiresGrad: false })
      this.#slots.set(key, slot)
    }
    return slot
  }

  /** Whether it remembers something of a parameter yet. */
  protected hasSlot(kind: string, name: string): boolean {
    return this.#slots.has(`${name}.${kind}`)
  }

  /** Everything remembered, by parameter and kind: `encoder.weight.m`. The number of steps is beside it, in `steps`. */
  stateDict(): Record<string, Tensor> {
    return Object.fromEntries([...this.#slots].map(([key, slot]) => [key, slot.detach()]))
  }

  /** Goes on from saved memories. @throws ConfigError if they belong to other parameters */
  loadStateDict(state: Readonly<Record<string, Tensor>>, steps: number): void {
    const found: [name: string, kind: string, value: Tensor][] = Object.entries(state).map(([key, value]) => {
      const at = key.lastIndexOf('.')
      return [key.slice(0, at), key.slice(at + 1), value]
    })
    const strange = found.filter(
      ([name, , value]) => this.parameters.get(name)?.shape.join() !== value.shape.join(),
    )
    if (strange.length)
      throw new ConfigError(
        `${this.constructor.name}: the saved state has ${strange.map(([name, kind]) => `${name}.${kind}`).join(', ')}, which fit no parameter; use the state of the same model`,
      )
    for (const [name, kind, value] of found) {
      const parameter = this.parameters.get(name) as Parameter
      this.slot(kind, name, parameter).assign(value.to(parameter.backend))
    }
    this.steps = steps
  }
}
