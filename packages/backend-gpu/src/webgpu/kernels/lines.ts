import { sizeOf, type TensorSpec } from '@heed/core-tensor'
import { elementOf, type Family, type Input, type Machine } from '../machine.ts'
import type { Storage } from '../pool.ts'
import type { Element } from '../program.ts'

interface Along {
  readonly axis: number
}

/** Lines along one axis of a row-major tensor: how many, how long, and how far apart their elements are. */
export function linesOf(
  shape: readonly number[],
  axis: number,
): { lines: number; length: number; step: number } {
  const length = shape[axis] as number
  const step = sizeOf(shape.slice(axis + 1))
  return { lines: sizeOf(shape) / Math.max(1, length), length, step }
}

/** Running totals, one thread a line; and order. */
export function lines(machine: Machine): Family<'cumsum' | 'cumprod' | 'sort'> {
  const running =
    (name: string, operator: string, empty: number) =>
    ([x]: readonly Input[], [out]: readonly TensorSpec[], { axis }: Along): Storage[] => {
      const { shape, storage, offset, dtype } = x as Input
      const element = elementOf(dtype)
      const program = machine.program(`${name} ${element}`, () => ({
        params: [['n', 'u32'], ['length', 'u32'], ['step', 'u32'], ['offset', 'u32']],
        reads: { x: element },
        writes: { y: element },
        body: `var at = i / p.step * p.step * p.length + i % p.step;
  var total = ${element}(${empty});
  for (var k = 0u; k < p.length; k++) {
    total = total ${operator} x[p.offset + at];
    y[at] = total;
    at += p.step;
  }`,
      })) // biome-ignore format: a record
      const y = machine.output(out as TensorSpec)
      const { lines: n, length, step } = linesOf(shape, axis)
      if (length > 0) machine.each(program, n, [length, step, offset], [storage, y])
      return [y]
    }
  return {
    cumsum: running('cumsum', '+', 0),
    cumprod: running('cumprod', '*', 1),
    sort: ([x], [out, order], { axis, descending }: Along & { readonly descending: boolean }) => {
      const { shape, storage, offset, dtype } = x as Input
      const [y, at] = machine.outputs([out as TensorSpec, order as TensorSpec]) as [Storage, Storage]
      const element = elementOf(dtype)
      sorted(machine, { shape, axis, element, descending, offset }, storage, y, at)
      return [y, at]
    },
  }
}

interface Sorting {
  readonly shape: readonly number[]
  readonly axis: number
  readonly element: Element
  readonly descending: boolean
  readonly offset: number
}

/** A number as a whole number of the same order: −0 is 0, and NaN is above all. */
const KEYS: Readonly<Record<string, string>> = {
  f32: `fn key(x: f32) -> i32 {
  if (isNan(x)) { return 0x7fffffff; }
  let bits = bitcast<i32>(x);
  if (isZero(x)) { return 0; }
  return select(bits, bits ^ 0x7fffffff, bits < 0);
}`,
  i32: 'fn key(x: i32) -> i32 { return x; }',
}

/**
 * Sorts lines by merging runs, each pass twice as long: every element finds its place in the merged run by its own place in its run
 * and a search in the other. Stable, and the same on every device.
 */
export function sorted(
  machine: Machine,
  { shape, axis, element, descending, offset }: Sorting,
  x: Storage,
  y: Storage,
  order: Storage,
): void {
  const n = sizeOf(shape)
  const { length, step } = linesOf(shape, axis)
  const passes = length > 1 ? Math.ceil(Math.log2(length)) : 0
  const start = machine.program(`sort start ${element}`, () => ({
    params: [['n', 'u32'], ['length', 'u32'], ['step', 'u32'], ['offset', 'u32']],
    reads: { x: element },
    writes: { y: element, order: 'i32' },
    body: 'y[i] = x[p.offset + i]; order[i] = i32(i / p.step % p.length);',
  })) // biome-ignore format: a record
  const before = descending ? ['a > b', 'a >= b'] : ['a < b', 'a <= b']
  const merge = machine.program(`sort merge ${element}${descending ? ' descending' : ''}`, () => ({
    params: [['n', 'u32'], ['length', 'u32'], ['step', 'u32'], ['run', 'u32']],
    reads: { x: element, was: 'i32' },
    writes: { y: element, order: 'i32' },
    globals: KEYS[element] as string,
    body: `let k = i / p.step % p.length;
  let line = i - k * p.step;
  let b = key(x[i]);
  let mine = k / p.run;
  let other = mine ^ 1u;
  var low = min(other * p.run, p.length);
  let base = low;
  var high = min(low + p.run, p.length);
  while (low < high) {
    let middle = (low + high) / 2u;
    let a = key(x[line + middle * p.step]);
    // Equal ones of the left run come first.
    if (${before[0]} || (a == b && other < mine)) { low = middle + 1u; } else { high = middle; }
  }
  let place = min(mine, other) * p.run + (k - mine * p.run) + (low - base);
  y[line + place * p.step] = x[i];
  order[line + place * p.step] = was[i];`,
  })) // biome-ignore format: a record
  // The last pass must end in y: begin where the number of passes leads there.
  machine.scratch([n, n], (otherY, otherOrder) => {
    let [nowY, nowOrder, nextY, nextOrder] = [y, order, otherY as Storage, otherOrder as Storage]
    if (passes % 2 === 1) [nowY, nowOrder, nextY, nextOrder] = [nextY, nextOrder, nowY, nowOrder]
    machine.each(start, n, [length, step, offset], [x, nowY, nowOrder])
    for (let run = 1; run < length; run *= 2) {
      machine.each(merge, n, [length, step, run], [nowY, nowOrder, nextY, nextOrder])
      ;[nowY, nowOrder, nextY, nextOrder] = [nextY, nextOrder, nowY, nowOrder]
    }
  })
}
