import type { Layout, TensorSpec } from './shape.ts'
import type { Tensor } from './tensor.ts'

/** The settings of one use of an operation: plain data. */
export type Attrs = object
/** An operation without settings. */
export type NoAttrs = Record<never, never>

/** A list that may be destructured without doubt. Keeps rules free of `!`. */
export type Args<T> = readonly [T, T, T, T, T, T, ...T[]]

/** Everything the library knows of one operation, except how to compute it fast. */
export interface Op<A extends Attrs = NoAttrs> {
  /** Also the kernel's name in every backend. */
  readonly name: string
  /** The results' shapes and types. The place, and the only place, where inputs are checked. @throws ShapeError, DTypeError */
  readonly infer: (inputs: Args<TensorSpec>, attrs: A) => readonly TensorSpec[]
  /** One gradient per input, `null` where none flows; a stretched input gets the stretched gradient, summed back later. */
  readonly grad?: (tape: Tape<A>) => readonly (Tensor | null)[]
  /** Which values `grad` looks at (shapes may always be looked at); the others may be released before it runs. */
  readonly saves?: 'inputs' | 'outputs' | 'both' | 'neither'
  /** The operation through others: used where a backend has no kernel, and by tests beside the kernel. */
  readonly compose?: (inputs: Args<Tensor>, attrs: A) => readonly Tensor[]
  /**
   * The operation that `grad` is made of, where that one has neither a gradient nor a composition: gradients of gradients,
   * and backends without its kernel, go through `compose`.
   */
  readonly gradOp?: string
  /** Whether gradients come from running `compose` once more, in place of `grad`: less memory, more time. */
  readonly recompute?: boolean
  /** Each result is another way to read the first input's memory; such an operation has no kernel. */
  readonly view?: (input: Layout, attrs: A) => readonly Layout[]
}

/** What a gradient rule is given. */
export interface Tape<A extends Attrs> {
  /** The gradient of each output; zeros where none came. */
  readonly grads: Args<Tensor>
  readonly inputs: Args<Tensor>
  readonly outputs: Args<Tensor>
  readonly attrs: A
  /** Which inputs need a gradient at all: costly rules may leave the others out (as `null`). */
  readonly needs: Args<boolean>
}
