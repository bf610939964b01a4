// Functions of one float32 in WGSL, whose own are too coarse (exp may be off by 3 + 2|x| ulp, tanh is NaN beyond 88). Polynomials
// are minimax fits, the same as in backend-cpu. Comparisons are written so that NaN passes: `select(x, 89, x > 89)`.

/** Infinities and NaN may not be written in WGSL, and comparing a number with itself may be optimised away: both go by bits. */
const BITS = `
var<private> infinityBits: u32 = 0x7f800000u;
var<private> nanBits: u32 = 0x7fc00000u;
fn infinity() -> f32 { return bitcast<f32>(infinityBits); }
fn nan() -> f32 { return bitcast<f32>(nanBits); }
fn isNan(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u; }
fn isZero(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) == 0u; }
`

const EXP = `
// e^r - 1 for |r| <= log 2 / 2: r + r^2 q(r), error 3.1e-9
fn expm1Core(r: f32) -> f32 {
  var q = fma(0.0013813647374674, r, 0.008368787355720997);
  q = fma(q, r, 0.04166840761899948);
  q = fma(q, r, 0.1666651964187622);
  q = fma(q, r, 0.4999999403953552);
  return fma(r * r, q, r);
}
fn power2(n: i32) -> f32 { return bitcast<f32>((n + 127) << 23u); }
fn reduced(x: f32, n: f32) -> f32 { return fma(n, 2.12194440e-4, fma(n, -0.693359375, x)); }
fn expOf(x0: f32) -> f32 {
  let x = select(select(x0, 89.0, x0 > 89.0), -104.0, x0 < -104.0);
  if (isNan(x)) { return x; }
  let n = round(x * 1.44269504088896341);
  let whole = i32(n);
  let half = whole >> 1u;
  return ((expm1Core(reduced(x, n)) + 1.0) * power2(half)) * power2(whole - half);
}
`

const EXPM1 = `
fn expm1Of(x0: f32) -> f32 {
  let x = select(select(x0, 89.0, x0 > 89.0), -18.0, x0 < -18.0);
  if (isNan(x) || abs(x0) < 1e-8) { return x0; }
  let n = round(x * 1.44269504088896341);
  let s = power2(i32(n) - 1);
  let y = fma(s, expm1Core(reduced(x, n)), s - 0.5);
  return y + y;
}
`

const LOG = `
// log (2^e (1 + f)) for sqrt(1/2) <= 1 + f < sqrt 2
fn logCore(e: f32, f: f32) -> f32 {
  var p = fma(-0.07634511590003967, f, 0.12761583924293518);
  p = fma(p, f, -0.13160179555416107);
  p = fma(p, f, 0.14201757311820984);
  p = fma(p, f, -0.16623356938362122);
  p = fma(p, f, 0.20001226663589478);
  p = fma(p, f, -0.2500081956386566);
  p = fma(p, f, 0.3333333134651184);
  let f2 = f * f;
  var low = fma(e, -2.12194440e-4, f2 * f * p);
  low = fma(f2, -0.5, low);
  return fma(e, 0.693359375, f + low);
}
fn logOf(x: f32) -> f32 {
  if (isNan(x)) { return x; }
  if (isZero(x)) { return -infinity(); }
  if (x < 0.0) { return nan(); }
  if (bitcast<u32>(x) == 0x7f800000u) { return x; }
  let tiny = x < 1.1754943508222875e-38;
  let normal = bitcast<i32>(select(x, x * 8388608.0, tiny));
  let exponent = (normal - 0x3f3504f3) >> 23u;
  let f = bitcast<f32>(normal - (exponent << 23u)) - 1.0;
  return logCore(f32(exponent) - select(0.0, 23.0, tiny), f);
}
`

/** Near 0 without 1 + x, whose rounding would be lost: what compensates for it elsewhere, drivers simplify away. */
const LOG1P = `
fn log1pOf(x: f32) -> f32 {
  if (x > -0.29 && x < 0.41) { return logCore(0.0, x); }
  return logOf(x + 1.0);
}
`

const SIGMOID = `
fn sigmoidOf(x: f32) -> f32 {
  let e = expOf(-abs(x));
  return select(1.0, e, x < 0.0) / (e + 1.0);
}
`

