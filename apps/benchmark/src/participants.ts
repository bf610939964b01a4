/** Everybody who can be measured beside Heed. */
const onProcessors = ['torch', 'ort-node', 'ort-web', 'jax-js', 'tfjs', 'js-pytorch'] as const
const onGpus = ['tfjs-webgpu', 'tfjs-webgl', 'jax-webgpu', 'ort-webgpu'] as const
export const peerNames: readonly [...typeof onProcessors, ...typeof onGpus] = [...onProcessors, ...onGpus]
export type PeerName = (typeof peerNames)[number]
export type GpuPeer = (typeof onGpus)[number]

/** Where participants compute: in processes of Node (and Python), in pages of Chromium, or on the GPU, told by such pages. */
export const places = ['node', 'chromium', 'gpu'] as const
export type Place = (typeof places)[number]

/**
 * How Heed computes. `stock` is its CPU backend as it comes; `wide` is V8's experimental 256-bit SIMD, which a user must ask for;
 * `webgpu` and `webgl2` are the modes of its GPU backend.
 */
export const engines = ['stock', 'wide', 'webgpu', 'webgl2'] as const
export type Engine = (typeof engines)[number]

/** Whether Heed computes there in that way. */
export function runsIn(engine: Engine, place: Place): boolean {
  return (engine === 'webgpu' || engine === 'webgl2') === (place === 'gpu')
}

/** One process of a cell. */
export type Participant =
  | { readonly kind: 'heed'; readonly engine: Engine }
  | { readonly kind: 'peer'; readonly peer: PeerName }

export function nameOf(participant: Participant): string {
  if (participant.kind === 'peer') return participant.peer
  return participant.engine === 'stock' ? 'heed' : `heed (${participant.engine})`
}

/** Peers that use several threads by themselves: tfjs and jax-js in pages alone, js-pytorch nowhere. */
export function hasThreads(peer: PeerName, place: Place): boolean {
  if (peer === 'tfjs' || peer === 'jax-js') return place === 'chromium'
  return peer !== 'js-pytorch'
}

/** Peers that there are in a place: what is native code does not run in a page, and what is no GPU backend not on a GPU. */
export function livesIn(peer: PeerName, place: Place): boolean {
  if (isGpuPeer(peer)) return place === 'gpu'
  return place === 'node' || (place === 'chromium' && !(peer === 'torch' || peer === 'ort-node'))
}

export function isGpuPeer(peer: PeerName): peer is GpuPeer {
  return (onGpus as readonly PeerName[]).includes(peer)
}

/** The package of a peer from npm. */
export const packageOf: Readonly<Record<Exclude<PeerName, 'torch'>, string>> = {
  'ort-node': 'onnxruntime-node',
  'ort-web': 'onnxruntime-web',
  'jax-js': '@jax-js/jax',
  tfjs: '@tensorflow/tfjs-backend-wasm',
  'js-pytorch': 'js-pytorch',
  'tfjs-webgpu': '@tensorflow/tfjs-backend-webgpu',
  'tfjs-webgl': '@tensorflow/tfjs', // which brings its WebGL backend
  'jax-webgpu': '@jax-js/jax',
  'ort-webgpu': 'onnxruntime-web',
}
