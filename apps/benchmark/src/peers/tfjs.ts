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
  const step = version(
    tf,
    Object.fromEntries(
      Object.entries(inputs).map(([name, { data, shape }]) => [
        name,
        tf.tensor(data, shape, data instanceof Float32Array ? 'float32' : 'int32'),
      ]),
    ),
  )
  // Its wasm kernels are done when they return: nothing need be read to wait for them.
  return {
    about: `tfjs ${await shelf.version('@tensorflow/tfjs')}, wasm backend`,
    run: () => tf.dispose(tf.tidy(step)),
    async result() {
      const made = tf.tidy(step) as Record<string, Untyped>
      const values = Object.fromEntries(
        Object.entries(made).map(([name, x]) => [name, { shape: x.shape, data: x.dataSync() }]),
      )
      tf.dispose(made)
      return values
    },
  }
}
