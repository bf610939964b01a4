/** Everybody who can be measured beside Heed. */
export const peerNames = ['torch', 'ort-node', 'ort-web', 'jax-js', 'tfjs', 'js-pytorch'] as const
export type PeerName = (typeof peerNames)[number]

/** `stock` is Heed as it comes; `wide` is V8's experimental 256-bit SIMD, which a user must ask for. */
export const engines = ['stock', 'wide'] as const
export type Engine = (typeof engines)[number]

/** One process of a cell. */
export type Participant =
  | { readonly kind: 'heed'; readonly engine: Engine }
  | { readonly kind: 'peer'; readonly peer: PeerName }

export function nameOf(participant: Participant): string {
  if (participant.kind === 'peer') return participant.peer
  return participant.engine === 'stock' ? 'heed' : 'heed (wide)'
}

/** Peers that use several threads in Node by themselves: tfjs and jax-js do not, js-pytorch never does. */
export function hasThreads(peer: PeerName): boolean {
  return peer === 'torch' || peer === 'ort-node' || peer === 'ort-web'
}

/** The package of a peer from npm. */
export const packageOf: Readonly<Record<Exclude<PeerName, 'torch'>, string>> = {
  'ort-node': 'onnxruntime-node',
  'ort-web': 'onnxruntime-web',
  'jax-js': '@jax-js/jax',
  tfjs: '@tensorflow/tfjs-backend-wasm',
  'js-pytorch': 'js-pytorch',
}
