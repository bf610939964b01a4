import type { Tensor } from '@heed/core-tensor'
import type { Case } from '../cases.ts'

/** Reads a case's attributes (call arguments) as the types that Heed's calls take. */
export function attributes(c: Case): Settings {
  return new Settings(c.id, c.attributes)
}

/** Reads a case's constructor arguments. */
export function constructed(c: Case): Settings {
  return new Settings(c.id, c.constructor)
}

class Settings {
  readonly #id: string
  readonly #values: Readonly<Record<string, unknown>>

  constructor(id: string, values: Readonly<Record<string, unknown>>) {
    this.#id = id
    this.#values = values
  }

  number(name: string, missing?: number): number {
    const value = this.#values[name] ?? missing
    if (value === 'Infinity' || value === 'inf') return Number.POSITIVE_INFINITY
    if (value === '-Infinity' || value === '-inf') return Number.NEGATIVE_INFINITY
    if (typeof value !== 'number')
      throw new Error(`${this.#id}: ${name} is ${JSON.stringify(value)}, wanted a number`)
    return value
  }

  flag(name: string, missing = false): boolean {
    return Boolean(this.#values[name] ?? missing)
  }

  word<W extends string>(name: string, missing?: W): W {
    const value = this.#values[name] ?? missing
    if (typeof value !== 'string')
      throw new Error(`${this.#id}: ${name} is ${JSON.stringify(value)}, wanted a word`)
    return value as W
  }

  numbers(name: string): number[] {
    return this.#values[name] as number[]
  }

  /** One axis, several, or undefined for all. */
  axes(name = 'dim'): number | number[] | undefined {
    return (this.#values[name] ?? undefined) as number | number[] | undefined
  }

  has(name: string): boolean {
    return this.#values[name] !== undefined && this.#values[name] !== null
  }

  raw(name: string): unknown {
    return this.#values[name]
  }
}

/** An input, a parameter or a buffer by name. */
export function given(c: Case, name: string): Tensor {
  const found = c.inputs[name] ?? c.params[name] ?? c.buffers[name]
  if (!found) throw new Error(`${c.id}: the case has no tensor ${name}`)
  return found
}
