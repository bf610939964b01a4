import { type Backend, ConfigError } from '@heed/core-tensor'
import { findDevice } from './adapter/find.ts'
import type { AdapterInfo } from './adapter/info.ts'
import { GpuUnavailableError } from './errors.ts'
import { rehearse, type Warmable, type WarmupOptions } from './warmup.ts'
import { openWebgpu } from './webgpu/open.ts'

/** How {@link gpu} chooses. */
export interface GpuOptions {
  /** `webgpu`, `webgl2`, or the first of them that there is: `auto`, unless given. */
  readonly mode?: 'auto' | 'webgpu' | 'webgl2'
  /**
   * On WebGPU, hand-written WGSL (`native`, unless given), or gpu.js's kernels, which are slower: to compare the two. WebGL2 has only
   * gpu.js's.
   */
  readonly kernels?: 'native' | 'gpu.js'
  /** Whether an adapter that computes on the CPU will do; false unless given. */
  readonly software?: boolean
  /**
   * Whether kernels in WGSL let threads wait for each other to share what they read: true on hardware, and false where the CPU
   * computes, unless given.
   */
  readonly barriers?: boolean
  /** The most memory to take from the device, in bytes. */
  readonly maxBytes?: number
}

/** What was chosen, and why. */
export interface GpuInfo extends AdapterInfo {
  readonly kernels: 'native' | 'gpu.js'
}

/** What a backend has done since it was made. */
export interface GpuCounts {
  /** Kernels compiled. */
  readonly compiled: number
  /** Kernels launched. */
  readonly launched: number
  /** Times that launches were handed to the device, many at once; absent where each goes alone. */
  readonly submitted?: number
  /** Bytes that went to the device and came back from it. */
  readonly uploaded?: number
  readonly downloaded?: number
}

/** Tensors on a GPU. */
// biome-ignore lint/suspicious/noExplicitAny: only the backend knows what its storage is
export interface GpuBackend extends Backend<any> {
  /** What was chosen, and why. */
  info(): GpuInfo
  /** What has been done so far: the difference between two calls is what a step costs. */
  counts(): GpuCounts
  /** Waits until everything asked for so far is computed. @throws DeviceLostError, OutOfMemoryError, ShaderError if it cannot be */
  sync(): Promise<void>
  /**
   * Compiles ahead every kernel that a model needs for an example: those of `model.loss(example)` and its gradients, or of
   * `model.forward(example)`. Parameters, gradients and saved state stay as they are; random numbers that the model draws are drawn. On
   * WebGPU nothing is computed, and other work goes on meanwhile; WebGL2 runs the model once.
   *
   * @throws ConfigError if the model reads values on its way
   */
  warmup<Example>(model: Warmable<Example>, example: Example, options?: WarmupOptions): Promise<void>
}

/**
 * Tensors in the memory of a GPU, and the kernels to compute with them.
 *
 * Operations return at once; only `data()`, `item()`, `toArray()` and `sync()` wait. All is float32, int32 and bool: no GPU mode has
 * float64.
 *
 * @example
 * setBackend(await gpu())
 *
 * @throws GpuUnavailableError that says what is missing and what to do: never does a CPU pass for a GPU
 */
export async function gpu(options: GpuOptions = {}): Promise<GpuBackend> {
  const { mode = 'auto', kernels = 'native' } = options
  if (!['auto', 'webgpu', 'webgl2'].includes(mode))
    throw new ConfigError(`gpu: mode is ${mode}; use 'auto', 'webgpu' or 'webgl2'`)
  if (!['native', 'gpu.js'].includes(kernels))
    throw new ConfigError(`gpu: kernels is ${kernels}; use 'native' or 'gpu.js'`)
  if (mode === 'webgl2') return onWebgl2(options)
  if (mode === 'webgpu') return onWebgpu(options)
  try {
    return await onWebgpu(options)
  } catch (first) {
    if (!(first instanceof GpuUnavailableError)) throw first
    return onWebgl2(options, first)
  }
}

async function onWebgpu({
  kernels = 'native',
  software = false,
  barriers,
  maxBytes = Number.POSITIVE_INFINITY,
}: GpuOptions): Promise<GpuBackend> {
  const { device, info } = await findDevice(software)
  return openWebgpu(device, { ...info, kernels }, { barriers: barriers ?? !info.software, maxBytes })
}

async function onWebgl2(
  { software = false, maxBytes = Number.POSITIVE_INFINITY }: GpuOptions,
  instead?: GpuUnavailableError,
): Promise<GpuBackend> {
  try {
    const { openWebgl2 } = await import('./gpujs/open.ts')
    const opened = openWebgl2({ software, maxBytes })
    const found = opened.info()
    const reason = instead ? `no WebGPU (${instead.message}); ${found.reason}` : found.reason
    const info: GpuInfo = { ...found, reason, kernels: 'gpu.js' }
    return {
      ...opened,
      info: () => info,
      async warmup(model, example, { onProgress } = {}) {
        const before = opened.counts().compiled
        rehearse(model, example, body => body()) // WebGL2 compiles at the first use, and at once
        await opened.sync()
        const total = opened.counts().compiled - before
        onProgress?.({ done: total, total })
      },
    }
  } catch (second) {
    if (instead && second instanceof GpuUnavailableError)
      throw new GpuUnavailableError(`${instead.message}\n${second.message}`)
    throw second
  }
}
