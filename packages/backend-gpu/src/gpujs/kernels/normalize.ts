import { sizeOf } from '@heed/core-tensor'
import type { Cell, Family, Input, Runner } from '../runner.ts'

/** Softmax and its logarithm over the last axis of row-major tensors: the largest of each row, the sum of powers, and the rest. */
export function normalize(runner: Runner): Family<'softmax' | 'logSoftmax'> {
  const rows =
    (name: 'softmax' | 'logSoftmax', code: string) =>
    ([x]: readonly Input[]): Cell[] => {
      const from = x as Input
      const width = from.shape.at(-1) as number
      const count = width ? sizeOf(from.shape) / width : 0
      const largest = rowLargest(runner, from.storage, from.offset, count, width)
      const sums = rowSums(runner, from.storage, from.offset, largest, count, width)
      const y = runner.run(
        name,
        () => ({
          tensors: ['x', 'largest', 'sums'],
          ints: ['start', 'width'],
          body: `return ${code};`,
        }),
        sizeOf(from.shape),
        [from.storage, largest, sums],
        [from.offset, width],
      )
      runner.free(largest, sums)
      return [y]
    }
  const above = 'x[start + this.thread.x] - largest[quotient(this.thread.x, width)]'
  const sum = 'sums[quotient(this.thread.x, width)]'
  return {
    softmax: rows('softmax', `expOf(${above}) / ${sum}`),
    logSoftmax: rows('logSoftmax', `(${above}) - logOf(${sum})`),
  }
}

/** The largest of each row; NaN where one is. */
export function rowLargest(runner: Runner, x: Cell, start: number, rows: number, width: number): Cell {
  return runner.run(
    'largest of rows',
    () => ({
      tensors: ['x'],
      ints: ['start', 'width'],
      body: `let best = x[start + this.thread.x * width];
for (let k = 1; k < width; k++) {
  best = maximumOf(best, x[start + this.thread.x * width + k]);
}
return best;`,
    }),
    rows,
    [x],
    [start, width],
  )
}

/** Of each row, Σ eˣ⁻ᵐ with m its largest. */
export function rowSums(
  runner: Runner,
  x: Cell,
  start: number,
  largest: Cell,
  rows: number,
  width: number,
): Cell {
  return runner.run(
    'powers of rows',
    () => ({
      tensors: ['x', 'largest'],
      ints: ['start', 'width'],
      body: `let sum = 0;
let most = largest[this.thread.x];
for (let k = 0; k < width; k++) {
  sum += expOf(x[start + this.thread.x * width + k] - most);
}
return sum;`,
    }),
    rows,
    [x, largest],
    [start, width],
  )
}
