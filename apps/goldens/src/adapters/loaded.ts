import type { Module } from '@heed/layers'
import type { Case } from '../cases.ts'

/** A module that holds the case's parameters, and its names for theirs. */
export interface Loaded<M extends Module> {
  readonly module: M
  readonly rename: (name: string) => string
}

/** Gives a module the case's parameters; `names` says what the module calls those it names otherwise. */
export function loaded<M extends Module>(
  c: Case,
  module: M,
  names: Readonly<Record<string, string>> = {},
): Loaded<M> {
  const rename = (name: string): string => names[name] ?? name
  module.loadStateDict(
    Object.fromEntries(Object.entries(c.params).map(([name, x]) => [rename(name), x.detach()])),
  )
  return { module, rename }
}
