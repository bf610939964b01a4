import { type Backend, erf, expm1, log1p, type Tensor, tensor } from '@heed/core-tensor'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { cpu } from '../src/index.ts'
import { type Draw, type Work, workOn } from './bits.ts'
import { shared } from './work.ts'

/** Every 65,521st pattern of bits: numbers of all sizes and both signs, and the special ones but NaN. */
function sweep({ backend }: Draw): Tensor {
  const words = Int32Array.from({ length: 65_550 }, (_, i) => i * 65_521)
  const numbers = new Float32Array(words.buffer).filter(x => !Number.isNaN(x))
  const special = [0, -0, 1, -1, 2 ** -149, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  return tensor(Float32Array.of(...special, ...numbers), { backend })
}

/** The results that are numbers. */
function known(y: Tensor): Tensor[] {
  return [y.where(y.equal(y), 0)]
}

const functions: Readonly<Record<string, Work>> = {
  exp: d => known(sweep(d).exp()),
  expm1: d => known(expm1(sweep(d))),
  log: d => known(sweep(d).log()),
  log1p: d => known(log1p(sweep(d))),
  sin: d => known(sweep(d).sin()),
  cos: d => known(sweep(d).cos()),
  tanh: d => known(sweep(d).tanh()),
  sigmoid: d => known(sweep(d).sigmoid()),
  erf: d => known(erf(sweep(d))),
  sqrt: d => known(sweep(d).sqrt()),
  pow: d => [1.7, -0.3, 2, 33].flatMap(exponent => known(sweep(d).pow(exponent))),
  'pow of two': d => [d.uniform(1009).mul(8).pow(d.normal(1009).mul(5))],
}

/**
 * The same in Node 20, Node 24 and Chromium 156, on one and more threads. A change of these words changes what every user of
 * `deterministic` gets: it belongs into the changelog.
 */
const bits: Readonly<Record<string, string>> = {
  exp: '8a988cb0',
  expm1: '9876ac98',
  log: 'a033b7e2',
  log1p: 'a0029f22',
  sin: '30649aa9',
  cos: '21cc12b7',
  tanh: 'f138eb43',
  sigmoid: '4d58045b',
  erf: '4e9b9751',
  sqrt: 'e2cc8fe9',
  pow: '6b3053ee',
  'pow of two': '5a229bdd',
  matmul: 'f12f2489',
  'matmul of one block of rows': '2b1f7b86',
  'matmul, left transposed': 'ae42612b',
  'matmul, right transposed': 'ea19e080',
  'matmul, deep': 'fa19da73',
  'matmul, batched': '13811e6c',
  'matmul, batched and stretched': '757a5e99',
  'matrix by vector': '1c18ef98',
  'outer product': '9f905a65',
  linear: '495e3b14',
  sums: 'a7d06758',
  'the sum of very many': 'c5c3ceec',
  extremes: '0fb585a2',
  softmax: '719a29c5',
  elementwise: '17108d60',
  gru: 'c25bc23c',
  'gru, backwards': 'e6198064',
  lstm: 'dfaeb061',
  rnn: 'a697b51b',
  'additive score': '80e36f3d',
  attention: '6eccb345',
  'causal attention': '258e4345',
  'layer norm': 'dfd024d2',
  gelu: '09001693',
  embedding: '2a2f0ca0',
  adam: '686f7908',
  'random numbers': 'c0a70a62',
  training: '8ca12c34',
}

let backend: Backend
beforeAll(async () => {
  backend = await cpu({ deterministic: true, threads: 2 })
})
afterAll(() => backend.dispose())

it.each(Object.entries({ ...functions, ...shared }))('%s has the same bits in every engine', (name, work) => {
  expect(workOn(backend, work)).toBe(bits[name])
})
