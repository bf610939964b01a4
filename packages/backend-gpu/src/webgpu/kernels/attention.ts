import { sizeOf, stretch } from '@heed/core-tensor'
import type { Family, Input, Machine } from '../machine.ts'
import type { Storage } from '../pool.ts'
import type { Param } from '../program.ts'
import { attendByProducts, type Call, gradByProducts } from './attentionByProducts.ts'

interface ScaledDot {
  readonly scale: number
  readonly offset: number | null
}

/** Queries and keys of a tile. 64 threads hold its scores, four neighbours each. */
const TILE = 16
const THREADS = (TILE * TILE) / 4

const SIZES: readonly Param[] = [
  ...(['heads', 'queries', 'keys', 'size', 'valueSize', 'causal', 'ahead'] as const).map(name => [name, 'i32'] as const),
  ['scale', 'f32'],
] // biome-ignore format: a list

/** Where an operand lies: its start, and how far apart batches, heads, rows and numbers are. */
const layout = (name: string): Param[] => ['At', 'B', 'H', 'R', 'C'].map(part => [`${name}${part}`, 'i32'])
const layoutOf = (x: Input, strides: readonly number[] = x.strides): number[] => [x.offset, ...strides]

const HEAD = `let batch = i32(group.z) / p.heads;
  let head = i32(group.z) % p.heads;`
const start = (name: string): string =>
  `let ${name}Start = p.${name}At + batch * p.${name}B + head * p.${name}H;`

/** Whether a query may look at a key. */
const allowed = (masked: boolean): string => `fn allowed(maskStart: i32, query: i32, key: i32) -> bool {
  return query < p.queries && key < p.keys && (p.causal == 0 || key <= query + p.ahead)${masked ? ' && mask[maskStart + query * p.maskR + key * p.maskC] != 0' : ''};
}`

/**
 * Scaled dot-product attention without its matrix of weights: tiles of scores live in workgroup memory, and tiles that a causal mask
 * hides are never computed. Dao et al. 2022, arXiv:2205.14135. Where barriers are dear, products of matrices take its place.
 */
export function attention(machine: Machine): Family<'scaledDotAttention' | 'scaledDotAttentionGrad'> {
  return {
    scaledDotAttention: ([q, k, v, mask], outputs, attrs: ScaledDot) => {
      const call = described(q as Input, k as Input, v as Input, mask, attrs)
      const made = machine.outputs(outputs)
      if (!machine.barriers) {
        const [y, logSums] = made as [Storage, Storage]
        attendByProducts(machine, callOf(q as Input, k as Input, v as Input, mask, attrs), y, logSums)
        return made
      }
      const program = machine.program(`attention${mask ? ' masked' : ''}`, () => forward(mask !== undefined))
      machine.grouped(
        program,
        [1, Math.ceil(call.queries / TILE), call.planes],
        [
          ...call.sizes,
          ...layoutOf(q as Input),
          ...layoutOf(k as Input),
          ...layoutOf(v as Input),
          ...call.maskLayout,
        ],
        [...([q, k, v] as Input[]).map(x => x.storage), ...call.maskStorage, ...made],
      )
      return made
    },
    scaledDotAttentionGrad: ([dy, y, logSums, q, k, v, mask], outputs, attrs: ScaledDot) => {
      const inputs = [dy, q, k, v] as readonly Input[]
      const call = described(q as Input, k as Input, v as Input, mask, attrs)
      const made = machine.outputs(outputs)
      const [dq, dk, dv] = made as [Storage, Storage, Storage]
      const masked = mask ? ' masked' : ''
      const rows = sizeOf((logSums as Input).shape)
      const values = [...call.sizes, ...inputs.flatMap(x => layoutOf(x)), ...call.maskLayout]
      const storages = [...inputs.map(x => x.storage), ...call.maskStorage]
      machine.scratch([2 * rows], room => {
        const stats = room as Storage
        machine.each(
          machine.program('attention stats', statistics),
          rows,
          [call.heads, call.queries, call.valueSize, ...layoutOf(dy as Input), ...layoutOf(y as Input), (logSums as Input).offset], // biome-ignore format: one line reads best
          [(dy as Input).storage, (y as Input).storage, (logSums as Input).storage, stats],
        )
        if (!machine.barriers) {
          const whole = callOf(q as Input, k as Input, v as Input, mask, attrs)
          gradByProducts(machine, whole, dy as Input, stats, [dq, dk, dv])
          return
        }
        machine.grouped(
          machine.program(`attention by query${masked}`, () => byQuery(mask !== undefined)),
          [1, Math.ceil(call.queries / TILE), call.planes],
          values,
          [...storages, stats, dq],
        )
        machine.grouped(
          machine.program(`attention by key${masked}`, () => byKey(mask !== undefined)),
          [1, Math.ceil(call.keys / TILE), call.planes],
          values,
          [...storages, stats, dk, dv],
        )
      })
      return made
    },
  }
}

