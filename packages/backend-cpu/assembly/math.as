// Functions of four float32 numbers at a time. Polynomials are minimax fits; bounds are in the package's README and tests.

import { madd, TANH_LEAST, TANH_MOST } from './tile'
import { constant } from './vector'

const HALF: usize = memory.data<f32>([0.5])
const ONE: usize = memory.data<f32>([1])
const MINUS_ONE: usize = memory.data<f32>([-1])
const INFINITE: usize = memory.data<f32>([Infinity])
/** Adding and taking off 1.5 · 2²³ rounds to whole numbers, which then stand in the low bits of the sum. */
const ROUNDER: usize = memory.data<f32>([12582912])
const LOG2E: usize = memory.data<f32>([1.44269504088896341])
/** −log 2 in two parts; the first has few bits, so that its products with whole numbers are exact. */
const MINUS_LN2_HIGH: usize = memory.data<f32>([-0.693359375])
const MINUS_LN2_LOW: usize = memory.data<f32>([2.12194440e-4])
const LN2_HIGH: usize = memory.data<f32>([0.693359375])
const LN2_LOW: usize = memory.data<f32>([-2.12194440e-4])
const EXPONENT_BIAS: usize = memory.data<i32>([127])

@inline function horner(sum: v128, x: v128, next: usize): v128 {
  return madd(sum, x, constant(next))
}

// eʳ = 1 + r + r² q(r) for |r| ≤ log 2 / 2, error 3.1e-9
const Q0: usize = memory.data<f32>([0.4999999403953552])
const Q1: usize = memory.data<f32>([0.1666651964187622])
const Q2: usize = memory.data<f32>([0.04166840761899948])
const Q3: usize = memory.data<f32>([0.008368787355720997])
const Q4: usize = memory.data<f32>([0.0013813647674396634])

/** eʳ − 1 for small r. */
@inline function expm1Core(r: v128): v128 {
  let q = horner(constant(Q4), r, Q3)
  q = horner(q, r, Q2)
  q = horner(q, r, Q1)
  q = horner(q, r, Q0)
  return madd(f32x4.mul(r, r), q, r)
}

/** 2ⁿ for whole numbers from −126 to 127. */
@inline function power2(n: v128): v128 {
  return i32x4.shl(i32x4.add(n, constant(EXPONENT_BIAS)), 23)
}

const EXP_MOST: usize = memory.data<f32>([89])
const EXP_LEAST: usize = memory.data<f32>([-104])

/** eˣ */
@inline export function exp4(x0: v128): v128 {
  const x = f32x4.pmax(f32x4.pmin(x0, constant(EXP_MOST)), constant(EXP_LEAST)) // NaN stays
  const t = madd(x, constant(LOG2E), constant(ROUNDER))
  const n = f32x4.sub(t, constant(ROUNDER))
  const r = madd(n, constant(MINUS_LN2_LOW), madd(n, constant(MINUS_LN2_HIGH), x))
  const p = f32x4.add(expm1Core(r), constant(ONE))
  // 2ⁿ in two factors, so that the ends of the range are reached: infinity above, denormal numbers and 0 below.
  const whole = i32x4.sub(t, constant(ROUNDER))
  const half = i32x4.shr_s(whole, 1)
  return f32x4.mul(f32x4.mul(p, power2(half)), power2(i32x4.sub(whole, half)))
}

const EXP_LEAST_NORMAL: usize = memory.data<f32>([-87.3365])

/** eˣ for x that is 0 or less, or hardly more; 0 below 1.2e-38. */
@inline export function expBelow4(x0: v128): v128 {
  const x = f32x4.pmax(x0, constant(EXP_LEAST_NORMAL)) // NaN stays
  const t = madd(x, constant(LOG2E), constant(ROUNDER))
  const n = f32x4.sub(t, constant(ROUNDER))
  const r = madd(n, constant(MINUS_LN2_LOW), madd(n, constant(MINUS_LN2_HIGH), x))
  const p = f32x4.add(expm1Core(r), constant(ONE))
  // The low bits of t are n; the others are shifted out.
  const e = f32x4.mul(p, i32x4.shl(i32x4.add(t, constant(EXPONENT_BIAS)), 23))
  return v128.andnot(e, f32x4.lt(x0, constant(EXP_LEAST_NORMAL)))
}

