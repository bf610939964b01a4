import { type Backend, ConfigError, Parameter, type Tensor, zerosLike } from '@heed/core-tensor'

/** One tensor of a state dictionary: a parameter, or several that PyTorch packs into one, along the first axis. */
export type StateEntry = Parameter | readonly Parameter[]

/** How strictly {@link Module.loadStateDict} loads. */
export interface LoadOptions {
  /** Whether names that are missing or too many are an error (they are, unless this is false). */
  readonly strict?: boolean
}

/**
 * A part of a model: it holds parameters and other modules in its fields, and finds them by walking these and the arrays
 * in them. What stands in a `#private` field, a plain object or a map is not found: it would neither learn nor be saved.
 *
 * @example
 * class Gate extends Module {
 *   readonly inner = new Linear(8, 8)
 *   forward(x: Tensor): Tensor { return this.inner.forward(x).sigmoid().mul(x) }
 * }
 */
export abstract class Module {
  #training = true

  /** Subclasses give the real signature. */
  abstract forward(...inputs: never[]): unknown

  /** Whether it is learning: dropout drops, running averages run. */
  get training(): boolean {
    return this.#training
  }

  /** Switches this module and all inside to learning. */
  train(): this {
    for (const [, module] of this.namedModules()) module.#training = true
    return this
  }

  /** Switches this module and all inside to use. */
  eval(): this {
    for (const [, module] of this.namedModules()) module.#training = false
    return this
  }

  /** This module and all inside, each with its path: `encoder.layers.0`; its own is `''`. */
  *namedModules(prefix = ''): Iterable<[path: string, module: Module]> {
    yield [prefix, this]
    for (const [name, value] of members(this))
      if (value instanceof Module) yield* value.namedModules(join(prefix, name))
  }

  /** Every parameter once, with the path of its field: `encoder.layers.0.weight`. */
  *namedParameters(): Iterable<[path: string, parameter: Parameter]> {
    const seen = new Set<Parameter>()
    for (const [path, module] of this.namedModules())
      for (const [name, value] of members(module))
        if (value instanceof Parameter && value.requiresGrad && !seen.has(value)) {
          seen.add(value)
          yield [join(path, name), value]
        }
  }

  /** Every parameter that is learned, once. */
  parameters(): Parameter[] {
    return [...this.namedParameters()].map(([, parameter]) => parameter)
  }

  /** Forgets all gradients. */
  zeroGrad(): void {
    for (const parameter of this.parameters()) parameter.zeroGrad()
  }

  /**
   * This module's own entries of the state dictionary, without the modules inside: its fields, unless PyTorch has the
   * layer under other names.
   */
  protected state(): Record<string, StateEntry> {
    return Object.fromEntries(
      members(this).filter((member): member is [string, Parameter] => member[1] instanceof Parameter),
    )
  }

