import { bytesPerElement, isDense, rowMajor, type Shape, sizeOf, type TensorSpec } from '@heed/core-tensor'
import { copyTo, fillWith } from '../machine/copy.ts'
import type { Heap, Input, Storage } from '../machine/heap.ts'
import { type Family, kernel, type Machine } from '../machine/machine.ts'

interface Placing {
  readonly shape: Shape
  readonly start: readonly number[]
  readonly step: readonly number[]
  readonly fill: number
}

/** The same elements elsewhere. */
export function movement(machine: Machine): Family<'copy' | 'place' | 'concat'> {
  const { heap } = machine
  return {
    copy: kernel(([x], [out]) => {
      const y = heap.output(out)
      copyTo(machine, x, y.pointer, rowMajor(out.shape))
      return [y]
    }),
    place: kernel<Placing>(([x], [out], { start, step, fill }) => {
      const y = heap.output(out)
      fillWith(machine, y, out, fill)
      const strides = rowMajor(out.shape)
      const first = strides.reduce((sum, stride, axis) => sum + stride * (start[axis] as number), 0)
      const apart = strides.map((stride, axis) => stride * (step[axis] as number))
      copyTo(machine, x, y.pointer + first * bytesPerElement[out.dtype], apart)
      return [y]
    }),
    concat: kernel<{ axis: number }>((inputs, [out], { axis }) => {
      const strides = rowMajor(out.shape)
      const step = (strides[axis] as number) * bytesPerElement[out.dtype]
      const grown = extended(heap, inputs[0], out, axis)
      const y = grown ?? heap.output(out)
      let to = y.pointer
      for (let i = 0; i < inputs.length; i++) {
        const x = inputs[i] as Input
        if (i > 0 || !grown) copyTo(machine, x, to, strides)
        to += (x.shape[axis] as number) * step
      }
      return [y]
    }),
  }
}

/** The first input's memory, longer, where the others belong right behind it and there is room: a cache that grows word by word. */
function extended(heap: Heap, x: Input, out: TensorSpec, axis: number): Storage | undefined {
  for (let before = 0; before < axis; before++) if (out.shape[before] !== 1) return undefined
  const width = bytesPerElement[x.dtype]
  const size = sizeOf(x.shape) * width
  if (size === 0 || x.offset !== 0 || size !== x.storage.room.used || !isDense(x)) return undefined
  return heap.extend(x.storage, sizeOf(out.shape) * width - size)
}