const EXPM1_LEAST: usize = memory.data<f32>([-18])
const HALF_BIAS: usize = memory.data<i32>([126])

/** eˣ − 1 */
@inline export function expm1x4(x0: v128): v128 {
  const x = f32x4.pmax(f32x4.pmin(x0, constant(EXP_MOST)), constant(EXPM1_LEAST))
  const t = madd(x, constant(LOG2E), constant(ROUNDER))
  const n = f32x4.sub(t, constant(ROUNDER))
  const r = madd(n, constant(MINUS_LN2_LOW), madd(n, constant(MINUS_LN2_HIGH), x))
  // 2ⁿ (1 + p) − 1 as twice ½ 2ⁿ p + (½ 2ⁿ − ½), since 2ⁿ may be beyond all numbers where the result is not.
  const s = i32x4.shl(i32x4.add(i32x4.sub(t, constant(ROUNDER)), constant(HALF_BIAS)), 23)
  const y = madd(s, expm1Core(r), f32x4.sub(s, constant(HALF)))
  return f32x4.add(y, y)
}

// log (1 + f) = f − f²/2 + f³ p(f) for √½ − 1 ≤ f ≤ √2 − 1, error 5.8e-9
const P0: usize = memory.data<f32>([0.3333333134651184])
const P1: usize = memory.data<f32>([-0.2500081956386566])
const P2: usize = memory.data<f32>([0.20001226663589478])
const P3: usize = memory.data<f32>([-0.16623356938362122])
const P4: usize = memory.data<f32>([0.14201757311820984])
const P5: usize = memory.data<f32>([-0.13160179555416107])
const P6: usize = memory.data<f32>([0.12761583924293518])
const P7: usize = memory.data<f32>([-0.07634511590003967])
const SMALLEST_NORMAL: usize = memory.data<f32>([1.1754943508222875e-38])
const TWO_TO_23: usize = memory.data<f32>([8388608])
const SQRT_HALF_BITS: usize = memory.data<i32>([0x3f3504f3])
const MINUS_HALF: usize = memory.data<f32>([-0.5])
const MINUS_23: usize = memory.data<f32>([-23])
const MINUS_INFINITE: usize = memory.data<f32>([-Infinity])
const NOT_A_NUMBER: usize = memory.data<f32>([NaN])
const ZERO: usize = memory.data<f32>([0])

/** The natural logarithm. */
@inline export function log4(x: v128): v128 {
  return logPlus(x, constant(ZERO))
}

/** log x + a small correction, which counts before the result is rounded. */
@inline function logPlus(x: v128, correction: v128): v128 {
  const denormal = f32x4.lt(x, constant(SMALLEST_NORMAL))
  const normal = v128.bitselect(f32x4.mul(x, constant(TWO_TO_23)), x, denormal)
  // normal = 2ᵉ m with √½ ≤ m < √2
  const exponent = i32x4.shr_s(i32x4.sub(normal, constant(SQRT_HALF_BITS)), 23)
  const f = f32x4.sub(i32x4.sub(normal, i32x4.shl(exponent, 23)), constant(ONE))
  const e = f32x4.add(f32x4.convert_i32x4_s(exponent), v128.and(denormal, constant(MINUS_23)))
  let p = horner(constant(P7), f, P6)
  p = horner(p, f, P5)
  p = horner(p, f, P4)
  p = horner(p, f, P3)
  p = horner(p, f, P2)
  p = horner(p, f, P1)
  p = horner(p, f, P0)
  const f2 = f32x4.mul(f, f)
  let low = madd(f32x4.mul(f2, f), p, correction)
  low = madd(e, constant(LN2_LOW), low)
  low = madd(f2, constant(MINUS_HALF), low)
  const y = madd(e, constant(LN2_HIGH), f32x4.add(f, low))
  // log 0 = −∞, log of less or of NaN = NaN, log ∞ = ∞
  const odd = v128.bitselect(constant(MINUS_INFINITE), constant(NOT_A_NUMBER), f32x4.eq(x, constant(ZERO)))
  const sound = v128.bitselect(y, odd, f32x4.gt(x, constant(ZERO)))
  return v128.bitselect(x, sound, f32x4.eq(x, constant(INFINITE)))
}