  /** Every tensor that is saved, by PyTorch's name where PyTorch has the layer. The tensors share the parameters' memory, unless packed. */
  stateDict(): Record<string, Tensor> {
    return Object.fromEntries(
      [...this.#entries()].map(([name, entry]) => [name, packed(entry, p => p.detach())]),
    )
  }

  /** The gradient of every saved tensor, under the names of {@link stateDict}; zeros where none came. */
  gradients(): Record<string, Tensor> {
    return Object.fromEntries(
      [...this.#entries()].map(([name, entry]) => [name, packed(entry, p => p.grad ?? zerosLike(p))]),
    )
  }

  /**
   * Takes over saved tensors.
   *
   * @throws ConfigError listing everything that is missing, unexpected or of another shape; then nothing has changed
   */
  loadStateDict(state: Readonly<Record<string, Tensor>>, { strict = true }: LoadOptions = {}): void {
    const entries = new Map(this.#entries())
    const problems: string[] = []
    for (const [name, entry] of entries) {
      const saved = Object.hasOwn(state, name) ? state[name] : undefined
      const want = packedShape(entry)
      if (!saved) strict && problems.push(`missing ${name}`)
      else if (saved.shape.join() !== want.join())
        problems.push(`${name} is [${want.join(', ')}], the file has [${saved.shape.join(', ')}]`)
    }
    if (strict)
      for (const name of Object.keys(state)) if (!entries.has(name)) problems.push(`unexpected ${name}`)
    if (problems.length)
      throw new ConfigError(
        `loadStateDict: ${problems.join('; ')}; use the weights of a model of the same configuration`,
      )
    for (const [name, entry] of entries) {
      const saved = state[name]
      if (saved) unpack(saved, entry)
    }
  }

  /** The name of a module inside, in the state dictionary: its field's (`layers.0`), unless PyTorch has another. */
  protected stateName(field: string): string {
    return field
  }

  *#entries(prefix = ''): Iterable<[name: string, entry: StateEntry]> {
    for (const [name, entry] of Object.entries(this.state())) yield [join(prefix, name), entry]
    for (const [field, value] of members(this))
      if (value instanceof Module) yield* value.#entries(join(prefix, this.stateName(field)))
  }

  /** Moves every parameter to another backend. */
  to(backend: Backend): this {
    for (const [, module] of this.namedModules())
      for (const [name, value] of Object.entries(module))
        if (value instanceof Parameter && value.backend !== backend) {
          const moved = new Parameter(value.to(backend), { requiresGrad: value.requiresGrad })
          Object.assign(module, { [name]: moved }) // fields are read-only for everybody else
        }
    return this
  }

  /** The tree of modules, with shapes and numbers of parameters. */
  toString(): string {
    return describe(this, '', '')
  }
}

/** The fields of a module, lists spread out: `layers.0`, `layers.1`. */
function members(module: Module): [name: string, value: unknown][] {
  return Object.entries(module).flatMap(([name, value]): [string, unknown][] =>
    Array.isArray(value) ? value.map((item, i) => [`${name}.${i}`, item]) : [[name, value]],
  )
}

function join(prefix: string, name: string): string {
  return prefix ? `${prefix}.${name}` : name
}

function isPacked(entry: StateEntry): entry is readonly Parameter[] {
  return Array.isArray(entry)
}

function packed(entry: StateEntry, of: (parameter: Parameter) => Tensor): Tensor {
  if (!isPacked(entry)) return of(entry)
  const [first, ...rest] = entry.map(of)
  return (first as Tensor).concat(rest, 0)
}

function packedShape(entry: StateEntry): readonly number[] {
  if (!isPacked(entry)) return entry.shape
  const [first] = entry as readonly [Parameter]
  return [entry.reduce((rows, p) => rows + (p.shape[0] as number), 0), ...first.shape.slice(1)]
}

function unpack(saved: Tensor, entry: StateEntry): void {
  if (!isPacked(entry)) {
    entry.assign(saved.to(entry.backend).cast(entry.dtype))
    return
  }
  let start = 0
  for (const parameter of entry) {
    const stop = start + (parameter.shape[0] as number)
    parameter.assign(saved.slice([{ start, stop }]).to(parameter.backend).cast(parameter.dtype))
    start = stop
  }
}

function count(module: Module): number {
  return module.parameters().reduce((sum, p) => sum + p.size, 0)
}

function describe(module: Module, name: string, indent: string): string {
  const own = members(module).flatMap(([field, value]) =>
    value instanceof Parameter ? [`${field} [${value.shape.join(', ')}]`] : [],
  )
  const head = `${indent}${name ? `${name}: ` : ''}${module.constructor.name}${own.length ? ` (${own.join(', ')})` : ''} ${count(module).toLocaleString('en')}`
  const inner = members(module).flatMap(([field, value]) =>
    value instanceof Module ? [describe(value, field, `${indent}  `)] : [],
  )
  return [head, ...inner].join('\n')
}
