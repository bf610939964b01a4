import type { NamedValues } from '../values.ts'
import type { PeerVersion, Untyped } from '../workload.ts'
import type { Runner } from './runner.ts'
import type { Shelf } from './shelf.ts'

/**
 * TensorFlow.js with its WebAssembly backend: SIMD, one thread (in Node it has no more).
 *
 * @throws Error if it does not start, or with fewer threads than it was asked for
 */
export async function loadTfjs(shelf: Shelf, threads = 1): Promise<Untyped> {
  const tf = await shelf.load('@tensorflow/tfjs')
  const wasm = await shelf.load('@tensorflow/tfjs-backend-wasm')
  wasm.setWasmPaths(shelf.files('@tensorflow/tfjs-backend-wasm'))
  if (threads === 1) tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false)
  else wasm.setThreadsCount(threads)
  // It would go on with its JavaScript backend, thirty times slower, without a word.
  if (!(await tf.setBackend('wasm')) || tf.getBackend() !== 'wasm')
    throw new Error('tfjs: the wasm backend did not start')
  await tf.ready()
  if (threads > 1 && wasm.getThreadsCount() !== threads)
    throw new Error(`tfjs: was asked for ${threads} threads and uses ${wasm.getThreadsCount()}`)
  return tf
}

export async function prepareTfjs(
  shelf: Shelf,
  version: PeerVersion,
  inputs: NamedValues,
  threads: number,
): Promise<Runner> {
  const tf = await loadTfjs(shelf, threads)
  // Its wasm kernels are done when they return: nothing need be read to wait for them.
  return runnerOf(tf, version, inputs, `tfjs ${await shelf.version('@tensorflow/tfjs')}, wasm backend`)
}

/** The same on the GPU of the page: a step has ended when the device has computed it. @throws Error if that backend does not start */
export async function prepareTfjsOnGpu(
  shelf: Shelf,
  mode: 'webgpu' | 'webgl',
  version: PeerVersion,
  inputs: NamedValues,
): Promise<Runner> {
  const tf = await shelf.load('@tensorflow/tfjs')
  if (mode === 'webgpu') await shelf.load('@tensorflow/tfjs-backend-webgpu')
  if (!(await tf.setBackend(mode)) || tf.getBackend() !== mode)
    throw new Error(`tfjs: the ${mode} backend did not start`)
  await tf.ready()
  const backend = tf.backend()
  const done = async (): Promise<void> => {
    if (mode === 'webgl') return await backend.gpgpu.createAndWaitForFence()
    backend.ensureCommandEncoderReady()
    backend.endComputePassEncoder()
    backend.submitQueue()
    await backend.queue.onSubmittedWorkDone()
  }
  const about = `tfjs ${await shelf.version('@tensorflow/tfjs')}, ${mode} backend`
  return runnerOf(tf, version, inputs, about, done)
}

/** @param done waits until everything is computed, where it is not when a step returns */
function runnerOf(
  tf: Untyped,
  version: PeerVersion,
  inputs: NamedValues,
  about: string,
  done?: () => Promise<void>,
): Runner {
  const step = version(
    tf,
    Object.fromEntries(
      Object.entries(inputs).map(([name, { data, shape }]) => [
        name,
        tf.tensor(data, shape, data instanceof Float32Array ? 'float32' : 'int32'),
      ]),
    ),
  )
  /** Does a step, and lets go of all that it made on its way: `tidy` takes no steps that wait. */
  const tidied = (): Untyped => {
    tf.engine().startScope()
    const end = (made: Untyped): Untyped => {
      tf.engine().endScope(made)
      return made
    }
    const made = step()
    return made instanceof Promise ? made.then(end) : end(made)
  }
  return {
    about,
    run() {
      const made = tidied()
      if (!done && !(made instanceof Promise)) return tf.dispose(made)
      return (async () => {
        tf.dispose(await made)
        await done?.()
      })()
    },
    async result() {
      const made = (await tidied()) as Record<string, Untyped>
      const values: [string, NamedValues[string]][] = []
      for (const [name, x] of Object.entries(made))
        values.push([name, { shape: x.shape, data: await x.data() }])
      tf.dispose(made)
      return Object.fromEntries(values)
    },
  }
}
