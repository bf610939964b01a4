import type { Kernel, Kernels } from '@heed/core-tensor'
import type { Heap, Storage } from '../machine/heap.ts'
import type { Machine } from '../machine/machine.ts'
import { arithmetic } from './arithmetic.ts'
import { attention } from './attention.ts'
import { creation } from './creation.ts'
import { elementwise } from './elementwise.ts'
import { indexing } from './indexing.ts'
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
    ...optimize(machine),
    ...recurrent(machine),
    ...attention(machine),
  }
  const { heap } = machine
  return Object.fromEntries(
    Object.entries(table).map(([name, compute]) => [name, tidied(heap, compute)]),
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
  ...['matmul', 'linear'],
])

/** A kernel that gives its scratch memory back, also when it fails. */
function tidied(heap: Heap, compute: Kernel<Storage>): Kernel<Storage> {
  return (inputs, outputs, attrs) => {
    try {
      return compute(inputs, outputs, attrs)
    } finally {
      heap.clearScratch()
    }
  }
}
