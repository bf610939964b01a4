import { type Operand, sizeOf, stretch, type TensorSpec } from '@heed/core-tensor'
import type { Family, Input, Machine } from '../machine.ts'
import type { Storage } from '../pool.ts'
import type { Program } from '../program.ts'
import { joined, places, placeValues, type Walk } from '../walk.ts'

/** Matrix products of operands that lie in any way: a transposed one costs no copy. */
export function matmul(machine: Machine): Family<'matmul' | 'linear'> {
  return {
    matmul: ([a, b], [out]) => {
      const spec = out as TensorSpec
      const y = machine.output(spec)
      product(machine, { a: a as Input, b: b as Input, shape: spec.shape }, y)
      return [y]
    },
    linear: ([x, weight, bias], [out]) => {
      const spec = out as TensorSpec
      const y = machine.output(spec)
      product(
        machine,
        { a: x as Input, b: turned(weight as Input), shape: spec.shape, bias: bias as Input },
        y,
      )
      return [y]
    },
  }
}

/** The same tensor with its last two axes exchanged. */
export function turned<S>(x: Operand<S>): Operand<S> {
  const swap = (list: readonly number[]): number[] => [...list.slice(0, -2), ...list.slice(-2).reverse()]
  const { dtype, storage, offset } = x
  return { dtype, storage, offset, shape: swap(x.shape), strides: swap(x.strides) }
}

export interface Product {
  readonly a: Input
  readonly b: Input
  /** Of the result. */
  readonly shape: readonly number[]
  /** Added to every row. */
  readonly bias?: Input
}

/** Numbers of rows and columns that a group of threads computes; each thread a part of 4 × 4. */
const TILE = 32
const DEPTH = 16

/** y = a b (+ bias). */
export function product(machine: Machine, { a, b, shape, bias }: Product, y: Storage): void {
  const [m, n] = shape.slice(-2) as [number, number]
  const k = a.shape.at(-1) as number
  const lead = shape.slice(0, -2)
  const batches = sizeOf(lead)
  const front = (x: Input): number[] =>
    stretch({ shape: x.shape.slice(0, -2), strides: x.strides.slice(0, -2) }, lead)
  const [rowA, stepA] = a.strides.slice(-2) as [number, number]
  const [stepB, columnB] = b.strides.slice(-2) as [number, number]
  const tiled = machine.barriers && m >= 16 && n >= 16 && k >= 8
  const flat = joined(lead, front(a), front(b))
  const walk = tiled ? padded(flat) : flat
  const blocked = !tiled && m >= 4 && n >= 4
  const key = `matmul ${blocked ? 'blocked' : tiled ? 'tiled' : 'plain'}${bias ? ' bias' : ''} ${walk.shape.length}`
  const program = machine.program(key, () =>
    blocked ? inBlocks(walk, bias) : tiled ? inTiles(walk, bias) : plainly(walk, bias),
  )
  const values = [
    m,
    n,
    k,
    rowA,
    stepA,
    stepB,
    columnB,
    ...(bias ? [bias.offset, bias.strides[0] as number] : []),
  ]
  const at = placeValues(walk, [a.offset, b.offset])
  const buffers = [a.storage, b.storage, ...(bias ? [bias.storage] : []), y]
  if (blocked)
    machine.each(program, batches * Math.ceil(m / 4) * Math.ceil(n / 4), [...values, ...at], buffers)
  else if (!tiled) machine.each(program, batches * m * n, [...values, ...at], buffers)
  else {
    const tiles = [Math.ceil(n / TILE), Math.ceil(m / TILE)] as const
    for (let first = 0; first < batches; first += 65535)
      machine.grouped(
        program,
        [...tiles, Math.min(65535, batches - first)],
        [first, ...values, ...at],
        buffers,
      )
  }
}

/** With two axes at least, the outer ones of length 1: tiled programs take long to compile, so there shall be few. */
function padded({ shape, strides }: Walk): Walk {
  const more = Array.from({ length: Math.max(0, 2 - shape.length) }, () => 0)
  return { shape: [...more.map(() => 1), ...shape], strides: strides.map(s => [...more, ...s]) }
}

function described(
  walk: Walk,
  bias: Input | undefined,
): Pick<Program, 'params' | 'reads' | 'writes'> & { code: string } {
  const { params, code } = places(walk.shape.length, ['a', 'b'], { from: 'batch' })
  return {
    params: [
      ...(['m', 'n', 'k'] as const).map(name => [`${name}Size`, 'i32'] as const),
      ...(['rowA', 'stepA', 'stepB', 'columnB'] as const).map(name => [name, 'i32'] as const),
      ...(bias ? ([['biasAt', 'i32'], ['biasStep', 'i32']] as const) : []),
      ...params,
    ], // biome-ignore format: a list
    reads: { a: 'f32', b: 'f32', ...(bias ? { bias: 'f32' as const } : {}) },
    writes: { y: 'f32' },
    code,
  }
}

/** One thread for each number of the result. */
function plainly(walk: Walk, bias: Input | undefined): Omit<Program, 'name'> {
  const { params, reads, writes, code } = described(walk, bias)
  return {
    params: [['n', 'u32'], ...params],
    reads,
    writes,
    body: `let column = i32(i) % p.nSize;
  let row = i32(i) / p.nSize % p.mSize;
  let batch = i / u32(p.nSize * p.mSize);
  ${code}
  var at = aAt + row * p.rowA;
  var bt = bAt + column * p.columnB;
  var sum = 0.0;
  for (var k = 0; k < p.kSize; k++) {
    sum = fma(a[at], b[bt], sum);
    at += p.stepA;
    bt += p.stepB;
  }
  y[i] = sum${bias ? ' + bias[p.biasAt + column * p.biasStep]' : ''};`,
  }
}

