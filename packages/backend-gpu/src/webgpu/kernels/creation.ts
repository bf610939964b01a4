import type { DType, TensorSpec } from '@heed/core-tensor'
import { sizeOf } from '@heed/core-tensor'
import { elementOf, type Family, type Machine } from '../machine.ts'

/** Threefry-2×32, 20 rounds, as in rng.ts of core-tensor: the same bits. */
const THREEFRY = `
fn turned(x: u32, bits: u32) -> u32 { return (x << bits) | (x >> (32u - bits)); }
fn threefry(key0: u32, key1: u32, low: u32, high: u32) -> vec2u {
  var keys = array<u32, 3>(key0, key1, 0x1bd11bdau ^ key0 ^ key1);
  var x = low + key0;
  var y = high + key1;
  for (var round = 0u; round < 5u; round++) {
    let bits = select(vec4u(13u, 15u, 26u, 6u), vec4u(17u, 29u, 16u, 24u), (round & 1u) == 1u);
    x += y; y = turned(y, bits.x) ^ x;
    x += y; y = turned(y, bits.y) ^ x;
    x += y; y = turned(y, bits.z) ^ x;
    x += y; y = turned(y, bits.w) ^ x;
    x += keys[(round + 1u) % 3u];
    y += keys[(round + 2u) % 3u] + round + 1u;
  }
  return vec2u(x, y);
}`

/** Tensors from nothing. */
export function creation(machine: Machine): Family<'full' | 'arange' | 'random'> {
  return {
    full: (_, [out], { value }: { value: number }) => {
      const { dtype, shape } = out as TensorSpec
      const element = elementOf(dtype)
      const program = machine.program(`full ${element}`, () => ({
        params: [['n', 'u32'], ['value', element]],
        reads: {},
        writes: { y: element },
        body: 'y[i] = p.value;',
      })) // biome-ignore format: a record
      const y = machine.output(out as TensorSpec)
      machine.each(program, sizeOf(shape), [value], [y])
      return [y]
    },
    arange: (_, [out], { start, step, dtype }: { start: number; step: number; dtype: DType }) => {
      const element = elementOf(dtype)
      const y = machine.output(out as TensorSpec)
      const n = sizeOf((out as TensorSpec).shape)
      if (element === 'i32') {
        const program = machine.program('arange i32', () => ({
          params: [['n', 'u32'], ['start', 'i32'], ['step', 'i32']],
          reads: {},
          writes: { y: 'i32' },
          body: 'y[i] = p.start + i32(i) * p.step;',
        })) // biome-ignore format: a record
        machine.each(program, n, [start, step], [y])
        return [y]
      }
      // What float32 leaves of start and step, as second terms: the sum is then rounded once, or nearly.
      const program = machine.program('arange f32', () => ({
        params: [['n', 'u32'], ['start', 'f32'], ['startRest', 'f32'], ['step', 'f32'], ['stepRest', 'f32']],
        reads: {},
        writes: { y: 'f32' },
        body: 'let k = f32(i); y[i] = fma(k, p.step, p.start) + fma(k, p.stepRest, p.startRest);',
      })) // biome-ignore format: a record
      const rest = (x: number): number => x - Math.fround(x)
      machine.each(program, n, [start, rest(start), step, rest(step)], [y])
      return [y]
    },
    random: (_, [out], { key, counter }: { key: readonly [number, number]; counter: number }) => {
      const program = machine.program('random', () => ({
        params: [['n', 'u32'], ['key0', 'u32'], ['key1', 'u32'], ['low', 'u32'], ['high', 'u32']],
        reads: {},
        writes: { y: 'f32' },
        globals: THREEFRY,
        // A word wraps around where the sum is smaller than what was added.
        body: `let low = p.low + i / 2u;
  let words = threefry(p.key0, p.key1, low, p.high + select(0u, 1u, low < p.low));
  y[i] = f32(select(words.x, words.y, (i & 1u) == 1u) >> 8u) * 0x1p-24;`,
      })) // biome-ignore format: a record
      const y = machine.output(out as TensorSpec)
      const words = [key[0], key[1], counter, Math.floor(counter / 2 ** 32)].map(word => word >>> 0)
      machine.each(program, sizeOf((out as TensorSpec).shape), words, [y])
      return [y]
    },
  }
}
