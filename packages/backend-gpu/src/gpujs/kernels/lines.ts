import { type ops, sizeOf } from '@heed/core-tensor'
import { type Cell, type Family, type Input, isWhole, type Runner, tooLarge, WHOLE } from '../runner.ts'
import { held } from '../text.ts'

/** Running totals and order, along one axis of row-major tensors. */
export function lines(runner: Runner): Family<'cumsum' | 'cumprod' | 'sort'> {
  const running =
    (name: 'cumsum' | 'cumprod', sign: string) =>
    ([x]: readonly Input[], _: unknown, { axis }: ops.Along): Cell[] => {
      const from = x as Input
      const whole = isWhole(from)
      const { length, step } = lineOf(from.shape, axis)
      const size = sizeOf(from.shape)
      // Each round adds what lies twice as far back.
      let now = from.storage
      let start = from.offset
      for (let hop = 1; hop < Math.max(2, length); hop *= 2) {
        const next = runner.run(
          `${name}${whole ? ' whole' : ''}`,
          () => ({
            tensors: ['x'],
            ints: ['start', 'length', 'step', 'hop'],
            body: `if (remainder(quotient(this.thread.x, step), length) < hop) { return x[start + this.thread.x]; }
return ${whole ? 'wholeOf' : ''}(x[start + this.thread.x - hop * step] ${sign} x[start + this.thread.x]);`,
          }),
          size,
          [now],
          [start, length, step, hop],
        )
        if (now !== from.storage) runner.free(now)
        now = next
        start = 0
      }
      return [now]
    }
  return {
    cumsum: running('cumsum', '+'),
    cumprod: running('cumprod', '*'),
    sort: ([x], _, { axis, descending }: ops.Along & { readonly descending: boolean }) => {
      const from = x as Input
      const order = sorted(runner, from, axis, descending)
      const { length, step } = lineOf(from.shape, axis)
      const y = picked(runner, from, order, length, step)
      if (isWhole(from)) runner.ranged(y, runner.rangeOf(from.storage))
      return [y, order]
    },
  }
}

/** How far a line goes, and how far apart its elements are. */
export function lineOf(
  shape: readonly number[],
  axis: number,
): { readonly length: number; readonly step: number } {
  return { length: shape[axis] as number, step: sizeOf(shape.slice(axis + 1)) }
}

/** The elements of lines in the given order. */
export function picked(runner: Runner, from: Input, order: Cell, length: number, step: number): Cell {
  return runner.run(
    'in order',
    () => ({
      tensors: ['x', 'order'],
      ints: ['start', 'length', 'step'],
      body: `return x[placeAt(start + this.thread.x - remainder(quotient(this.thread.x, step), length) * step, order[this.thread.x], step)];`,
    }),
    sizeOf(from.shape),
    [from.storage, order],
    [from.offset, length, step],
  )
}

/**
 * Where each element of a sorted line came from; equal ones keep their order. Runs are merged, twice as long each time, and every
 * element finds by bisection which of two runs it comes from.
 */
export function sorted(runner: Runner, from: Input, axis: number, descending: boolean): Cell {
  const { length, step } = lineOf(from.shape, axis)
  if (length > WHOLE) throw tooLarge('sort', length)
  const size = sizeOf(from.shape)
  let order = runner.run(
    'places along lines',
    () => ({
      ints: ['length', 'step'],
      body: 'return remainder(quotient(this.thread.x, step), length);',
    }),
    size,
    [],
    [length, step],
  )
  for (let run = 1; run < length; run *= 2) {
    const next = runner.run(
      'merge',
      () => ({
        tensors: ['x', 'order'],
        ints: ['start', 'length', 'step', 'run', 'descending'],
        body: merge,
      }),
      size,
      [from.storage, order],
      [from.offset, length, step, run, descending ? 1 : 0],
    )
    runner.free(order)
    order = next
  }
  return runner.ranged(order, [0, Math.max(0, length - 1)])
}

const value = (place: string): string => `x[placeAt(start + line, order[line + (${place}) * step], step)]`

/**
 * Of the j-th element of two merged runs, a and b: how many of the first j come from a, by bisection, and which run is next. An
 * element of b comes first only if it comes before the other, so that equal ones keep their order.
 */
const merge = `let result = 0;
${held(
  {
    line: 'this.thread.x - remainder(quotient(this.thread.x, step), length) * step',
    a: 'quotient(remainder(quotient(this.thread.x, step), length), 2 * run) * 2 * run',
    b: 'least(length, a + run)',
    j: 'remainder(quotient(this.thread.x, step), length) - a',
    low: 'most(0, j - (least(length, b + run) - b))',
    high: 'least(j, b - a)',
  },
  `for (let round = 0; round < 32; round++) {
  if (low < high) {
    ${held(
      { middle: 'quotient(low + high, 2)' },
      `if (beforeOf(${value('b + j - middle - 1')}, ${value('a + middle')}, descending) > 0.5) { high = middle; } else { low = middle + 1; }`,
    )}
  }
}
result = order[line + mergedFrom(a, b, low, j - low, b - a) * step];
if (low < b - a) {
  if (b + j - low < least(length, b + run)) {
    if (beforeOf(${value('b + j - low')}, ${value('a + low')}, descending) > 0.5) { result = order[line + (b + j - low) * step]; }
  }
}`,
)}
return result;`
