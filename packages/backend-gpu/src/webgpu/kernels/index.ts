import { BackendError, type Kernel, type Kernels } from '@heed/core-tensor'
import type { Machine } from '../machine.ts'
import type { Storage } from '../pool.ts'
import { activations } from './activations.ts'
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

/** Every kernel of WebGPU, in WGSL. */
export function kernelsOn(machine: Machine): Kernels<Storage> {
  const table = {
    ...creation(machine),
    ...movement(machine),
    ...elementwise(machine),
    ...reduce(machine),
    ...lines(machine),
    ...matmul(machine),
    ...indexing(machine),
    ...normalize(machine),
    ...layerNorm(machine),
    ...activations(machine),
    ...optimize(machine),
    ...additive(machine),
    ...attention(machine),
    ...recurrent(machine),
    ...recurrentGrad(machine),
  }
  return Object.fromEntries(
    Object.entries(table).map(([name, compute]) => [name, checked(name, compute as Kernel<Storage>)]),
  ) as unknown as typeof table
}

/** The kernels that read operands of any strides; the others are handed row-major ones. */
export const strided: ReadonlySet<string> = new Set([
  ...[
    'copy',
    'place',
    'concat',
    'fold',
    'cast',
    'neg',
    'abs',
    'sign',
    'floor',
    'ceil',
    'round',
    'exp',
    'expm1',
  ],
  ...['log', 'log1p', 'sqrt', 'sin', 'cos', 'tanh', 'sigmoid', 'erf', 'add', 'sub', 'mul', 'div', 'pow'],
  ...['maximum', 'minimum', 'equal', 'less', 'lessEqual', 'where', 'sum', 'prod', 'max', 'min', 'argmax'],
  ...['argmin', 'matmul', 'linear', 'scaledDotAttention', 'scaledDotAttentionGrad'],
  ...['relu', 'reluGrad', 'gelu', 'geluGrad'],
])

/** A kernel that refuses float64, which no GPU mode has. */
function checked(name: string, compute: Kernel<Storage>): Kernel<Storage> {
  return (inputs, outputs, attrs) => {
    for (const { dtype } of [...inputs, ...outputs]) if (dtype === 'float64') throw noFloat64(name)
    return compute(inputs, outputs, attrs)
  }
}

export function noFloat64(where: string): BackendError {
  return new BackendError(
    `${where}: float64 does not exist on WebGPU; use x.cast('float32'), or @heed/backend-cpu for this tensor`,
  )
}
