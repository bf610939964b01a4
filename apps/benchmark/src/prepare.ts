import type { Engine, PeerName } from './participants.ts'
import { heedBackend, prepareHeed, prepareHeedOnGpu } from './peers/heed.ts'
import { prepareJax } from './peers/jax.ts'
import { prepareJsPytorch } from './peers/jsPytorch.ts'
import { prepareOrt } from './peers/ort.ts'
import type { Runner } from './peers/runner.ts'
import type { Shelf } from './peers/shelf.ts'
import { prepareTfjs, prepareTfjsOnGpu } from './peers/tfjs.ts'
import type { ChildSpec } from './protocol.ts'
import type { NamedValues } from './values.ts'
import type { Variant } from './workload.ts'
import { findVariant } from './workloads/index.ts'

/** What is prepared, wherever it is. */
export type Wanted = Pick<ChildSpec, 'peer' | 'engine' | 'workload' | 'variant' | 'threads'>

/** A library with a variant prepared, in Node and in pages alike. @throws Error if it has no version of it, or does not start */
export async function prepare(wanted: Wanted, inputs: NamedValues, shelf: Shelf): Promise<Runner> {
  const variant = findVariant(wanted.workload, wanted.variant)
  if (wanted.peer !== 'heed') return await preparePeer(wanted.peer, variant, inputs, wanted.threads, shelf)
  const engine = wanted.engine as Engine // every Heed has one
  return engine === 'webgpu' || engine === 'webgl2'
    ? await prepareHeedOnGpu(variant, inputs, engine)
    : prepareHeed(variant, inputs, await heedBackend(wanted.threads, engine))
}

async function preparePeer(
  peer: PeerName,
  { peers }: Variant,
  inputs: NamedValues,
  threads: number,
  shelf: Shelf,
): Promise<Runner> {
  if (peer === 'tfjs' && peers.tfjs) return await prepareTfjs(shelf, peers.tfjs, inputs, threads)
  if (peer === 'tfjs-webgpu' && peers.tfjs) return await prepareTfjsOnGpu(shelf, 'webgpu', peers.tfjs, inputs)
  if (peer === 'tfjs-webgl' && peers.tfjs) return await prepareTfjsOnGpu(shelf, 'webgl', peers.tfjs, inputs)
  if (peer === 'jax-webgpu' && peers.jax) return await prepareJax(shelf, peers.jax, inputs, 'webgpu')
  if (peer === 'jax-js' && peers.jax) return await prepareJax(shelf, peers.jax, inputs)
  if (peer === 'js-pytorch' && peers.jsPytorch) return await prepareJsPytorch(shelf, peers.jsPytorch, inputs)
  if ((peer === 'ort-node' || peer === 'ort-web' || peer === 'ort-webgpu') && peers.ort)
    return await prepareOrt(shelf, peer, peers.ort, inputs, threads)
  throw new Error(`${peer} has no version of this variant`)
}
