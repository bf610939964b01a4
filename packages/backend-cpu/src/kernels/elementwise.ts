import { isDense, isFloat, rowMajor, sizeOf, type UnaryName } from '@heed/core-tensor'
import { copyTo } from '../machine/copy.ts'
import { address } from '../machine/heap.ts'
import { type Family, kernel, type Machine } from '../machine/machine.ts'
import { mapInto } from '../plain/elements.ts'
import { unary } from '../plain/functions.ts'

/** What an element costs, in picoseconds; the others cost what memory does. */
const COSTS: Partial<Record<UnaryName, number>> = {
  exp: 1200,
  expm1: 1200,
  log: 2200,
  log1p: 2500,
  sin: 3000,
  cos: 3000,
  tanh: 1000,
  sigmoid: 1700,
  erf: 1100,
}
const MOVING = 300

/** Functions of one number, and changes of type. */
export function elementwise(machine: Machine): Family<UnaryName | 'cast'> {
  const { heap, wasm } = machine
  const one = (name: UnaryName) => {
    const loop = wasm[name]()
    const cost = COSTS[name] ?? MOVING
    return kernel(([x], [out]) => {
      const y = heap.output(out)
      if (out.dtype !== 'float32') mapInto(heap, unary[name], x, y, out)
      else if (isDense(x)) wasm.unary(loop, address(x), y.pointer, sizeOf(out.shape), cost)
      else {
        copyTo(machine, x, y.pointer, rowMajor(out.shape))
        wasm.unary(loop, y.pointer, y.pointer, sizeOf(out.shape), cost)
      }
      return [y]
    })
  }
  return {
    ...(Object.fromEntries(
      Object.keys(unary).map(name => [name, one(name as UnaryName)]),
    ) as Family<UnaryName>),
    cast: kernel(([x], [out]) => {
      const y = heap.output(out)
      const convert =
        out.dtype === 'bool'
          ? (v: number) => Number(v !== 0)
          : out.dtype === 'int32' && isFloat(x.dtype)
            ? Math.trunc
            : (v: number) => v
      mapInto(heap, convert, x, y, out)
      return [y]
    }),
  }
}
