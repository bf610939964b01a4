import { sizeOf, type TensorSpec } from '@heed/core-tensor'
import type { Family, Input, Machine } from '../machine.ts'
import type { Storage } from '../pool.ts'
import type { Param } from '../program.ts'
import { reduced } from './reduce.ts'

const SIZES: readonly Param[] = [['n', 'u32'], ['queries', 'u32'], ['keys', 'u32'], ['size', 'u32']] // biome-ignore format: a list
const STARTS: readonly Param[] = [['qAt', 'u32'], ['kAt', 'u32'], ['vAt', 'u32']] // biome-ignore format: a list
const READS = { q: 'f32', k: 'f32', v: 'f32' } as const

/** Bahdanau's score and its gradient, without the sum of all pairs. */
export function additive(machine: Machine): Family<'additiveScore' | 'additiveScoreGrad'> {
  return {
    additiveScore: (inputs, [out]) => {
      const { storages, starts, sizes } = described(inputs)
      const program = machine.program('additiveScore', () => ({
        params: [...SIZES, ...STARTS],
        reads: READS,
        writes: { y: 'f32' },
        body: `let key = i % p.keys;
  let row = i / p.keys;
  let qs = p.qAt + row * p.size;
  let ks = p.kAt + (row / p.queries * p.keys + key) * p.size;
  var sum = 0.0;
  for (var a = 0u; a < p.size; a++) { sum = fma(v[p.vAt + a], tanhOf(q[qs + a] + k[ks + a]), sum); }
  y[i] = sum;`,
      }))
      const y = machine.output(out as TensorSpec)
      machine.each(program, sizeOf((out as TensorSpec).shape), [...sizes, ...starts], [...storages, y])
      return [y]
    },
    additiveScoreGrad: ([dy, ...inputs], outputs) => {
      const from = dy as Input
      const { storages, starts, sizes, batch } = described(inputs)
      const made = machine.outputs(outputs)
      const [dq, dk, dv] = made as [Storage, Storage, Storage]
      const [queries, keys, size] = sizes
      const params = [...SIZES, ['dyAt', 'u32'] as const, ...STARTS]
      const values = [...sizes, from.offset, ...starts]
      const reads = { dy: 'f32', ...READS } as const
      const byQuery = machine.program('additiveScoreGrad by query', () => ({
        params,
        reads,
        writes: { dq: 'f32' },
        body: `let a = i % p.size;
  let row = i / p.size;
  let x = q[p.qAt + i];
  let ks = p.kAt + row / p.queries * p.keys * p.size + a;
  var sum = 0.0;
  for (var key = 0u; key < p.keys; key++) {
    let t = tanhOf(x + k[ks + key * p.size]);
    sum = fma(dy[p.dyAt + row * p.keys + key], 1.0 - t * t, sum);
  }
  dq[i] = sum * v[p.vAt + a];`,
      }))
      // The same values serve the gradient of v: summed over queries here, over keys and batch below.
      const byKey = machine.program('additiveScoreGrad by key', () => ({
        params,
        reads,
        writes: { dk: 'f32', dv: 'f32' },
        body: `let a = i % p.size;
  let key = i / p.size % p.keys;
  let batch = i / (p.size * p.keys);
  let x = k[p.kAt + i];
  var sum = 0.0;
  var part = 0.0;
  for (var query = 0u; query < p.queries; query++) {
    let row = batch * p.queries + query;
    let t = tanhOf(q[p.qAt + row * p.size + a] + x);
    let d = dy[p.dyAt + row * p.keys + key];
    sum = fma(d, 1.0 - t * t, sum);
    part = fma(d, t, part);
  }
  dk[i] = sum * v[p.vAt + a];
  dv[i] = part;`,
      }))
      machine.each(byQuery, batch * queries * size, values, [from.storage, ...storages, dq])
      machine.scratch([batch * keys * size], parts => {
        const room = parts as Storage
        machine.each(byKey, batch * keys * size, values, [from.storage, ...storages, dk, room])
        const shape = [batch * keys, size]
        const all: Input = { shape, strides: [size, 1], offset: 0, dtype: 'float32', storage: room }
        reduced(machine, 'sum', all, [0], outputs[2] as TensorSpec, dv)
      })
      return made
    },
  }
}

function described([query, key, v]: readonly Input[]): {
  storages: readonly Storage[]
  starts: readonly number[]
  sizes: readonly [queries: number, keys: number, size: number]
  batch: number
} {
  const inputs = [query, key, v] as readonly Input[]
  const [batch, queries, size] = (query as Input).shape as [number, number, number]
  return {
    storages: inputs.map(x => x.storage),
    starts: inputs.map(x => x.offset),
    sizes: [queries, (key as Input).shape[1] as number, size],
    batch,
  }
}
