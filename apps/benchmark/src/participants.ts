/** Everybody who can be measured beside Heed. */
export const peerNames = ['torch', 'ort-node', 'ort-web', 'jax-js', 'tfjs', 'js-pytorch'] as const
export type PeerName = (typeof peerNames)[number]

/** Where participants compute: in processes of Node (and Python), or in pages of Chromium. */
export const places = ['node', 'chromium'] as const
export type Place = (typeof places)[number]

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

/** Peers that use several threads by themselves: tfjs and jax-js in pages alone, js-pytorch nowhere. */
export function hasThreads(peer: PeerName, place: Place): boolean {
  if (peer === 'tfjs' || peer === 'jax-js') return place === 'chromium'
  return peer !== 'js-pytorch'
}

/** Peers that there are in a place: what is native code does not run in a page. */
export function livesIn(peer: PeerName, place: Place): boolean {
  return place === 'node' || !(peer === 'torch' || peer === 'ort-node')
}

/** The package of a peer from npm. */
export const packageOf: Readonly<Record<Exclude<PeerName, 'torch'>, string>> = {
  'ort-node': 'onnxruntime-node',
  'ort-web': 'onnxruntime-web',
  'jax-js': '@jax-js/jax',
  tfjs: '@tensorflow/tfjs-backend-wasm',
  'js-pytorch': 'js-pytorch',
}
