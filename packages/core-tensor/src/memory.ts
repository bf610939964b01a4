import type { Backend, MemoryReport } from './backend.ts'
import { ConfigError } from './errors.ts'

/** One piece of a backend's memory and the number of tensors that look at it. */
export class Block {
  readonly backend: Backend
  readonly storage: unknown
  #holders = 0

  constructor(backend: Backend, storage: unknown) {
    this.backend = backend
    this.storage = storage
  }

  hold(): this {
    this.#holders++
    return this
  }

  letGo(): void {
    if (--this.#holders === 0) this.backend.free(this.storage)
  }
}

/** What a scope needs to know of a tensor. */
export interface Tracked {
  /** Outlives every scope: a parameter, its gradient, what was kept. */
  readonly persistent: boolean
  /** Gives the memory back; `why` completes "… was freed". */
  release(why: string): void
  /** Leaves the memory to the collector. */
  abandon(): void
  /** The tensors whose values the gradient of this one still needs. */
  saved(): Iterable<Tracked>
}

interface Scope {
  readonly made: Tracked[]
  readonly outer: Scope | undefined
  open: boolean
}

let innermost: Scope | undefined

/** @internal Every new tensor passes here once. */
export function track(tensor: Tracked): void {
  if (innermost) innermost.made.push(tensor)
  else tensor.abandon()
}

/**
 * Runs a step and frees every tensor made in it, except what the body returns (a tensor, or an array, map or plain object
 * of them), parameters, gradients, and what was passed to {@link keep}. The body may be async; then scopes that run at
 * the same time must nest.
 *
 * Trainers, evaluation and generation already do this: only a hand-written loop needs it.
 *
 * @example
 * for (const batch of batches) scope(() => { model.loss(batch).backward(); optimizer.step() })
 *
 * @throws ConfigError if async scopes overlap without nesting
 */
export function scope<T>(body: () => T): T {
  const opened: Scope = { made: [], outer: innermost, open: true }
  innermost = opened
  let result: T
  try {
    result = body()
  } catch (error) {
    close(opened, undefined)
    throw error
  }
  if (result instanceof Promise)
    return result.then(
      value => {
        close(opened, value)
        return value
      },
      error => {
        close(opened, undefined)
        throw error
      },
    ) as T
  close(opened, result)
  return result
}

const FREED = 'at the end of its scope; return it from the scope, or pass it to keep()'

function close(closing: Scope, result: unknown): void {
  const nested = innermost === closing
  closing.open = false
  while (innermost && !innermost.open) innermost = innermost.outer
  if (!nested)
    throw new ConfigError(
      'scope: two async scopes overlap, one ended while another that began later was still open; await the first before beginning the second',
    )
  const returned = new Set<Tracked>()
  collect(result, returned, 0)
  const needed = new Set(returned)
  for (const tensor of closing.made) if (tensor.persistent) returned.add(tensor)
  for (const tensor of returned) for (const saved of tensor.saved()) needed.add(saved)
  for (const tensor of closing.made) {
    if (tensor.persistent) continue
    if (needed.has(tensor)) track(tensor)
    else tensor.release(FREED)
  }
}

/** Finds the tensors in a result. */
function collect(value: unknown, into: Set<Tracked>, depth: number): void {
  if (typeof value !== 'object' || value === null || depth > 8) return
  if (isTracked(value)) into.add(value)
  else if (Array.isArray(value)) for (const item of value) collect(item, into, depth + 1)
  else if (value instanceof Map || value instanceof Set)
    for (const item of value.values()) collect(item, into, depth + 1)
  else if (Object.getPrototypeOf(value) === Object.prototype || Object.getPrototypeOf(value) === null)
    for (const item of Object.values(value)) collect(item, into, depth + 1)
}

function isTracked(value: object): value is Tracked {
  return 'saved' in value && 'abandon' in value
}

/** What is left of a tensor for the collector's callback: no reference to the tensor itself. */
export interface Leftover {
  block: Block | null
}

/** The safety net for tensors that no scope and no backward() freed. */
export const collected: FinalizationRegistry<Leftover> = /* @__PURE__ */ new FinalizationRegistry(left => {
  left.block?.letGo()
  left.block = null
})

/** Bytes and pieces of memory that hold tensors of a backend. */
export function memory(backend: Backend): MemoryReport {
  return backend.memory()
}