function callOf(q: Input, k: Input, v: Input, given: Input | undefined, { scale, offset }: ScaledDot): Call {
  const shape = [...q.shape.slice(0, 3), k.shape[2] as number]
  const mask = given && {
    dtype: given.dtype,
    storage: given.storage,
    offset: given.offset,
    shape,
    strides: stretch(given, shape),
  }
  return { q, k, v, mask, scale, ahead: offset }
}

function described(q: Input, k: Input, v: Input, mask: Input | undefined, { scale, offset }: ScaledDot) {
  const [batch, heads, queries, size] = q.shape as [number, number, number, number]
  const [keys, valueSize] = [k.shape[2] as number, v.shape[3] as number]
  return {
    queries,
    keys,
    heads,
    valueSize,
    planes: batch * heads,
    sizes: [heads, queries, keys, size, valueSize, offset === null ? 0 : 1, offset ?? 0, scale],
    maskLayout: mask ? layoutOf(mask, stretch(mask, [batch, heads, queries, keys])) : [],
    maskStorage: mask ? [mask.storage] : [],
  }
}

const maskReads = (masked: boolean): Record<string, 'i32'> => (masked ? { mask: 'i32' } : {})
const maskParams = (masked: boolean): Param[] => (masked ? layout('mask') : [])
const maskStart = (masked: boolean): string => (masked ? start('mask') : 'let maskStart = 0;')
const scoresOf = (name: string): string => `var<workgroup> ${name}: array<array<f32, ${TILE}>, ${TILE}>;`

/** The products of row `rowAt` of a with rows of b, four neighbours at once, into `s`. */
const dots = (
  a: string,
  b: string,
  rowAt: string,
  columnAt: string,
  length: string,
): string => `var s = vec4f();
    {
      var left = ${a}Start + ${rowAt} * p.${a}R;
      var right = vec4i(${b}Start) + (vec4i(${columnAt}) + vec4i(0, 1, 2, 3)) * p.${b}R;
      for (var d = 0; d < ${length}; d++) {
        s = fma(vec4f(${a}[left]), vec4f(${b}[right.x], ${b}[right.y], ${b}[right.z], ${b}[right.w]), s);
        left += p.${a}C;
        right += vec4i(p.${b}C);
      }
    }`

