import { transform } from 'sucrase'

/** A program ready to run: the body of an async function of `require`, `show` and `console`. */
export interface Compiled {
  readonly body: string
}

/**
 * Strips the types and turns imports into calls of `require`, line by line, so that line numbers stay.
 *
 * @throws SyntaxError in the program's own lines
 */
export function compile(source: string): Compiled {
  // A top-level await makes a module; in the body of an async function it is at home.
  const { code } = transform(source, {
    transforms: ['typescript', 'imports'],
    disableESTransforms: true,
    preserveDynamicImport: false,
    production: true,
  })
  return { body: code.replace(/^"use strict";/, '') }
}

/** The line of the program that an error tells of, from 1; undefined if it tells of none. */
export function lineOf(error: unknown, offset: number): number | undefined {
  const { loc, stack = '' } = error as { loc?: { line?: number }; stack?: string }
  if (loc?.line) return loc.line
  const [, found] = /heed-playground\.js:(\d+)/.exec(stack) ?? []
  return found === undefined ? undefined : Math.max(1, Number(found) - offset)
}