/** log (1 + x) */
@inline export function log1px4(x: v128): v128 {
  const u = f32x4.add(x, constant(ONE))
  // What rounding 1 + x has lost, as a part of it; nothing where u is 0 or infinite.
  const lost = f32x4.sub(x, f32x4.sub(u, constant(ONE)))
  const correction = v128.and(f32x4.div(lost, u), f32x4.gt(f32x4.abs(lost), constant(ZERO)))
  return logPlus(u, correction)
}

/** 1 / (1 + e⁻ˣ), as e⁻|ˣ| / (1 + e⁻|ˣ|) below 0, where e⁻ˣ would be infinite. */
@inline export function sigmoid4(x: v128): v128 {
  const e = exp4(f32x4.neg(f32x4.abs(x)))
  const numerator = v128.bitselect(e, constant(ONE), f32x4.lt(x, constant(ZERO)))
  return f32x4.div(numerator, f32x4.add(e, constant(ONE)))
}

// tanh x = x p(x²) / q(x²) up to TANH_MOST, and ±1 beyond
const TP6: usize = memory.data<f32>([-7.067567017737808e-14])
const TP5: usize = memory.data<f32>([5.1204811224447866e-11])
const TP4: usize = memory.data<f32>([-2.2027959900583483e-08])
const TP3: usize = memory.data<f32>([1.3113080967741553e-05])
const TP2: usize = memory.data<f32>([0.0038034492172300816])
const TP1: usize = memory.data<f32>([0.16313906013965607])
const TP0: usize = memory.data<f32>([1.2527422904968262])
const TQ3: usize = memory.data<f32>([0.0003067541401833296])
const TQ2: usize = memory.data<f32>([0.0303448848426342])
const TQ1: usize = memory.data<f32>([0.5807192921638489])
const TQ0: usize = memory.data<f32>([1.2527424097061157])

/** tanh x */
@inline export function tanh4(x0: v128): v128 {
  const x = f32x4.pmax(f32x4.pmin(x0, constant(TANH_MOST)), constant(TANH_LEAST))
  const z = f32x4.mul(x, x)
  let p = horner(constant(TP6), z, TP5)
  p = horner(p, z, TP4)
  p = horner(p, z, TP3)
  p = horner(p, z, TP2)
  p = horner(p, z, TP1)
  p = horner(p, z, TP0)
  let q = horner(constant(TQ3), z, TQ2)
  q = horner(q, z, TQ1)
  q = horner(q, z, TQ0)
  return f32x4.div(f32x4.mul(p, x), q)
}

// erf x = x p(x²) / q(x²) for |x| ≤ 4
const ERF_MOST: usize = memory.data<f32>([4])
const ERF_LEAST: usize = memory.data<f32>([-4])
const EP6: usize = memory.data<f32>([-1.7447311151386202e-08])
const EP5: usize = memory.data<f32>([1.773236135704792e-06])
const EP4: usize = memory.data<f32>([-0.00013446553202811629])
const EP3: usize = memory.data<f32>([-0.003643203992396593])
const EP2: usize = memory.data<f32>([-0.04703940078616142])
const EP1: usize = memory.data<f32>([-0.1890943944454193])
const EP0: usize = memory.data<f32>([-1.0301461219787598])
const EQ4: usize = memory.data<f32>([-0.0009322285768575966])
const EQ3: usize = memory.data<f32>([-0.013655939139425755])
const EQ2: usize = memory.data<f32>([-0.10770092904567719])
const EQ1: usize = memory.data<f32>([-0.4718930721282959])
const EQ0: usize = memory.data<f32>([-0.9129433035850525])

/** The error function. */
@inline export function erf4(x0: v128): v128 {
  const x = f32x4.pmax(f32x4.pmin(x0, constant(ERF_MOST)), constant(ERF_LEAST))
  const z = f32x4.mul(x, x)
  let p = horner(constant(EP6), z, EP5)
  p = horner(p, z, EP4)
  p = horner(p, z, EP3)
  p = horner(p, z, EP2)
  p = horner(p, z, EP1)
  p = horner(p, z, EP0)
  let q = horner(constant(EQ4), z, EQ3)
  q = horner(q, z, EQ2)
  q = horner(q, z, EQ1)
  q = horner(q, z, EQ0)
  const y = f32x4.div(f32x4.mul(p, x), q)
  return f32x4.pmax(f32x4.pmin(y, constant(ONE)), constant(MINUS_ONE)) // rounding may step over 1
}

