import type { NamedValues } from '../values.ts'
import type { PeerVersion, Untyped } from '../workload.ts'
import type { Runner } from './runner.ts'
import type { Shelf } from './shelf.ts'

/**
 * jax-js with its WebAssembly device (one thread in Node, where it finds no `Worker`; in a page as many as `navigator` tells), or with
 * WebGPU.
 *
 * @throws Error if it does not start with that device
 */
export async function loadJax(shelf: Shelf, device: 'wasm' | 'webgpu' = 'wasm'): Promise<Untyped> {
  const jax = await shelf.load('@jax-js/jax')
  const there = await jax.init(device)
  if (!there.includes(device)) throw new Error(`jax-js: its ${device} device did not start`)
  jax.defaultDevice(device)
  return jax
}

/** Versions hand out new references (`.ref`) of their inputs at each step: an array that is used is used up. */
export async function prepareJax(
  shelf: Shelf,
  version: PeerVersion,
  inputs: NamedValues,
  device: 'wasm' | 'webgpu' = 'wasm',
): Promise<Runner> {
  const jax = await loadJax(shelf, device)
  const { numpy: np, blockUntilReady, tree } = jax
  const queue = device === 'webgpu' ? jax.getWebGPUDevice().queue : undefined
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
    about: `jax-js ${await shelf.version('@jax-js/jax')}, ${device} device`,
    async run() {
      const made = await step()
      await blockUntilReady(made)
      tree.dispose(made)
      await queue?.onSubmittedWorkDone()
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
