import type { Input, Machine } from '../machine.ts'
import type { Storage } from '../pool.ts'
import type { Param, Program } from '../program.ts'
import { product, turned } from './matmul.ts'

// Attention as products of matrices with the scores in between, for adapters to which barriers are dear. The scores of some rows at a
// time stand in a buffer of limited size, so memory does not grow with the square of the length; the keys that a causal mask hides from
// all rows of a part are left out.

/** What a call is about; the mask stretched to `[batch, heads, queries, keys]`. */
export interface Call {
  readonly q: Input
  readonly k: Input
  readonly v: Input
  readonly mask: Input | undefined
  readonly scale: number
  /** A query sees the keys up to its own number and so many more; all of them if null. */
  readonly ahead: number | null
}

/** So many scores stand in a buffer at once. */
const SCORES = 2 ** 24
/** Under a causal mask queries are taken in so many parts, each with the keys that it sees. */
const CAUSAL_PARTS = 4
/** Rows of a part at least. */
const CAUSAL_ROWS = 32

/** Some batches, heads and queries of a call, and the keys they see. */
export interface Part {
  readonly batches: Range
  readonly heads: Range
  readonly queries: Range
  readonly keys: number
}
export interface Range {
  readonly first: number
  readonly count: number
}

/**
 * The parts of a call, the later queries first: the first part of a head has all keys.
 *
 * @param most so many scores at once, unless one row has more
 */
export function partsOf({ q, k, ahead }: Pick<Call, 'q' | 'k' | 'ahead'>, most: number = SCORES): Part[] {
  const [batch, heads, queries] = q.shape as [number, number, number, number]
  const keys = k.shape[2] as number
  const room = Math.max(1, Math.floor(most / Math.max(1, keys)))
  const causalRows = Math.max(CAUSAL_ROWS, 16 * Math.ceil(queries / CAUSAL_PARTS / 16))
  const rows = Math.max(1, Math.min(room, ahead === null ? queries : causalRows))
  const headsAtOnce = Math.min(heads, Math.max(1, Math.floor(room / rows)))
  const batchesAtOnce = headsAtOnce < heads ? 1 : Math.max(1, Math.floor(room / (rows * heads)))
  return ranges(batch, batchesAtOnce).flatMap(batches =>
    ranges(heads, headsAtOnce).flatMap(some =>
      ranges(queries, rows)
        .reverse()
        .map((range, i) => {
          const seen = ahead === null ? keys : Math.min(keys, Math.max(0, range.first + range.count + ahead))
          return { batches, heads: some, queries: range, keys: i === 0 ? keys : seen }
        }),
    ),
  )
}

/** One range of none where there is nothing: the gradients of keys are zeros then. */
function ranges(length: number, step: number): Range[] {
  if (length === 0) return [{ first: 0, count: 0 }]
  return Array.from({ length: Math.ceil(length / step) }, (_, i) => ({
    first: i * step,
    count: Math.min(step, length - i * step),
  }))
}

/** The rows of a tensor `[batch, heads, rows, size]` that a part is about. */
function cut(x: Input, { batches, heads }: Part, rows: Range, columns: Range = all(x)): Input {
  const taken = [batches, heads, rows, columns]
  const { dtype, storage, strides } = x
  return {
    dtype,
    storage,
    strides,
    shape: taken.map(({ count }) => count),
    offset: x.offset + taken.reduce((sum, { first }, axis) => sum + first * (x.strides[axis] as number), 0),
  }
}

const all = (x: Input): Range => ({ first: 0, count: x.shape[3] as number })

/** A row-major tensor of float32 in a buffer. */
function plain(storage: Storage, shape: readonly number[]): Input {
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1))
  return { dtype: 'float32', storage, offset: 0, shape, strides }
}

const sizesOf = ({ batches, heads, queries, keys }: Part): [number, number, number, number] => [
  batches.count,
  heads.count,
  queries.count,
  keys,
]

/** How many scores the largest part has. */
function roomOf(parts: readonly Part[]): number {
  return Math.max(0, ...parts.map(part => sizesOf(part).reduce((a, b) => a * b, 1)))
}

