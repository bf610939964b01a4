import { type Operand, rowsOf, sizeOf, stretch, type TensorSpec } from '@heed/core-tensor'
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
      const y = machine.output(out as TensorSpec)
      const rows = inRows(x as Input)
      const shape = [...rows.shape.slice(0, -1), (weight as Input).shape[0] as number]
      product(machine, { a: rows, b: turned(weight as Input), shape, ...(bias && { bias }) }, y)
      return [y]
    },
  }
}

/** `[..., n]` as `[rows, n]` where rows lie evenly, and as it is otherwise: then the axes in front are a batch. */
export function inRows<S>(x: Operand<S>): Operand<S> {
  const { dtype, storage } = x
  const lie = x.shape.length === 2 ? undefined : rowsOf(x)
  return lie ? { dtype, storage, ...lie } : x
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
  /** Where the result goes if not to the beginning of its buffer, one matrix behind the other. */
  readonly into?: Place
}

/** A place for matrices in a buffer, in numbers. */
export interface Place {
  readonly offset: number
  /** From one matrix to the next. */
  readonly stride: number
  /** Whether they are added to what is there. */
  readonly adds: boolean
}

/** Numbers of rows and columns that a group of threads computes; each thread a part of 4 × 4. */
const TILE = 32
const DEPTH = 16

/** y = a b (+ bias). */
export function product(machine: Machine, { a, b, shape, bias, into }: Product, y: Storage): void {
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
  const block = tiled ? undefined : blockFor(batches, m, n, k)
  const walk = tiled || block ? padded(flat) : flat
  const kind = tiled ? 'tiled' : block ? `blocks of ${block.join(' x ')}` : 'plain'
  const program = machine.program(`matmul ${kind}${bias ? ' bias' : ''} ${walk.shape.length}`, () =>
    tiled ? inTiles(walk, bias) : block ? inBlocks(walk, bias, block) : plainly(walk, bias),
  )
  const values = [
    m,
    n,
    k,
    into?.offset ?? 0,
    into?.stride ?? m * n,
    into?.adds ? 1 : 0,
    rowA,
    stepA,
    stepB,
    columnB,
    ...(bias ? [bias.offset, bias.strides[0] as number] : []),
  ]
  const at = placeValues(walk, [a.offset, b.offset])
  const buffers = [a.storage, b.storage, ...(bias ? [bias.storage] : []), y]
  if (block) {
    const blocks = Math.ceil(m / block[0]) * Math.ceil(n / block[1])
    machine.each(program, batches * blocks, [...values, ...at], buffers)
  } else if (!tiled) machine.each(program, batches * m * n, [...values, ...at], buffers)
  else {
    const groups = [Math.ceil(n / TILE), Math.ceil(m / TILE), batches] as const
    machine.grouped(program, groups, [...values, ...at], buffers)
  }
}

/** With two axes at least, the outer ones of length 1: tiles and blocks take long to compile, so there shall be few programs of them. */
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
      ...(['yAt', 'yStride', 'adds'] as const).map(name => [name, 'i32'] as const),
      ...(['rowA', 'stepA', 'stepB', 'columnB'] as const).map(name => [name, 'i32'] as const),
      ...(bias ? ([['biasAt', 'i32'], ['biasStep', 'i32']] as const) : []),
      ...params,
    ], // biome-ignore format: a list
    reads: { a: 'f32', b: 'f32', ...(bias ? { bias: 'f32' as const } : {}) },
    writes: { y: 'f32' },
    code,
  }
}

