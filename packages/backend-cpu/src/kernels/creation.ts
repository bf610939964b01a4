import { type DType, type Shape, sizeOf } from '@heed/core-tensor'
import { fillWith } from '../machine/copy.ts'
import { type Family, kernel, type Machine } from '../machine/machine.ts'
import { elementsOf } from '../plain/elements.ts'

interface Random {
  readonly shape: Shape
  readonly dtype: DType
  readonly key: readonly [number, number]
  readonly counter: number
}

/** Tensors from nothing. */
export function creation(machine: Machine): Family<'full' | 'arange' | 'random'> {
  const { heap, wasm } = machine
  return {
    full: kernel<{ value: number }>((_, [out], { value }) => {
      const y = heap.output(out)
      fillWith(machine, y, out, value)
      return [y]
    }),
    arange: kernel<{ start: number; step: number }>((_, [out], { start, step }) => {
      const y = heap.output(out)
      const elements = elementsOf(heap, y, out)
      for (let i = 0; i < elements.length; i++) elements[i] = start + i * step
      return [y]
    }),
    random: kernel<Random>((_, [out], { key, counter }) => {
      const n = sizeOf(out.shape)
      const [low, high] = [counter >>> 0, Math.floor(counter / 2 ** 32) >>> 0]
      if (out.dtype === 'float32') {
        const y = heap.output(out)
        wasm.random(y.pointer, n, key[0], key[1], low, high)
        return [y]
      }
      // 24 bits are exact in float32 as well.
      const singles = heap.scratch(4 * n)
      const y = heap.output(out)
      wasm.random(singles, n, key[0], key[1], low, high)
      elementsOf(heap, y, out).set(heap.float32.subarray(singles >> 2, (singles >> 2) + n))
      return [y]
    }),
  }
}
