// Functions of one float32 in GLSL, as math.ts of webgpu has them in WGSL: the same polynomials, without fma, which GLSL ES 3.00 does
// not have. GLSL's own are too coarse (exp may be off by 3 + 2|x| ulp), and on drivers here tanh is NaN beyond 88, log(0) is −88 and
// pow of negatives is positive.

/** By bits: comparing a number with itself may be optimised away. */
const BITS = {
  nan: 'float nan() { return uintBitsToFloat(0x7fc00000u); }',
  infinity: 'float infinity() { return uintBitsToFloat(0x7f800000u); }',
  isNan: 'bool isNan(float x) { return (floatBitsToUint(x) & 0x7fffffffu) > 0x7f800000u; }',
  isZero: 'bool isZero(float x) { return (floatBitsToUint(x) & 0x7fffffffu) == 0u; }',
}

const EXPONENTIALS = {
  // e^r - 1 for |r| <= log 2 / 2: r + r^2 q(r), error 3.1e-9
  expm1Core: `float expm1Core(float r) {
  float q = 0.0013813647374674 * r + 0.008368787355720997;
  q = q * r + 0.04166840761899948;
  q = q * r + 0.1666651964187622;
  q = q * r + 0.4999999403953552;
  return r * r * q + r;
}`,
  power2: 'float power2(int n) { return intBitsToFloat((n + 127) << 23); }',
  // The first part of log 2 has few bits: its product with n is exact.
  reduced: 'float reduced(float x, float n) { return n * 2.12194440e-4 + (n * -0.693359375 + x); }',
  expOf: `float expOf(float x0) {
  if (isNan(x0)) return x0;
  float x = clamp(x0, -104.0, 89.0);
  float n = roundEven(x * 1.44269504088896341);
  int whole = int(n);
  int half1 = whole >> 1;
  return ((expm1Core(reduced(x, n)) + 1.0) * power2(half1)) * power2(whole - half1);
}`,
  expm1Of: `float expm1Of(float x0) {
  if (isNan(x0) || abs(x0) < 1e-8) return x0;
  float x = clamp(x0, -18.0, 89.0);
  float n = roundEven(x * 1.44269504088896341);
  float s = power2(int(n) - 1);
  float y = s * expm1Core(reduced(x, n)) + (s - 0.5);
  return y + y;
}`,
  sigmoidOf: `float sigmoidOf(float x) {
  if (isNan(x)) return x;
  float e = expOf(-abs(x));
  return (x < 0.0 ? e : 1.0) / (e + 1.0);
}`,
}

const LOGARITHMS = {
  // log (2^e (1 + f)) for sqrt(1/2) <= 1 + f < sqrt 2
  logCore: `float logCore(float e, float f) {
  float p = -0.07634511590003967 * f + 0.12761583924293518;
  p = p * f - 0.13160179555416107;
  p = p * f + 0.14201757311820984;
  p = p * f - 0.16623356938362122;
  p = p * f + 0.20001226663589478;
  p = p * f - 0.2500081956386566;
  p = p * f + 0.3333333134651184;
  float f2 = f * f;
  float low = e * -2.12194440e-4 + f2 * f * p;
  low = f2 * -0.5 + low;
  return e * 0.693359375 + (f + low);
}`,
  logOf: `float logOf(float x) {
  if (isNan(x)) return x;
  if (isZero(x)) return -infinity();
  if (x < 0.0) return nan();
  if (floatBitsToUint(x) == 0x7f800000u) return x;
  bool tiny = x < 1.1754943508222875e-38;
  int normal = floatBitsToInt(tiny ? x * 8388608.0 : x);
  int exponent = (normal - 0x3f3504f3) >> 23;
  float f = intBitsToFloat(normal - (exponent << 23)) - 1.0;
  return logCore(float(exponent) - (tiny ? 23.0 : 0.0), f);
}`,
  log1pOf: `float log1pOf(float x) {
  if (x > -0.29 && x < 0.41) return logCore(0.0, x);
  return logOf(x + 1.0);
}`,
}

