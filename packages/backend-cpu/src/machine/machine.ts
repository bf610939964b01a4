import type { Args, Kernel, TensorSpec } from '@heed/core-tensor'
import type { Exports } from '../generated/exports.ts'
import type { Heap, Input, Storage } from './heap.ts'

/** What kernels work with: memory, and the WebAssembly that computes in it. */
export interface Machine {
  readonly heap: Heap
  readonly wasm: Exports
}

/** Kernels of one family, by operation name. */
export type Family<Name extends string> = Readonly<Record<Name, Kernel<Storage>>>

/** A kernel with inputs and outputs that may be destructured without doubt: their number was checked by the operation. */
export function kernel<A = object>(
  compute: (inputs: Args<Input>, outputs: Args<TensorSpec>, attrs: A) => Storage[],
): Kernel<Storage, A> {
  return compute as unknown as Kernel<Storage, A>
}
