import type { MemoryReport } from '@heed/core-tensor'
import type { KernelText } from './text.ts'

/** Where kernels of gpu.js run: textures of WebGL2, or buffers of WebGPU. */
export interface Driver<S> {
  /** For messages. */
  readonly mode: 'webgl2' | 'webgpu'
  /** The most elements that a tensor may have. */
  readonly maxElements: number
  /** Kernels compiled and launched so far, and bytes that went to the device and came back. */
  readonly compiled: number
  readonly launched: number
  readonly uploaded?: number
  readonly downloaded?: number
  /** Room for that many elements, whatever they are. @throws OutOfMemoryError before anything is asked of the device */
  take(elements: number): S
  /** Computes that many elements of `output`; the values are tensors, whole numbers and others, in the kernel's order. */
  run(
    kernel: KernelText,
    elements: number,
    output: S,
    tensors: readonly S[],
    numbers: readonly number[],
  ): void
  write(data: Float32Array): S
  /** Elements from `start` on, once they are computed. */
  read(storage: S, start: number, elements: number): Promise<Float32Array>
  /** The same at once, where the device can. */
  readSync?(storage: S, start: number, elements: number): Float32Array
  free(storage: S): void
  /** Whether nothing is in it, and nothing will be: while kernels are compiled ahead. */
  planned?(storage: S): boolean
  /** Waits until everything asked for so far is computed. */
  sync(): Promise<void>
  memory(): MemoryReport
  close(): void
}
