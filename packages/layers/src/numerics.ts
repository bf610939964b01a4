import { type Interpreter, interpret, isFloat, type Tensor } from '@heed/core-tensor'
import type { Module } from './module.ts'

/** An operation yielded NaN or infinity. */
export class NumericsError extends Error {
  override readonly name: string = 'NumericsError'
  /** The operation's name. */
  readonly op: string
  /** The path of the module it ran in; `''` for the model itself. */
  readonly path: string

  constructor(message: string, op: string, path: string) {
    super(message)
    this.op = op
    this.path = path
  }
}

export interface CheckNumericsOptions {
  /** Whether infinities count as well as NaN. */
  readonly infinity?: boolean
}

/**
 * Runs the body and stops at the first operation that yields NaN or infinity from numbers that are neither, naming it and
 * the module it ran in; `backward()` inside the body is watched as well. Slow: every result is read.
 *
 * @example
 * checkNumerics(model, () => model.loss(batch).backward())
 * @throws NumericsError naming operation, module path and shapes
 */
export function checkNumerics<T>(
  model: Module,
  body: () => T,
  { infinity = true }: CheckNumericsOptions = {},
): T {
  const open: string[] = []
  const restore = [...model.namedModules()].map(([path, module]) => follow(module, path, open))
  const strange = (x: Tensor): number | undefined =>
    isFloat(x.dtype)
      ? x.dataSync().find((v: number) => Number.isNaN(v) || (infinity && !Number.isFinite(v)))
      : undefined
  const watch = (next: Interpreter): Interpreter => ({
    run(op, inputs, attrs, backend) {
      const outputs = next.run(op, inputs, attrs, backend)
      for (const y of outputs) {
        const found = y.size ? strange(y) : undefined
        if (found === undefined || inputs.some(x => x.size > 0 && strange(x) !== undefined)) continue
        const path = open.at(-1) ?? ''
        const shapes = inputs.map(x => `[${x.shape.join(', ')}]`).join(', ')
        throw new NumericsError(
          `checkNumerics: ${op.name} of ${shapes} yields ${found} in ${path || 'the model'}; look at what enters it`,
          op.name,
          path,
        )
      }
      return outputs
    },
  })
  try {
    return interpret(watch, body)
  } finally {
    for (const undo of restore) undo()
  }
}

/** Notes which module is running, while its forward runs. */
function follow(module: Module, path: string, open: string[]): () => void {
  const forward = module.forward
  Object.defineProperty(module, 'forward', {
    configurable: true,
    value(this: Module, ...inputs: never[]) {
      open.push(path)
      try {
        return forward.apply(this, inputs)
      } finally {
        open.pop()
      }
    },
  })
  return () => {
    Reflect.deleteProperty(module, 'forward')
  }
}