/** The rows that a part is about, in an output `[batch, heads, rows, size]`. */
function placeOf({
  shape,
  part,
  rows,
  adds,
}: {
  shape: readonly number[]
  part: Part
  rows: Range
  adds: boolean
}) {
  const [, heads, length, size] = shape as [number, number, number, number]
  const plane = length * size
  const first = part.batches.first * heads + part.heads.first
  return { offset: first * plane + rows.first * size, stride: plane, adds }
}

/** y and the logarithms of the sums. */
export function attendByProducts(machine: Machine, call: Call, y: Storage, logSums: Storage): void {
  const { q, k, v, mask } = call
  const [batch, heads, queries] = q.shape as [number, number, number]
  const outShape = [batch, heads, queries, v.shape[3] as number]
  const parts = partsOf(call)
  machine.scratch([roomOf(parts)], room => {
    for (const part of parts) {
      const sizes = sizesOf(part)
      const keys = { first: 0, count: part.keys }
      const scores = plain(room as Storage, sizes)
      product(
        machine,
        { a: cut(q, part, part.queries), b: turned(cut(k, part, keys)), shape: sizes },
        scores.storage,
      )
      machine.each(
        machine.program(`attention weights${mask ? ' masked' : ''}`, () => weights(mask !== undefined)),
        sizes[0] * sizes[1] * sizes[2],
        [
          ...rowValues(call, part),
          (part.batches.first * heads + part.heads.first) * queries + part.queries.first,
        ],
        [...maskStorage(mask), scores.storage, logSums],
      )
      const into = placeOf({ shape: outShape, part, rows: part.queries, adds: false })
      product(
        machine,
        { a: scores, b: cut(v, part, keys), shape: [...sizes.slice(0, 3), outShape[3] as number], into },
        y,
      )
    }
  })
}

/** What {@link attendByProducts} leads back to. @param stats for each row: the logarithm of its sum, and Σ dy · y */
export function gradByProducts(
  machine: Machine,
  call: Call,
  dy: Input,
  stats: Storage,
  [dq, dk, dv]: readonly [Storage, Storage, Storage],
): void {
  const { q, k, v, mask } = call
  const [, heads, queries] = q.shape as [number, number, number]
  const parts = partsOf(call)
  const count = roomOf(parts)
  machine.scratch([count, count], (first, second) => {
    for (const part of parts) {
      const sizes = sizesOf(part)
      const keys = { first: 0, count: part.keys }
      const [w, ds] = [plain(first as Storage, sizes), plain(second as Storage, sizes)]
      const [rowsQ, rowsDy] = [cut(q, part, part.queries), cut(dy, part, part.queries)]
      const [seenK, seenV] = [cut(k, part, keys), cut(v, part, keys)]
      product(machine, { a: rowsQ, b: turned(seenK), shape: sizes }, w.storage)
      product(machine, { a: rowsDy, b: turned(seenV), shape: sizes }, ds.storage)
      machine.each(
        machine.program(`attention weights grad${mask ? ' masked' : ''}`, () =>
          weightsGrad(mask !== undefined),
        ),
        sizes[0] * sizes[1] * sizes[2],
        [
          ...rowValues(call, part),
          (part.batches.first * heads + part.heads.first) * queries + part.queries.first,
        ],
        [...maskStorage(mask), stats, w.storage, ds.storage],
      )
      const adds = part.queries.first + part.queries.count < queries
      const like = (x: Input, rows: Range): number[] => [
        ...sizes.slice(0, 2),
        rows.count,
        x.shape[3] as number,
      ]
      const at = (x: Input, rows: Range, also: boolean) => placeOf({ shape: x.shape, part, rows, adds: also })
      product(
        machine,
        { a: ds, b: seenK, shape: like(q, part.queries), into: at(q, part.queries, false) },
        dq,
      )
      product(machine, { a: turned(ds), b: rowsQ, shape: like(k, keys), into: at(k, keys, adds) }, dk)
      product(machine, { a: turned(w), b: rowsDy, shape: like(v, keys), into: at(v, keys, adds) }, dv)
    }
  })
}

