import { cpu } from '@heed/backend-cpu'
import { type Backend, scope, setBackend, type Tensor, tensor } from '@heed/core-tensor'
import type { Engine } from '../participants.ts'
import type { NamedValues } from '../values.ts'
import type { Variant } from '../workload.ts'
import type { Runner } from './runner.ts'

/** Heed's CPU backend. @throws Error if the wide engine is asked for and is not to be had */
export async function heedBackend(threads: number, engine: Engine): Promise<Backend> {
  const backend = await cpu({ threads, wideSimd: engine === 'wide' ? 'on' : 'off' })
  if (engine === 'wide' && !backend.build.includes('wide'))
    throw new Error(`no wide SIMD in Node ${process.versions.node}: the build in use is ${backend.build}`)
  return backend
}

/** Heed on the GPU of the page, ready for one variant: a step has ended when the device has computed it. */
export async function prepareHeedOnGpu(
  variant: Variant,
  inputs: NamedValues,
  mode: 'webgpu' | 'webgl2',
): Promise<Runner> {
  const { gpu } = await import('@heed/backend-gpu') // a chunk of its own, which the CPU's pages never load
  const backend = await gpu({ mode, software: true })
  const runner = prepareHeed(variant, inputs, backend)
  return {
    ...runner,
    async run() {
      await runner.run()
      await backend.sync()
    },
    spent() {
      const { launched, submitted, uploaded = 0, downloaded = 0 } = backend.counts()
      return {
        launches: launched,
        ...(submitted === undefined ? {} : { submissions: submitted }),
        uploaded,
        downloaded,
      }
    },
  }
}

/** Heed, ready for one variant. */
export function prepareHeed(variant: Variant, inputs: NamedValues, backend: Backend): Runner {
  setBackend(backend)
  const step = variant.heed(
    Object.fromEntries(
      Object.entries(inputs).map(([name, { data, shape }]) => [name, tensor(data, { shape })]),
    ),
  )
  return {
    about: `heed, ${backend.build}`,
    run: () =>
      scope(() => {
        const made = step()
        return made instanceof Promise ? made.then(() => {}) : undefined
      }),
    result: () =>
      scope(async () => {
        const made = await step()
        return Object.fromEntries(
          await Promise.all(
            Object.entries(made).map(async ([name, x]) => [name, await valuesOf(x)] as const),
          ),
        )
      }),
  }
}

async function valuesOf(x: Tensor): Promise<NamedValues[string]> {
  const data = await x.data()
  return { shape: x.shape, data: data instanceof Int32Array ? data : Float32Array.from(data) }
}
