import { type Kernel, type ops, sizeOf } from '@heed/core-tensor'
import { joined, type Walk } from '../../webgpu/walk.ts'
import { type Cell, type Family, type Input, isWhole, only, type Runner, tooLarge, WHOLE } from '../runner.ts'
import { held } from '../text.ts'
import { placeOf, steps } from '../walks.ts'

type Fold = 'sum' | 'prod' | 'max' | 'min'
type Place = 'argmax' | 'argmin'

/** What a group's result begins with (nothing: with its first element), and what each element makes of it. */
const folds: Readonly<Record<Fold, readonly [start: string | undefined, float: string, whole: string]>> = {
  sum: ['0', 'best + v', 'wholeOf(best + v)'],
  prod: ['1', 'best * v', 'wholeOf(best * v)'],
  max: [undefined, 'maximumOf(best, v)', 'maximumOf(best, v)'],
  min: [undefined, 'minimumOf(best, v)', 'minimumOf(best, v)'],
}

/** The first element of a thread's chunk. */
const FIRST = 'remainder(this.thread.x, chunks) * length'

/** Where groups begin, and where their elements lie, by strides. */
interface Groups {
  readonly groups: number
  readonly count: number
  readonly outer: Walk
  readonly inner: Walk
  readonly offset: number
}

/** Many numbers to few. */
export function reduce(runner: Runner): Family<Fold | Place> {
  const fold =
    (name: Fold): Kernel<Cell> =>
    ([x], outputs, { axes }: ops.Reduction) => {
      const from = x as Input
      const y = folded(runner, name, isWhole(from), from.storage, groupsOf(from, axes))
      const known = name === 'max' || name === 'min' ? runner.rangeOf(from.storage) : undefined
      return [sizeOf(only(outputs).shape) ? runner.ranged(y, known) : y]
    }
  const place =
    (name: Place): Kernel<Cell> =>
    ([x], _, { axes }: ops.Reduction) => {
      const from = x as Input
      const all = groupsOf(from, axes)
      if (all.count > WHOLE) throw tooLarge(name, all.count)
      return [runner.ranged(placed(runner, name, isWhole(from), from.storage, all), [0, all.count - 1])]
    }
  return {
    sum: fold('sum'),
    prod: fold('prod'),
    max: fold('max'),
    min: fold('min'),
    argmax: place('argmax'),
    argmin: place('argmin'),
  }
}

function groupsOf({ shape, strides, offset }: Input, axes: readonly number[]): Groups {
  const part = (of: readonly number[]): Walk =>
    joined(
      of.map(a => shape[a] as number),
      of.map(a => strides[a] as number),
    )
  const kept = shape.map((_, a) => a).filter(a => !axes.includes(a))
  return {
    groups: sizeOf(kept.map(a => shape[a] as number)),
    count: sizeOf(axes.map(a => shape[a] as number)),
    outer: part(kept),
    inner: part(axes),
    offset,
  }
}

/** Beyond, a group is cut into chunks, so that many threads share it: √n of √n each. */
const LONG = 256

function chunksOf(count: number): { readonly chunks: number; readonly length: number } {
  if (count <= LONG) return { chunks: 1, length: count }
  const length = Math.ceil(Math.sqrt(count))
  return { chunks: Math.ceil(count / length), length }
}

function described({ outer, inner, offset }: Groups) {
  const starts = steps(outer, ['x'], [offset], 'o')
  const within = steps(inner, ['x'], [0], 'i')
  return {
    key: `${outer.shape.length} ${inner.shape.length}`,
    ints: [...starts.ints, ...within.ints],
    values: [...starts.values, ...within.values],
    /** Where the group of a thread begins, and its \`k\`-th element after that. */
    start: placeOf(outer.shape.length, 'x', 'quotient(this.thread.x, chunks)', 'o'),
    element: (k: string) => `x[at + ${placeOf(inner.shape.length, 'x', k, 'i')}]`,
  }
}

function folded(runner: Runner, name: Fold, whole: boolean, x: Cell, all: Groups): Cell {
  const { chunks, length } = chunksOf(all.count)
  const { key, ints, values, start, element } = described(all)
  const [begin, float, wholly] = folds[name]
  const y = runner.run(
    `${name}${whole ? ' whole' : ''} of groups ${key}`,
    () => ({
      tensors: ['x'],
      ints: [...ints, 'chunks', 'length', 'count'],
      body: `let best = ${begin ?? '0'};
${held(
  { at: start, first: FIRST },
  `${begin ? '' : `best = ${element('first')};`}
for (let k = 0; k < length; k++) {
  if (first + k < count) {
    let v = ${element('first + k')};
    best = ${whole ? wholly : float};
  }
}`,
)}
return best;`,
    }),
    all.groups * chunks,
    [x],
    [...values, chunks, length, all.count],
  )
  if (chunks === 1) return y
  const result = folded(runner, name, whole, y, rowsOf(all.groups, chunks))
  runner.free(y)
  return result
}

/** Groups that lie one behind the other. */
function rowsOf(groups: number, count: number): Groups {
  return { groups, count, outer: joined([groups], [count]), inner: joined([count], [1]), offset: 0 }
}

/** The sums of the columns of a row-major matrix. */
export function columnSums(runner: Runner, x: Input, rows: number, columns: number): Cell {
  const all = {
    groups: columns,
    count: rows,
    outer: joined([columns], [1]),
    inner: joined([rows], [columns]),
    offset: x.offset,
  }
  return folded(runner, 'sum', false, x.storage, all)
}

function placed(runner: Runner, name: Place, whole: boolean, x: Cell, all: Groups): Cell {
  const { chunks, length } = chunksOf(all.count)
  const { key, ints, values, start, element } = described(all)
  const wins = name === 'argmax' ? 'firstOf' : 'lastOf'
  // A whole number that is none any more makes the place none either.
  const ending = whole ? 'if (final === 1) { if (isNanOf(best) > 0.5) { return nanOf(); } }' : ''
  const spots = runner.run(
    `${name}${whole ? ' whole' : ''} ${key}`,
    () => ({
      tensors: ['x'],
      ints: [...ints, 'chunks', 'length', 'count', 'final'],
      body: `let best = 0;
let spot = 0;
${held(
  { at: start, first: FIRST },
  `best = ${element('first')};
spot = first;
for (let k = 1; k < length; k++) {
  if (first + k < count) {
    let v = ${element('first + k')};
    if (${wins}(v, best) > 0.5) {
      best = v;
      spot = first + k;
    }
  }
}`,
)}
${ending}
return spot;`,
    }),
    all.groups * chunks,
    [x],
    [...values, chunks, length, all.count, chunks === 1 ? 1 : 0],
  )
  if (chunks === 1) return spots
  const y = runner.run(
    `${name}${whole ? ' whole' : ''} of chunks ${key}`,
    () => ({
      tensors: ['x', 'spots'],
      ints: [...ints, 'chunks', 'candidates', 'final'],
      body: `let best = 0;
let spot = 0;
${held(
  { at: start },
  `spot = spots[this.thread.x * candidates];
best = ${element('spot')};
for (let k = 1; k < candidates; k++) {
  let other = spots[this.thread.x * candidates + k];
  let v = ${element('other')};
  if (${wins}(v, best) > 0.5) {
    best = v;
    spot = other;
  }
}`,
)}
${ending}
return spot;`,
    }),
    all.groups,
    [x, spots],
    [...values, 1, chunks, 1],
  )
  runner.free(spots)
  return y
}
