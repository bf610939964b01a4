import { BackendError, type Kernel, type Kernels } from '@heed/core-tensor'
import type { Cell, Runner } from '../runner.ts'
import { additive } from './additive.ts'
import { attention } from './attention.ts'
import { creation } from './creation.ts'
import { elementwise } from './elementwise.ts'
import { indexing } from './indexing.ts'
import { layerNorm } from './layerNorm.ts'
import { lines } from './lines.ts'
import { matmul } from './matmul.ts'
import { movement } from './movement.ts'
import { normalize } from './normalize.ts'
import { optimize } from './optimize.ts'
import { recurrent } from './recurrent.ts'
import { recurrentGrad } from './recurrentGrad.ts'
import { reduce } from './reduce.ts'

/** Every kernel of gpu.js, on WebGL2 and on WebGPU alike. */
export function kernelsOf(runner: Runner): Kernels<Cell> {
  const table = {
    ...creation(runner),
    ...movement(runner),
    ...elementwise(runner),
    ...reduce(runner),
    ...lines(runner),
    ...matmul(runner),
    ...indexing(runner),
    ...normalize(runner),
    ...layerNorm(runner),
    ...optimize(runner),
    ...additive(runner),
    ...attention(runner),
    ...recurrent(runner),
    ...recurrentGrad(runner),
  }
  return Object.fromEntries(
    Object.entries(table).map(([name, compute]) => [name, checked(runner, name, compute as Kernel<Cell>)]),
  ) as unknown as typeof table
}

/** The kernels that read operands of any strides; the others are handed row-major ones. */
export const strided: ReadonlySet<string> = new Set([
  ...['copy', 'place', 'fold', 'cast', 'neg', 'abs', 'sign', 'floor', 'ceil', 'round', 'exp', 'expm1', 'log', 'log1p'],
  ...['sqrt', 'sin', 'cos', 'tanh', 'sigmoid', 'erf', 'add', 'sub', 'mul', 'div', 'pow', 'maximum', 'minimum', 'equal'],
  ...['less', 'lessEqual', 'where', 'sum', 'prod', 'max', 'min', 'argmax', 'argmin', 'matmul', 'linear'],
  ...['scaledDotAttention', 'scaledDotAttentionGrad', 'relu', 'reluGrad', 'gelu', 'geluGrad'],
]) // biome-ignore format: a list

/** A kernel that refuses float64, which no GPU mode has. */
function checked(runner: Runner, name: string, compute: Kernel<Cell>): Kernel<Cell> {
  return (inputs, outputs, attrs) => {
    for (const { dtype } of [...inputs, ...outputs]) if (dtype === 'float64') throw noFloat64(runner, name)
    return compute(inputs, outputs, attrs)
  }
}

export function noFloat64({ driver }: Runner, where: string): BackendError {
  const mode = driver.mode === 'webgpu' ? 'WebGPU' : 'WebGL2'
  return new BackendError(
    `${where}: float64 does not exist on ${mode}; use x.cast('float32'), or @heed/backend-cpu for this tensor`,
  )
}