/** Lays a number of the result down, in WGSL. */
const laid = (sum: string, row: string, column: string, bias: Input | undefined): string =>
  `let to = p.yAt + i32(batch) * p.yStride + (${row}) * p.nSize + ${column};
      var v = ${sum}${bias ? ` + bias[p.biasAt + (${column}) * p.biasStep]` : ''};
      if (p.adds != 0) { v += y[to]; }
      y[to] = v;`

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
  ${laid('sum', 'row', 'column', bias)}`,
  }
}

/** Rows and columns of the result that one thread computes where barriers are dear. */
type Block = readonly [rows: number, columns: number]

/** Large ones read least, and take longest to compile: for large products that keep several threads busy. */
function blockFor(batches: number, m: number, n: number, k: number): Block | undefined {
  const work = batches * m * n * k
  if (m >= 16 && n >= 8 && k >= 32 && work >= 2 ** 22 && (batches * m * n) / 128 >= 64) return [16, 8]
  if (m >= 8 && n >= 8 && work >= 2 ** 20 && (batches * m * n) / 64 >= 32) return [8, 8]
  return m >= 4 && n >= 4 ? [4, 4] : undefined
}

/** So many products are added up between two looks at the end of the loop. */
const AT_ONCE = 4

/**
 * Each thread holds a block of sums and reads the operands from memory: for adapters to which barriers are dear. SwiftShader spends
 * as much on one number read as on ten multiplied, and on each sum once more whenever a loop begins anew.
 */
function inBlocks(walk: Walk, bias: Input | undefined, [high, wide]: Block): Omit<Program, 'name'> {
  const { params, reads, writes, code } = described(walk, bias)
  const rows = Array.from({ length: high }, (_, r) => r)
  const quads = Array.from({ length: wide / 4 }, (_, c) => c)
  const lanes = [0, 1, 2, 3]
  const step = (later: string): string =>
    [
      '{',
      ...quads.map(c => `let vb${c} = vec4f(${lanes.map(j => `b[b${4 * c + j} + kb${later && ` + ${later}p.stepB`}]`).join(', ')});`), // biome-ignore format: one line reads best
      ...rows.map(
        r =>
          `let va${r} = vec4f(a[a${r} + ka${later && ` + ${later}p.stepA`}]); ${quads.map(c => `sum${r}_${c} = fma(va${r}, vb${c}, sum${r}_${c});`).join(' ')}`,
      ),
      '}',
    ].join('\n      ')
  const steps = Array.from({ length: AT_ONCE }, (_, u) => step(u === 0 ? '' : `${u} * `))
  return {
    params: [['n', 'u32'], ...params],
    reads,
    writes,
    body: `let blocksAcross = u32(p.nSize + ${wide - 1}) / ${wide}u;
  let blocksDown = u32(p.mSize + ${high - 1}) / ${high}u;
  let column = i32(i % blocksAcross) * ${wide};
  let row = i32(i / blocksAcross % blocksDown) * ${high};
  let batch = i / (blocksAcross * blocksDown);
  ${code}
  ${rows.map(r => `let a${r} = aAt + min(row + ${r}, p.mSize - 1) * p.rowA;`).join(' ')}
  ${quads.flatMap(c => lanes.map(j => `let b${4 * c + j} = bAt + min(column + ${4 * c + j}, p.nSize - 1) * p.columnB;`)).join(' ')}
  ${rows.flatMap(r => quads.map(c => `var sum${r}_${c} = vec4f();`)).join(' ')}
  var ka = 0;
  var kb = 0;
  var k = 0;
  for (; k + ${AT_ONCE} <= p.kSize; k += ${AT_ONCE}) {
    ${steps.join('\n    ')}
    ka += ${AT_ONCE} * p.stepA;
    kb += ${AT_ONCE} * p.stepB;
  }
  for (; k < p.kSize; k++) {
    ${step('')}
    ka += p.stepA;
    kb += p.stepB;
  }
  ${stored(rows, quads, bias)}`,
  }
}

/**
 * Lays a block of sums down. Few products leave much of the time to this, so small blocks that lie in the result as a whole are
 * written out; the rest takes a loop, which is shorter to compile.
 */
function stored(rows: readonly number[], quads: readonly number[], bias: Input | undefined): string {
  const [high, wide] = [rows.length, 4 * quads.length]
  const loop = `var sums = array<vec4f, ${high * quads.length}>(${rows.flatMap(r => quads.map(c => `sum${r}_${c}`)).join(', ')});
    for (var r = 0; r < min(${high}, p.mSize - row); r++) {
      for (var c = 0; c < min(${wide}, p.nSize - column); c++) {
      ${laid(`sums[r * ${quads.length} + c / 4][c % 4]`, 'row + r', 'column + c', bias)}
      }
    }`
  if (high > 8) return loop
  const add = (c: number): string =>
    bias
      ? `let bias${c} = vec4f(${[0, 1, 2, 3].map(j => `bias[p.biasAt + (column + ${4 * c + j}) * p.biasStep]`).join(', ')});`
      : ''
  const lines = rows.map(
    r =>
      `{ let to = first + ${r} * p.nSize; ${quads.map(c => `let v${c} = sum${r}_${c}${bias ? ` + bias${c}` : ''}; ${[0, 1, 2, 3].map(j => `y[to + ${4 * c + j}] = v${c}[${j}];`).join(' ')}`).join(' ')} }`,
  )
  return `if (row + ${high} <= p.mSize && column + ${wide} <= p.nSize && p.adds == 0) {
    let first = p.yAt + i32(batch) * p.yStride + row * p.nSize + column;
    ${quads.map(add).join(' ')}
    ${lines.join('\n    ')}
  } else {
    ${loop}
  }`
}

/** Tiles of both operands stand in workgroup memory, and each thread holds 4 × 4 sums in registers. */
function inTiles(walk: Walk, bias: Input | undefined): Omit<Program, 'name'> {
  const { params, reads, writes, code } = described(walk, bias)
  const side = TILE / 4
  const threads = side * side
  return {
    params,
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
    body: `let batch = group.z;
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
  for (var r = 0; r < 4; r++) {
    let row = firstRow + i32(ty) * 4 + r;
    if (row >= p.mSize) { break; }
    for (var c = 0; c < 4; c++) {
      let column = firstColumn + i32(tx) * 4 + c;
      if (column >= p.nSize) { break; }
      ${laid('sums[r][c]', 'row', 'column', bias)}
    }
  }`,
  }
}
