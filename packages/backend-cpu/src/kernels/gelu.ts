import { sizeOf } from '@heed/core-tensor'
import { address } from '../machine/heap.ts'
import { type Family, kernel, type Machine } from '../machine/machine.ts'
import { mapInto, zipInto } from '../plain/elements.ts'
import { erf } from '../plain/erf.ts'

interface GeluForm {
  readonly tanh: boolean
}

/** What an element costs, in picoseconds. */
const COST = 2000
const GRADIENT = 3000

/** x Φ(x) and its gradient, in one pass over memory. */
export function gelu({ heap, wasm }: Machine): Family<'gelu' | 'geluGrad'> {
  const loops = {
    forward: [wasm.gelu(), wasm.geluTanh()],
    gradient: [wasm.geluGrad(), wasm.geluTanhGrad()],
  } as const
  return {
    gelu: kernel<GeluForm>(([x], [out], { tanh }) => {
      const y = heap.output(out)
      if (out.dtype === 'float32')
        wasm.unary(loops.forward[tanh ? 1 : 0], address(x), y.pointer, sizeOf(out.shape), COST)
      else mapInto(heap, tanh ? throughTanh : exactly, x, y, out)
      return [y]
    }),
    geluGrad: kernel<GeluForm>(([dy, x], [out], { tanh }) => {
      const y = heap.output(out)
      const n = sizeOf(out.shape)
      const slope = tanh ? slopeThroughTanh : exactSlope
      if (out.dtype !== 'float32') zipInto(heap, (d, v) => d * slope(v), [dy, x], y, out)
      else if (n > 0)
        wasm.binary(
          loops.gradient[tanh ? 1 : 0],
          address(dy),
          16,
          address(x),
          16,
          y.pointer,
          4,
          n,
          1,
          GRADIENT,
        )
      return [y]
    }),
  }
}

const OUTER = Math.sqrt(2 / Math.PI)
const CUBE = 0.044715

const exactly = (x: number): number => 0.5 * x * (1 + erf(x * Math.SQRT1_2))
const exactSlope = (x: number): number =>
  0.5 * (1 + erf(x * Math.SQRT1_2)) + (x * Math.exp(-0.5 * x * x)) / Math.sqrt(2 * Math.PI)
const throughTanh = (x: number): number => 0.5 * x * (1 + Math.tanh(OUTER * (x + CUBE * x ** 3)))
const slopeThroughTanh = (x: number): number => {
  const t = Math.tanh(OUTER * (x + CUBE * x ** 3))
  return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * OUTER * (1 + 3 * CUBE * x * x)
}
