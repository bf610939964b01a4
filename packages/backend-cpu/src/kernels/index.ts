import type { Kernel, Kernels } from '@heed/core-tensor'
import type { Storage } from '../machine/heap.ts'
import type { Machine } from '../machine/machine.ts'
import { activations } from './activations.ts'
import { arithmetic } from './arithmetic.ts'
import { attention, scaledDot } from './attention.ts'
import { creation } from './creation.ts'
import { elementwise } from './elementwise.ts'
import { indexing } from './indexing.ts'
import { layerNorm } from './layerNorm.ts'
import { matmul } from './matmul.ts'
import { movement } from './movement.ts'
import { normalize } from './normalize.ts'
import { optimize } from './optimize.ts'
import { recurrent } from './recurrent.ts'
import { reduce } from './reduce.ts'

/** Every kernel of this backend. */
export function kernelsOn(machine: Machine): Kernels<Storage> {
  const table = {
    ...creation(machine),
    ...movement(machine),
    ...elementwise(machine),
    ...arithmetic(machine),
    ...reduce(machine),
    ...matmul(machine),
    ...indexing(machine),
    ...normalize(machine),
    ...layerNorm(machine),
    ...activations(machine),
    ...optimize(machine),
    ...recurrent(machine),
    ...attention(machine),
    ...scaledDot(machine),
  }
  return Object.fromEntries(
    Object.entries(table).map(([name, compute]) => [name, tidied(machine, compute)]),
  ) as unknown as typeof table
}

/** The kernels that read operands of any strides; the others are handed row-major ones. */
export const strided: ReadonlySet<string> = new Set([
  ...[
    'copy',
    'place',
    'concat',
    'cast',
    'neg',
    'abs',
    'sign',
    'floor',
    'ceil',
    'round',
    'exp',
    'expm1',
    'log',
  ],
  ...['log1p', 'sqrt', 'sin', 'cos', 'tanh', 'sigmoid', 'erf', 'add', 'sub', 'mul', 'div', 'pow', 'maximum'],
  ...['minimum', 'equal', 'less', 'lessEqual', 'where', 'sum', 'prod', 'max', 'min', 'argmax', 'argmin'],
  ...['matmul', 'linear', 'scaledDotAttention', 'scaledDotAttentionGrad'],
])

/** A kernel that leaves no worker at work and gives its scratch memory back, also when it fails. */
function tidied({ heap, wasm }: Machine, compute: Kernel<Storage>): Kernel<Storage> {
  return (inputs, outputs, attrs) => {
    try {
      return compute(inputs, outputs, attrs)
    } catch (error) {
      wasm.settle()
      throw error
    } finally {
      heap.clearScratch()
    }
  }
}
