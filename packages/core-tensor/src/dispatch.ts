import type { Backend } from './backend.ts'
import type { Attrs, Op } from './op.ts'
import type { Tensor } from './tensor.ts'

/** One way to carry operations out: now, on a tape, with a stopwatch … */
export interface Interpreter {
  /** Carries out one operation; the backend is named where there are no inputs. */
  run<A extends Attrs>(op: Op<A>, inputs: readonly Tensor[], attrs: A, backend?: Backend): readonly Tensor[]
}

let base: Interpreter | undefined
let current: Interpreter | undefined

/** Only where a bundler took the sources and left tensor.ts out. */
const MISSING =
  'apply: nothing here carries operations out; make the first tensor with tensor(), zeros() or uniform()'

/** Carries out an operation: the one way an operation happens. Operations without inputs name their backend. */
export function applyAll<A extends Attrs>(
  op: Op<A>,
  inputs: readonly Tensor[],
  attrs: A,
  backend?: Backend,
): readonly Tensor[] {
  if (!current) throw new Error(MISSING)
  return current.run(op, inputs, attrs, backend)
}

/** {@link applyAll}, for the first (often the only) result. */
export function apply<A extends Attrs>(
  op: Op<A>,
  inputs: readonly Tensor[],
  attrs: A,
  backend?: Backend,
): Tensor {
  return applyAll(op, inputs, attrs, backend)[0] as Tensor
}

/**
 * Runs the body with another interpreter of every operation, which is given the one it replaces. The body may be async.
 *
 * @example
 * const names: string[] = []
 * interpret(next => ({ run: (op, ...rest) => (names.push(op.name), next.run(op, ...rest)) }), () => x.exp().sum())
 */
export function interpret<T>(make: (next: Interpreter) => Interpreter, body: () => T): T {
  const outer = current
  if (!outer) throw new Error(MISSING)
  current = make(outer)
  const restore = (): void => {
    current = outer
  }
  let result: T
  try {
    result = body()
  } catch (error) {
    restore()
    throw error
  }
  if (result instanceof Promise) return result.finally(restore) as T
  restore()
  return result
}

/** @internal Tensor names the interpreter that everything starts with. */
export function setBase(interpreter: Interpreter): void {
  base = interpreter
  current ??= base
}