/** Each thread holds 4 × 4 sums and reads the operands from memory: for adapters to which barriers are dear. */
function inBlocks(walk: Walk, bias: Input | undefined): Omit<Program, 'name'> {
  const { params, reads, writes, code } = described(walk, bias)
  return {
    params: [['n', 'u32'], ...params],
    reads,
    writes,
    body: `let wide = u32(p.nSize + 3) / 4u;
  let high = u32(p.mSize + 3) / 4u;
  let column = i32(i % wide) * 4;
  let row = i32(i / wide % high) * 4;
  let batch = i / (wide * high);
  ${code}
  var at = vec4i(aAt) + min(vec4i(row) + vec4i(0, 1, 2, 3), vec4i(p.mSize - 1)) * p.rowA;
  var bt = vec4i(bAt) + min(vec4i(column) + vec4i(0, 1, 2, 3), vec4i(p.nSize - 1)) * p.columnB;
  var sum0 = vec4f(); var sum1 = vec4f(); var sum2 = vec4f(); var sum3 = vec4f();
  for (var k = 0; k < p.kSize; k++) {
    let vb = vec4f(b[bt.x], b[bt.y], b[bt.z], b[bt.w]);
    sum0 = fma(vec4f(a[at.x]), vb, sum0);
    sum1 = fma(vec4f(a[at.y]), vb, sum1);
    sum2 = fma(vec4f(a[at.z]), vb, sum2);
    sum3 = fma(vec4f(a[at.w]), vb, sum3);
    at += vec4i(p.stepA);
    bt += vec4i(p.stepB);
  }
  var sums = array<vec4f, 4>(sum0, sum1, sum2, sum3);
  let base = i32(batch) * p.mSize * p.nSize;
  for (var r = 0; r < min(4, p.mSize - row); r++) {
    for (var c = 0; c < min(4, p.nSize - column); c++) {
      y[base + (row + r) * p.nSize + column + c] = sums[r][c]${bias ? ' + bias[p.biasAt + (column + c) * p.biasStep]' : ''};
    }
  }`,
  }
}

/** Tiles of both operands stand in workgroup memory, and each thread holds 4 × 4 sums in registers. */
function inTiles(walk: Walk, bias: Input | undefined): Omit<Program, 'name'> {
  const { params, reads, writes, code } = described(walk, bias)
  const side = TILE / 4
  const threads = side * side
  return {
    params: [['first', 'u32'], ...params],
    reads,
    writes,
    grouped: true,
    group: threads,
    globals: `var<workgroup> tileA: array<vec4f, ${(TILE * DEPTH) / 4}>;
var<workgroup> tileB: array<vec4f, ${(TILE * DEPTH) / 4}>;
fn fromA(base: i32, row: i32, k: i32) -> f32 {
  if (row < p.mSize && k < p.kSize) { return a[base + row * p.rowA + k * p.stepA]; }
  return 0.0;
}
fn fromB(base: i32, k: i32, column: i32) -> f32 {
  if (column < p.nSize && k < p.kSize) { return b[base + k * p.stepB + column * p.columnB]; }
  return 0.0;
}`,
    body: `let batch = p.first + group.z;
  ${code}
  let firstRow = i32(group.y) * ${TILE};
  let firstColumn = i32(group.x) * ${TILE};
  let tx = thread % ${side}u;
  let ty = thread / ${side}u;
  var sum0 = vec4f(); var sum1 = vec4f(); var sum2 = vec4f(); var sum3 = vec4f();
  for (var k0 = 0; k0 < p.kSize; k0 += ${DEPTH}) {
    // tileA[k][row / 4] and tileB[k][column / 4]: four neighbours at a time
    for (var e = thread; e < ${(TILE * DEPTH) / 4}u; e += ${threads}u) {
      let k = k0 + i32(e / ${side}u);
      let r = firstRow + i32(e % ${side}u) * 4;
      let c = firstColumn + i32(e % ${side}u) * 4;
      tileA[e] = vec4f(fromA(aAt, r, k), fromA(aAt, r + 1, k), fromA(aAt, r + 2, k), fromA(aAt, r + 3, k));
      tileB[e] = vec4f(fromB(bAt, k, c), fromB(bAt, k, c + 1), fromB(bAt, k, c + 2), fromB(bAt, k, c + 3));
    }
    workgroupBarrier();
    for (var k = 0u; k < ${DEPTH}u; k++) {
      let va = tileA[k * ${side}u + ty];
      let vb = tileB[k * ${side}u + tx];
      sum0 = fma(vec4f(va.x), vb, sum0);
      sum1 = fma(vec4f(va.y), vb, sum1);
      sum2 = fma(vec4f(va.z), vb, sum2);
      sum3 = fma(vec4f(va.w), vb, sum3);
    }
    workgroupBarrier();
  }
  var sums = array<vec4f, 4>(sum0, sum1, sum2, sum3);
  let base = i32(batch) * p.mSize * p.nSize;
  for (var r = 0; r < 4; r++) {
    let row = firstRow + i32(ty) * 4 + r;
    if (row >= p.mSize) { break; }
    for (var c = 0; c < 4; c++) {
      let column = firstColumn + i32(tx) * 4 + c;
      if (column < p.nSize) { y[base + row * p.nSize + column] = sums[r][c]${bias ? ' + bias[p.biasAt + column * p.biasStep]' : ''}; }
    }
  }`,
  }
}