const TANH = `
// x p(x^2) / q(x^2) for |x| <= 7.9, and 1 beyond, whether or not fma rounds once
fn tanhOf(x: f32) -> f32 {
  if (isNan(x)) { return x; }
  if (abs(x) > 7.9) { return sign(x); }
  let z = x * x;
  var p = fma(-7.067567017737808e-14, z, 5.1204811224447866e-11);
  p = fma(p, z, -2.2027959900583483e-08);
  p = fma(p, z, 1.3113080967741553e-05);
  p = fma(p, z, 0.0038034492172300816);
  p = fma(p, z, 0.16313906013965607);
  p = fma(p, z, 1.2527422904968262);
  var q = fma(0.0003067541401833296, z, 0.0303448848426342);
  q = fma(q, z, 0.5807192921638489);
  q = fma(q, z, 1.2527424097061157);
  return p * x / q;
}
`

const ERF = `
// x p(x^2) / q(x^2) for |x| <= 4
fn erfOf(x0: f32) -> f32 {
  if (isNan(x0)) { return x0; }
  let x = clamp(x0, -4.0, 4.0);
  let z = x * x;
  var p = fma(-1.7447311151386202e-08, z, 1.773236135704792e-06);
  p = fma(p, z, -0.00013446553202811629);
  p = fma(p, z, -0.003643203992396593);
  p = fma(p, z, -0.04703940078616142);
  p = fma(p, z, -0.1890943944454193);
  p = fma(p, z, -1.0301461219787598);
  var q = fma(-0.0009322285768575966, z, -0.013655939139425755);
  q = fma(q, z, -0.10770092904567719);
  q = fma(q, z, -0.4718930721282959);
  q = fma(q, z, -0.9129433035850525);
  return clamp(p * x / q, -1.0, 1.0);
}
`

const WAVE = `
// sin (x + turn pi/2). pi/2 in four parts of few bits, so that their products with n are exact for |x| up to 10^5.
fn wave(x: f32, turn: i32) -> f32 {
  if ((bitcast<u32>(x) & 0x7f800000u) == 0x7f800000u) { return nan(); }
  let n = round(x * 0.63661977236758134308);
  var r = fma(n, -1.5703125, x);
  r = fma(n, -0.0004825592041015625, r);
  r = fma(n, -1.2665987014770508e-06, r);
  let low = n * 9.92093629470503e-10;
  r = r - low;
  let z = r * r;
  let s = fma(fma(fma(2.7183114939898219064e-6, z, -1.98393348360966317347e-4), z, 8.3333293858894631756e-3), z, -0.166666666416265235595);
  let c = fma(fma(fma(2.43904487962774090654e-5, z, -1.38867637746099294692e-3), z, 4.16666233237390631894e-2), z, -0.499999997251031003120);
  let quarter = i32(n) + turn;
  let y = select(fma(r * z, s, r), fma(z, c, 1.0), (quarter & 1) == 1);
  return select(y, -y, (quarter & 2) == 2);
}
fn sinOf(x: f32) -> f32 { return wave(x, 0); }
fn cosOf(x: f32) -> f32 { return wave(x, 1); }
`

