import { differentiating, type Interpreter, interpret, isFloat, type Tensor } from '@heed/core-tensor'
import type { Module } from './module.ts'

/** An operation, or its gradient, yielded NaN or infinity. */
export class NumericsError extends Error {
  override readonly name: string = 'NumericsError'
  /** The operation's name. */
  readonly op: string
  /** The path of the module it ran in; `''` for the model itself. */
  readonly path: string
  /** Whether it was on the way back: the gradient of `op`. */
  readonly backward: boolean

  constructor(message: string, op: string, path: string, backward: boolean) {
    super(message)
    this.op = op
    this.path = path
    this.backward = backward
  }
}

/** What {@link checkNumerics} looks for. */
export interface CheckNumericsOptions {
  /** Whether infinities count as well as NaN. */
  readonly infinity?: boolean
}

/**
 * Runs the body and stops at the first operation that yields NaN or infinity from numbers that are neither, naming it and
 * the module it ran in; so does `backward()` inside the body, with the operation whose gradient it was. Infinities that were
 * asked for (padding with −∞) are no fault. Slow: every result is read. The body may be async.
 *
 * @example
 * checkNumerics(model, () => model.loss(batch).backward())
 * @throws NumericsError naming operation, module path and shapes; BackendError where the backend cannot read at once
 */
export function checkNumerics<T>(
  model: Module,
  body: () => T,
  { infinity = true }: CheckNumericsOptions = {},
): T {
  const open: string[] = []
  const paths = new WeakMap<Tensor, string>()
  const undo = [...model.namedModules()].map(([path, module]) => follow(module, path, open))
  const restore = (): void => {
    for (const back of undo) back()
  }
  let reading = false // which may itself copy: an operation not to be looked at
  const strange = (x: Tensor): number | undefined => {
    if (!isFloat(x.dtype) || x.size === 0) return undefined
    reading = true
    try {
      return x.dataSync().find((v: number) => Number.isNaN(v) || (infinity && !Number.isFinite(v)))
    } finally {
      reading = false
    }
  }
  const watch = (next: Interpreter): Interpreter => ({
    run(op, inputs, attrs, backend) {
      const outputs = next.run(op, inputs, attrs, backend)
      if (reading) return outputs
      const back = differentiating()
      const path = open.at(-1) ?? (back && paths.get(back.outputs[0] as Tensor)) ?? ''
      for (const y of outputs) {
        paths.set(y, path)
        const found = strange(y)
        if (found === undefined || asked(attrs) || inputs.some(x => strange(x) !== undefined)) continue
        const what = `${op.name} of ${shapes(inputs)}`
        throw new NumericsError(
          `checkNumerics: ${back ? `the gradient of ${back.op.name} of ${shapes(back.inputs)} (${what})` : what} yields ${found} in ${path || 'the model'}; look at what enters it`,
          back?.op.name ?? op.name,
          path,
          back !== undefined,
        )
      }
      return outputs
    },
  })
  let result: T
  try {
    result = interpret(watch, body)
  } catch (error) {
    restore()
    throw error
  }
  if (result instanceof Promise) return result.finally(restore) as T
  restore()
  return result
}

/** Whether a setting of the operation is NaN or infinite itself. */
function asked(attrs: object): boolean {
  return Object.values(attrs).some(value => typeof value === 'number' && !Number.isFinite(value))
}

function shapes(tensors: readonly Tensor[]): string {
  return tensors.map(x => `[${x.shape.join(', ')}]`).join(', ')
}

/** Notes which module is running, while its forward runs. */
function follow(module: Module, path: string, open: string[]): () => void {
  const forward = module.forward
  Object.defineProperty(module, 'forward', {
    configurable: true,
    value(this: Module, ...inputs: never[]) {
      open.push(path)
      let result: unknown
      try {
        result = forward.apply(this, inputs)
      } catch (error) {
        open.pop()
        throw error
      }
      if (result instanceof Promise) return result.finally(() => open.pop())
      open.pop()
      return result
    },
  })
  return () => {
    Reflect.deleteProperty(module, 'forward')
  }
}
