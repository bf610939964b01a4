import { type Native, preludeOf } from './natives/index.ts'

/** A kernel of gpu.js as text: what it is told, and the body of a function that yields one element of the result. */
export interface KernelText {
  /** For messages and profiles, and what it is cached by. */
  readonly name: string
  /** Tensors by name, then whole numbers, then others: the order of its arguments. */
  readonly tensors: readonly string[]
  readonly ints: readonly string[]
  readonly floats: readonly string[]
  /**
   * JavaScript as gpu.js understands it; `this.thread.x` is the number of the element. Text and no function, since what bundlers,
   * coverage and minifiers do to functions, gpu.js would read.
   */
  readonly body: string
  /** Functions in the shader's own language that the body calls. */
  readonly natives: readonly Native[]
  /** Their definitions, and those of what they stand on. */
  readonly prelude: { readonly glsl: string; readonly wgsl: string }
}

/** What a kernel is made of, where it has it. */
export type Parts = Partial<Pick<KernelText, 'tensors' | 'ints' | 'floats'>> & Pick<KernelText, 'body'>

/** A kernel's text; the natives are found by their names in the body. */
export function kernelText(name: string, { tensors = [], ints = [], floats = [], body }: Parts): KernelText {
  return { name, tensors, ints, floats, body, ...preludeOf(body) }
}

/**
 * Statements with whole numbers held in variables. gpu.js keeps a whole number as one only in the variable of a loop (any other becomes a
 * float, exact up to 2²⁴ alone), hence loops of one round. What the statements make goes into variables from outside.
 */
export function held(variables: Readonly<Record<string, string>>, body: string): string {
  const names = Object.keys(variables)
  const open = names.map(
    name => `for (let ${name} = 0; ${name} < 1; ${name}++) {\n${name} = ${variables[name]};`,
  )
  const close = names.map(name => `${name} = 1;\n}`).reverse()
  return [...open, body, ...close].join('\n')
}