function forward(masked: boolean) {
  return {
    params: [...SIZES, ...layout('q'), ...layout('k'), ...layout('v'), ...maskParams(masked)],
    reads: { q: 'f32' as const, k: 'f32' as const, v: 'f32' as const, ...maskReads(masked) },
    writes: { y: 'f32' as const, logSums: 'f32' as const },
    grouped: true,
    group: THREADS,
    globals: `${scoresOf('scores')}
var<workgroup> most: array<f32, ${TILE}>;
var<workgroup> total: array<f32, ${TILE}>;
var<workgroup> shrink: array<f32, ${TILE}>;
${allowed(masked)}`,
    body: `${HEAD}
  ${start('q')} ${start('k')} ${start('v')} ${maskStart(masked)}
  let first = i32(group.y) * ${TILE};
  let r = i32(thread) / 4;
  let c = i32(thread) % 4 * 4;
  let rows = min(${TILE}, p.queries - first);
  let yStart = (i32(group.z) * p.queries + first) * p.valueSize;
  if (thread < ${TILE}u) { most[thread] = -3e38; total[thread] = 0.0; }
  // Keys behind the last one that any query of the tile sees are left out.
  let end = select(p.keys, clamp(first + rows + p.ahead, 0, p.keys), p.causal != 0);
  for (var e = i32(thread); e < rows * p.valueSize; e += ${THREADS}) { y[yStart + e] = 0.0; }
  for (var key = 0; key < end; key += ${TILE}) {
    let query = min(first + r, p.queries - 1);
    let k0 = key + c;
    let kLast = p.keys - 1;
    ${dots('q', 'k', 'query', 'min(vec4i(k0, k0 + 1, k0 + 2, k0 + 3), vec4i(kLast)) - vec4i(0, 1, 2, 3)', 'p.size')}
    for (var j = 0; j < 4; j++) {
      scores[r][c + j] = select(-3e38, s[j] * p.scale, allowed(maskStart, first + r, k0 + j));
    }
    workgroupBarrier();
    if (thread < ${TILE}u) {
      let before = most[thread];
      var now = before;
      for (var j = 0; j < ${TILE}; j++) { let v = scores[thread][j]; if (v > now || isNan(v)) { now = v; } }
      let factor = expOf(before - now);
      var sum = total[thread] * factor;
      for (var j = 0; j < ${TILE}; j++) {
        let hidden = scores[thread][j] == -3e38;
        let e = select(expOf(scores[thread][j] - now), 0.0, hidden);
        scores[thread][j] = e;
        sum += e;
      }
      most[thread] = now;
      total[thread] = sum;
      shrink[thread] = factor;
    }
    workgroupBarrier();
    for (var e = i32(thread); e < rows * p.valueSize; e += ${THREADS}) {
      let row = e / p.valueSize;
      var at = vStart + key * p.vR + e % p.valueSize * p.vC;
      var sum = y[yStart + e] * shrink[row];
      for (var j = 0; j < min(${TILE}, p.keys - key); j++) {
        sum = fma(scores[row][j], v[at], sum);
        at += p.vR;
      }
      y[yStart + e] = sum;
    }
    workgroupBarrier();
  }
  for (var e = i32(thread); e < rows * p.valueSize; e += ${THREADS}) {
    let sum = total[e / p.valueSize];
    y[yStart + e] = select(y[yStart + e] / sum, 0.0, sum == 0.0);
  }
  if (i32(thread) < rows) {
    logSums[i32(group.z) * p.queries + first + i32(thread)] = select(most[thread] + logOf(total[thread]), 0.0, total[thread] == 0.0);
  }`,
  }
}

/** For each query: the logarithm of its sum, and how much its gradient weighs all keys alike, Σ dy · y. */
function statistics() {
  return {
    params: [['n', 'u32'], ['heads', 'i32'], ['queries', 'i32'], ['valueSize', 'i32'], ...layout('dy'), ...layout('y'), ['logSumsAt', 'u32']] as Param[], // biome-ignore format: a list
    reads: { dy: 'f32' as const, y: 'f32' as const, logSums: 'f32' as const },
    writes: { stats: 'f32' as const },
    body: `let query = i32(i) % p.queries;
  let head = i32(i) / p.queries % p.heads;
  let batch = i32(i) / (p.queries * p.heads);
  ${start('dy')} ${start('y')}
  var sum = 0.0;
  for (var c = 0; c < p.valueSize; c++) {
    sum = fma(dy[dyStart + query * p.dyR + c * p.dyC], y[yStart + query * p.yR + c * p.yC], sum);
  }
  stats[2u * i] = logSums[p.logSumsAt + i];
  stats[2u * i + 1u] = sum;`,
  }
}

