import { dirname, sep } from 'node:path'
import type { NamedValues } from '../values.ts'
import type { PeerVersion, Untyped } from '../workload.ts'
import { fileOfPeer, loadPeer, versionOfPeer } from './load.ts'
import type { Runner } from './runner.ts'

/** TensorFlow.js with its WebAssembly backend: SIMD, one thread (in Node it has no more). */
export async function loadTfjs(): Promise<Untyped> {
  const tf = await loadPeer('@tensorflow/tfjs')
  const wasm = await loadPeer('@tensorflow/tfjs-backend-wasm')
  wasm.setWasmPaths(dirname(fileOfPeer('@tensorflow/tfjs-backend-wasm')) + sep)
  // It would go on with its JavaScript backend, thirty times slower, without a word.
  if (!(await tf.setBackend('wasm')) || tf.getBackend() !== 'wasm')
    throw new Error('tfjs: the wasm backend did not start')
  await tf.ready()
  return tf
}

export async function prepareTfjs(version: PeerVersion, inputs: NamedValues): Promise<Runner> {
  const tf = await loadTfjs()
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
    about: `tfjs ${versionOfPeer('@tensorflow/tfjs')}, wasm backend`,
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
