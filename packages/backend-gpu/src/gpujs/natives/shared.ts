// Functions written once, in what GLSL and WGSL nearly share: declarations with a type in front, ifs for choices, unsigned shifts.
// wgslOf() turns them into WGSL. Whole numbers are held in floats, below 2²⁴ in size; beyond, a result becomes NaN, which every operation
// on whole numbers and truth values passes on, and which is an error when it is read.

/** Functions of floats. */
const FLOATS = {
  absOf: 'float absOf(float x) { return uintBitsToFloat(floatBitsToUint(x) & 0x7fffffffu); }',
  negOf: 'float negOf(float x) { return uintBitsToFloat(floatBitsToUint(x) ^ 0x80000000u); }',
  roundOf: 'float roundOf(float x) { return roundEven(x); }',
  signOf: 'float signOf(float x) { if (x > 0.0) { return 1.0; } if (x < 0.0) { return -1.0; } return 0.0; }',
  sqrtOf: 'float sqrtOf(float x) { if (x < 0.0) { return nan(); } return sqrt(x); }',
  maximumOf: `float maximumOf(float a, float b) {
  if (isNan(a) || isNan(b)) { return nan(); }
  return max(a, b);
}`,
  minimumOf: `float minimumOf(float a, float b) {
  if (isNan(a) || isNan(b)) { return nan(); }
  return min(a, b);
}`,
  equalOf: 'float equalOf(float a, float b) { if (a == b) { return 1.0; } return 0.0; }',
  lessOf: 'float lessOf(float a, float b) { if (a < b) { return 1.0; } return 0.0; }',
  lessEqualOf: 'float lessEqualOf(float a, float b) { if (a <= b) { return 1.0; } return 0.0; }',
  // Which of two comes first: the larger one, and NaN before all.
  firstOf: `float firstOf(float x, float best) {
  if (isNan(best)) { return 0.0; }
  if (isNan(x) || x > best) { return 1.0; }
  return 0.0;
}`,
  lastOf: `float lastOf(float x, float best) {
  if (isNan(best)) { return 0.0; }
  if (isNan(x) || x < best) { return 1.0; }
  return 0.0;
}`,
  // Whether a comes before b when sorted: NaN is the largest.
  beforeOf: `float beforeOf(float a, float b, int descending) {
  if (isNan(a) || isNan(b)) {
    if (descending == 1) { if (isNan(a) && !isNan(b)) { return 1.0; } return 0.0; }
    if (isNan(b) && !isNan(a)) { return 1.0; }
    return 0.0;
  }
  if (descending == 1) { if (a > b) { return 1.0; } return 0.0; }
  if (a < b) { return 1.0; }
  return 0.0;
}`,
  truthOf: 'float truthOf(float x) { if (isZero(x)) { return 0.0; } return 1.0; }',
  truncatedOf: `float truncatedOf(float x) {
  if (isNan(x)) { return 0.0; }
  if (abs(x) > 16777215.0) { return nan(); }
  return trunc(x);
}`,
  pickOf: `float pickOf(float c, float a, float b) {
  if (isNan(c)) { return nan(); }
  if (c != 0.0) { return a; }
  return b;
}`,
  geluOf: 'float geluOf(float x) { return x * (erfOf(x * 0.7071067811865476) + 1.0) * 0.5; }',
  geluByTanh: `float geluByTanh(float x) {
  return x * (tanhOf((x + x * x * x * 0.044715) * 0.7978845608028654) + 1.0) * 0.5;
}`,
  geluSlope: `float geluSlope(float x) {
  return (erfOf(x * 0.7071067811865476) + 1.0) * 0.5 + x * expOf(x * x * -0.5) * 0.3989422804014327;
}`,
  geluSlopeByTanh: `float geluSlopeByTanh(float x) {
  float t = tanhOf((x + x * x * x * 0.044715) * 0.7978845608028654);
  return (t + 1.0) * 0.5 + x * (1.0 - t * t) * (x * x * 0.134145 + 1.0) * 0.3989422804014327;
}`,
  isNanOf: 'float isNanOf(float x) { if (isNan(x)) { return 1.0; } return 0.0; }',
  lowest: 'float lowest() { return -infinity(); }',
  nanOf: 'float nanOf() { return nan(); }',
}