const RATIONALS = {
  // x p(x^2) / q(x^2) for |x| <= 7.9
  tanhOf: `float tanhOf(float x) {
  if (isNan(x)) return x;
  if (abs(x) > 7.9) return sign(x);
  float z = x * x;
  float p = -7.067567017737808e-14 * z + 5.1204811224447866e-11;
  p = p * z - 2.2027959900583483e-08;
  p = p * z + 1.3113080967741553e-05;
  p = p * z + 0.0038034492172300816;
  p = p * z + 0.16313906013965607;
  p = p * z + 1.2527422904968262;
  float q = 0.0003067541401833296 * z + 0.0303448848426342;
  q = q * z + 0.5807192921638489;
  q = q * z + 1.2527424097061157;
  return p * x / q;
}`,
  // x p(x^2) / q(x^2) for |x| <= 4
  erfOf: `float erfOf(float x0) {
  if (isNan(x0)) return x0;
  float x = clamp(x0, -4.0, 4.0);
  float z = x * x;
  float p = -1.7447311151386202e-08 * z + 1.773236135704792e-06;
  p = p * z - 0.00013446553202811629;
  p = p * z - 0.003643203992396593;
  p = p * z - 0.04703940078616142;
  p = p * z - 0.1890943944454193;
  p = p * z - 1.0301461219787598;
  float q = -0.0009322285768575966 * z - 0.013655939139425755;
  q = q * z - 0.10770092904567719;
  q = q * z - 0.4718930721282959;
  q = q * z - 0.9129433035850525;
  return clamp(p * x / q, -1.0, 1.0);
}`,
}

const WAVES = {
  // sin (x + turn pi/2). pi/2 in four parts of few bits, so that their products with n are exact for |x| up to 10^5.
  wave: `float wave(float x, int turn) {
  if ((floatBitsToUint(x) & 0x7f800000u) == 0x7f800000u) return nan();
  float n = roundEven(x * 0.63661977236758134308);
  float r = n * -1.5703125 + x;
  r = n * -0.0004825592041015625 + r;
  r = n * -1.2665987014770508e-06 + r;
  r = r - n * 9.92093629470503e-10;
  float z = r * r;
  float s = ((2.7183114939898219064e-6 * z - 1.98393348360966317347e-4) * z + 8.3333293858894631756e-3) * z - 0.166666666416265235595;
  float c = ((2.43904487962774090654e-5 * z - 1.38867637746099294692e-3) * z + 4.16666233237390631894e-2) * z - 0.499999997251031003120;
  int quarter = int(n) + turn;
  float y = (quarter & 1) == 1 ? z * c + 1.0 : r * z * s + r;
  return (quarter & 2) == 2 ? -y : y;
}`,
  sinOf: 'float sinOf(float x) { return wave(x, 0); }',
  cosOf: 'float cosOf(float x) { return wave(x, 1); }',
}

