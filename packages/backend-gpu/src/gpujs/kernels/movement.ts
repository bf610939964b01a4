import { type ops, rowMajor, sizeOf } from '@heed/core-tensor'
import { joined } from '../../webgpu/walk.ts'
import { type Cell, type Family, type Input, isWhole, only, type Range, type Runner } from '../runner.ts'
import { held } from '../text.ts'
import { placeOf, steps } from '../walks.ts'

/** Elements that are moved about. */
export function movement(runner: Runner): Family<'place' | 'concat' | 'fold'> {
  return {
    place: ([x], _, { shape, start, step, fill }: ops.Placing) => {
      const from = x as Input
      const rank = shape.length
      const axes = shape.map((_, a) => a)
      const lengths = axes.slice(1).map(a => `d${a}`)
      const perAxis = axes.flatMap(a => [`b${a}`, `e${a}`, `l${a}`, `s${a}`])
      const within = `within${rank}(${['this.thread.x', ...lengths, 'o', ...perAxis].join(', ')})`
      const y = runner.run(
        `place ${rank}`,
        () => ({
          tensors: ['x'],
          ints: [...lengths, 'o', ...perAxis],
          floats: ['fill'],
          body: `if (${within} < 0) { return fill; }
return x[${within}];`,
        }),
        sizeOf(shape),
        [from.storage],
        [
          ...shape.slice(1),
          from.offset,
          ...axes.flatMap(a => [start[a], step[a], from.shape[a], from.strides[a]] as number[]),
          fill,
        ],
      )
      const range = runner.rangeOf(from.storage)
      return [runner.ranged(y, range && [Math.min(fill, range[0]), Math.max(fill, range[1])])]
    },
    concat: (inputs, outputs, { axis }: { readonly axis: number }) => {
      const out = only(outputs)
      const width = sizeOf(out.shape.slice(axis + 1))
      const rows = sizeOf(out.shape.slice(0, axis))
      const parts = inputs
        .filter(({ shape }) => sizeOf(shape) > 0)
        .map(({ storage, offset, shape }) => ({
          cell: storage,
          offset,
          wide: (shape[axis] as number) * width,
        }))
      if (parts.length === 0) return [runner.driver.take(0)]
      return [runner.ranged(joinedRows(runner, rows, parts), rangeOfAll(runner, inputs))]
    },
    fold: ([windows], outputs, { axis, stride, dilation }: ops.Windowing & { readonly length: number }) => {
      const from = windows as Input
      const out = only(outputs)
      const rank = out.shape.length
      // Position p of the axis is place k of window w where p = w · stride + k · dilation.
      const others = from.strides.slice(0, -1).map((stride, a) => (a === axis ? 0 : stride))
      const spread = joined(out.shape, others, rowMajor(out.shape))
      const whole = isWhole(from)
      const { ints, values } = steps(spread, ['x', 'mark'], [from.offset, 0])
      const y = runner.run(
        `fold ${spread.shape.length}${whole ? ' whole' : ''}`,
        () => ({
          tensors: ['xData'],
          ints: [
            ...ints,
            'length',
            'after',
            'size',
            'windows',
            'stride',
            'dilation',
            'windowStep',
            'placeStep',
          ],
          body: `let sum = 0;
for (let k = 0; k < size; k++) {
${held(
  { w: 'foldedAt(remainder(quotient(this.thread.x, after), length) - k * dilation, stride, windows)' },
  `if (w >= 0) { sum = ${whole ? 'wholeOf' : ''}(sum + xData[${placeOf(spread.shape.length, 'x')} + w * windowStep + k * placeStep]); }`,
)}
}
return sum;`,
        }),
        sizeOf(out.shape),
        [from.storage],
        [
          ...values,
          out.shape[axis] as number,
          sizeOf(out.shape.slice(axis + 1)),
          from.shape[rank] as number,
          from.shape[axis] as number,
          stride,
          dilation,
          from.strides[axis] as number,
          from.strides[rank] as number,
        ],
      )
      return [y]
    },
  }
}

/** Rows laid one behind the other. */
interface Part {
  readonly cell: Cell
  readonly offset: number
  /** Elements of one row. */
  readonly wide: number
}

/** The most tensors that one launch puts together. */
const PARTS = 4

/** Row by row all parts, of which the cells are left alone. */
export function joinedRows(runner: Runner, rows: number, parts: readonly Part[]): Cell {
  let left = parts
  let made: Cell[] = []
  while (left.length > PARTS) {
    const next: Part[] = []
    for (let i = 0; i < left.length; i += PARTS) {
      const some = left.slice(i, i + PARTS)
      const wide = some.reduce((sum, part) => sum + part.wide, 0)
      next.push({ cell: joinedFew(runner, rows, some), offset: 0, wide })
    }
    runner.free(...made)
    made = next.map(({ cell }) => cell)
    left = next
  }
  const y = joinedFew(runner, rows, left)
  runner.free(...made)
  return y
}

function joinedFew(runner: Runner, rows: number, parts: readonly Part[]): Cell {
  const numbers = parts.map((_, i) => i)
  const wide = parts.reduce((sum, part) => sum + part.wide, 0)
  let start = 0
  const starts = parts.map(part => {
    start += part.wide
    return start - part.wide
  })
  const row = 'quotient(this.thread.x, wide)'
  const column = 'remainder(this.thread.x, wide)'
  const pick = (i: number): string => `return x${i}[o${i} + ${row} * w${i} + ${column} - b${i}];`
  return runner.run(
    `concat ${parts.length}`,
    () => ({
      tensors: numbers.map(i => `x${i}`),
      ints: ['wide', ...numbers.flatMap(i => [`o${i}`, `w${i}`, `b${i}`])],
      body: [...numbers.slice(1)]
        .reverse()
        .map(i => `if (${column} >= b${i}) { ${pick(i)} }`)
        .concat(pick(0))
        .join('\n'),
    }),
    rows * wide,
    parts.map(({ cell }) => cell),
    [wide, ...parts.flatMap((part, i) => [part.offset, part.wide, starts[i] as number])],
  )
}

/** The range of whole numbers of several tensors, where all are known. */
function rangeOfAll(runner: Runner, inputs: readonly Input[]): Range | undefined {
  const ranges = inputs.filter(({ shape }) => sizeOf(shape) > 0).map(({ storage }) => runner.rangeOf(storage))
  if (ranges.length === 0 || ranges.some(range => !range)) return undefined
  const known = ranges as Range[]
  return [Math.min(...known.map(([low]) => low)), Math.max(...known.map(([, high]) => high))]
}