const maskStorage = (mask: Input | undefined): Storage[] => (mask ? [mask.storage] : [])

/** The values of {@link ROWS} up to the place of the sums. */
function rowValues({ q, mask, scale, ahead }: Call, part: Part): number[] {
  const [, heads, queries] = q.shape as [number, number, number]
  const seen = mask && cut(mask, part, part.queries, { first: 0, count: part.keys })
  return [
    part.heads.count,
    part.queries.count,
    part.keys,
    ahead === null ? 0 : 1,
    (ahead ?? 0) + part.queries.first,
    scale,
    ...(seen ? [seen.offset, ...seen.strides] : []),
    heads * queries,
    queries,
  ]
}

const rowParams = (masked: boolean): Param[] => [
  ['n', 'u32'],
  ...(['heads', 'rows', 'keys', 'causal', 'ahead'] as const).map((name): Param => [name, 'i32']),
  ['scale', 'f32'],
  ...(masked ? ['At', 'B', 'H', 'R', 'C'].map((part): Param => [`mask${part}`, 'i32']) : []),
  ...(['sumsB', 'sumsH', 'sumsAt'] as const).map((name): Param => [name, 'i32']),
]

/** One thread for each row: where it lies, and up to which key it sees. */
const rowHead = (masked: boolean): string => `let row = i32(i) % p.rows;
  let head = i32(i) / p.rows % p.heads;
  let batch = i32(i) / (p.rows * p.heads);
  let start = i32(i) * p.keys;
  let end = select(p.keys, clamp(row + 1 + p.ahead, 0, p.keys), p.causal != 0);
  let sumAt = p.sumsAt + batch * p.sumsB + head * p.sumsH + row;
  ${masked ? 'let maskRow = p.maskAt + batch * p.maskB + head * p.maskH + row * p.maskR;' : ''}`

const open = (masked: boolean): string => (masked ? 'mask[maskRow + key * p.maskC] != 0' : 'true')

const maskReads = (masked: boolean): Record<string, 'i32'> => (masked ? { mask: 'i32' } : {})

/** Scores to weights, in their place. A row that sees nothing has weights of 0. */
function weights(masked: boolean): Omit<Program, 'name'> {
  return {
    params: rowParams(masked),
    reads: maskReads(masked),
    writes: { scores: 'f32', logSums: 'f32' },
    body: `${rowHead(masked)}
  var most = -3e38;
  for (var key = 0; key < end; key++) {
    let v = scores[start + key] * p.scale;
    if (${open(masked)} && (v > most || isNan(v))) { most = v; }
  }
  var total = 0.0;
  for (var key = 0; key < end; key++) {
    let e = select(0.0, expOf(scores[start + key] * p.scale - most), ${open(masked)});
    scores[start + key] = e;
    total += e;
  }
  let share = select(1.0 / total, 0.0, total == 0.0);
  for (var key = 0; key < end; key++) { scores[start + key] *= share; }
  for (var key = end; key < p.keys; key++) { scores[start + key] = 0.0; }
  logSums[sumAt] = select(most + logOf(total), 0.0, total == 0.0);`,
  }
}

/** Scores to weights, and the weights' gradients to those of the scores before they were scaled, both in their places. */
function weightsGrad(masked: boolean): Omit<Program, 'name'> {
  return {
    params: rowParams(masked),
    reads: { ...maskReads(masked), stats: 'f32' },
    writes: { scores: 'f32', grads: 'f32' },
    body: `${rowHead(masked)}
  let logSum = stats[2 * sumAt];
  let along = stats[2 * sumAt + 1];
  for (var key = 0; key < end; key++) {
    let w = select(0.0, expOf(scores[start + key] * p.scale - logSum), ${open(masked)});
    scores[start + key] = w;
    grads[start + key] = w * (grads[start + key] - along) * p.scale;
  }
  for (var key = end; key < p.keys; key++) { scores[start + key] = 0.0; grads[start + key] = 0.0; }`,
  }
}