// Sine and cosine by way of float64, in which x − n π/2 loses nothing that counts for |x| up to 10⁸.
const TWO_OVER_PI: usize = memory.data<f64>([0.63661977236758134308])
const MINUS_PIO2_HIGH: usize = memory.data<f64>([-1.57079631090164184570]) // 25 bits of π/2
const MINUS_PIO2_LOW: usize = memory.data<f64>([-1.58932547735281966916e-8])
const ROUNDER64: usize = memory.data<f64>([6755399441055744]) // as ROUNDER, 1.5 · 2⁵²
const MOST_PHASE: usize = memory.data<f32>([1e8])
const ONE64: usize = memory.data<f64>([1])
const WHOLE_ONE: usize = memory.data<i64>([1])
const WHOLE_TWO: usize = memory.data<i64>([2])
// sin r = r + r³ s(r²), cos r = 1 + r² c(r²) for |r| ≤ π/4, errors 2⁻³⁷ and 2⁻³⁴
const S0: usize = memory.data<f64>([-0.166666666416265235595])
const S1: usize = memory.data<f64>([0.0083333293858894631756])
const S2: usize = memory.data<f64>([-0.000198393348360966317347])
const S3: usize = memory.data<f64>([0.0000027183114939898219064])
const C0: usize = memory.data<f64>([-0.499999997251031003120])
const C1: usize = memory.data<f64>([0.0416666233237390631894])
const C2: usize = memory.data<f64>([-0.00138867637746099294692])
const C3: usize = memory.data<f64>([0.0000243904487962774090654])

@inline function constant64(address: usize): v128 {
  return v128.load64_splat(address)
}

@inline function horner64(sum: v128, x: v128, next: usize): v128 {
  return f64x2.add(f64x2.mul(sum, x), constant64(next))
}

/** sin (x + turn · π/2), two lanes of float64. */
@inline function wave2(x: v128, turn: i64): v128 {
  const t = f64x2.add(f64x2.mul(x, constant64(TWO_OVER_PI)), constant64(ROUNDER64))
  const n = f64x2.sub(t, constant64(ROUNDER64))
  const r = f64x2.add(
    f64x2.add(x, f64x2.mul(n, constant64(MINUS_PIO2_HIGH))),
    f64x2.mul(n, constant64(MINUS_PIO2_LOW)),
  )
  const z = f64x2.mul(r, r)
  let s = horner64(constant64(S3), z, S2)
  s = horner64(s, z, S1)
  s = horner64(s, z, S0)
  const sine = f64x2.add(r, f64x2.mul(f64x2.mul(r, z), s))
  let c = horner64(constant64(C3), z, C2)
  c = horner64(c, z, C1)
  c = horner64(c, z, C0)
  const cosine = f64x2.add(constant64(ONE64), f64x2.mul(z, c))
  const quarter = turn == 0 ? t : i64x2.add(t, constant64(WHOLE_ONE)) // its low bits count quarters of a turn
  const swap = i64x2.eq(v128.and(quarter, constant64(WHOLE_ONE)), constant64(WHOLE_ONE))
  const y = v128.bitselect(cosine, sine, swap)
  return v128.xor(y, i64x2.shl(v128.and(quarter, constant64(WHOLE_TWO)), 62))
}

@inline function wave4(x: v128, turn: i64): v128 {
  const low = f32x4.demote_f64x2_zero(wave2(f64x2.promote_low_f32x4(x), turn))
  const high = f32x4.demote_f64x2_zero(
    wave2(f64x2.promote_low_f32x4(v128.shuffle<i64>(x, x, 1, 0)), turn),
  )
  return v128.shuffle<i64>(low, high, 0, 2)
}

/** Whether all lanes are small enough for {@link wave2}, or NaN. */
@inline function smallPhases(x: v128): bool {
  return !v128.any_true(f32x4.gt(f32x4.abs(x), constant(MOST_PHASE)))
}

/** sin x */
@inline export function sin4(x: v128): v128 {
  return smallPhases(x) ? wave4(x, 0) : distantSin(x)
}

/** cos x */
@inline export function cos4(x: v128): v128 {
  return smallPhases(x) ? wave4(x, 1) : distantCos(x)
}