/** Functions of whole numbers in floats. */
const WHOLES = {
  wholeOf: `float wholeOf(float x) {
  if (isNan(x) || abs(x) > 16777215.0) { return nan(); }
  return x;
}`,
  quotientOf: `float quotientOf(float a, float b) {
  if (isNan(a) || isNan(b)) { return nan(); }
  if (b == 0.0) { return 0.0; }
  return float(int(a) / int(b));
}`,
  powerOf: `float powerOf(float a, float b) {
  if (isNan(a) || isNan(b)) { return nan(); }
  int k = int(b);
  if (k < 0) {
    if (abs(a) != 1.0) { return 0.0; }
    if ((k & 1) == 0) { return 1.0; }
    return a;
  }
  float y = 1.0;
  float base = a;
  for (int i = 0; i < 32; i++) {
    if (k == 0) { break; }
    if ((k & 1) == 1) { y = wholeOf(y * base); }
    base = base * base;
    k = k >> 1u;
  }
  return y;
}`,
  equalWhole:
    'float equalWhole(float a, float b) { if (isNan(a) || isNan(b)) { return nan(); } return equalOf(a, b); }',
  lessWhole:
    'float lessWhole(float a, float b) { if (isNan(a) || isNan(b)) { return nan(); } return lessOf(a, b); }',
  lessEqualWhole:
    'float lessEqualWhole(float a, float b) { if (isNan(a) || isNan(b)) { return nan(); } return lessEqualOf(a, b); }',
  signWhole: 'float signWhole(float x) { if (isNan(x)) { return nan(); } return signOf(x); }',
  truthWhole: 'float truthWhole(float x) { if (isNan(x)) { return nan(); } return truthOf(x); }',
}

/** Places, as whole numbers of 32 bits. */
const PLACES = {
  quotient: 'int quotient(int i, int d) { return i / d; }',
  remainder: 'int remainder(int i, int d) { return i - (i / d) * d; }',
  // What an index in a float points to.
  placeAt: 'int placeAt(int start, float id, int step) { return start + int(id) * step; }',
  rowAt: 'int rowAt(int start, float id, int step, int column) { return start + int(id) * step + column; }',
  // Which window begins a given distance before, every `stride`-th does; -1 where none.
  foldedAt: `int foldedAt(int distance, int stride, int windows) {
  if (distance < 0) { return -1; }
  int w = distance / stride;
  if (w * stride != distance || w >= windows) { return -1; }
  return w;
}`,
  // Row and unit of thread i, where each unit has `many` numbers.
  unitOf:
    'int unitOf(int i, int many, int hidden) { return (i / (many * hidden)) * hidden + (i - (i / hidden) * hidden); }',
  // What a row has at the step before, which is the step after for a row that runs backwards; -1 at its first.
  earlierAt: `int earlierAt(int here, int step, int reverse, float end, int apart) {
  if (reverse == 0) { if (step == 0) { return -1; } return here - apart; }
  if (float(step + 1) >= end) { return -1; }
  return here + apart;
}`,
  // The next element of run a, or of run b where a has no more.
  mergedFrom: `int mergedFrom(int a, int b, int fromA, int fromB, int lengthA) {
  if (fromA < lengthA) { return a + fromA; }
  return b + fromB;
}`,
  least: 'int least(int a, int b) { return min(a, b); }',
  most: 'int most(int a, int b) { return max(a, b); }',
}

const RANDOM = {
  turned: 'uint turned(uint x, uint bits) { return (x << bits) | (x >> (32u - bits)); }',
  // Threefry-2x32, 20 rounds, as in rng.ts of core-tensor: the same bits. The counter carries into its second word.
  randomOf: `float randomOf(int i, int key0, int key1, int low, int high) {
  uint k0 = uint(key0);
  uint k1 = uint(key1);
  uint k2 = 0x1bd11bdau ^ k0 ^ k1;
  uint first = uint(low) + uint(i >> 1u);
  uint second = uint(high);
  if (first < uint(low)) { second = second + 1u; }
  uint x = first + k0;
  uint y = second + k1;
  for (uint r = 0u; r < 5u; r++) {
    if ((r & 1u) == 0u) {
      x = x + y; y = turned(y, 13u) ^ x;
      x = x + y; y = turned(y, 15u) ^ x;
      x = x + y; y = turned(y, 26u) ^ x;
      x = x + y; y = turned(y, 6u) ^ x;
    } else {
      x = x + y; y = turned(y, 17u) ^ x;
      x = x + y; y = turned(y, 29u) ^ x;
      x = x + y; y = turned(y, 16u) ^ x;
      x = x + y; y = turned(y, 24u) ^ x;
    }
    x = x + k1;
    y = y + k2 + r + 1u;
    uint k = k0;
    k0 = k1;
    k1 = k2;
    k2 = k;
  }
  uint word = x;
  if ((i & 1) == 1) { word = y; }
  return float(word >> 8u) / 16777216.0;
}`,
}

