import { sizeOf, type TensorSpec } from '@heed/core-tensor'
import { address, type Input, type Storage } from '../machine/heap.ts'
import { type Family, kernel, type Machine } from '../machine/machine.ts'
import { mapInto, zipInto } from '../plain/elements.ts'
import { erf } from '../plain/erf.ts'

interface GeluForm {
  readonly tanh: boolean
}

/** What an element costs, in picoseconds. */
const MOVING = 300
const GELU = 2000
const GELU_GRADIENT = 3000

/** max(x, 0) and x Φ(x), and their gradients, in one pass over memory. */
export function activations(machine: Machine): Family<'relu' | 'reluGrad' | 'gelu' | 'geluGrad'> {
  const { wasm } = machine
  const [forward, gradient] = [one(machine), two(machine)]
  const relu = forward(wasm.relu(), MOVING, x => Math.max(x, 0))
  const reluGrad = gradient(wasm.reluGrad(), MOVING, (dy, y) => (y <= 0 ? 0 : dy))
  const gelus = [forward(wasm.gelu(), GELU, exactly), forward(wasm.geluTanh(), GELU, throughTanh)] as const
  const slopes = [
    gradient(wasm.geluGrad(), GELU_GRADIENT, (dy, x) => dy * exactSlope(x)),
    gradient(wasm.geluTanhGrad(), GELU_GRADIENT, (dy, x) => dy * slopeThroughTanh(x)),
  ] as const
  return {
    relu: kernel(([x], [out]) => [relu(x, out)]),
    reluGrad: kernel(([dy, y], [out]) => [reluGrad(dy, y, out)]),
    gelu: kernel<GeluForm>(([x], [out], { tanh }) => [gelus[tanh ? 1 : 0](x, out)]),
    geluGrad: kernel<GeluForm>(([dy, x], [out], { tanh }) => [slopes[tanh ? 1 : 0](dy, x, out)]),
  }
}

/** y = f(x) */
const one =
  ({ heap, wasm }: Machine) =>
  (loop: number, cost: number, f: (x: number) => number) =>
  (x: Input, out: TensorSpec): Storage => {
    const y = heap.output(out)
    if (out.dtype === 'float32') wasm.unary(loop, address(x), y.pointer, sizeOf(out.shape), cost)
    else mapInto(heap, f, x, y, out)
    return y
  }

/** y = f(a, b) of equal shapes */
const two =
  ({ heap, wasm }: Machine) =>
  (loop: number, cost: number, f: (a: number, b: number) => number) =>
  (a: Input, b: Input, out: TensorSpec): Storage => {
    const y = heap.output(out)
    const n = sizeOf(out.shape)
    if (out.dtype !== 'float32') zipInto(heap, f, [a, b], y, out)
    else if (n > 0) wasm.binary(loop, address(a), 16, address(b), 16, y.pointer, 4, n, 1, cost)
    return y
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
