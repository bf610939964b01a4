import type { TensorSpec, TypedArray } from './shape.ts'

/** A tensor as a kernel sees it. A Tensor is one, structurally. */
export interface Operand<S> extends TensorSpec {
  /** The memory that it looks at. */
  readonly storage: S
  /** In elements, from the start of the storage. */
  readonly offset: number
  /** In elements. Row-major without gaps, unless the kernel is in the backend's `strided`. */
  readonly strides: readonly number[]
}

/**
 * Computes one operation: new storage for each output, row-major from its start.
 *
 * The attributes' type depends on the operation, which a table cannot say: each kernel states the one it takes.
 */
// biome-ignore lint/suspicious/noExplicitAny: see above
export type Kernel<S, A = any> = (
  inputs: readonly Operand<S>[],
  outputs: readonly TensorSpec[],
  attrs: A,
) => S[]

/** The operations on one number, element by element. */
export type UnaryName =
  | 'neg'
  | 'abs'
  | 'sign'
  | 'floor'
  | 'ceil'
  | 'round'
  | 'exp'
  | 'expm1'
  | 'log'
  | 'log1p'
  | 'sqrt'
  | 'sin'
  | 'cos'
  | 'tanh'
  | 'sigmoid'
  | 'erf'

/** The operations on two numbers, element by element. */
export type BinaryName =
  | 'add'
  | 'sub'
  | 'mul'
  | 'div'
  | 'pow'
  | 'maximum'
  | 'minimum'
  | 'equal'
  | 'less'
  | 'lessEqual'

/** The operations that every backend computes; all others can be composed of these. */
export type PrimitiveName =
  | 'full'
  | 'arange'
  | 'random'
  | 'copy'
  | 'place'
  | 'concat'
  | 'cast'
  | UnaryName
  | BinaryName
  | 'where'
  | 'sum'
  | 'prod'
  | 'max'
  | 'min'
  | 'argmax'
  | 'argmin'
  | 'cumsum'
  | 'cumprod'
  | 'sort'
  | 'matmul'
  | 'gather'
  | 'scatterAdd'
  | 'take'
  | 'scatterRows'

/** A forgotten primitive is a type error; fused operations and users' own may be added or left to their composition. */
export type Kernels<S> = Readonly<Record<PrimitiveName, Kernel<S>>> &
  Readonly<Partial<Record<string, Kernel<S>>>>

/** Memory in use. */
export interface MemoryReport {
  /** Bytes that hold tensors now. */
  readonly bytes: number
  /** Pieces of memory that hold tensors now. */
  readonly count: number
  /** Bytes taken from the system, in use or pooled. */
  readonly reserved: number
}

/**
 * Where tensors live and how operations are computed. A value: no registry, no import side effects.
 *
 * Only the backend itself knows what its storage is, hence `any` for everybody else.
 */
// biome-ignore lint/suspicious/noExplicitAny: see above
export interface Backend<S = any> {
  /** What it is called in messages and tables: `cpu`. */
  readonly name: string
  /** The build, threads and engine that decide the exact bits, for the record of a run. */
  readonly build: string
  /** How each operation is computed. */
  readonly kernels: Kernels<S>
  /** Kernels that read operands of any strides; all others are handed row-major ones. */
  readonly strided: ReadonlySet<string>
  /** Memory of its own with the elements in row-major order. */
  write(data: TypedArray, spec: TensorSpec): S
  /** A copy of the elements, once they are computed. */
  read(operand: Operand<S>): Promise<TypedArray>
  /** The same at once, where the device can. */
  readSync?(operand: Operand<S>): TypedArray
  /** Takes storage back; after {@link dispose} there is nothing left to do. */
  free(storage: S): void
  /** Memory in use now. */
  memory(): MemoryReport
  /** Gives everything back (workers, device); the backend cannot be used afterwards. */
  dispose(): void
}