const POWERS = {
  upper: 'float upper(float x, uint mask) { return uintBitsToFloat(floatBitsToUint(x) & mask); }',
  // x^y with JavaScript's view of what is undefined. After FreeBSD's e_powf.c (Sun Microsystems 1993), which states that permission
  // to use, copy, modify and distribute is freely granted: log2 x and its product with y in two parts each.
  powOf: `float powOf(float x, float y) {
  if (isZero(y)) return 1.0;
  if (isNan(x) || isNan(y)) return nan();
  uint ay = floatBitsToUint(y) & 0x7fffffffu;
  uint ax = floatBitsToUint(x) & 0x7fffffffu;
  int kind = 0; // 0: y is no whole number, 1: odd, 2: even
  if (ay >= 0x4b800000u) kind = 2;
  else if (abs(y) == floor(abs(y))) kind = 2 - (int(abs(y)) & 1);
  if (ay == 0x7f800000u) {
    if (ax == 0x3f800000u) return nan();
    return (ax > 0x3f800000u) == (y > 0.0) ? infinity() : 0.0;
  }
  bool negative = (floatBitsToUint(x) >> 31) == 1u;
  float sgn = negative && kind == 1 ? -1.0 : 1.0;
  if (ax == 0u || ax == 0x7f800000u) return (ax != 0u) == (y > 0.0) ? sgn * infinity() : sgn * 0.0;
  if (negative && kind == 0) return nan();
  float t1 = 0.0;
  float t2 = 0.0;
  if (ay > 0x4d000000u) {
    if (ax < 0x3f7ffff8u) return y < 0.0 ? sgn * infinity() : sgn * 0.0;
    if (ax > 0x3f800007u) return y > 0.0 ? sgn * infinity() : sgn * 0.0;
    float t = abs(x) - 1.0;
    float w = (t * t) * (0.5 - t * (0.333333333333 - t * 0.25));
    float u = 1.4426879883 * t;
    float v = t * 7.0526075433e-06 - w * 1.4426950216;
    t1 = upper(u + v, 0xfffff000u);
    t2 = v - (t1 - u);
  } else {
    int word = int(ax);
    int n = 0;
    if (ax < 0x00800000u) { word = floatBitsToInt(abs(x) * 16777216.0); n = -24; }
    n += (word >> 23) - 127;
    int j = word & 0x007fffff;
    word = j | 0x3f800000;
    int k = 0;
    if (j > 0x1cc471) {
      if (j < 0x5db3d7) { k = 1; } else { n += 1; word -= 0x00800000; }
    }
    float a = intBitsToFloat(word);
    float bp = k == 1 ? 1.5 : 1.0;
    float v0 = 1.0 / (a + bp);
    float u0 = a - bp;
    float s = u0 * v0;
    float sh = upper(s, 0xfffff000u);
    float th = uintBitsToFloat((((uint(word) >> 1) & 0xfffff000u) | 0x20000000u) + 0x00400000u + (uint(k) << 21));
    float tl = a - (th - bp);
    float sl = v0 * ((u0 - sh * th) - sh * tl);
    float s2 = s * s;
    float r = s2 * s2 * (0.60000002384 + s2 * (0.42857143283 + s2 * (0.33333334327 + s2 * (0.27272811532 + s2 * (0.23066075146 + s2 * 0.20697501302)))));
    r += sl * (sh + s);
    s2 = sh * sh;
    th = upper(3.0 + s2 + r, 0xfffff000u);
    tl = r - ((th - 3.0) - s2);
    float u = sh * th;
    float v = sl * th + tl * s;
    float ph = upper(u + v, 0xfffff000u);
    float pl = v - (ph - u);
    float zh = 0.96191406250 * ph;
    float zl = -1.1736857402e-04 * ph + pl * 0.96179670095 + (k == 1 ? 1.56322085e-06 : 0.0);
    float dp = k == 1 ? 0.584960938 : 0.0;
    float t = float(n);
    t1 = upper(((zh + zl) + dp) + t, 0xfffff000u);
    t2 = zl - (((t1 - t) - dp) - zh);
  }
  float y1 = upper(y, 0xfffff000u);
  float low = (y - y1) * t1 + y * t2;
  float high = y1 * t1;
  float z = low + high;
  if (z > 128.0 || (z == 128.0 && low + 4.2995665694e-08 > z - high)) return sgn * infinity();
  if (z < -150.0) return sgn * 0.0;
  float n = roundEven(z);
  float rest = high - n;
  float t = upper(low + rest, 0xffff8000u);
  float u = t * 0.693145752;
  float v = (low - (t - rest)) * 0.69314718246 + t * 1.42860654e-06;
  float w0 = u + v;
  float w = v - (w0 - u);
  float q = w0 * w0;
  float c = w0 - q * (0.16666667163 + q * (-2.7777778450e-03 + q * (6.6137559770e-05 + q * (-1.6533901999e-06 + q * 4.1381369442e-08))));
  float e = 1.0 - (((w0 * c) / (c - 2.0) - (w + w0 * w)) - w0);
  int half1 = int(n) >> 1;
  return sgn * ((e * intBitsToFloat((half1 + 127) << 23)) * intBitsToFloat((int(n) - half1 + 127) << 23));
}`,
}

/** Definitions by name, each after those that it calls. */
export const glslMath: Readonly<Record<string, string>> = {
  ...BITS,
  ...EXPONENTIALS,
  ...LOGARITHMS,
  ...RATIONALS,
  ...WAVES,
  ...POWERS,
}