/** Definitions by name. */
export const shared: Readonly<Record<string, string>> = { ...FLOATS, ...WHOLES, ...PLACES, ...RANDOM }

const numbers = (count: number, from = 0): number[] => Array.from({ length: count }, (_, i) => i + from)

/** Lines that take a number in row-major order apart: c0, c1, … along axes of lengths d1, d2, …. */
function apart(rank: number): string {
  const lines: string[] = []
  let rest = 'i'
  for (let axis = rank - 1; axis > 0; axis--) {
    lines.push(`int q${axis} = ${rest} / d${axis};`, `int c${axis} = ${rest} - q${axis} * d${axis};`)
    rest = `q${axis}`
  }
  lines.push(`int c0 = ${rest};`)
  return lines.join('\n  ')
}

const ints = (names: readonly string[]): string => names.map(name => `int ${name}`).join(', ')
const lengths = (rank: number): string[] => numbers(Math.max(0, rank - 1), 1).map(a => `d${a}`)

/** Functions that depend on how many axes there are, by family. */
const families: Readonly<Record<string, (rank: number) => string>> = {
  // The place of element i by strides.
  place:
    rank => `int place${rank}(${ints(['i', ...lengths(rank), 'o', ...numbers(rank).map(a => `s${a}`)])}) {
  ${rank ? apart(rank) : ''}
  return ${['o', ...numbers(rank).map(a => `c${a} * s${a}`)].join(' + ')};
}`,
  // The place of what is set at element i, every \`e\`-th from \`b\` on, \`l\` of them; -1 where nothing is.
  within:
    rank => `int within${rank}(${ints(['i', ...lengths(rank), 'o', ...numbers(rank).flatMap(a => [`b${a}`, `e${a}`, `l${a}`, `s${a}`])])}) {
  ${rank ? apart(rank) : ''}
  int at = o;
  ${numbers(rank)
    .map(
      a => `int t${a} = c${a} - b${a};
  int k${a} = t${a} / e${a};
  if (k${a} * e${a} != t${a} || k${a} < 0 || k${a} >= l${a}) { return -1; }
  at = at + k${a} * s${a};`,
    )
    .join('\n  ')}
  return at;
}`,
  // 1 where element i lies inside a smaller shape.
  fits: rank => `int fits${rank}(${ints(['i', ...lengths(rank), ...numbers(rank).map(a => `l${a}`)])}) {
  ${rank ? apart(rank) : ''}
  ${numbers(rank)
    .map(a => `if (c${a} >= l${a}) { return 0; }`)
    .join('\n  ')}
  return 1;
}`,
}

/** The definition of a function whose name ends in a number of axes. */
export function ranked(name: string): string | undefined {
  const [, family = '', rank] = /^([a-z]+)(\d+)$/.exec(name) ?? []
  return families[family]?.(Number(rank))
}

const TYPES: Readonly<Record<string, string>> = { float: 'f32', int: 'i32', uint: 'u32', bool: 'bool' }

/** A definition in WGSL. */
export function wgslOf(glsl: string): string {
  return glsl
    .replace(/^(float|int|uint) (\w+)\(([^)]*)\)/, (_, gives, name, takes) => {
      const parameters = takes
        .split(', ')
        .filter(Boolean)
        .map((one: string) => {
          const [type, parameter] = one.split(' ') as [string, string]
          return `${parameter}: ${TYPES[type]}`
        })
      return `fn ${name}(${parameters.join(', ')}) -> ${TYPES[gives]}`
    })
    .replace(/\b(float|int|uint) (\w+) =/g, (_, type, name) => `var ${name}: ${TYPES[type]} =`)
    .replace(/\bfloatBitsToUint\(/g, 'bitcast<u32>(')
    .replace(/\buintBitsToFloat\(/g, 'bitcast<f32>(')
    .replace(/\broundEven\(/g, 'round(')
    .replace(/\b(float|int|uint)\(/g, (_, type) => `${TYPES[type]}(`)
}
