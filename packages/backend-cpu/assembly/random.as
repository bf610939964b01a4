// Uniform numbers from Threefry-2×32, four blocks of two words at a time; see rng.ts of core-tensor.

import { arg, put, share } from './team'
import { constant } from './vector'

const Y: usize = 0
const BLOCKS: usize = 1 // pairs of numbers
const KEY0: usize = 2
const KEY1: usize = 3
const LOW: usize = 4 // the first block's number, in two words
const HIGH: usize = 5

const PER_CHUNK: i32 = 4096
const FIRST_FOUR: usize = memory.data<i32>([0, 1, 2, 3])
/** 2⁻²⁴ */
const UNIT: usize = memory.data<f32>([5.9604644775390625e-8])

/** y[i] = the upper 24 bits of word i mod 2 of block i / 2, over 2²⁴. Writes whole blocks of eight numbers. */
export function random(y: usize, n: i32, key0: i32, key1: i32, low: u32, high: u32): void {
  const blocks = (n + 1) >> 1
  put(Y, y)
  put(BLOCKS, blocks)
  put(KEY0, key0)
  put(KEY1, key1)
  put(LOW, low)
  put(HIGH, high)
  share(randomTask.index, (blocks + PER_CHUNK - 1) / PER_CHUNK, <f64>n * 1500)
}

function randomTask(chunk: i32, thread: i32): void {
  const first = chunk * PER_CHUNK
  const end = min(first + PER_CHUNK, arg<i32>(BLOCKS))
  let y = arg<usize>(Y) + (<usize>first << 3)
  const key0 = i32x4.splat(arg<i32>(KEY0))
  const key1 = i32x4.splat(arg<i32>(KEY1))
  const key2 = v128.xor(v128.xor(key0, key1), i32x4.splat(0x1bd11bda))
  const start = (<u64>arg<u32>(HIGH) << 32) + <u64>arg<u32>(LOW)
  for (let block = first; block < end; block += 4) {
    const at = start + <u64>block
    const low = i32x4.add(i32x4.splat(<i32>at), v128.load(FIRST_FOUR))
    // Where the low word has wrapped around, the high word is one more.
    const wrapped = i32x4.lt_u(low, i32x4.splat(<i32>at))
    let a = i32x4.add(low, key0)
    let b = i32x4.add(i32x4.sub(i32x4.splat(<i32>(at >> 32)), wrapped), key1)
    for (let round = 0; round < 5; round++) {
      if (round & 1) {
        a = i32x4.add(a, b); b = v128.xor(rotated(b, 17), a)
        a = i32x4.add(a, b); b = v128.xor(rotated(b, 29), a)
        a = i32x4.add(a, b); b = v128.xor(rotated(b, 16), a)
        a = i32x4.add(a, b); b = v128.xor(rotated(b, 24), a)
      } else {
        a = i32x4.add(a, b); b = v128.xor(rotated(b, 13), a)
        a = i32x4.add(a, b); b = v128.xor(rotated(b, 15), a)
        a = i32x4.add(a, b); b = v128.xor(rotated(b, 26), a)
        a = i32x4.add(a, b); b = v128.xor(rotated(b, 6), a)
      }
      const which = (round + 1) % 3
      a = i32x4.add(a, which == 0 ? key0 : which == 1 ? key1 : key2)
      b = i32x4.add(b, which == 0 ? key1 : which == 1 ? key2 : key0)
      b = i32x4.add(b, i32x4.splat(round + 1))
    }
    const x = unit(a)
    const z = unit(b)
    v128.store(y, v128.shuffle<f32>(x, z, 0, 4, 1, 5))
    v128.store(y, v128.shuffle<f32>(x, z, 2, 6, 3, 7), 16)
    y += 32
  }
}

@inline function rotated(x: v128, bits: i32): v128 {
  return v128.or(i32x4.shl(x, bits), i32x4.shr_u(x, 32 - bits))
}

@inline function unit(words: v128): v128 {
  return f32x4.mul(f32x4.convert_i32x4_u(i32x4.shr_u(words, 8)), constant(UNIT))
}
