import { sizeOf } from '@heed/core-tensor'
import type { Cell, Family, Input, Runner } from '../runner.ts'
import { dense } from './matmul.ts'
import { columnSums } from './reduce.ts'

interface Normed {
  readonly epsilon: number
}

/** Rows of row-major tensors with mean 0 and variance 1: the mean of each, one over its deviation, and the rest. */
export function layerNorm(runner: Runner): Family<'layerNorm' | 'layerNormGrad'> {
  return {
    layerNorm: ([input, weight, bias], _, { epsilon }: Normed) => {
      const x = input as Input
      const { means, scales } = statistics(runner, x, epsilon)
      const y = runner.run(
        `layerNorm${weight ? ' weighted' : ''}`,
        () => ({
          tensors: ['x', 'means', 'scales', ...(weight ? ['weight', 'bias'] : [])],
          ints: ['start', 'width', ...(weight ? ['weightAt', 'biasAt'] : [])],
          body: `let y = ${NORMED};
return ${weight ? `y * weight[weightAt + ${COLUMN}] + bias[biasAt + ${COLUMN}]` : 'y'};`,
        }),
        sizeOf(x.shape),
        [x.storage, means, scales, ...(weight && bias ? [weight.storage, bias.storage] : [])],
        [x.offset, widthOf(x), ...(weight && bias ? [weight.offset, bias.offset] : [])],
      )
      runner.free(means, scales)
      return [y]
    },
    layerNormGrad: ([grad, input, weight], _, { epsilon }: Normed) => {
      const [dy, x] = [grad, input] as readonly [Input, Input]
      const [rows, width, size] = [rowsOf(x), widthOf(x), sizeOf(x.shape)]
      const { means, scales } = statistics(runner, x, epsilon)
      const weighted = weight ? ' weighted' : ''
      const parts = {
        tensors: ['dy', 'x', 'means', 'scales', ...(weight ? ['weight'] : [])],
        ints: ['dyAt', 'start', 'width', ...(weight ? ['weightAt'] : [])],
      }
      const cells = [dy.storage, x.storage, means, scales, ...(weight ? [weight.storage] : [])]
      const numbers = [dy.offset, x.offset, width, ...(weight ? [weight.offset] : [])]
      const slope = weight ? ' * weight[weightAt + k]' : ''
      // Of each row, the mean of the slopes, and of their products with the normed row.
      const mean = (name: string, factor: string): Cell =>
        runner.run(
          `mean ${name}${weighted}`,
          () => ({
            ...parts,
            body: `let sum = 0;
for (let k = 0; k < width; k++) {
  sum += dy[dyAt + this.thread.x * width + k]${slope}${factor};
}
return sum / width;`,
          }),
          rows,
          cells,
          numbers,
        )
      const slopes = mean('slope', '')
      const products = mean(
        'slope by row',
        ' * (x[start + this.thread.x * width + k] - means[this.thread.x]) * scales[this.thread.x]',
      )
      const dx = runner.run(
        `layerNormGrad${weighted}`,
        () => ({
          tensors: [...parts.tensors, 'slopes', 'products'],
          ints: parts.ints,
          body: `let g = dy[dyAt + this.thread.x]${weight ? ` * weight[weightAt + ${COLUMN}]` : ''};
let y = ${NORMED};
return (g - slopes[${ROW}] - y * products[${ROW}]) * scales[${ROW}];`,
        }),
        size,
        [...cells, slopes, products],
        numbers,
      )
      const made = [dx]
      if (weight) {
        const each = runner.run(
          'slope of weights',
          () => ({ ...parts, body: `return dy[dyAt + this.thread.x] * ${NORMED};` }),
          size,
          cells,
          numbers,
        )
        made.push(
          columnSums(runner, dense(each, [rows, width]), rows, width),
          columnSums(runner, dy, rows, width),
        )
        runner.free(each)
      }
      runner.free(means, scales, slopes, products)
      return made
    },
  }
}

const ROW = 'quotient(this.thread.x, width)'
const COLUMN = 'remainder(this.thread.x, width)'
const NORMED = `(x[start + this.thread.x] - means[${ROW}]) * scales[${ROW}]`

function widthOf({ shape }: Input): number {
  return shape.at(-1) as number
}

function rowsOf(x: Input): number {
  const width = widthOf(x)
  return width ? sizeOf(x.shape) / width : 0
}

/** The mean of each row, and one over the root of its variance. */
function statistics(
  runner: Runner,
  x: Input,
  epsilon: number,
): { readonly means: Cell; readonly scales: Cell } {
  const [rows, width] = [rowsOf(x), widthOf(x)]
  const means = runner.run(
    'means of rows',
    () => ({
      tensors: ['x'],
      ints: ['start', 'width'],
      body: `let sum = 0;
for (let k = 0; k < width; k++) { sum += x[start + this.thread.x * width + k]; }
return sum / width;`,
    }),
    rows,
    [x.storage],
    [x.offset, width],
  )
  const scales = runner.run(
    'scales of rows',
    () => ({
      tensors: ['x', 'means'],
      ints: ['start', 'width'],
      floats: ['epsilon'],
      body: `let sum = 0;
let mean = means[this.thread.x];
for (let k = 0; k < width; k++) {
  let d = x[start + this.thread.x * width + k] - mean;
  sum += d * d;
}
return 1 / sqrtOf(sum / width + epsilon);`,
    }),
    rows,
    [x.storage, means],
    [x.offset, width, epsilon],
  )
  return { means, scales }
}
