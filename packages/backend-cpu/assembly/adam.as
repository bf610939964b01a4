// One step of Adam in one pass over memory: see optimize.ts of core-tensor.

import { arg, argAddress, put, share } from './team'
import { madd } from './tile'
import { constant } from './vector'

const P: usize = 0
const G: usize = 1
const M: usize = 2
const V: usize = 3
const NEXT_P: usize = 4
const NEXT_M: usize = 5
const NEXT_V: usize = 6
const N: usize = 7
/** Numbers that stay the same for the whole step, as float32. */
const SHRINK: usize = 8 // what is left of p before the step: decoupled decay
const DECAY: usize = 9 // how much of p is added to the gradient
const BETA1: usize = 10
const REST1: usize = 11 // 1 − β₁
const BETA2: usize = 12
const REST2: usize = 13
const ROOT: usize = 14 // 1 / √(1 − β₂ᵗ)
const EPSILON: usize = 15
const RATE: usize = 16 // η / (1 − β₁ᵗ), negative

const PER_CHUNK: i32 = 1 << 13

export function adam(
  p: usize, g: usize, m: usize, v: usize, nextP: usize, nextM: usize, nextV: usize, n: i32,
  shrink: f32, decay: f32, beta1: f32, rest1: f32, beta2: f32, rest2: f32, root: f32, epsilon: f32, rate: f32,
): void {
  put(P, p)
  put(G, g)
  put(M, m)
  put(V, v)
  put(NEXT_P, nextP)
  put(NEXT_M, nextM)
  put(NEXT_V, nextV)
  put(N, n)
  put(SHRINK, shrink)
  put(DECAY, decay)
  put(BETA1, beta1)
  put(REST1, rest1)
  put(BETA2, beta2)
  put(REST2, rest2)
  put(ROOT, root)
  put(EPSILON, epsilon)
  put(RATE, -rate)
  share(adamTask.index, (n + PER_CHUNK - 1) / PER_CHUNK, <f64>n * 1500)
}

@inline function setting(word: usize): v128 {
  return constant(argAddress(word))
}

function adamTask(chunk: i32, thread: i32): void {
  const first = chunk * PER_CHUNK
  const end = <usize>min(first + PER_CHUNK, arg<i32>(N)) << 2
  const p = arg<usize>(P)
  const g = arg<usize>(G)
  const m = arg<usize>(M)
  const v = arg<usize>(V)
  const nextP = arg<usize>(NEXT_P)
  const nextM = arg<usize>(NEXT_M)
  const nextV = arg<usize>(NEXT_V)
  for (let at = <usize>first << 2; at < end; at += 16) {
    const p4 = f32x4.mul(v128.load(p + at), setting(SHRINK))
    const g4 = madd(p4, setting(DECAY), v128.load(g + at))
    const m4 = madd(v128.load(m + at), setting(BETA1), f32x4.mul(g4, setting(REST1)))
    const v4 = madd(v128.load(v + at), setting(BETA2), f32x4.mul(f32x4.mul(g4, g4), setting(REST2)))
    const root = madd(f32x4.sqrt(v4), setting(ROOT), setting(EPSILON))
    v128.store(nextP + at, madd(f32x4.div(m4, root), setting(RATE), p4))
    v128.store(nextM + at, m4)
    v128.store(nextV + at, v4)
  }
}