function backward(masked: boolean) {
  return {
    params: [
      ...SIZES,
      ...layout('dy'),
      ...layout('q'),
      ...layout('k'),
      ...layout('v'),
      ...maskParams(masked),
    ],
    reads: { dy: 'f32' as const, q: 'f32' as const, k: 'f32' as const, v: 'f32' as const, ...maskReads(masked), stats: 'f32' as const }, // biome-ignore format: one line reads best
    grouped: true,
    group: THREADS,
    start: `${HEAD}
  ${start('dy')} ${start('q')} ${start('k')} ${start('v')} ${maskStart(masked)}
  let r = i32(thread) / 4;
  let c = i32(thread) % 4 * 4;
  let kLast = p.keys - 1;`,
    // A tile of weights and of the scores' gradients, from which the sums follow.
    tile: `let query = min(first + r, p.queries - 1);
    let k0 = key + c;
    var weight = vec4f();
    {
      ${dots('q', 'k', 'query', 'min(vec4i(k0, k0 + 1, k0 + 2, k0 + 3), vec4i(kLast)) - vec4i(0, 1, 2, 3)', 'p.size')}
      weight = s;
    }
    ${dots('dy', 'v', 'query', 'min(vec4i(k0, k0 + 1, k0 + 2, k0 + 3), vec4i(kLast)) - vec4i(0, 1, 2, 3)', 'p.valueSize')}
    let row = i32(group.z) * p.queries + query;
    for (var j = 0; j < 4; j++) {
      let w = select(0.0, expOf(weight[j] * p.scale - stats[2 * row]), allowed(maskStart, first + r, k0 + j));
      weights[r][c + j] = w;
      scores[r][c + j] = w * (s[j] - stats[2 * row + 1]) * p.scale;
    }
    workgroupBarrier();`,
    globals: `${scoresOf('weights')}\n${scoresOf('scores')}\n${allowed(masked)}`,
  }
}

function byQuery(masked: boolean) {
  const { start: begin, tile, ...rest } = backward(masked)
  return {
    ...rest,
    writes: { dq: 'f32' as const },
    body: `${begin}
  let first = i32(group.y) * ${TILE};
  let rows = min(${TILE}, p.queries - first);
  let dqStart = (i32(group.z) * p.queries + first) * p.size;
  let end = select(p.keys, clamp(first + rows + p.ahead, 0, p.keys), p.causal != 0);
  for (var e = i32(thread); e < rows * p.size; e += ${THREADS}) { dq[dqStart + e] = 0.0; }
  for (var key = 0; key < end; key += ${TILE}) {
    ${tile}
    for (var e = i32(thread); e < rows * p.size; e += ${THREADS}) {
      var at = kStart + key * p.kR + e % p.size * p.kC;
      var sum = dq[dqStart + e];
      for (var j = 0; j < min(${TILE}, p.keys - key); j++) {
        sum = fma(scores[e / p.size][j], k[at], sum);
        at += p.kR;
      }
      dq[dqStart + e] = sum;
    }
    workgroupBarrier();
  }`,
  }
}

function byKey(masked: boolean) {
  const { start: begin, tile, ...rest } = backward(masked)
  const summed = (to: string, tileName: string, from: string, size: string): string => `
    for (var e = i32(thread); e < columns * p.${size}; e += ${THREADS}) {
      var at = ${from}Start + first * p.${from}R + e % p.${size} * p.${from}C;
      var sum = ${to}[keyStart * p.${size} + e];
      for (var j = 0; j < min(${TILE}, p.queries - first); j++) {
        sum = fma(${tileName}[j][e / p.${size}], ${from}[at], sum);
        at += p.${from}R;
      }
      ${to}[keyStart * p.${size} + e] = sum;
    }`
  return {
    ...rest,
    writes: { dk: 'f32' as const, dv: 'f32' as const },
    body: `${begin}
  let key = i32(group.y) * ${TILE};
  let columns = min(${TILE}, p.keys - key);
  let keyStart = i32(group.z) * p.keys + key;
  for (var e = i32(thread); e < columns * p.size; e += ${THREADS}) { dk[keyStart * p.size + e] = 0.0; }
  for (var e = i32(thread); e < columns * p.valueSize; e += ${THREADS}) { dv[keyStart * p.valueSize + e] = 0.0; }
  // Queries in front of the first one that sees any key of the tile are left out.
  let begin = select(0, max(0, key - p.ahead) / ${TILE} * ${TILE}, p.causal != 0);
  for (var first = begin; first < p.queries; first += ${TILE}) {
    ${tile}
    ${summed('dk', 'scores', 'q', 'size')}
    ${summed('dv', 'weights', 'dy', 'valueSize')}
    workgroupBarrier();
  }`,
  }
}