function distantSin(x: v128): v128 {
  return f32x4(
    <f32>NativeMath.sin(f32x4.extract_lane(x, 0)),
    <f32>NativeMath.sin(f32x4.extract_lane(x, 1)),
    <f32>NativeMath.sin(f32x4.extract_lane(x, 2)),
    <f32>NativeMath.sin(f32x4.extract_lane(x, 3)),
  )
}

function distantCos(x: v128): v128 {
  return f32x4(
    <f32>NativeMath.cos(f32x4.extract_lane(x, 0)),
    <f32>NativeMath.cos(f32x4.extract_lane(x, 1)),
    <f32>NativeMath.cos(f32x4.extract_lane(x, 2)),
    <f32>NativeMath.cos(f32x4.extract_lane(x, 3)),
  )
}

/** xʸ, with JavaScript's view of what is undefined. */
function power(x: f32, y: f32): f32 {
  if (y != y || (abs<f32>(x) == 1 && abs<f32>(y) == Infinity)) return NaN
  return NativeMathf.pow(x, y)
}

/** xʸ */
@inline export function pow4(x: v128, y: v128): v128 {
  return f32x4(
    power(f32x4.extract_lane(x, 0), f32x4.extract_lane(y, 0)),
    power(f32x4.extract_lane(x, 1), f32x4.extract_lane(y, 1)),
    power(f32x4.extract_lane(x, 2), f32x4.extract_lane(y, 2)),
    power(f32x4.extract_lane(x, 3), f32x4.extract_lane(y, 3)),
  )
}

/** −1, 0 or 1; 0 for NaN. */
@inline export function sign4(x: v128): v128 {
  const positive = v128.and(f32x4.gt(x, constant(ZERO)), constant(ONE))
  const negative = v128.and(f32x4.lt(x, constant(ZERO)), constant(ONE))
  return f32x4.sub(positive, negative)
}

const SQRT_HALF: usize = memory.data<f32>([0.7071067811865476])
const NORMAL_PEAK: usize = memory.data<f32>([0.3989422804014327]) // 1 / √(2π)
const GELU_OUTER: usize = memory.data<f32>([1.5957691216057308]) // 2 √(2/π)
const GELU_CUBE: usize = memory.data<f32>([0.044715])
const GELU_SLOPE: usize = memory.data<f32>([0.134145])

/** x Φ(x) */
@inline export function gelu4(x: v128): v128 {
  const both = f32x4.add(erf4(f32x4.mul(x, constant(SQRT_HALF))), constant(ONE))
  return f32x4.mul(f32x4.mul(x, both), constant(HALF))
}

/** Its derivative, Φ(x) + x φ(x). */
@inline export function geluSlope4(x: v128): v128 {
  const both = f32x4.add(erf4(f32x4.mul(x, constant(SQRT_HALF))), constant(ONE))
  const density = f32x4.mul(exp4(f32x4.mul(f32x4.mul(x, x), constant(MINUS_HALF))), constant(NORMAL_PEAK))
  return madd(x, density, f32x4.mul(both, constant(HALF)))
}

/** 2 √(2/π) (x + 0.044715 x³) */
@inline function geluInner(x: v128): v128 {
  return f32x4.mul(f32x4.mul(x, constant(GELU_OUTER)), madd(f32x4.mul(x, x), constant(GELU_CUBE), constant(ONE)))
}

/** ½ x (1 + tanh(√(2/π) (x + 0.044715 x³))), since ½ (1 + tanh u) = σ(2u). */
@inline export function geluTanh4(x: v128): v128 {
  return f32x4.mul(x, sigmoid4(geluInner(x)))
}

/** Its derivative: with s = σ(2u), s + x s (1 − s) 2√(2/π) (1 + 0.134145 x²); 1 − s without cancellation. */
@inline export function geluTanhSlope4(x: v128): v128 {
  const u = geluInner(x)
  const e = exp4(f32x4.neg(f32x4.abs(u)))
  const d = f32x4.div(constant(ONE), f32x4.add(e, constant(ONE)))
  const s = f32x4.mul(v128.bitselect(e, constant(ONE), f32x4.lt(x, constant(ZERO))), d)
  const steep = f32x4.mul(constant(GELU_OUTER), madd(f32x4.mul(x, x), constant(GELU_SLOPE), constant(ONE)))
  return madd(f32x4.mul(x, f32x4.mul(e, f32x4.mul(d, d))), steep, s)
}