const POW = `
fn upper(x: f32, mask: u32) -> f32 { return bitcast<f32>(bitcast<u32>(x) & mask); }
// x^y with JavaScript's view of what is undefined. After FreeBSD's e_powf.c (Sun Microsystems 1993), which states that
// permission to use, copy, modify and distribute is freely granted: log2 x and its product with y in two parts each.
fn powOf(x: f32, y: f32) -> f32 {
  if (isZero(y)) { return 1.0; }
  if (isNan(x) || isNan(y)) { return nan(); }
  let ay = bitcast<u32>(y) & 0x7fffffffu;
  let ax = bitcast<u32>(x) & 0x7fffffffu;
  // 0: y is no whole number, 1: odd, 2: even
  var whole = 0;
  if (ay >= 0x4b800000u) { whole = 2; }
  else if (abs(y) == floor(abs(y))) { whole = 2 - (i32(abs(y)) & 1); }
  if (ay == 0x7f800000u) {
    if (ax == 0x3f800000u) { return nan(); }
    return select(0.0, infinity(), (ax > 0x3f800000u) == (y > 0.0));
  }
  let negative = (bitcast<u32>(x) >> 31u) == 1u;
  let sign = select(1.0, -1.0, negative && whole == 1);
  if (ax == 0u || ax == 0x7f800000u) { return sign * select(0.0, infinity(), (ax != 0u) == (y > 0.0)); }
  if (negative && whole == 0) { return nan(); }
  var t1 = 0.0;
  var t2 = 0.0;
  if (ay > 0x4d000000u) {
    if (ax < 0x3f7ffff8u) { return sign * select(0.0, infinity(), y < 0.0); }
    if (ax > 0x3f800007u) { return sign * select(0.0, infinity(), y > 0.0); }
    let t = abs(x) - 1.0;
    let w = (t * t) * (0.5 - t * (0.333333333333 - t * 0.25));
    let u = 1.4426879883 * t;
    let v = t * 7.0526075433e-06 - w * 1.4426950216;
    t1 = upper(u + v, 0xfffff000u);
    t2 = v - (t1 - u);
  } else {
    var word = i32(ax);
    var n = 0;
    if (ax < 0x00800000u) { word = bitcast<i32>(abs(x) * 16777216.0); n = -24; }
    n += (word >> 23u) - 127;
    let j = word & 0x007fffff;
    word = j | 0x3f800000;
    var k = 0;
    if (j > 0x1cc471) {
      if (j < 0x5db3d7) { k = 1; } else { n += 1; word -= 0x00800000; }
    }
    let a = bitcast<f32>(word);
    let bp = select(1.0, 1.5, k == 1);
    let v0 = 1.0 / (a + bp);
    let u0 = a - bp;
    let s = u0 * v0;
    let sh = upper(s, 0xfffff000u);
    var th = bitcast<f32>((((u32(word) >> 1u) & 0xfffff000u) | 0x20000000u) + 0x00400000u + (u32(k) << 21u));
    var tl = a - (th - bp);
    let sl = v0 * ((u0 - sh * th) - sh * tl);
    var s2 = s * s;
    var r = s2 * s2 * (0.60000002384 + s2 * (0.42857143283 + s2 * (0.33333334327 + s2 * (0.27272811532 + s2 * (0.23066075146 + s2 * 0.20697501302)))));
    r += sl * (sh + s);
    s2 = sh * sh;
    th = upper(3.0 + s2 + r, 0xfffff000u);
    tl = r - ((th - 3.0) - s2);
    let u = sh * th;
    let v = sl * th + tl * s;
    let ph = upper(u + v, 0xfffff000u);
    let pl = v - (ph - u);
    let zh = 0.96191406250 * ph;
    let zl = -1.1736857402e-04 * ph + pl * 0.96179670095 + select(0.0, 1.56322085e-06, k == 1);
    let dp = select(0.0, 0.584960938, k == 1);
    let t = f32(n);
    t1 = upper(((zh + zl) + dp) + t, 0xfffff000u);
    t2 = zl - (((t1 - t) - dp) - zh);
  }
  let y1 = upper(y, 0xfffff000u);
  let low = (y - y1) * t1 + y * t2;
  let high = y1 * t1;
  let z = low + high;
  if (z > 128.0 || (z == 128.0 && low + 4.2995665694e-08 > z - high)) { return sign * infinity(); }
  if (z < -150.0) { return sign * 0.0; }
  let n = round(z);
  let rest = high - n;
  let t = upper(low + rest, 0xffff8000u);
  let u = t * 0.693145752;
  let v = (low - (t - rest)) * 0.69314718246 + t * 1.42860654e-06;
  let w0 = u + v;
  let w = v - (w0 - u);
  let q = w0 * w0;
  let c = w0 - q * (0.16666667163 + q * (-2.7777778450e-03 + q * (6.6137559770e-05 + q * (-1.6533901999e-06 + q * 4.1381369442e-08))));
  let e = 1.0 - (((w0 * c) / (c - 2.0) - (w + w0 * w)) - w0);
  let half = i32(n) >> 1u;
  return sign * ((e * bitcast<f32>((half + 127) << 23u)) * bitcast<f32>((i32(n) - half + 127) << 23u));
}
`

/** Each part, the word that shows that it is needed, and the parts it stands on. Parts come before those that need them. */
const PARTS: readonly { readonly code: string; readonly words: RegExp }[] = [
  {
    code: BITS,
    words: /\b(infinity|nan|isNan|isZero|expOf|expm1Of|log\w*Of|sigmoidOf|tanhOf|erfOf|sinOf|cosOf|powOf)\(/,
  },
  { code: EXP, words: /\b(expOf|expm1Of|sigmoidOf)\(/ },
  { code: EXPM1, words: /\bexpm1Of\(/ },
  { code: LOG, words: /\b(logOf|log1pOf)\(/ },
  { code: LOG1P, words: /\blog1pOf\(/ },
  { code: SIGMOID, words: /\bsigmoidOf\(/ },
  { code: TANH, words: /\btanhOf\(/ },
  { code: ERF, words: /\berfOf\(/ },
  { code: WAVE, words: /\b(sinOf|cosOf)\(/ },
  { code: POW, words: /\bpowOf\(/ },
]

/** The definitions of the functions that some code calls. */
export function functionsOf(code: string): string {
  return PARTS.filter(({ words }) => words.test(code))
    .map(part => part.code)
    .join('')
}
