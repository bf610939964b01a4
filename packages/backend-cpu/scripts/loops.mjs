// The inner loops over elements, as AssemblyScript: one function for each operation, written from the tables here.
// Each is reached through the function table; what is exported under the operation's name is the loop's place in it.

/** y = f(x), four at a time. */
const unary = {
  neg: 'f32x4.neg(x)',
  abs: 'f32x4.abs(x)',
  sign: 'math.sign4(x)',
  floor: 'f32x4.floor(x)',
  ceil: 'f32x4.ceil(x)',
  round: 'f32x4.nearest(x)',
  sqrt: 'f32x4.sqrt(x)',
  exp: 'math.exp4(x)',
  expm1: 'math.expm1x4(x)',
  log: 'math.log4(x)',
  log1p: 'math.log1px4(x)',
  sin: 'math.sin4(x)',
  cos: 'math.cos4(x)',
  tanh: 'math.tanh4(x)',
  sigmoid: 'math.sigmoid4(x)',
  erf: 'math.erf4(x)',
  gelu: 'math.gelu4(x)',
  geluTanh: 'math.geluTanh4(x)',
  relu: 'f32x4.max(x, f32x4.splat(0))',
}

/** y = f(a, b), four at a time. */
const binary = {
  add: 'f32x4.add(a, b)',
  sub: 'f32x4.sub(a, b)',
  mul: 'f32x4.mul(a, b)',
  div: 'f32x4.div(a, b)',
  pow: 'math.pow4(a, b)',
  maximum: 'f32x4.max(a, b)',
  minimum: 'f32x4.min(a, b)',
  geluGrad: 'f32x4.mul(a, math.geluSlope4(b))',
  geluTanhGrad: 'f32x4.mul(a, math.geluTanhSlope4(b))',
  reluGrad: 'v128.andnot(a, f32x4.le(b, f32x4.splat(0)))',
}

/** Whether a and b compare so, as a mask of all bits. */
const comparison = {
  equal: 'f32x4.eq(a, b)',
  less: 'f32x4.lt(a, b)',
  lessEqual: 'f32x4.le(a, b)',
}

/** The text of './loops'. */
export function loops() {
  return [
    `import * as math from './math'\nimport { storeSome } from './vector'`,
    ...Object.entries(unary).map(unaryLoop),
    ...Object.entries(binary).map(binaryLoop),
    ...Object.entries(comparison).map(comparisonLoop),
    whereLoop,
    ...[...Object.keys(unary), ...Object.keys(binary), ...Object.keys(comparison), 'where'].map(
      name => `export function ${name}(): i32 { return ${name}Loop.index }`,
    ),
  ].join('\n\n')
}

const four = body => [0, 1, 2, 3].map(body).join('\n    ')

/**
 * y begins a block, or at a multiple of four elements in it: nothing but padding is behind its last vector. Two vectors at a
 * time, both stored at the end, are what engines widen.
 */
const unaryLoop = ([name, result]) => `
@inline function ${name}Of(x: v128): v128 {
  return ${result}
}

function ${name}Loop(p: usize, y: usize, vectors: i32): void {
  for (; vectors > 1; vectors -= 2) {
    const y0 = ${name}Of(v128.load(p))
    const y1 = ${name}Of(v128.load(p, 16))
    v128.store(y, y0)
    v128.store(y, y1, 16)
    p += 32
    y += 32
  }
  if (vectors > 0) v128.store(y, ${name}Of(v128.load(p)))
}`

/** Lines of y touch, so the last vector of a line is stored in part. */
const binaryLoop = ([name, result]) => `
function ${name}Loop(p: usize, stepP: usize, q: usize, stepQ: usize, y: usize, n: i32): void {
  for (; n >= 16; n -= 16) {
    ${four(i => `{ const a = v128.load(p, ${16 * i}); const b = v128.load(q, ${16 * i}); v128.store(y, ${result}, ${16 * i}) }`)}
    p += stepP << 2
    q += stepQ << 2
    y += 64
  }
  for (; n > 0; n -= 4) {
    const a = v128.load(p)
    const b = v128.load(q)
    const r = ${result}
    if (n < 4) {
      storeSome(y, r, n)
      return
    }
    v128.store(y, r)
    p += stepP
    q += stepQ
    y += 16
  }
}`

/** Sixteen masks become sixteen bytes of 0 and 1. */
const comparisonLoop = ([name, mask]) => `
function ${name}Loop(p: usize, stepP: usize, q: usize, stepQ: usize, y: usize, n: i32): void {
  for (; n >= 16; n -= 16) {
    ${four(i => `let m${i}: v128; { const a = v128.load(p, ${16 * i}); const b = v128.load(q, ${16 * i}); m${i} = ${mask} }`)}
    const low = i16x8.narrow_i32x4_s(m0, m1)
    const high = i16x8.narrow_i32x4_s(m2, m3)
    v128.store(y, i8x16.neg(i8x16.narrow_i16x8_s(low, high)))
    p += stepP << 2
    q += stepQ << 2
    y += 16
  }
  for (; n > 0; n -= 4) {
    const a = v128.load(p)
    const b = v128.load(q)
    const bits = i32x4.bitmask(${mask})
    store<u8>(y, bits & 1)
    if (n > 1) store<u8>(y, (bits >> 1) & 1, 1)
    if (n > 2) store<u8>(y, (bits >> 2) & 1, 2)
    if (n > 3) store<u8>(y, (bits >> 3) & 1, 3)
    p += stepP
    q += stepQ
    y += 4
  }
}`

/** Any byte but 0 is true. */
const whereLoop = `
function whereLoop(p: usize, stepP: usize, q: usize, stepQ: usize, c: usize, stepC: usize, y: usize, n: i32): void {
  for (; n >= 8; n -= 8) {
    const bytes = v128.load32_lane(c + stepC, v128.load32_zero(c), 1)
    const untrue = i8x16.eq(bytes, i8x16.splat(0))
    const halves = i16x8.extend_low_i8x16_s(untrue)
    const r0 = v128.bitselect(v128.load(q), v128.load(p), i32x4.extend_low_i16x8_s(halves))
    const r1 = v128.bitselect(v128.load(q + stepQ), v128.load(p + stepP), i32x4.extend_high_i16x8_s(halves))
    v128.store(y, r0)
    v128.store(y, r1, 16)
    p += stepP << 1
    q += stepQ << 1
    c += stepC << 1
    y += 32
  }
  for (; n > 0; n -= 4) {
    const bytes = i16x8.extend_low_i8x16_u(v128.load32_zero(c))
    const untrue = i32x4.eq(i32x4.extend_low_i16x8_u(bytes), i32x4.splat(0))
    const r = v128.bitselect(v128.load(q), v128.load(p), untrue)
    if (n < 4) {
      storeSome(y, r, n)
      return
    }
    v128.store(y, r)
    p += stepP
    q += stepQ
    c += stepC
    y += 16
  }
}`
