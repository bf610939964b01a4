import type { NamedValues } from '../values.ts'
import type { PeerVersion, Untyped } from '../workload.ts'
import { loadPeer, versionOfPeer } from './load.ts'
import type { Runner } from './runner.ts'

/** jax-js with its WebAssembly device: one thread (in Node it finds no `Worker`). */
export async function loadJax(): Promise<Untyped> {
  const jax = await loadPeer('@jax-js/jax')
  await jax.init('wasm')
  jax.defaultDevice('wasm')
  return jax
}

/** Versions hand out new references (`.ref`) of their inputs at each step: an array that is used is used up. */
export async function prepareJax(version: PeerVersion, inputs: NamedValues): Promise<Runner> {
  const jax = await loadJax()
  const { numpy: np, blockUntilReady, tree } = jax
  const step = version(
    jax,
    Object.fromEntries(
      Object.entries(inputs).map(([name, { data, shape }]) => {
        const dtype = data instanceof Float32Array ? np.float32 : np.int32
        return [name, np.array(data, { dtype }).reshape([...shape])]
      }),
    ),
  )
  return {
    about: `jax-js ${versionOfPeer('@jax-js/jax')}, wasm device`,
    async run() {
      const made = await step()
      await blockUntilReady(made)
      tree.dispose(made)
    },
    async result() {
      const made = await step()
      const values: [string, NamedValues[string]][] = []
      for (const [name, x] of Object.entries(made))
        values.push([name, { shape: x.shape, data: await x.data() }])
      return Object.fromEntries(values)
    },
  }
}
